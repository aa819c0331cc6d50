"""What readers read by name: renaming schemas under them without anybody noticing."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import LiteralString

from psycopg import errors, sql

from reelbase.database.connect import Connection
from reelbase.database.statements import statements
from reelbase.errors import ServerUnsuitable

_SQL = statements("reelbase.publishing", "names.sql")

# How long and how often a swap looks for a moment in which no statement is between two names; a reader who meets it
# waits no longer than that. See `quiet`.
_QUIET_MS = 4
_QUIET_TRIES = 25
_QUIET_PAUSE = 0.01

_PRIVILEGES: Mapping[str, LiteralString] = {"SELECT": "select", "USAGE": "usage", "CREATE": "create"}


def grant_as(connection: Connection, live: str, schema: str) -> None:
    """Give whoever may read the live views the same rights on the new ones."""
    there = set(relations(connection, schema))
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


def relations(connection: Connection, schema: str) -> list[str]:
    """The tables and views of a schema."""
    return [name for (name,) in connection.execute(_SQL["relations"], {"schema": schema})]


def quiet(connection: Connection, views: Collection[sql.Identifier]) -> None:
    """Wait for a moment in which no statement holds the live views, and hold readers off for the rename.

    A statement resolves its names one after the other. One that is between two names when the rename commits would read
    the first from the old release and the second from the new. Locking the views shuts that window: whoever has
    resolved the first name holds a lock on it. Nobody waits longer than a few milliseconds; where a reader keeps a
    transaction open, the rename goes ahead without the lock, as it may at any time. Give all views of the swap at once,
    and do nothing slow behind this: readers wait from here to the commit.
    """
    if not views:
        return
    lock = sql.SQL("lock table only {} in access exclusive mode").format(sql.SQL(", ").join(views))
    usual = connection.execute("select current_setting('lock_timeout')").fetchone()
    for _ in range(_QUIET_TRIES):
        try:
            with connection.transaction():
                connection.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(f"{_QUIET_MS}ms")))
                connection.execute(lock)
                # A savepoint that is kept keeps its settings: the caller's statements must not be in such a hurry.
                connection.execute("select set_config('lock_timeout', %s, true)", usual)
        except (errors.LockNotAvailable, errors.DeadlockDetected, errors.InsufficientPrivilege):
            time.sleep(_QUIET_PAUSE)
        else:
            return


def rename(connection: Connection, name: str, new_name: str) -> None:
    """Give a schema another name: no lock on any of its tables."""
    connection.execute(sql.SQL("alter schema {} rename to {}").format(sql.Identifier(name), sql.Identifier(new_name)))


def check_free(connection: Connection, schema: str) -> None:
    """Raise ServerUnsuitable where somebody else has a schema of that name."""
    row = connection.execute(_SQL["schema_exists"], {"schema": schema}).fetchone()
    if row and row[0]:
        raise ServerUnsuitable(
            f"The database already has a schema {schema} that Reelbase did not make.",
            "Rename it, or use another database.",
        )
