"""GET /imports: what was imported and what is being imported, and who is at work."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from starlette.requests import Request

from reelbase.database.connect import DictConnection
from reelbase.imports import overview, read
from reelbase.serving.answers import Answer
from reelbase.serving.query import Query, Words, pairs, parse
from reelbase.web.console import shown
from reelbase.web.pages import fresh

Row = dict[str, Any]

_LIMIT = 25
State = Literal["queued", "receiving", "loading", "indexing", "publishing", "held", "completed", "failed", "cancelled"]


class ListQuery(Query):
    """What narrows the list down, and behind which import it begins."""

    dataset: Words | None = Field(default=None, max_length=100)
    state: State | Literal[""] | None = None
    before: int | None = Field(default=None, ge=1, lt=10**18)


async def list_imports(request: Request) -> Answer:
    """GET /imports."""
    query = parse(ListQuery, pairs(request.scope["query_string"]))
    dataset, state = query.dataset or None, query.state or None
    seconds: float = request.app.state.lease_seconds

    def ask(connection: DictConnection) -> Row:
        found = read.imports(connection, dataset=dataset, state=state, before=query.before, limit=_LIMIT + 1)
        items = [_item(one) for one in found[:_LIMIT]]
        return {
            "items": items,
            "total": read.count_imports(connection, dataset=dataset, state=state),
            "older": items[-1]["id"] if len(found) > _LIMIT else None,
            "query": {"dataset": dataset, "state": state, "before": query.before},
            "states": overview.states(connection),
            "datasets": read.known_datasets(),
            "workers": read.workers(connection, seconds),
            "is_live": any(item["state"] in shown.BEFORE_THE_END for item in items),
        }

    return await fresh(request, "console/imports.html", ask)


def _item(found: Row) -> Row:
    one = shown.opened(found)
    rows = one["progress"]["rows_loaded"]
    return {**one, "percent": shown.percent(one), "runs": one["state"] in shown.RUNS, "rows": rows}
