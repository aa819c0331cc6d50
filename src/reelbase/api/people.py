"""IMDb's people: found by name, and what they worked on."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from starlette.requests import Request

from reelbase.catalog import people, search
from reelbase.catalog.version import version
from reelbase.database.connect import DictConnection
from reelbase.serving import paging
from reelbase.serving.answers import Answer, Body, dumps, links
from reelbase.serving.desk import Desk, where_loaded
from reelbase.serving.problems import not_found
from reelbase.serving.query import Nothing, Pairs, Query, Words, pairs, parse, path_with

Row = dict[str, Any]


class PeopleQuery(Query):
    """The parameters of the list of people."""

    q: Words = Field(min_length=1, max_length=300, description="Words of a name", examples=["fred"])
    limit: int = Field(default=20, ge=1, le=100, examples=[5])
    cursor: Words | None = Field(default=None, min_length=1, description="As `next` and `previous` have it")


async def list_people(request: Request) -> Answer:
    """GET /people?q=."""
    desk: Desk = request.app.state.desk
    given = pairs(request.scope["query_string"])
    query = parse(PeopleQuery, given)
    path = request.scope["path"]
    nothing: Row = {"items": [], "total": 0, "total_is_exact": True, "next": None, "previous": None}

    def ask(connection: DictConnection) -> Body:
        found = where_loaded(lambda connected: _page(connected, desk, query, path, given), nothing)(connection)
        return Body(dumps(found), links(found["next"], found["previous"]))

    return await desk.cached(request, ask)


def _page(connection: DictConnection, desk: Desk, query: PeopleQuery, path: str, given: Pairs) -> Row:
    """The best known first, as far as they are ranked: all of those are read, so the total is known."""
    key = paging.list_key(path, given)
    trust = desk.watch.trust
    now = trust.version if trust else version(connection)
    skip = 0
    if query.cursor is not None:
        [skip] = paging.of_release(now, paging.unseal(query.cursor, key))
    asked = search.person_query(connection, query.q)
    rows = search.people(connection, asked, limit=2 * search.WINDOW)

    def place(at: int) -> str:
        return f"{path_with(path, given)}cursor={paging.seal(paging.token([now, at]), key)}"

    return {
        "items": [person_json(row) for row in rows[skip : skip + query.limit]],
        "total": len(rows),
        "total_is_exact": len(rows) < search.WINDOW,
        "next": place(skip + query.limit) if len(rows) > skip + query.limit else None,
        "previous": place(max(0, skip - query.limit)) if skip else None,
    }


def person_json(row: Row) -> Row:
    """A person as the API shows them."""
    plain = {name: row[name] for name in ("nconst", "name", "birth_year", "death_year")}
    return {**plain, "professions": row["professions"] or [], "known_for": row["known_for"] or []}


async def show_person(request: Request) -> Answer:
    """GET /people/{nconst}."""
    parse(Nothing, pairs(request.scope["query_string"]))
    nconst = request.path_params["nconst"]

    def ask(connection: DictConnection) -> Body:
        found = where_loaded(lambda connected: people.person(connected, nconst), None)(connection)
        if found is None:
            raise not_found(f"There is no person {nconst[:80]!r}.", "An id looks like nm0000134.")
        return Body(dumps({**person_json(found), "work": people.work(connection, nconst)}))

    desk: Desk = request.app.state.desk
    return await desk.cached(request, ask)
