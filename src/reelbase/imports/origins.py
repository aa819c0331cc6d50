"""Where the files of an import come from, as rows: what was asked for, where its bytes are, how many have come."""

from __future__ import annotations

import platform
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from reelbase.database.connect import Connection, DictConnection
from reelbase.database.statements import statements
from reelbase.imports import store
from reelbase.imports.sources import URL, Source
from reelbase.loading.ledger import Run

SQL = statements("reelbase.imports", "origins.sql")


@dataclass(frozen=True, slots=True)
class Origin:
    """A source of an import, and what has become of it: where its bytes are, their digest, and when they were made."""

    position: int
    source: Source
    path: Path | None
    sha256: str | None
    modified: datetime | None


def add(connection: Connection, import_id: int, sources: Sequence[Source]) -> None:
    """Write down where an import's files come from."""
    if any(source.kind != URL for source in sources):
        connection.execute(store.SQL["is_here"], {"import_id": import_id, "host": platform.node()})
    for position, source in enumerate(sources):
        connection.execute(
            SQL["add"],
            {
                "import_id": import_id,
                "position": position,
                "kind": source.kind,
                "name": source.name,
                "location": source.location,
                "is_local": source.is_local,
                "published": source.published,
                "has_md5": source.has_md5,
            },
        )


def of_import(connection: Connection, import_id: int) -> list[Origin]:
    """Every source of an import, in the order in which they were given."""
    return [
        Origin(
            position,
            Source(kind, name, location, is_local=is_local, published=published, has_md5=has_md5),
            Path(path) if path else None,
            sha256,
            modified,
        )
        for position, kind, name, location, is_local, published, has_md5, path, sha256, modified in connection.execute(
            SQL["of_import"], {"import_id": import_id}
        )
    ]


def expect(connection: Connection, run: Run, position: int, size: int | None) -> None:
    """So many bytes will come, as far as is known."""
    _change(connection, run, "expect", position, {"bytes": size})


def going_to(connection: Connection, run: Run, position: int, path: Path) -> None:
    """The bytes will come to that place: it is needed from now on."""
    _change(connection, run, "going_to", position, {"path": str(path)})


def report(connection: Connection, run: Run, position: int, done: int, total: int | None, *, is_first: bool) -> None:
    """So many bytes are there; with the first report of an attempt, before it began."""
    _change(connection, run, "report", position, {"done": done, "total": total, "is_first": is_first})


def received(
    connection: Connection,
    run: Run,
    position: int,
    path: Path,
    *,
    size: int,
    sha256: str,
    modified: datetime | None = None,
) -> None:
    """All of it is there."""
    values = {"path": str(path), "bytes": size, "sha256": sha256, "modified": modified}
    _change(connection, run, "received", position, values)


def how_far(connection: DictConnection, ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """How far the downloads of these imports are, for those that have any: bytes by the number of the import."""
    rows = connection.execute(SQL["how_far"], {"ids": list(ids)}).fetchall()
    return {row["import_id"]: row for row in rows}


def _change(connection: Connection, run: Run, statement: str, position: int, values: dict[str, Any]) -> None:
    """Raises Cancelled or Fenced when the import is no longer ours."""
    with connection.transaction():
        mine = connection.execute(SQL["mine"], {"import_id": run.import_id, "attempt": run.attempt}).fetchone()
        if mine is None:
            raise store.lost(connection, run)
        connection.execute(SQL[statement], {"import_id": run.import_id, "position": position, **values})
