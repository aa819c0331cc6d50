"""The catalog: found by words, narrowed down by facets, in any order; its address says all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal
from urllib.parse import urlencode

from pydantic import Field
from starlette.requests import Request

from reelbase.catalog import browse, search
from reelbase.catalog.facets import FACETS, Facets
from reelbase.catalog.facets import facets as count_facets
from reelbase.database.asking import answer
from reelbase.database.connect import DictConnection
from reelbase.serving.answers import Answer
from reelbase.serving.desk import Desk, where_loaded
from reelbase.serving.movie_list import MovieList, MovieQuery, Page
from reelbase.serving.query import Pairs, pairs, parse
from reelbase.web import narrowing
from reelbase.web.covers import with_cover
from reelbase.web.here import Here
from reelbase.web.names import SORTS, SOURCES, TYPES
from reelbase.web.pages import kept

_API = "/api/v1/movies"
_EXPORTS = {"csv": "CSV", "ndjson": "JSON lines", "parquet": "Parquet"}
_NOTHING = Facets(True, {name: {} for name in FACETS})
_ROUNDED = 3  # digits of an estimate
_MOST_FOUND = 3000  # what words find is counted by its facets up to here: 30 ms, for which who types waits
_FAR_MORE = 1.5  # an estimate that is so much above it is not tried


class CatalogQuery(MovieQuery):
    """The parameters of the list of movies, and how it is shown."""

    limit: int = Field(default=24, ge=1, le=100)
    view: Literal["cards", "table"] = "cards"


@dataclass(frozen=True, slots=True)
class Link:
    """A choice among several."""

    label: str
    url: str
    is_on: bool = False


async def show_catalog(request: Request) -> Answer:
    """GET /."""
    desk: Desk = request.app.state.desk
    # A form sends what was left empty, too.
    given = [pair for pair in pairs(request.scope["query_string"]) if pair[1]]
    asked = _Asked(desk, parse(CatalogQuery, given), given)
    return await kept(request, "catalog.html", asked.movies, asked.facets)


class _Asked:
    """The list that an address asks for, and what stands around it."""

    def __init__(self, desk: Desk, query: CatalogQuery, given: Pairs) -> None:
        self._query = query
        self._list = MovieList(desk, query, "/", given)
        self._here = Here.at("/", given)

    def facets(self, connection: DictConnection) -> Mapping[str, Any]:
        """What the list can be narrowed down by."""
        found = where_loaded(self._facets, _NOTHING)(connection)
        return {"facets": narrowing.facets(self._here, self._query, found), "are_counted": found.are_counted}

    def movies(self, connection: DictConnection) -> Mapping[str, Any]:
        """The list, and all but the facets."""
        query, here = self._query, self._here
        page = self._list.searched(connection) if query.q is not None else answer(connection, self._list.asking())
        chips = narrowing.chips(here, query)
        is_first = query.cursor is None and query.page in (None, 1)
        return {
            "query": query,
            "page": page,
            "heading": heading(query, page.total),
            "movies": [with_cover(row) for row in page.rows],
            "chips": chips,
            "narrowed": len(chips) - (query.q is not None),
            "is_first": is_first,
            "is_empty": not page.rows and not chips and is_first,
            "relaxed": self._relaxed(connection, chips) if chips and not page.rows and is_first else [],
            "sorts": self._sorts(),
            "views": self._views(),
            "downloads": self._downloads(),
            "kept_in_form": [pair for pair in here.given if pair[0] not in ("q", "limit")],
            "all_url": here.without("q", *FILTER_NAMES).url(),
            "by_number": here.having(page=1).url() if query.page is None else here.url(),
            "is_cut": self._is_cut(page),
            "by_votes": here.having(sort="-votes").url(),
            "types": TYPES,
            "sources": SOURCES,
        }

    def _facets(self, connection: DictConnection) -> Facets:
        query, filters = self._query, self._query.filters()
        if query.q is None:
            return count_facets(connection, filters)
        found = search.movie_query(connection, query.q).condition
        return count_facets(connection, filters, found, _MOST_FOUND, _FAR_MORE)

    def _relaxed(self, connection: DictConnection, chips: list[narrowing.Chip]) -> list[Link]:
        """What there would be without one of the things that narrow the list."""
        links = []
        for chip in chips[:6]:
            less = parse(CatalogQuery, chip.here.given)
            total = where_loaded(partial(_total, query=less), browse.Total(0, True))(connection)
            if total.count:
                links.append(Link(f"Without {chip.label}: {counted(total)}", chip.url))
        return links

    def _sorts(self) -> list[Link]:
        words = self._query.q is not None
        usual = "relevance" if words else "-votes"
        current = self._query.sort or usual
        return [
            Link(label, self._here.having(sort=None if name == usual else name).url(), name == current)
            for name, label in SORTS.items()
            if words or name != "relevance"
        ]

    def _views(self) -> list[Link]:
        is_table = self._query.view == "table"
        return [
            Link("Cards", self._here.without("view").url(), not is_table),
            Link("Table", self._here.having(view="table").url(), is_table),
        ]

    def _downloads(self) -> dict[str, Any]:
        """The same list from the API."""
        same = self._here.without("view", "limit")
        whole = same.without("sort") if self._query.sort in ("relevance", "-relevance") else same
        return {
            "page": same.to(_API).url(),
            "files": [Link(label, whole.to(f"{_API}.{end}").url()) for end, label in _EXPORTS.items()],
        }

    def _is_cut(self, page: Page) -> bool:
        """By relevance only the best known matches are put in order; the list ends behind them."""
        query = self._query
        return query.q is not None and query.order is None and page.next is None and page.total.count > search.WINDOW


FILTER_NAMES = (
    "genre", "year", "year_min", "year_max", "rating_min", "rating_max", "votes_min", "runtime_min", "runtime_max",
    "language", "type", "source", "adult",
)  # fmt: skip


def _total(connection: DictConnection, query: MovieQuery) -> browse.Total:
    if query.q is None:
        return browse.total(connection, query.filters())
    return answer(connection, search.counting(search.movie_query(connection, query.q), query.filters()))


def counted(total: browse.Total) -> str:
    """1 movie; 546 movies; about 1,230,000 movies."""
    if total.is_exact:
        return f"{total.count:,} {'movie' if total.count == 1 else 'movies'}"
    digits = max(0, len(str(total.count)) - _ROUNDED)
    return f"about {round(total.count, -digits):,} movies"


def heading(query: MovieQuery, total: browse.Total) -> str:
    """How many there are; the first letter is a capital one."""
    many = "titles" if query.type else "movies"
    text = counted(total)
    if many == "titles":
        text = text.replace("movies", "titles").replace("movie", "title")
    if not total.count:
        text = f"No {many}"
    if query.q is not None:
        text = f"{text} for “{query.q}”"
    return text[0].upper() + text[1:]


def list_url(**values: object) -> str:
    """The catalog with these parameters."""
    return f"/?{urlencode({name: str(value) for name, value in values.items()})}"
