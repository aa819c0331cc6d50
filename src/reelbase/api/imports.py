"""Imports and workers: asked about, cancelled, retried. How imports are made over HTTP is in requests.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from pydantic import Field
from starlette.requests import Request

from reelbase.api.movies import BASE
from reelbase.database.connect import Connection, DictConnection
from reelbase.errors import BadCursor
from reelbase.imports import commands, read
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


class FilesQuery(Query):
    """The parameters of a list that goes through the files of an import."""

    file: Words | None = Field(
        default=None, min_length=1, max_length=5000, description="A file's name, as it is listed"
    )
    limit: int = Field(default=20, ge=1, le=100, examples=[5])
    cursor: Words | None = Field(default=None, min_length=1, description="As `next` has it")


class ChunksQuery(FilesQuery):
    """The parameters of the list of chunks."""

    state: Literal["queued", "running", "done", "failed"] | None = Field(default=None, examples=["done"])


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
        next_ = f"{path_with(path, given)}cursor={paging.seal(paging.token([items[-1]['id']]), key)}" if more else None
        total = read.count_imports(connection, dataset=query.dataset, state=query.state)
        return {"items": items, "total": total, "total_is_exact": True, "next": next_, "previous": None}

    desk: Desk = request.app.state.desk
    return _listed(await desk.ask(request, ask))


def _before(cursor: str | None, key: bytes) -> int | None:
    if cursor is None:
        return None
    values = paging.parts(paging.unseal(cursor, key))
    if len(values) == 1 and type(values[0]) is int and 0 <= values[0] < 10**_DIGITS:
        return values[0]
    raise BadCursor("This is not a cursor of ours.", paging.BEGIN)


def number_of(request: Request) -> int:
    """The import of the path; raises Problem (404) for what is no number."""
    word: str = request.path_params["id"]
    if not (word.isascii() and word.isdigit() and len(word) <= _DIGITS):
        raise not_found(f"There is no import {word[:80]!r}.", "An import's id is a number.")
    return int(word)


async def show_import(request: Request) -> Answer:
    """GET /imports/{id}."""
    parse(Nothing, pairs(request.scope["query_string"]))
    import_id = number_of(request)
    desk: Desk = request.app.state.desk
    return plain(await desk.ask(request, lambda connection: read.one_import(connection, import_id)))


async def list_chunks(request: Request) -> Answer:
    """GET /imports/{id}/chunks."""
    query = parse(ChunksQuery, pairs(request.scope["query_string"]))
    import_id = number_of(request)
    filters = {"state": query.state, "file": query.file}
    return await ask_files(
        request,
        query,
        lambda connection, after, limit: read.chunks(connection, import_id, after=after, limit=limit, **filters),
        lambda connection: read.count_chunks(connection, import_id, **filters),
    )


async def cancel_import(request: Request) -> Answer:
    """POST /imports/{id}/cancel."""
    seconds: float = request.app.state.lease_seconds
    return await _changed(request, lambda connection, number: commands.cancel(connection, number, seconds))


async def retry_import(request: Request) -> Answer:
    """POST /imports/{id}/retry."""
    seconds: float = request.app.state.lease_seconds
    return await _changed(request, lambda connection, number: commands.retry(connection, number, seconds))


async def confirm_import(request: Request) -> Answer:
    """POST /imports/{id}/confirm."""
    return await _changed(request, commands.confirm)


async def _changed(request: Request, change: Callable[[Connection, int], None]) -> Answer:
    parse(Nothing, pairs(request.scope["query_string"]))
    import_id = number_of(request)
    desk: Desk = request.app.state.desk
    await desk.change(lambda connection: change(connection, import_id))
    shown = await desk.ask(request, lambda connection: read.one_import(connection, import_id))
    return plain(shown, 202, accepted(import_id))


def accepted(import_id: int) -> dict[str, str]:
    """The headers of an answer that an import is on its way."""
    return {"location": f"{BASE}/imports/{import_id}", "retry-after": "1"}


# Lists in the order of an import's files


Found = list[tuple[tuple[int, int], dict[str, Any]]]
"""What stands in a list, each with its file and byte."""
Page = Callable[[DictConnection, tuple[int, int], int], Found]
"""Asked for so many from behind a file and byte."""


async def ask_files(request: Request, query: FilesQuery, page: Page, count: Callable[[DictConnection], int]) -> Answer:
    """The answer with one page of such a list. Raises UnknownImport, BadCursor."""
    given = pairs(request.scope["query_string"])
    path, import_id = request.scope["path"], number_of(request)
    key = paging.list_key(path, given)
    after = _place_in_files(query.cursor, key)

    def ask(connection: DictConnection) -> dict[str, Any]:
        read.one_import(connection, import_id)
        # One more than the page has, where there is a next one.
        found = page(connection, after, query.limit + 1)
        more = len(found) > query.limit
        place = paging.token(found[query.limit - 1][0]) if more else None
        next_ = f"{path_with(path, given)}cursor={paging.seal(place, key)}" if place is not None else None
        items = [item for _, item in found[: query.limit]]
        return {"items": items, "total": count(connection), "total_is_exact": True, "next": next_, "previous": None}

    desk: Desk = request.app.state.desk
    return _listed(await desk.ask(request, ask))


def _place_in_files(cursor: str | None, key: bytes) -> tuple[int, int]:
    """Behind which file and byte a page begins; raises BadCursor."""
    if cursor is None:
        return 0, -1
    values = paging.parts(paging.unseal(cursor, key))
    if len(values) == 2 and all(type(value) is int and 0 <= value < 10**_DIGITS for value in values):
        return values[0], values[1]
    raise BadCursor("This is not a cursor of ours.", paging.BEGIN)


def _listed(answer: dict[str, Any]) -> Answer:
    """A page with its Link header."""
    return plain(answer, headers={name.decode(): value.decode() for name, value in links(answer["next"], None)})


async def list_workers(request: Request) -> Answer:
    """GET /workers."""
    parse(Nothing, pairs(request.scope["query_string"]))
    desk: Desk = request.app.state.desk
    seconds: float = request.app.state.lease_seconds
    return plain({"items": await desk.ask(request, lambda connection: read.workers(connection, seconds))})
