"""Releases. A release is a schema of views over physical tables; publishing renames it into place.

Renaming a schema takes no lock on any table: 0.6 ms with a reader's transaction open, and names that readers use always
lead to the current release (docs/decisions/0006 has the alternatives and the figures). The release before is kept,
under its own schema name, and rollback renames it back.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg import errors, sql
from psycopg.types.json import Jsonb

from reelbase.database.connect import Connection
from reelbase.database.statements import statements
from reelbase.errors import Fenced, ServerUnsuitable, Superseded, UnknownImport

_SQL = statements("reelbase.publishing", "release.sql")

# How long and how often a swap looks for a moment in which no statement is between two names; a reader who meets it
# waits no longer than that. See `_quiet`.
_QUIET_MS = 4
_QUIET_TRIES = 25
_QUIET_PAUSE = 0.01


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


def publish(connection: Connection, dataset: str, import_id: int, attempt: int, loaded: Sequence[ReleaseTable]) -> int:
    """Make these tables live beside those of the live release that they do not replace; returns the release's number.

    The import is completed in the same transaction: completed means visible. Raises Superseded, Fenced.
    """
    connection.execute(_SQL["dataset"], {"dataset": dataset})
    while True:
        before = pointer(connection, dataset)
        shown = tables(connection, before.live) | {table.name: table for table in loaded}
        release = _prepare(connection, dataset, import_id, before, shown.values())
        try:
            with connection.transaction():
                now = check_not_superseded(connection, dataset, import_id, (table.name for table in loaded))
                if now != before:
                    raise _Moved
                _swap(connection, dataset, release, now, Pointer(release, now.live))
                _complete(connection, import_id, attempt, release)
        except _Moved:
            _drop_release(connection, dataset, release)
        except BaseException:
            _drop_release(connection, dataset, release)
            raise
        else:
            return release


def publish_nothing(connection: Connection, dataset: str, import_id: int, attempt: int) -> int:
    """Take a dataset away from readers: a release without tables. Rollback brings the last one back."""
    before = pointer(connection, dataset)
    if not tables(connection, before.live):
        raise UnknownImport(f"There is no {dataset} in the database.")
    release = _prepare(connection, dataset, import_id, before, ())
    try:
        with connection.transaction():
            now = check_not_superseded(connection, dataset, import_id, ())
            _swap(connection, dataset, release, now, Pointer(release, now.live))
            _complete(connection, import_id, attempt, release)
    except BaseException:
        _drop_release(connection, dataset, release)
        raise
    return release


def rollback(connection: Connection, dataset: str, import_id: int, attempt: int) -> int:
    """Bring the previous release back; the one that was live becomes the previous one."""
    with connection.transaction():
        now = check_not_superseded(connection, dataset, import_id, ())
        if now.previous is None:
            raise UnknownImport(
                f"There is no earlier release of {dataset} to go back to.",
                "The release before the live one is kept until `reelbase prune --all`.",
            )
        if now.live is not None:
            _grant_as(connection, dataset, schema_name(dataset, now.previous))
        _swap(connection, dataset, now.previous, now, Pointer(now.previous, now.live))
        _complete(connection, import_id, attempt, now.previous)
    return now.previous


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
            _grant_as(connection, dataset, schema)
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


_PRIVILEGES: Mapping[str, LiteralString] = {"SELECT": "select", "USAGE": "usage", "CREATE": "create"}


def _grant_as(connection: Connection, live: str, schema: str) -> None:
    """Give whoever may read the live views the same rights on the new ones."""
    there = set(_views(connection, schema))
    for kind, relation, privilege, grantee, grantable in connection.execute(
        _SQL["grants"], {"schema": live}
    ).fetchall():
        if privilege not in _PRIVILEGES or (kind == "table" and relation not in there):
            continue
        on = (
            sql.SQL("schema {}").format(sql.Identifier(schema))
            if kind == "schema"
            else sql.Identifier(schema, relation)
        )
        connection.execute(
            sql.SQL("grant {} on {} to {}{}").format(
                sql.SQL(_PRIVILEGES[privilege]),
                on,
                sql.SQL("public") if grantee == "public" else sql.Identifier(grantee),
                sql.SQL(" with grant option" if grantable else ""),
            )
        )


def _views(connection: Connection, schema: str) -> list[str]:
    rows = connection.execute("select viewname::text from pg_views where schemaname = %s", (schema,))
    return [name for (name,) in rows]


def _swap(connection: Connection, dataset: str, release: int, now: Pointer, then: Pointer) -> None:
    """Rename the release into place; part of the caller's transaction."""
    if now.live is not None:
        _quiet(connection, dataset, now.live)
        _rename(connection, dataset, schema_name(dataset, now.live))
    elif _exists(connection, dataset):
        raise ServerUnsuitable(
            f"The database already has a schema {dataset} that Reelbase did not make.",
            "Rename it, or use another database.",
        )
    _rename(connection, schema_name(dataset, release), dataset)
    connection.execute(_SQL["point"], {"dataset": dataset, "live": then.live, "previous": then.previous})
    connection.execute(_SQL["published"], {"release": release})


def _quiet(connection: Connection, schema: str, live: int) -> None:
    """Wait for a moment in which no statement holds the live views, and hold readers off for the rename.

    A statement resolves its names one after the other. One that is between two names when the rename commits would read
    the first from the old release and the second from the new. Locking the views shuts that window: whoever has
    resolved the first name holds a lock on it. Nobody waits longer than a few milliseconds; where a reader keeps a
    transaction open, the rename goes ahead without the lock, as it may at any time.
    """
    names = set(_views(connection, schema)) & set(tables(connection, live))
    if not names:
        return
    views = sql.SQL(", ").join(sql.Identifier(schema, name) for name in names)
    lock = sql.SQL("lock table only {} in access exclusive mode").format(views)
    for _ in range(_QUIET_TRIES):
        try:
            with connection.transaction():
                connection.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(f"{_QUIET_MS}ms")))
                connection.execute(lock)
        except (errors.LockNotAvailable, errors.DeadlockDetected, errors.InsufficientPrivilege):
            time.sleep(_QUIET_PAUSE)
        else:
            return


def _rename(connection: Connection, name: str, new_name: str) -> None:
    connection.execute(sql.SQL("alter schema {} rename to {}").format(sql.Identifier(name), sql.Identifier(new_name)))


def _exists(connection: Connection, schema: str) -> bool:
    row = connection.execute(_SQL["schema_exists"], {"schema": schema}).fetchone()
    return bool(row and row[0])


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
