"""GET /datasets/{name}/tables/{table}: any table, filtered by its columns, page after page."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import orjson
from starlette.requests import Request

from reelbase.catalog import tables
from reelbase.catalog.browse import Total
from reelbase.database.connect import DictConnection
from reelbase.errors import BadParameter
from reelbase.serving.answers import Answer, dumps
from reelbase.serving.problems import not_found
from reelbase.serving.query import Pairs, pairs
from reelbase.serving.table_rows import Rows, TableRows
from reelbase.web.console.datasets import known_dataset
from reelbase.web.pages import kept

Row = dict[str, Any]

_ENDS = {"": "is", "_min": "from", "_max": "up to"}
_LIMIT = "50"
_NUMBERS = frozenset({"int2", "int4", "int8", "numeric", "float4", "float8"})


async def show_table(request: Request) -> Answer:
    """GET /datasets/{name}/tables/{table}."""
    declared, name = known_dataset(request), request.path_params["table"]
    path = request.scope["path"]
    given = _filters(pairs(request.scope["query_string"]))
    rows = TableRows(path, given if any(key == "limit" for key, _ in given) else [("limit", _LIMIT), *given])
    filters = [pair for pair in given if pair[0] not in ("limit", "cursor")]

    def ask(connection: DictConnection) -> Row:
        table = tables.live_table(connection, declared.name, name) if "\0" not in name else None
        if table is None:
            raise not_found(
                f"The live release of {declared.name} has no table {name[:80]!r}.",
                f"/datasets/{declared.name} lists them.",
            )
        try:
            found, failure = rows.ask(connection, table), None
        except BadParameter as error:
            found, failure = Rows(table, [], Total(0, True), None), error
        columns = [
            {"name": column.name, "type": column.shown, "is_number": column.type in _NUMBERS}
            for column in table.columns
        ]
        return {
            "declared": declared,
            "table": table,
            "failure": failure,
            "columns": columns,
            "rows": [[_cell(row[column.name]) for column in table.columns] for row in found.items],
            "total": found.total,
            "next": found.next,
            "is_first": not any(key == "cursor" for key, _ in given),
            "path": path,
            "chips": [_chip(table, path, filters, pair) for pair in filters],
            "filters": filters,
            "api": f"/api/v1{path}?{urlencode(filters)}" if filters else f"/api/v1{path}",
        }

    return await kept(request, "console/table.html", ask)


def _filters(given: Pairs) -> Pairs:
    """The form says `column`, `how` and `value`; every other way of asking is that of the API."""
    asked = dict(given)
    rest = [pair for pair in given if pair[0] not in ("column", "how", "value") and pair[1]]
    name, value, how = asked.get("column", ""), asked.get("value", ""), asked.get("how", "")
    if not name or "value" not in asked:
        return given
    key = name + (how if how in _ENDS else "")
    rest = [pair for pair in rest if pair[0] not in ("cursor", key)]
    return [*rest, (key, value)] if value else rest


def _chip(table: tables.LiveTable, path: str, filters: Pairs, pair: tuple[str, str]) -> Row:
    """A filter in words, and the address without it."""
    names = {column.name for column in table.columns}
    key = pair[0]
    end = "" if key in names else key[-4:]
    rest = urlencode([one for one in filters if one != pair])
    return {
        "label": f"{key.removesuffix(end) if end else key} {_ENDS.get(end, 'is')} {pair[1]}",
        "without": f"{path}?{rest}" if rest else path,
    }


def _cell(value: Any) -> str | None:
    """A value as a row shows it; None is shown as null."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, orjson.Fragment):
        return dumps(value).decode()
    if isinstance(value, list):
        return ", ".join("null" if one is None else str(one) for one in value)
    return str(value)
