"""What people ask about imports: the same answers for the terminal, the API and the pages (CONTRACT: Import)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reelbase.database.connect import Connection, DictConnection
from reelbase.database.statements import statements
from reelbase.datasets import DATASETS, Dataset
from reelbase.errors import UnknownImport

_SQL = statements("reelbase.imports", "read.sql")
KnownDataset = Dataset
_BEFORE_THE_END = ("queued", "receiving", "loading", "indexing", "publishing", "held")


def imports(
    connection: DictConnection,
    *,
    import_id: int | None = None,
    dataset: str | None = None,
    state: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[dict[str, Any]]:
    """Imports, newest first, each with its files, progress and checks; `before` leaves out that one and later ones."""
    parameters = {"id": import_id, "dataset": dataset, "state": state, "before": before, "limit": limit}
    found = connection.execute(_SQL["imports"], parameters).fetchall()
    ids = [row["id"] for row in found]
    files = _by_import(connection, "files", ids)
    checks = _by_import(connection, "checks", ids)
    return [_import(row, files.get(row["id"], []), checks.get(row["id"], [])) for row in found]


def count_imports(connection: DictConnection, *, dataset: str | None = None, state: str | None = None) -> int:
    """How many imports there are."""
    row = connection.execute(_SQL["count_imports"], {"dataset": dataset, "state": state}).fetchone()
    return int(row["imports"]) if row else 0


def states(connection: DictConnection) -> dict[str, int]:
    """How many imports are in each state."""
    return {row["state"]: row["imports"] for row in connection.execute(_SQL["states"])}


def last_successes(connection: DictConnection) -> dict[str, float]:
    """When the last import of each dataset was completed, in seconds since 1970."""
    return {row["dataset"]: row["seconds"] for row in connection.execute(_SQL["last_successes"])}


def one_import(connection: DictConnection, import_id: int) -> dict[str, Any]:
    """One import; raises UnknownImport."""
    found = imports(connection, import_id=import_id)
    if not found:
        raise UnknownImport(f"There is no import {import_id}.", "`reelbase imports` lists them.")
    return found[0]


def rejects(connection: Connection, import_id: int) -> Iterator[tuple[Any, ...]]:
    """The rejects of an import, file after file: file, line, byte_offset, column, reason, record, record_bytes."""
    with connection.transaction(), connection.cursor(name="rejects") as cursor:
        cursor.execute(_SQL["rejects"], {"import_id": import_id})
        yield from cursor


@dataclass(frozen=True, slots=True)
class RawRejects:
    """The bad records of one file byte for byte, below its header line: a file that can be mended and imported.

    A file without header line has none here either.
    """

    connection: Connection
    file_id: int
    name: str
    header: bytes
    left_out: frozenset[str]

    def lines(self) -> Iterator[bytes]:
        """Header and records with the line ends of the file. Records that were too long to keep are not there."""
        line_end = b"\r\n" if self.header.endswith(b"\r\n") else b"\n"
        if self.header:
            yield self.header.rstrip(b"\r\n") + line_end
        with self.connection.transaction(), self.connection.cursor(name="raw") as cursor:
            cursor.execute(_SQL["raw_records"], {"file_id": self.file_id, "left_out": list(self.left_out)})
            for (record,) in cursor:
                yield record + line_end


def raw_rejects(connection: Connection, import_id: int, left_out: frozenset[str]) -> list[RawRejects]:
    """The files of an import that have rejects, without those for the reasons `left_out`."""
    rows = connection.execute(_SQL["raw_headers"], {"import_id": import_id, "left_out": list(left_out)}).fetchall()
    return [RawRejects(connection, file_id, name, header, left_out) for file_id, name, header in rows]


def count_rejects(connection: Connection, import_id: int, reason: str) -> int:
    """How many rejects of an import have that reason."""
    row = connection.execute(_SQL["count_rejects"], {"import_id": import_id, "reason": reason}).fetchone()
    return int(row[0]) if row else 0


def datasets(connection: DictConnection) -> list[dict[str, Any]]:
    """What is loaded: each dataset with its live release and the tables of it."""
    found = connection.execute(_SQL["datasets"]).fetchall()
    tables = connection.execute(_SQL["dataset_tables"], {"releases": [row["release"] for row in found]}).fetchall()
    for row in found:
        row["tables"] = [
            {"name": table["table_name"], "rows": table["rows"], "bytes": table["bytes"], "import": table["import_id"]}
            for table in tables
            if table["release_id"] == row["release"]
        ]
    return found


def live_datasets(connection: DictConnection) -> set[str]:
    """The names of the datasets that are loaded."""
    return {row["name"] for row in connection.execute(_SQL["live_datasets"])}


def known_datasets() -> tuple[KnownDataset, ...]:
    """Every dataset that can be loaded, in the order in which they are shown."""
    return DATASETS


def releases(connection: DictConnection, dataset: str) -> list[dict[str, Any]]:
    """The published releases of a dataset that are still there, newest first, each with its tables."""
    found = connection.execute(_SQL["releases"], {"dataset": dataset}).fetchall()
    tables = connection.execute(_SQL["dataset_tables"], {"releases": [row["id"] for row in found]}).fetchall()
    for row in found:
        row["tables"] = [
            {"name": table["table_name"], "rows": table["rows"], "import": table["import_id"]}
            for table in tables
            if table["release_id"] == row["id"]
        ]
    return found


def workers(connection: DictConnection, lease_seconds: float) -> list[dict[str, Any]]:
    """Workers that are alive: host, what they do, since when."""
    return connection.execute(_SQL["workers"], {"lease_seconds": lease_seconds}).fetchall()


def _by_import(connection: DictConnection, name: str, ids: list[int]) -> dict[int, list[dict[str, Any]]]:
    grouped: dict[int, list[dict[str, Any]]] = {}
    for row in connection.execute(_SQL[name], {"ids": ids}):
        grouped.setdefault(row.pop("import_id"), []).append(row)
    return grouped


def _import(row: dict[str, Any], files: list[dict[str, Any]], checks: list[dict[str, Any]]) -> dict[str, Any]:
    progress = _progress(row, files)
    for file in files:
        for inner in ("source_bytes", "source_done", "cut", "blank"):
            del file[inner]
        file["seconds"] = _rounded(file["seconds"])
    return {
        **{name: row[name] for name in ("id", "kind", "dataset", "state", "mode", "attempt")},
        **{name: row[name] for name in ("created_at", "updated_at", "started_at", "finished_at")},
        "seconds": _rounded(row["seconds"]),
        "release": row["release"],
        "progress": progress,
        "files": files,
        "checks": checks,
        "skipped": row["skipped"],
        "error": row["error"],
    }


def _progress(row: dict[str, Any], files: list[dict[str, Any]]) -> dict[str, Any]:
    """How far it is, in bytes of the files as they lie on disk; those are known before anything is unpacked."""
    total = sum(file["source_bytes"] for file in files)
    done = sum(
        file["source_bytes"] if file["state"] == "done" else min(file["source_done"], file["source_bytes"])
        for file in files
    )
    loaded = sum(file["rows_loaded"] for file in files)
    seconds = row["seconds"] or 0.0
    runs = row["state"] in _BEFORE_THE_END
    return {
        "bytes_done": done,
        "bytes_total": total,
        "rows_loaded": loaded,
        "rows_rejected": sum(file["rows_rejected"] for file in files),
        "rows_per_second": round(loaded / seconds) if seconds else None,
        "eta_seconds": round(seconds * (total - done) / done, 1)
        if runs and done and row["state"] == "loading"
        else None,
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
