"""Any table's rows, filtered by its columns, page after page in the order of its key."""

from __future__ import annotations

from starlette.requests import Request

from reelbase.api.datasets import known_dataset
from reelbase.catalog import tables
from reelbase.database.connect import DictConnection
from reelbase.serving.answers import Answer, Body, dumps, links
from reelbase.serving.desk import Desk
from reelbase.serving.problems import not_found
from reelbase.serving.query import pairs
from reelbase.serving.table_rows import Rows, RowsQuery, TableRows

__all__ = ["RowsQuery", "list_rows"]


async def list_rows(request: Request) -> Answer:
    """GET /datasets/{name}/tables/{table}."""
    rows = TableRows(request.scope["path"], pairs(request.scope["query_string"]))
    dataset, name = known_dataset(request), request.path_params["table"]

    def ask(connection: DictConnection) -> Body:
        table = tables.live_table(connection, dataset, name) if "\0" not in name else None
        if table is None:
            raise not_found(
                f"The live release of {dataset} has no table {name[:80]!r}.",
                f"GET /api/v1/datasets/{dataset} lists them.",
            )
        return _body(rows.ask(connection, table))

    desk: Desk = request.app.state.desk
    return await desk.cached(request, ask)


def _body(rows: Rows) -> Body:
    answer = {
        "columns": [{"name": column.name, "type": column.shown} for column in rows.table.columns],
        "items": rows.items,
        "total": rows.total.count,
        "total_is_exact": rows.total.is_exact,
        "next": rows.next,
        "previous": None,
    }
    return Body(dumps(answer), links(rows.next, None))
