"""Any table's rows, filtered by its columns, page after page in the order of its key."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from starlette.requests import Request

from reelbase.api.datasets import known_dataset
from reelbase.catalog import tables
from reelbase.database.connect import DictConnection
from reelbase.serving import paging
from reelbase.serving.answers import Answer, Body, dumps, links
from reelbase.serving.desk import Desk
from reelbase.serving.problems import not_found
from reelbase.serving.query import Pairs, Query, Words, pairs, parse, path_with

_OWN = ("limit", "cursor")


class RowsQuery(Query):
    """How much, and from where; every other parameter is a column."""

    limit: int = Field(default=20, ge=1, le=100, examples=[3])
    cursor: Words | None = Field(default=None, min_length=1, description="As `next` has it")


async def list_rows(request: Request) -> Answer:
    """GET /datasets/{name}/tables/{table}."""
    given = pairs(request.scope["query_string"])
    query = parse(RowsQuery, [pair for pair in given if pair[0] in _OWN])
    asked = [pair for pair in given if pair[0] not in _OWN]
    dataset, name = known_dataset(request), request.path_params["table"]
    path = request.scope["path"]

    def ask(connection: DictConnection) -> Body:
        table = tables.live_table(connection, dataset, name) if "\0" not in name else None
        if table is None:
            raise not_found(
                f"The live release of {dataset} has no table {name[:80]!r}.",
                f"GET /api/v1/datasets/{dataset} lists them.",
            )
        return _body(connection, table, query, asked, path, given)

    desk: Desk = request.app.state.desk
    return await desk.cached(request, ask)


def _body(
    connection: DictConnection, table: tables.LiveTable, query: RowsQuery, asked: Pairs, path: str, given: Pairs
) -> Body:
    where = tables.conditions(table, asked)
    key = paging.list_key(path, given)
    after = None
    if query.cursor is not None:
        release, *values = paging.parts(paging.unseal(query.cursor, key)) or [None]
        after = tables.check_place(table, release, values)
    page = tables.rows(connection, table, where, after=after, limit=query.limit)
    total = tables.total(connection, table, where)
    next_ = None
    if page.next is not None:
        cursor = paging.seal(paging.token([table.release, *map(_plain, page.next)]), key)
        next_ = f"{path_with(path, given)}cursor={cursor}"
    answer = {
        "columns": [{"name": column.name, "type": column.shown} for column in table.columns],
        "items": page.items,
        "total": total.count,
        "total_is_exact": total.is_exact,
        "next": next_,
        "previous": None,
    }
    return Body(dumps(answer), links(next_, None))


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | str) else str(value)
