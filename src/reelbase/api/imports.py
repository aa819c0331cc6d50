"""Imports and workers, as far as they are asked about; how imports are made over HTTP has a place of its own."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from starlette.requests import Request

from reelbase.database.connect import DictConnection
from reelbase.errors import BadCursor
from reelbase.imports import read
from reelbase.serving import paging
from reelbase.serving.answers import Answer, links, plain
from reelbase.serving.desk import Desk
from reelbase.serving.problems import not_found
from reelbase.serving.query import Nothing, Query, Words, pairs, parse, path_with

_DIGITS = 18

State = Literal["queued", "receiving", "loading", "indexing", "publishing", "held", "completed", "failed", "cancelled"]


class ImportsQuery(Query):
    """The parameters of the list of imports."""

    dataset: Words | None = Field(default=None, min_length=1, max_length=100, examples=["movielens"])
    state: State | None = Field(default=None, examples=["completed"])
    limit: int = Field(default=20, ge=1, le=100, examples=[5])
    cursor: Words | None = Field(default=None, min_length=1, description="As `next` has it")


async def list_imports(request: Request) -> Answer:
    """GET /imports."""
    given = pairs(request.scope["query_string"])
    query = parse(ImportsQuery, given)
    path = request.scope["path"]
    key = paging.list_key(path, given)
    before = _before(query.cursor, key)

    def ask(connection: DictConnection) -> dict[str, Any]:
        found = read.imports(connection, dataset=query.dataset, state=query.state, before=before, limit=query.limit + 1)
        items = found[: query.limit]
        more = len(found) > query.limit
        next_ = path_with(path, given, cursor=paging.seal(paging.token([items[-1]["id"]]), key)) if more else None
        total = read.count_imports(connection, dataset=query.dataset, state=query.state)
        return {"items": items, "total": total, "total_is_exact": True, "next": next_, "previous": None}

    desk: Desk = request.app.state.desk
    answer = await desk.ask(request, ask)
    return plain(answer, headers={name.decode(): value.decode() for name, value in links(answer["next"], None)})


def _before(cursor: str | None, key: bytes) -> int | None:
    if cursor is None:
        return None
    values = paging.parts(paging.unseal(cursor, key))
    if len(values) == 1 and type(values[0]) is int and 0 <= values[0] < 10**_DIGITS:
        return values[0]
    raise BadCursor("This is not a cursor of ours.", paging.BEGIN)


async def show_import(request: Request) -> Answer:
    """GET /imports/{id}."""
    parse(Nothing, pairs(request.scope["query_string"]))
    word: str = request.path_params["id"]
    if not (word.isascii() and word.isdigit() and len(word) <= _DIGITS):
        raise not_found(f"There is no import {word[:80]!r}.", "An import's id is a number.")
    desk: Desk = request.app.state.desk
    return plain(await desk.ask(request, lambda connection: read.one_import(connection, int(word))))


async def list_workers(request: Request) -> Answer:
    """GET /workers."""
    parse(Nothing, pairs(request.scope["query_string"]))
    desk: Desk = request.app.state.desk
    seconds: float = request.app.state.lease_seconds
    return plain({"items": await desk.ask(request, lambda connection: read.workers(connection, seconds))})
