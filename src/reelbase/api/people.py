"""IMDb's people: found by name, and what they worked on."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from reelbase.catalog import people
from reelbase.database.connect import DictConnection
from reelbase.serving.answers import Answer, Body, dumps, links
from reelbase.serving.desk import Desk, where_loaded
from reelbase.serving.people_list import PeopleQuery, found_people
from reelbase.serving.problems import not_found
from reelbase.serving.query import Nothing, pairs, parse

Row = dict[str, Any]


async def list_people(request: Request) -> Answer:
    """GET /people?q=."""
    desk: Desk = request.app.state.desk
    given = pairs(request.scope["query_string"])
    query = parse(PeopleQuery, given)
    path = request.scope["path"]

    def ask(connection: DictConnection) -> Body:
        page = found_people(connection, desk, query, path, given)
        answer = {
            "items": [person_json(row) for row in page.rows],
            "total": page.total,
            "total_is_exact": page.total_is_exact,
            "next": page.next,
            "previous": page.previous,
        }
        return Body(dumps(answer), links(page.next, page.previous))

    return await desk.cached(request, ask)


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
