"""Releases of the catalog: built beside the live one, and made live in the transaction that publishes a dataset.

A release of the catalog belongs to one release of each dataset. Publishing builds the one that fits; rollback takes the
one before where that fits, and builds it otherwise. Whoever publishes holds the catalog's lock (`imports`), from
looking at what is live to the swap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from psycopg import sql
from psycopg.types.json import Jsonb

from reelbase.database.connect import Connection
from reelbase.database.statements import statements
from reelbase.datasets import Check
from reelbase.publishing import names, own

_SQL = statements("reelbase.publishing", "catalog.sql")
LIVE = "catalog"

Relations = Mapping[str, sql.Identifier]
"""Physical tables by the full names under which they will be live."""


@dataclass(frozen=True, slots=True)
class Built:
    """What a build came to: how many movies, and what was odd."""

    movies: int
    checks: Sequence[Check]


Build = Callable[[Connection, str, Relations], Built]
"""Builds the catalog in an empty schema; the room `catalog` does it, `imports` brings the two together."""


def schema_name(release: int) -> str:
    """Where a release of the catalog is while it is not live."""
    return f"catalog_release_{release}"


def sources(connection: Connection) -> dict[str, int]:
    """The live release of each dataset that has one."""
    return dict(connection.execute(_SQL["sources"]).fetchall())


def kept(connection: Connection, of: Mapping[str, int]) -> int | None:
    """A release built from just these releases that is still there."""
    row = connection.execute(_SQL["kept"], {"sources": Jsonb(dict(of))}).fetchone()
    return int(row[0]) if row else None


def prepare(connection: Connection, import_id: int, of: Mapping[str, int], relations: Relations, build: Build) -> int:
    """Build a release of the catalog beside the live one; returns its number."""
    row = connection.execute(_SQL["new_release"], {"sources": Jsonb(dict(of)), "import_id": import_id}).fetchone()
    assert row is not None  # noqa: S101  # insert … returning
    release = int(row[0])
    schema = schema_name(release)
    try:
        connection.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
        built = build(connection, schema, relations)
        checks = Jsonb([asdict(check) for check in built.checks])
        connection.execute(_SQL["built"], {"release": release, "movies": built.movies, "checks": checks})
    except BaseException:
        drop(connection, release)
        raise
    return release


def make_ready(connection: Connection, release: int) -> list[sql.Identifier]:
    """Bring a release up to date, so that nothing slow is left to `swap`; part of the same transaction.

    Returns the views and tables that the swap will take from readers.
    """
    live = _locked(connection)
    own.show_all(connection, sql.Identifier(LIVE if live == release else schema_name(release)))
    if live in (None, release):
        return []
    names.grant_as(connection, LIVE, schema_name(release))
    return [sql.Identifier(LIVE, name) for name, _ in _tables(connection, LIVE)]


def swap(connection: Connection, release: int) -> None:
    """Make a release of the catalog live; part of the transaction that publishes a dataset, behind `make_ready`."""
    live = _locked(connection)
    if live != release:
        if live is not None:
            names.rename(connection, LIVE, schema_name(live))
        else:
            names.check_free(connection, LIVE)
        names.rename(connection, schema_name(release), LIVE)
    connection.execute(_SQL["point"], {"release": release})
    connection.execute(_SQL["published"], {"release": release})


def _locked(connection: Connection) -> int | None:
    """The live release, which stays the live one until the transaction ends."""
    row = connection.execute(_SQL["pointer_locked"]).fetchone()
    return row[0] if row else None


def drop(connection: Connection, release: int) -> None:
    """Forget a release that was prepared and not published."""
    if connection.closed or connection.broken:
        return
    with connection.transaction():
        connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema_name(release))))
        connection.execute(_SQL["forget_release"], {"release": release})


def retired(connection: Connection) -> list[int]:
    """Releases that are neither live nor the one before, nor being built."""
    return [release for (release,) in connection.execute(_SQL["retired"])]


def drop_retired(connection: Connection, release: int) -> None:
    """Drop a retired release and forget it; what people have put beside its tables stays, with its schema."""
    schema = schema_name(release)
    for name, is_view in sorted(_tables(connection, schema), key=lambda one: not one[1]):
        kind = sql.SQL("view" if is_view else "table")
        connection.execute(sql.SQL("drop {} if exists {}").format(kind, sql.Identifier(schema, name)))
    connection.execute(sql.SQL("drop schema if exists {}").format(sql.Identifier(schema)))
    connection.execute(_SQL["forget_release"], {"release": release})


def forget_previous(connection: Connection) -> None:
    """Keep the live release only."""
    connection.execute(_SQL["forget_previous"])


def _tables(connection: Connection, schema: str) -> list[tuple[str, bool]]:
    """Tables and views of a schema, and whether each is a view."""
    return connection.execute(_SQL["tables"], {"schema": schema}).fetchall()
