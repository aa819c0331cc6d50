"""Staging tables: where an import's rows wait, in a schema of their own, until they are published as they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from psycopg import sql

from reelbase.database.connect import Connection
from reelbase.datasets import Column, ColumnType, Table

# An entry of an index ends at 2.7 KB.
_INDEXED_BYTES = 2000

# A grid of at most this many values is checked by a hashed list, half the price of arithmetic for each row.
_LISTED_VALUES = 64


def schema_name(dataset: str, import_id: int) -> str:
    """The schema that an import's tables live in, before and after publishing."""
    return f"{dataset}_import_{import_id}"


def table_columns(table: Table, files: Iterable[Sequence[Column]]) -> tuple[Column, ...]:
    """The columns of the table that holds all these files: in the files' order, declared ones that none has last."""
    columns: dict[str, Column] = {}
    for column in (*(column for file in files for column in file), *table.columns):
        columns.setdefault(column.name, column)
    return tuple(columns.values())


def prepare(connection: Connection, schema: str, tables: Sequence[tuple[Table, Sequence[Column]]]) -> None:
    """Make the schema and the tables where they are not there yet: a retry finds what was loaded before."""
    with connection.transaction():
        connection.execute(sql.SQL("create schema if not exists {}").format(sql.Identifier(schema)))
        for table, columns in tables:
            connection.execute(_create(schema, table, columns))


def drop(connection: Connection, schema: str) -> None:
    """Give the space back."""
    connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema)))


def _create(schema: str, table: Table, columns: Sequence[Column]) -> sql.Composed:
    # Autovacuum would read a table that is still being loaded; publishing gives it back.
    return sql.SQL("create table if not exists {} ({}) with (autovacuum_enabled = false)").format(
        sql.Identifier(schema, table.name),
        sql.SQL(", ").join(_definition(table, column) for column in columns),
    )


def _definition(table: Table, column: Column) -> sql.Composed:
    name = sql.Identifier(column.name)
    nullable = column.nullable and column.name not in table.key
    parts: list[sql.Composable] = [name, _TYPES[column.type]]
    if not nullable:
        parts.append(sql.SQL("not null"))
    wanted = [*_length(table, column, nullable=nullable), *_range(column)]
    if wanted:
        # Called like the column, so that whoever is refused knows which one it was.
        parts.append(sql.SQL("constraint {} check ({})").format(name, sql.SQL(" and ").join(wanted)))
    return sql.SQL(" ").join(parts)


def _length(table: Table, column: Column, *, nullable: bool) -> list[sql.Composed]:
    """Of text that has to be there, or that goes into an index."""
    if not column.type.is_text:
        return []
    name = sql.Identifier(column.name)
    indexed = any(column.name in columns for columns in (table.key, *table.indexes))
    found = [sql.SQL("{} <> ''").format(name)] if not nullable and not column.empty_is_text else []
    if indexed:
        found.append(sql.SQL("octet_length({}) <= {}").format(name, sql.Literal(_INDEXED_BYTES)))
    return found


_TYPES = {
    ColumnType.INT: sql.SQL("integer"),
    ColumnType.BIGINT: sql.SQL("bigint"),
    ColumnType.FLOAT: sql.SQL("double precision"),
    ColumnType.NUMERIC: sql.SQL("numeric"),
    ColumnType.BOOL: sql.SQL("boolean"),
    ColumnType.TEXT: sql.SQL("text"),
    ColumnType.DATE: sql.SQL("date"),
    ColumnType.JSON: sql.SQL("jsonb"),
    ColumnType.TEXTS: sql.SQL("text[]"),
}


def _range(column: Column) -> list[sql.Composed]:
    """The declared range: COPY then refuses what lies outside, and the sift names it."""
    name = sql.Identifier(column.name)
    values = grid(column)
    if values:
        return [sql.SQL("{} = any ({})").format(name, sql.Literal(values))]
    return [
        sql.SQL("{} {} {}").format(name, operator, sql.Literal(bound))
        for operator, bound in ((sql.SQL(">="), column.low), (sql.SQL("<="), column.high))
        if bound is not None
    ]


def grid(column: Column) -> list[float]:
    """Every value a column with a step may have, where they are few enough to list."""
    if column.step is None or column.low is None or column.high is None:
        return []
    count = round((column.high - column.low) / column.step) + 1
    return [column.low + column.step * i for i in range(count)] if count <= _LISTED_VALUES else []
