"""People by name, as they are asked for in a URL: the same for the API and the pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import Field

from reelbase.catalog import search
from reelbase.catalog.version import version
from reelbase.database.connect import DictConnection
from reelbase.serving import paging
from reelbase.serving.desk import Desk, where_loaded
from reelbase.serving.query import Pairs, Query, Words, path_with

Row = dict[str, Any]


class PeopleQuery(Query):
    """The parameters of the list of people."""

    q: Words = Field(min_length=1, max_length=300, description="Words of a name", examples=["fred"])
    limit: int = Field(default=20, ge=1, le=100, examples=[5])
    cursor: Words | None = Field(default=None, min_length=1, description="As `next` and `previous` have it")


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """A part of the people of a name, the best known first, and the paths of the parts beside it."""

    rows: list[Row]
    total: int
    total_is_exact: bool
    next: str | None
    previous: str | None


def found_people(connection: DictConnection, desk: Desk, query: PeopleQuery, path: str, given: Pairs) -> PeoplePage:
    """The people of that name; nobody before anything is loaded."""
    nobody = PeoplePage([], 0, True, None, None)
    return where_loaded(lambda connected: _page(connected, desk, query, path, given), nobody)(connection)


def _page(connection: DictConnection, desk: Desk, query: PeopleQuery, path: str, given: Pairs) -> PeoplePage:
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
        return path_with(path, given, cursor=paging.seal(paging.token([now, at]), key))

    return PeoplePage(
        rows[skip : skip + query.limit],
        len(rows),
        len(rows) < search.WINDOW,
        place(skip + query.limit) if len(rows) > skip + query.limit else None,
        place(max(0, skip - query.limit)) if skip else None,
    )
