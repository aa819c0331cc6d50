"""Releases. A release is a schema of views over physical tables; publishing renames it into place.

Renaming a schema takes no lock on any table: 0.6 ms with a reader's transaction open, and names that readers use always
lead to the current release (docs/decisions/0006 has the alternatives and the figures). The release before is kept,
under its own schema name, and rollback renames it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import sql
from psycopg.types.json import Jsonb

from reelbase.database.connect import Connection
from reelbase.database.statements import statements
from reelbase.errors import Fenced, Superseded, UnknownImport
from reelbase.publishing import catalog, names
from reelbase.publishing.catalog import Build

_SQL = statements("reelbase.publishing", "release.sql")


@dataclass(frozen=True, slots=True)
class ReleaseTable:
    """A physical table as a release shows it: its name, where it lies, which import loaded it, its rows and columns."""

    name: str
    data_schema: str
    import_id: int
    rows: int
    columns: tuple[str, ...]

    @property
    def relation(self) -> sql.Identifier:
        return sql.Identifier(self.data_schema, self.name)


@dataclass(frozen=True, slots=True)
class Pointer:
    """Which release of a dataset is live, and which one rollback brings back."""

    live: int | None
    previous: int | None


def pointer(connection: Connection, dataset: str) -> Pointer:
    """What readers see now."""
    row = connection.execute(_SQL["pointer"], {"dataset": dataset}).fetchone()
    return Pointer(*row) if row else Pointer(None, None)


def tables(connection: Connection, release: int | None) -> dict[str, ReleaseTable]:
    """The tables of a release by name; none for no release."""
    if release is None:
        return {}
    rows = connection.execute(_SQL["tables"], {"release": release})
    return {
        name: ReleaseTable(name, schema, import_id, count, tuple(columns))
        for name, schema, import_id, count, columns in rows
    }


def schema_name(dataset: str, release: int) -> str:
    """Where a release's views are while it is not live."""
    return f"{dataset}_release_{release}"


def check_not_superseded(connection: Connection, dataset: str, import_id: int, names: Iterable[str]) -> Pointer:
    """Raise Superseded when a later import has published one of these tables; returns the pointer, locked."""
    row = connection.execute(_SQL["pointer_locked"], {"dataset": dataset}).fetchone()
    found = Pointer(*row) if row else Pointer(None, None)
    check_later(connection, dataset, found, import_id, names)
    return found


def check_later(connection: Connection, dataset: str, now: Pointer, import_id: int, names: Iterable[str]) -> None:
    """Raise Superseded when a later import has published one of these tables of the live release."""
    live = tables(connection, now.live)
    for name in names:
        if name in live and live[name].import_id > import_id:
            raise Superseded(
                f"Import {live[name].import_id} has published {dataset}.{name} since this import was asked for.",
                "Import the files again if they are the newer ones.",
            )


def publish(
    connection: Connection,
    dataset: str,
    import_id: int,
    attempt: int,
    loaded: Sequence[ReleaseTable],
    build: Build,
) -> int:
    """Make these tables live beside those of the live release that they do not replace; returns the release's number.

    The catalog over them is built first, and becomes live with them. The import is completed in the same transaction:
    completed means visible. Raises Superseded, Fenced.
    """
    connection.execute(_SQL["dataset"], {"dataset": dataset})
    while True:
        before = pointer(connection, dataset)
        shown = tables(connection, before.live) | {table.name: table for table in loaded}
        release = _prepare(connection, dataset, import_id, before, shown.values())
        try:
            built = _catalog(connection, import_id, dataset, release, build)
            with connection.transaction():
                now = check_not_superseded(connection, dataset, import_id, (table.name for table in loaded))
                if now != before:
                    raise _Moved
                _swap(connection, dataset, now, Pointer(release, now.live), built)
                _complete(connection, import_id, attempt, release)
        except _Moved:
            catalog.drop(connection, built)
            _drop_release(connection, dataset, release)
        except BaseException:
            _drop_release(connection, dataset, release)
            raise
        else:
            return release


def publish_nothing(connection: Connection, dataset: str, import_id: int, attempt: int, build: Build) -> int:
    """Take a dataset away from readers: a release without tables. Rollback brings the last one back."""
    before = pointer(connection, dataset)
    if not tables(connection, before.live):
        raise UnknownImport(f"There is no {dataset} in the database.")
    release = _prepare(connection, dataset, import_id, before, ())
    try:
        built = _catalog(connection, import_id, dataset, None, build)
        with connection.transaction():
            now = check_not_superseded(connection, dataset, import_id, ())
            _swap(connection, dataset, now, Pointer(release, now.live), built)
            _complete(connection, import_id, attempt, release)
    except BaseException:
        _drop_release(connection, dataset, release)
        raise
    return release


def rollback(connection: Connection, dataset: str, import_id: int, attempt: int, build: Build) -> int:
    """Bring the previous release back, and the catalog with it; the one that was live becomes the previous one."""
    previous = pointer(connection, dataset).previous
    shown = previous if tables(connection, previous) else None
    built = _catalog(connection, import_id, dataset, shown, build) if previous is not None else None
    with connection.transaction():
        now = check_not_superseded(connection, dataset, import_id, ())
        if now.previous is None or built is None:
            raise UnknownImport(
                f"There is no earlier release of {dataset} to go back to.",
                "The release before the live one is kept until `reelbase prune --all`.",
            )
        if now.live is not None:
            names.grant_as(connection, dataset, schema_name(dataset, now.previous))
        _swap(connection, dataset, now, Pointer(now.previous, now.live), built)
        _complete(connection, import_id, attempt, now.previous)
    return now.previous


def _catalog(connection: Connection, import_id: int, dataset: str, release: int | None, build: Build) -> int:
    """The catalog over what is live, with this release of the dataset (None: without it): a kept one, or a new one."""
    sources = catalog.sources(connection)
    sources.pop(dataset, None)
    if release is not None:
        sources[dataset] = release
    kept = catalog.kept(connection, sources)
    if kept is not None:
        return kept
    relations = {
        f"{name}.{table.name}": table.relation
        for name, number in sources.items()
        for table in tables(connection, number).values()
    }
    return catalog.prepare(connection, import_id, sources, relations, build)


class _Moved(Exception):  # a signal, never shown
    """Another import published while this one prepared."""


def _prepare(
    connection: Connection, dataset: str, import_id: int, before: Pointer, shown: Iterable[ReleaseTable]
) -> int:
    """Build the release's schema of views beside the live one."""
    with connection.transaction():
        row = connection.execute(_SQL["new_release"], {"dataset": dataset, "import_id": import_id}).fetchone()
        assert row is not None  # noqa: S101  # insert … returning
        release = int(row[0])
        schema = schema_name(dataset, release)
        connection.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
        for table in shown:
            _show(connection, schema, release, table)
        if before.live is not None:
            names.grant_as(connection, dataset, schema)
    return release


def _show(connection: Connection, schema: str, release: int, table: ReleaseTable) -> None:
    connection.execute(
        sql.SQL("create view {} as select {} from {}").format(
            sql.Identifier(schema, table.name),
            sql.SQL(", ").join(sql.Identifier(column) for column in table.columns),
            table.relation,
        )
    )
    connection.execute(
        _SQL["add_table"],
        {
            "release": release,
            "table_name": table.name,
            "data_schema": table.data_schema,
            "import_id": table.import_id,
            "rows": table.rows,
            "columns": Jsonb(list(table.columns)),
        },
    )


def _swap(connection: Connection, dataset: str, now: Pointer, then: Pointer, built: int) -> None:
    """Rename the release and the catalog over it into place; part of the caller's transaction."""
    assert then.live is not None  # noqa: S101  # the callers have one
    schema = schema_name(dataset, then.live)
    held = catalog.make_ready(connection, built)
    if now.live is None:
        names.check_free(connection, dataset)
    else:
        shown = sorted(set(names.relations(connection, dataset)) & set(tables(connection, now.live)))
        held += [sql.Identifier(dataset, name) for name in shown]
    names.quiet(connection, held)
    if now.live is not None:
        names.rename(connection, dataset, schema_name(dataset, now.live))
    names.rename(connection, schema, dataset)
    connection.execute(_SQL["point"], {"dataset": dataset, "live": then.live, "previous": then.previous})
    connection.execute(_SQL["published"], {"release": then.live})
    catalog.swap(connection, built)


def _complete(connection: Connection, import_id: int, attempt: int, release: int) -> None:
    row = connection.execute(
        _SQL["complete"], {"import_id": import_id, "attempt": attempt, "release": release}
    ).fetchone()
    if row is None:
        raise Fenced(f"Import {import_id} is no longer run by this worker.")


def _drop_release(connection: Connection, dataset: str, release: int) -> None:
    """Forget a release that was prepared and not published."""
    if connection.closed or connection.broken:
        return
    with connection.transaction():
        connection.execute(
            sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema_name(dataset, release)))
        )
        connection.execute(_SQL["forget_release"], {"release": release})


def staged(connection: Connection, schema: str, name: str, import_id: int, rows: int) -> ReleaseTable:
    """A staged table as a release will show it."""
    row: tuple[Any, ...] | None = connection.execute(
        _SQL["columns"], {"relation": sql.Identifier(schema, name).as_string(connection)}
    ).fetchone()
    assert row is not None  # noqa: S101  # an aggregate always has a row
    return ReleaseTable(name, schema, import_id, rows, tuple(row[0]))
