"""One person: who they are, and what they worked on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from reelbase.catalog import movies, people
from reelbase.database.connect import DictConnection
from reelbase.serving.answers import Answer
from reelbase.serving.desk import where_loaded
from reelbase.serving.problems import not_found
from reelbase.serving.query import Nothing, pairs, parse
from reelbase.web.covers import hue_of, initials, with_cover
from reelbase.web.names import TYPES, category
from reelbase.web.pages import kept
from reelbase.web.words import strings

Row = dict[str, Any]


async def show_person(request: Request) -> Answer:
    """GET /people/{nconst}."""
    parse(Nothing, pairs(request.scope["query_string"]))
    nconst = request.path_params["nconst"]
    return await kept(request, "person.html", lambda connection: _values(connection, nconst))


def _values(connection: DictConnection, nconst: str) -> Mapping[str, Any]:
    person = where_loaded(lambda connected: people.person(connected, nconst), None)(connection)
    if person is None:
        raise not_found(f"There is no person {nconst[:80]!r}.", "An id is IMDb's, and looks like nm0000134.")
    work = people.work(connection, nconst)
    for row in work:
        row["roles"] = ", ".join(strings(row["characters"]))
    known_for = [found.movie for tconst in person["known_for"] or [] if (found := movies.find(connection, tconst))]
    return {
        "person": person,
        "name": person["name"] or nconst,
        "initials": initials(person["name"] or "") or "?",
        "hue": hue_of(nconst),
        "professions": [category(one) for one in person["professions"] or [] if one],
        "known_for": [with_cover(row) for row in known_for],
        "groups": _groups(work),
        "count": len(work),
        "types": TYPES,
    }


def _groups(work: list[Row]) -> list[Row]:
    """Work by what was done, what was done most first; each from the newest."""
    counts = Counter(one for row in work for one in row["categories"])
    return [
        {
            "label": category(name),
            "key": name,
            "rows": sorted(
                (row for row in work if name in row["categories"]), key=lambda row: (-(row["year"] or 0), row["title"])
            ),
        }
        for name, _ in counts.most_common()
    ]
