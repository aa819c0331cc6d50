"""Keys, indexes and statistics of staged tables. Most of an import's time goes here, so the longest comes first."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from reelbase.database.connect import Connection
from reelbase.datasets import Table

# A sort that fits the processor's caches beats one that fits the memory: 20 million (movie_id) took 12.3 s with 2 GB,
# 10.0 s with 256 MB, 7.8 s with 64 MB, 7.0 s with 16 MB. 32 MB is the least with which the server uses a further core
# (5.7 s with one at 64 MB).
_SORT_MEMORY = "64MB"


@dataclass(frozen=True, slots=True)
class Index:
    """An index to build on a staged table."""

    schema: str
    table: Table
    columns: tuple[str, ...]
    unique: bool

    @property
    def name(self) -> str:
        return "_".join((self.table.name, *self.columns, "key" if self.unique else "idx"))


def indexes(schema: str, table: Table) -> list[Index]:
    """What a table needs; the key is the last, because a file that is sorted by it makes its build the shortest."""
    others = [Index(schema, table, columns, unique=False) for columns in table.indexes]
    return [*others, *([Index(schema, table, table.key, unique=True)] if table.key else [])]


def build(connection: Connection, index: Index, parallel_workers: int) -> None:
    """Build an index unless it is there; psycopg.errors.UniqueViolation tells of duplicates.

    An index is there as a whole or not at all, because it is built in one transaction.
    """
    with connection.transaction():
        connection.execute(sql.SQL("set local maintenance_work_mem = {}").format(sql.Literal(_SORT_MEMORY)))
        connection.execute(
            sql.SQL("set local max_parallel_maintenance_workers = {}").format(sql.Literal(parallel_workers))
        )
        connection.execute(
            sql.SQL("create {} index if not exists {} on {} ({})").format(
                sql.SQL("unique") if index.unique else sql.SQL(""),
                sql.Identifier(index.name),
                sql.Identifier(index.schema, index.table.name),
                sql.SQL(", ").join(sql.Identifier(column) for column in index.columns),
            )
        )


def analyze(connection: Connection, schema: str, table: str) -> None:
    """Tell the planner what is in a table, and give it back to autovacuum."""
    relation = sql.Identifier(schema, table)
    connection.execute(sql.SQL("analyze {}").format(relation))
    connection.execute(sql.SQL("alter table {} reset (autovacuum_enabled)").format(relation))
