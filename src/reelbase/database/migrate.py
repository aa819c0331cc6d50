"""Bringing our own tables to the version of the code: forward only, one transaction for each step."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import LiteralString

from psycopg import errors

from reelbase.database.connect import Connection
from reelbase.errors import ServerUnsuitable

# Any number that nobody else on the server is likely to use: "reel" in ASCII.
_LOCK = 0x7265656C
MIGRATIONS = "reelbase.database.migrations"


@dataclass(frozen=True, slots=True)
class Migration:
    """One step: its name, which gives the order, and its SQL."""

    name: str
    sql: LiteralString

    @property
    def digest(self) -> str:
        """SHA-256 of the SQL: a step that has been applied never changes."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations() -> tuple[Migration, ...]:
    """Every step, in order."""
    files = sorted(
        (file for file in resources.files(MIGRATIONS).iterdir() if file.name.endswith(".sql")),
        key=lambda file: file.name,
    )
    return tuple(Migration(file.name.removesuffix(".sql"), file.read_text(encoding="utf-8")) for file in files)


def migrate(connection: Connection) -> list[str]:
    """Apply what is missing and return the names; several processes may call this at once.

    Raises ServerUnsuitable when the database was migrated by a newer Reelbase or its steps differ from ours.
    """
    if _is_current(connection):
        return []
    connection.execute("select pg_advisory_lock(%s)", (_LOCK,))
    try:
        _prepare(connection)
        applied = _applied(connection)
        _check(applied)
        missing = [step for step in migrations() if step.name not in applied]
        for step in missing:
            _apply(connection, step)
        return [step.name for step in missing]
    finally:
        connection.execute("select pg_advisory_unlock(%s)", (_LOCK,))


def _is_current(connection: Connection) -> bool:
    """Whether nothing is to be done: the usual case, answered without taking the lock."""
    try:
        return _applied(connection) == {step.name: step.digest for step in migrations()}
    except errors.UndefinedTable:
        return False


def _prepare(connection: Connection) -> None:
    connection.execute("create schema if not exists reelbase")
    connection.execute(
        "create table if not exists reelbase.migrations ("
        "name text primary key, digest text not null, applied_at timestamptz not null default now())"
    )


def _applied(connection: Connection) -> dict[str, str]:
    return dict(connection.execute("select name, digest from reelbase.migrations").fetchall())


def _check(applied: dict[str, str]) -> None:
    known = {step.name: step.digest for step in migrations()}
    unknown = sorted(applied.keys() - known.keys())
    if unknown:
        raise ServerUnsuitable(
            f"The database was set up by a newer Reelbase (it has {unknown[-1]}).", "Update Reelbase to use it."
        )
    changed = sorted(name for name, digest in applied.items() if known[name] != digest)
    if changed:
        raise ServerUnsuitable(f"The database's step {changed[0]} is not the one of this Reelbase.")


def _apply(connection: Connection, step: Migration) -> None:
    with connection.transaction():
        # The queue's functions name their tables without a schema, as they were written; so does every later call.
        connection.execute("set local search_path = reelbase, public")
        connection.execute(step.sql)
        connection.execute("insert into reelbase.migrations (name, digest) values (%s, %s)", (step.name, step.digest))
