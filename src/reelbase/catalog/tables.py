"""Rows of any table of a live release: filtered by its columns, walked by its key.

Names come from what the release has, never from who asks; values are checked against the column's type before they
reach PostgreSQL. A table without a key is walked by the place of its rows, which is good for one release.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from psycopg import sql

from reelbase.catalog.browse import EXACT_UP_TO, Total, counted_where_few
from reelbase.database.asking import Ask, answer
from reelbase.database.connect import DictConnection
from reelbase.database.statements import statements
from reelbase.errors import BadCursor, BadParameter, OldCursor

_SQL = statements("reelbase.catalog", "tables.sql")

Row = dict[str, Any]
Pairs = Sequence[tuple[str, str]]

_WHOLE = {"int2": 15, "int4": 31, "int8": 63}
_FRACTIONS = {"numeric", "float4", "float8"}
_ORDERED = {*_WHOLE, *_FRACTIONS, "date", "text"}
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?([0-9]{1,30}(\.[0-9]{0,30})?|\.[0-9]{1,30})([eE][+-]?[0-9]{1,2})?")
_TID = re.compile(r"\(\d{1,10},\d{1,5}\)")


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, PostgreSQL's name of its type, and the type as people write it."""

    name: str
    type: str
    shown: str


@dataclass(frozen=True, slots=True)
class LiveTable:
    """A table of the live release; `key` is empty where it has none."""

    name: str
    release: int
    rows: int
    relation: sql.Identifier
    columns: tuple[Column, ...]
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RowsPage:
    """Rows, and the key values behind the last one (None: there is none behind)."""

    items: list[Row]
    next: list[Any] | None


def live_table(connection: DictConnection, dataset: str, table: str) -> LiveTable | None:
    """The table of that name in the live release; None where it has none."""
    found = connection.execute(_SQL["tables"], {"dataset": dataset, "table": table}).fetchone()
    if found is None:
        return None
    relation = sql.Identifier(found["data_schema"], found["name"])
    place = {"relation": relation.as_string(connection)}
    columns = tuple(Column(**row) for row in connection.execute(_SQL["columns"], place))
    key = connection.execute(_SQL["key"], place).fetchone()
    names = tuple(key["columns"]) if key else ()
    return LiveTable(found["name"], found["release"], found["rows"], relation, columns, names)


@dataclass(frozen=True, slots=True)
class Condition:
    """A column compared with a value that its type can have."""

    column: Column
    operator: str
    value: Any

    def as_sql(self) -> sql.Composed:
        name = sql.Identifier("t", self.column.name)
        return sql.SQL("{} {} {}").format(name, sql.SQL(_OPERATORS[self.operator]), _literal(self.column, self.value))


_OPERATORS = {"": "=", "_min": ">=", "_max": "<="}


def conditions(table: LiveTable, asked: Pairs) -> list[Condition]:
    """`column=value`, `column_min=value`, `column_max=value`; raises BadParameter."""
    return [_condition(table, name, value) for name, value in asked]


def _condition(table: LiveTable, name: str, text: str) -> Condition:
    columns = {column.name: column for column in table.columns}
    end = "" if name in columns else name[-4:]
    column = columns.get(name.removesuffix(end) if end else name)
    if column is None or end not in _OPERATORS:
        there = ", ".join(columns)
        raise BadParameter(
            name[:100], f"{table.name} has no column {name[:80]!r}.", f"It has: {there}; each with _min and _max too."
        )
    if end and column.type not in _ORDERED:
        raise BadParameter(name, f"{column.name} is of the type {column.shown}, which has no order.")
    try:
        return Condition(column, end, _value(column, text))
    except ValueError as error:
        raise BadParameter(name, f"{column.name} is of the type {column.shown}, and that is none.") from error


def _value(column: Column, text: str) -> Any:
    if column.type in _WHOLE:
        return _whole(text, _WHOLE[column.type])
    if column.type in _FRACTIONS:
        if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
            raise ValueError(text)
        return text
    if column.type == "bool":
        return {"true": True, "false": False}[text] if text in ("true", "false") else _raise(text)
    if column.type == "date":
        return date.fromisoformat(text).isoformat() if len(text) == 10 else _raise(text)
    if column.type == "text" and "\0" not in text:
        return text
    raise ValueError(text)


def _whole(text: str, bits: int) -> int:
    if not _WHOLE_NUMBER.fullmatch(text):
        raise ValueError(text)
    number = int(text)
    return number if -(2**bits) <= number < 2**bits else _raise(text)


def _raise(text: str) -> Any:
    raise ValueError(text)


def _literal(column: Column, value: Any) -> sql.Composed:
    return sql.SQL("{}::{}").format(sql.Literal(value), sql.SQL(_CASTS[column.type]))


_CASTS = {
    "int2": "int2",
    "int4": "int4",
    "int8": "int8",
    "numeric": "numeric",
    "float4": "float4",
    "float8": "float8",
    "bool": "bool",
    "date": "date",
    "text": "text",
}


def rows(
    connection: DictConnection, table: LiveTable, where: Sequence[Condition], *, after: Sequence[Any] | None, limit: int
) -> RowsPage:
    """A page in the order of the key, behind the row with these key values."""
    columns: list[sql.Composable] = [sql.Identifier("t", column.name) for column in table.columns]
    if not table.key:
        columns.append(sql.SQL("t.ctid::text as {}").format(sql.Identifier("reelbase place")))
    wanted = [condition.as_sql() for condition in where]
    if after is not None:
        wanted.append(_behind(table, after))
    order = [sql.Identifier("t", name) for name in table.key] or [sql.Identifier("t", "ctid")]
    statement = sql.SQL(_SQL["rows"]).format(
        columns=sql.SQL(", ").join(columns),
        relation=table.relation,
        where=_all(wanted),
        order=sql.SQL(", ").join(order),
        limit=sql.Literal(limit + 1),
    )
    found = connection.execute(statement, binary=False).fetchall()
    more, found = len(found) > limit, found[:limit]
    last = _key_of(table, found[-1]) if found and more else None
    for row in found:
        row.pop("reelbase place", None)
    return RowsPage(found, last)


def _key_of(table: LiveTable, row: Row) -> list[Any]:
    return [row[name] for name in table.key] if table.key else [row["reelbase place"]]


def check_place(table: LiveTable, release: object, after: Sequence[Any]) -> Sequence[Any]:
    """Key values out of a cursor; raises BadCursor, OldCursor."""
    if not table.key:
        if release != table.release:
            raise OldCursor("This cursor belongs to an earlier release of the table.", "Begin at its first page.")
        if len(after) == 1 and isinstance(after[0], str) and _TID.fullmatch(after[0]):
            return after
    elif len(after) == len(table.key):
        columns = {column.name: column for column in table.columns}
        try:
            return [_value(columns[name], _text(value)) for name, value in zip(table.key, after, strict=True)]
        except ValueError as error:
            raise BadCursor("This cursor belongs to another table.", "Begin at the first page.") from error
    raise BadCursor("This cursor belongs to another table.", "Begin at the first page.")


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _behind(table: LiveTable, after: Sequence[Any]) -> sql.Composed:
    if not table.key:
        return sql.SQL("t.ctid > {}::tid").format(sql.Literal(after[0]))
    columns = {column.name: column for column in table.columns}
    names = sql.SQL(", ").join(sql.Identifier("t", name) for name in table.key)
    values = sql.SQL(", ").join(_literal(columns[name], value) for name, value in zip(table.key, after, strict=True))
    return sql.SQL("({}) > ({})").format(names, values)


def total(connection: DictConnection, table: LiveTable, where: Sequence[Condition]) -> Total:
    """How many rows match; all of them were counted when they were loaded."""
    if not where:
        return Total(table.rows, True)
    wanted = _all([condition.as_sql() for condition in where])
    most = sql.Literal(EXACT_UP_TO + 1)
    estimate = Ask(sql.SQL(_SQL["estimate"]).format(relation=table.relation, where=wanted))
    count = Ask(sql.SQL(_SQL["count"]).format(relation=table.relation, where=wanted, limit=most))
    return answer(connection, counted_where_few(estimate, count))


def _all(wanted: Sequence[sql.Composable]) -> sql.Composable:
    return sql.SQL(" and ").join(wanted) if wanted else sql.SQL("true")
