"""The datasets' tables as the catalog's statements name them; one that is not loaded is a table without rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from psycopg import sql

from reelbase.datasets import DATASETS, Table


def tables() -> Iterator[Table]:
    """Every declared table of every dataset."""
    for dataset in DATASETS:
        yield from dataset.tables


def part_name(table: Table) -> str:
    """How statements call it between braces, and the name of its view in the catalog: `imdb_title_akas`."""
    return f"{table.dataset}_{table.name}"


def parts(relations: Mapping[str, sql.Identifier]) -> dict[str, sql.Composable]:
    """Every table by its name for statements; `relations` are those that are loaded, by their full names."""
    return {part_name(table): relations.get(table.full_name) or _empty(table) for table in tables()}


def _empty(table: Table) -> sql.Composed:
    """No rows, with the columns and the place (`ctid`) that a table has."""
    columns = [
        sql.SQL("null::{} as {}").format(sql.SQL(column.type.value), sql.Identifier(column.name))
        for column in table.columns
    ]
    return sql.SQL("(select {}, null::tid as ctid where false)").format(sql.SQL(", ").join(columns))


def view(schema: str, table: Table, relation: sql.Identifier | None) -> sql.Composed:
    """A view of one table in the catalog's schema: what it was built from, whatever becomes live later."""
    columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
    return sql.SQL("create view {} as select {} from {} t").format(
        sql.Identifier(schema, part_name(table)), columns, relation or _empty(table)
    )
