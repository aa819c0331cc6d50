"""The list of movies as it is asked for in a URL: the same parameters for the API and the pages."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from reelbase.catalog import browse, search
from reelbase.catalog.filters import MOVIE_TYPES, Adult, Filters
from reelbase.catalog.version import version
from reelbase.database.asking import Question, answer
from reelbase.database.connect import DictConnection
from reelbase.errors import BadCursor
from reelbase.serving import paging
from reelbase.serving.desk import Desk, if_loaded, where_loaded
from reelbase.serving.query import Pairs, Query, Words, parse, path_with

Row = dict[str, Any]

_PLACE = frozenset({"cursor", "page"})
_FARTHEST = 10_000  # how many movies `page` can pass over; a cursor goes on from there
_MOST_INT = 2**31 - 1

TitleType = Literal[
    "any",
    "movie",
    "tvMovie",
    "short",
    "video",
    "tvSeries",
    "tvMiniSeries",
    "tvShort",
    "tvSpecial",
    "tvEpisode",
    "tvPilot",
    "videoGame",
]
_Year = Annotated[int, Field(ge=1, le=9999)]
_Rating = Annotated[float, Field(ge=0, le=10)]
_Whole = Annotated[int, Field(ge=0, le=_MOST_INT)]


class MovieFilters(Query):
    """What narrows a list of movies down."""

    q: Annotated[Words, Field(min_length=1, max_length=300)] | None = Field(
        default=None,
        description="Words of a title: prefixes, typos and other titles are understood",
        examples=["toy story"],
    )
    genre: list[Annotated[Words, Field(min_length=1, max_length=100)]] = Field(
        default=[], max_length=20, description="Given several times: all of them", examples=[["Comedy"]]
    )
    year: _Year | None = Field(default=None, examples=[1995])
    year_min: _Year | None = Field(default=None, examples=[1990])
    year_max: _Year | None = Field(default=None, examples=[1999])
    rating_min: _Rating | None = Field(default=None, description="From 0 to 10", examples=[5])
    rating_max: _Rating | None = Field(default=None, examples=[9.5])
    votes_min: _Whole | None = Field(default=None, examples=[1])
    runtime_min: _Whole | None = Field(default=None, description="Minutes", examples=[60])
    runtime_max: _Whole | None = Field(default=None, examples=[200])
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}$")] | None = Field(
        default=None, description="The original language, two or three letters", examples=["en"]
    )
    type: list[TitleType] = Field(
        default=[], max_length=12, description="Default: movie and tvMovie", examples=[["any"]]
    )
    source: Literal["imdb", "movielens", "tmdb", "own"] | None = Field(
        default=None, description="Movies that this source knows", examples=["movielens"]
    )
    adult: Literal["exclude", "include", "only"] = Field(default="exclude", examples=["include"])

    def filters(self) -> Filters:
        """As the catalog understands them."""
        years = [self.year, self.year_min], [self.year, self.year_max]
        return Filters(
            genres=tuple(self.genre),
            year_min=max((year for year in years[0] if year is not None), default=None),
            year_max=min((year for year in years[1] if year is not None), default=None),
            rating_min=self.rating_min,
            rating_max=self.rating_max,
            votes_min=self.votes_min,
            runtime_min=self.runtime_min,
            runtime_max=self.runtime_max,
            language=self.language.lower() if self.language else None,
            types=None if "any" in self.type else tuple(sorted(set(self.type))) or MOVIE_TYPES,
            source=self.source,
            adult=Adult(self.adult),
        )


class Paged(Query):
    """How much of a list, and from where."""

    limit: int = Field(default=20, ge=1, le=100, examples=[5])
    cursor: Words | None = Field(default=None, min_length=1, description="As `next` and `previous` have it")
    page: int | None = Field(default=None, ge=1, le=_FARTHEST, description="From 1, instead of a cursor")

    @model_validator(mode="after")
    def _one_place(self) -> Paged:
        if self.cursor is not None and self.page is not None:
            raise BadCursor("A list begins at a cursor or at a page, not at both.", "Leave one of them out.")
        if self.page is not None and (self.page - 1) * self.limit >= _FARTHEST:
            raise BadCursor(
                f"A page by its number is within the first {_FARTHEST}.", "Follow `next`, which has no end."
            )
        return self


OrderName = Literal[
    "title",
    "-title",
    "year",
    "-year",
    "rating",
    "-rating",
    "votes",
    "-votes",
    "release_date",
    "-release_date",
    "score",
    "-score",
]
SortName = Literal[OrderName, "relevance", "-relevance"]


class MovieQuery(MovieFilters, Paged):
    """The parameters of the list of movies."""

    sort: SortName | None = Field(
        default=None, description="`-` before it: descending. Default: -votes, with q relevance", examples=["-rating"]
    )

    @property
    def order(self) -> browse.Order | None:
        """None: by relevance, which without words is how well known a movie is."""
        name = (self.sort or "relevance").removeprefix("-")
        if self.sort is None or name == "relevance":
            return None if self.q is not None else browse.Order()
        return browse.Order.named(self.sort)


class Page:
    """A part of the list, the paths of the parts beside it, and `number` and `pages` where a number was asked for.

    `movies` has the values of browse.COLUMNS for each movie, `rows` gives them by their names.
    """

    def __init__(
        self, movies: list[browse.Values], total: browse.Total, next_: str | None, previous: str | None
    ) -> None:
        self.movies = movies
        self.total = total
        self.next = next_
        self.previous = previous
        self.number: int | None = None
        self.pages: int | None = None

    @property
    def rows(self) -> list[Row]:
        return [dict(zip(browse.COLUMNS, values, strict=True)) for values in self.movies]


@dataclass(frozen=True, slots=True)
class _Facts:
    """What all pages of one list share; `begin` is how their paths begin."""

    query: MovieQuery
    filters: Filters
    key: bytes
    begin: str


@lru_cache(maxsize=1000)
def _facts(model: type[MovieQuery], path: str, given: tuple[tuple[str, str], ...]) -> _Facts:
    """Who reads one page of a list mostly reads more; to work this out takes a twentieth of a page's time."""
    known = list(given)
    query = parse(model, known)
    return _Facts(query, query.filters(), paging.list_key(path, known), path_with(path, known))


def asked_for(desk: Desk, path: str, given: Pairs) -> MovieList:
    """The list of a URL with no parameters but MovieQuery's; raises Problem, BadCursor."""
    cursors = [value for name, value in given if name == "cursor"]
    if len(cursors) == 1 and cursors[0] and not any(name == "page" for name, _ in given):
        # All but the cursor has been checked with the page before; what is wrong with a cursor is seen when it is read.
        query = _facts(MovieQuery, path, tuple(pair for pair in given if pair[0] != "cursor")).query
        return MovieList(desk, query, path, given, cursor=cursors[0])
    return MovieList(desk, parse(MovieQuery, given), path, given)


class MovieList:
    """One page of the list, as a URL asks for it.

    Without words it can be asked anywhere (`asking`), with words only where there is a connection (`searched`).
    """

    def __init__(self, desk: Desk, query: MovieQuery, path: str, given: Pairs, *, cursor: str | None = None) -> None:
        self._desk = desk
        self.query = self._query = query
        self._cursor = cursor or query.cursor
        self._facts = _facts(type(query), path, tuple(pair for pair in given if pair[0] not in _PLACE))
        self._skip = (query.page - 1) * query.limit if query.page else 0

    def asking(self) -> Question[Page]:
        """The page in the order of a sort; empty before anything is loaded."""
        return self._numbered((yield from if_loaded(self._by_order(None), _EMPTY)))

    def searched(self, connection: DictConnection) -> Page:
        """The page of what the words find; empty before anything is loaded."""
        return self._numbered(where_loaded(self._search, _EMPTY)(connection))

    def _numbered(self, found: Page) -> Page:
        """A list that is asked for by the number of a page goes on by numbers."""
        number = self._query.page
        if number is None:
            return found
        next_ = f"{self._facts.begin}page={number + 1}" if found.next else None
        previous = f"{self._facts.begin}page={number - 1}" if number > 1 else None
        page = Page(found.movies, found.total, next_, previous)
        page.number = number
        page.pages = -(-found.total.count // self._query.limit)
        return page

    def _search(self, connection: DictConnection) -> Page:
        asked = search.movie_query(connection, self._query.q or "")
        if self._query.order is None:
            return self._by_relevance(connection, asked)
        return answer(connection, self._by_order(asked))

    def _by_order(self, asked: search.Query | None) -> Question[Page]:
        query = self._query
        order = query.order or browse.Order()
        facts = self._facts
        cursor = None
        if self._cursor is not None:
            cursor = browse.decode(paging.unseal(self._cursor, facts.key), order)
        also = asked.condition if asked else None
        page = yield from browse.page(
            facts.filters, order, cursor=cursor, limit=query.limit, also=also, skip=self._skip
        )
        total = yield from self._total(asked)
        return Page(page.values, total, self._at(page.next), self._at(page.previous))

    def _by_relevance(self, connection: DictConnection, asked: search.Query) -> Page:
        """Places are counted from the best: they hold within one version of the catalog."""
        query, skip = self._query, self._skip
        trust = self._desk.watch.trust
        now = trust.version if trust else version(connection)
        if self._cursor is not None:
            [skip] = paging.of_release(now, paging.unseal(self._cursor, self._facts.key))
        found = search.find(connection, asked, self._facts.filters, limit=query.limit + 1, offset=skip)
        rows = found.rows
        next_ = self._place(paging.token([now, skip + query.limit])) if len(rows) > query.limit else None
        previous = self._place(paging.token([now, max(0, skip - query.limit)])) if skip else None
        total = found.total or answer(connection, self._total(asked))
        return Page([browse.values_of(row) for row in rows[: query.limit]], total, next_, previous)

    def _at(self, cursor: browse.Cursor | None) -> str | None:
        return self._place(cursor.encode()) if cursor else None

    def _place(self, token: str) -> str:
        # A cursor has no letters that a URL could not.
        return f"{self._facts.begin}cursor={paging.seal(token, self._facts.key)}"

    def _total(self, asked: search.Query | None) -> Question[browse.Total]:
        """How many match: counted once for each version."""
        trust = self._desk.watch.trust
        key = (self._query.q, self._facts.filters)
        total = self._desk.kept.total(trust.version, key) if trust else None
        if total is None:
            filters = self._facts.filters
            total = yield from search.counting(asked, filters) if asked else browse.counting(filters)
            if trust is not None:
                self._desk.kept.put_total(trust.version, key, total)
        return total


_EMPTY = Page([], browse.Total(0, True), None, None)
