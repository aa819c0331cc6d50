"""Giving space back: releases and tables that nobody can reach any more, and what failed imports have left.

Dropping waits for readers, so it is tried for a moment and otherwise left for the next time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import errors, sql

from reelbase.database.connect import Connection
from reelbase.database.statements import statements
from reelbase.publishing import catalog
from reelbase.publishing.release import drop_release, schema_name

_SQL = statements("reelbase.publishing", "release.sql")
_LOCK_TIMEOUT_MS = 2000


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was dropped, and what could not be because somebody still uses it."""

    dropped: tuple[str, ...]
    in_use: tuple[str, ...]


def prune(
    connection: Connection, *, dataset: str | None = None, staging_days: float, keep_previous: bool = True
) -> Pruned:
    """Drop what is no longer needed; with `keep_previous` false also what rollback would bring back."""
    dropper = _Dropper(connection)
    if not keep_previous:
        _forget_previous(connection, dataset)
    for release in catalog.retired(connection):
        dropper.drop_catalog(release)
    for release, name, views in connection.execute(_SQL["retired"], {"dataset": dataset}).fetchall():
        dropper.drop_release(release, schema_name(name, release), views)
    for schema, table in connection.execute(_SQL["data_tables"]).fetchall():
        dropper.drop_table(schema, table)
    for schema, import_id, age, state, tables in connection.execute(_SQL["data_schemas"]).fetchall():
        if state != "failed" or age >= staging_days * 86400:
            dropper.drop_data(import_id, schema, tables)
    return Pruned(tuple(dropper.dropped), tuple(dropper.in_use))


def drop_staging(connection: Connection, import_id: int, schema: str) -> None:
    """Drop what an import has loaded, and the ledger of it: a retry begins at the beginning."""
    with connection.transaction():
        connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))
        _forget_staging(connection, import_id)


def drop_unpublished(connection: Connection, import_id: int, dataset: str) -> None:
    """Drop the releases, of a dataset and of the catalog, that an import has prepared and never published."""
    with connection.transaction():
        for release in catalog.unpublished(connection, import_id):
            catalog.drop(connection, release)
        for (release,) in connection.execute(_SQL["unpublished"], {"import_id": import_id}).fetchall():
            drop_release(connection, dataset, release)


def _forget_staging(connection: Connection, import_id: int) -> None:
    """The rows are gone: what the ledger says of them would no longer be true. The rejects stay to look at."""
    connection.execute(_SQL["no_staging"], {"import_id": import_id})


def _forget_previous(connection: Connection, dataset: str | None) -> None:
    connection.execute(
        "update reelbase.datasets set previous_release = null where %(dataset)s::text is null or name = %(dataset)s",
        {"dataset": dataset},
    )
    catalog.forget_previous(connection)


class _Dropper:
    """Drops what is named and nothing else: what people have put beside it stays, and keeps its schema."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.dropped: list[str] = []
        self.in_use: list[str] = []

    def drop_catalog(self, release: int) -> None:
        """Drop a release of the catalog: before the tables that its views show."""
        with self._trying(catalog.schema_name(release)):
            catalog.drop_retired(self._connection, release)

    def drop_release(self, release: int, schema: str, views: Sequence[str]) -> None:
        """Drop a release's views and schema, and forget it."""
        with self._trying(schema):
            self._drop_all(sql.SQL("view"), schema, views)
            self._connection.execute(sql.SQL("drop schema if exists {}").format(sql.Identifier(schema)))
            self._connection.execute(_SQL["forget_release"], {"release": release})

    def drop_table(self, schema: str, table: str) -> None:
        """Drop one table of an import whose other tables are still shown."""
        with self._trying(f"{schema}.{table}"):
            self._drop_all(sql.SQL("table"), schema, [table])

    def drop_data(self, import_id: int, schema: str, tables: Sequence[str]) -> None:
        """Drop what an import has loaded, unless somebody has taken it up again meanwhile."""
        with self._trying(schema):
            if self._connection.execute(_SQL["hold_final"], {"import_id": import_id}).fetchone() is None:
                raise errors.LockNotAvailable
            self._drop_all(sql.SQL("table"), schema, tables)
            self._connection.execute(sql.SQL("drop schema if exists {}").format(sql.Identifier(schema)))
            _forget_staging(self._connection, import_id)

    def _drop_all(self, kind: sql.SQL, schema: str, names: Sequence[str]) -> None:
        for name in names:
            self._connection.execute(sql.SQL("drop {} if exists {}").format(kind, sql.Identifier(schema, name)))

    @contextmanager
    def _trying(self, shown: str) -> Iterator[None]:
        """One transaction; what is in use, or has something of somebody else's in it, is noted."""
        try:
            with self._connection.transaction():
                timeout = sql.Literal(f"{_LOCK_TIMEOUT_MS}ms")
                self._connection.execute(sql.SQL("set local lock_timeout = {}").format(timeout))
                yield
        except (
            errors.LockNotAvailable, errors.DependentObjectsStillExist, errors.DeadlockDetected, errors.WrongObjectType,
        ):  # fmt: skip
            self.in_use.append(shown)
        else:
            self.dropped.append(shown)
