"""Movies: the list with all its filters, one movie by any of its ids, its ratings, and what is like it."""

from __future__ import annotations

from operator import itemgetter
from typing import Annotated, Any, Literal
from urllib.parse import quote

from psycopg import sql
from pydantic import Field, model_validator
from starlette.requests import Request
from starlette.responses import Response

from reelbase.api import paging
from reelbase.api.answers import Answer, Body, dumps, links
from reelbase.api.desk import Desk, if_loaded, where_loaded
from reelbase.api.problems import Problem, not_found
from reelbase.api.query import Nothing, Pairs, Query, Words, pairs, parse, path_with
from reelbase.catalog import browse, movies, search, similar
from reelbase.catalog.filters import MOVIE_TYPES, Adult, Filters
from reelbase.catalog.version import version
from reelbase.database.asking import Question, answer
from reelbase.database.connect import DictConnection
from reelbase.errors import BadCursor

Row = dict[str, Any]

BASE = "/api/v1"
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


SortName = Literal[
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
    "relevance",
    "-relevance",
]


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
        return browse.Order(browse.Sort(name), self.sort.startswith("-"))


_PLAIN = (
    "id", "type", "title", "original_title", "year", "release_date", "runtime", "genres", "language", "languages",
    "overview", "adult", "rating", "votes", "score",
)  # fmt: skip
_plain = itemgetter(*_PLAIN)


def movie_json(row: Row) -> Row:
    """A movie as CONTRACT's Movie."""
    movie: Row = dict(zip(_PLAIN, _plain(row), strict=True))
    movie["ratings"] = {
        "imdb": _average(row["imdb_average"], row["imdb_votes"]),
        "movielens": _average(row["movielens_average"], row["movielens_votes"]),
        "tmdb": _average(row["tmdb_average"], row["tmdb_votes"]),
    }
    imdb_id = row["imdb_id"]
    movie["ids"] = {"imdb": imdb_id, "movielens": row["movielens_id"], "tmdb": row["tmdb_id"]}
    movie["imdb_url"] = f"https://www.imdb.com/title/{imdb_id}/" if imdb_id else None
    movie["sources"] = row["sources"]
    return movie


def _average(average: float | None, votes: int | None) -> Row | None:
    return None if average is None else {"average": average, "votes": votes}


# The list


async def list_movies(request: Request) -> Answer:
    """GET /movies."""
    desk: Desk = request.app.state.desk
    known = await desk.known(request)
    if known is not None:
        return known
    given = pairs(request.scope["query_string"])
    query = parse(MovieQuery, given)
    path = request.scope["path"]
    empty = Page([], browse.Total(0, True), None, None)

    def asked() -> Question[Body]:
        found = yield from if_loaded(_by_order(desk, query, path, given), empty)
        return _page_body(found, query, path, given)

    def searched(connection: DictConnection) -> Body:
        found = where_loaded(lambda connected: _search(connected, desk, query, path, given), empty)(connection)
        return _page_body(found, query, path, given)

    return await (desk.made_here(request, asked) if query.q is None else desk.made(request, searched))


class Page:
    """A part of the list, and where the parts beside it begin."""

    def __init__(self, rows: list[Row], total: browse.Total, next_: str | None, previous: str | None) -> None:
        self.rows = rows
        self.total = total
        self.next = next_
        self.previous = previous


def _page_body(found: Page, query: MovieQuery, path: str, given: Pairs) -> Body:
    answer: Row = {
        "items": [movie_json(row) for row in found.rows],
        "total": found.total.count,
        "total_is_exact": found.total.is_exact,
        "next": found.next,
        "previous": found.previous,
    }
    if query.page is not None:
        pages = -(-found.total.count // query.limit)
        answer["next"] = path_with(path, given, page=query.page + 1) if found.next else None
        answer["previous"] = path_with(path, given, page=query.page - 1) if query.page > 1 else None
        answer |= {"page": query.page, "pages": pages}
    return Body(dumps(answer), links(answer["next"], answer["previous"]))


def _search(connection: DictConnection, desk: Desk, query: MovieQuery, path: str, given: Pairs) -> Page:
    if query.order is None:
        return _by_relevance(connection, desk, query, path, given)
    also = search.movie_query(connection, query.q or "").condition
    return answer(connection, _by_order(desk, query, path, given, also))


def _by_order(
    desk: Desk, query: MovieQuery, path: str, given: Pairs, also: sql.Composable | None = None
) -> Question[Page]:
    order = query.order or browse.Order()
    filters = query.filters()
    key = paging.list_key(path, given)
    cursor = browse.decode(paging.unseal(query.cursor, key), order) if query.cursor is not None else None
    skip = (query.page - 1) * query.limit if query.page else 0
    page = yield from browse.page(filters, order, cursor=cursor, limit=query.limit, also=also, skip=skip)

    def place(at: browse.Cursor | None) -> str | None:
        return path_with(path, given, cursor=paging.seal(at.encode(), key)) if at else None

    total = yield from _total(desk, query, filters, also)
    return Page(page.items, total, place(page.next), place(page.previous))


def _by_relevance(connection: DictConnection, desk: Desk, query: MovieQuery, path: str, given: Pairs) -> Page:
    """Places are counted from the best: they hold within one version of the catalog."""
    filters = query.filters()
    key = paging.list_key(path, given)
    trust = desk.watch.trust
    now = trust.version if trust else version(connection)
    skip = (query.page - 1) * query.limit if query.page else 0
    if query.cursor is not None:
        [skip] = paging.of_release(now, paging.unseal(query.cursor, key))
    asked = search.movie_query(connection, query.q or "")
    rows = search.movies(connection, asked, filters, limit=query.limit + 1, offset=skip)

    def place(at: int) -> str:
        return path_with(path, given, cursor=paging.seal(paging.token([now, at]), key))

    next_ = place(skip + query.limit) if len(rows) > query.limit else None
    previous = place(max(0, skip - query.limit)) if skip else None
    total = answer(connection, _total(desk, query, filters, asked.condition))
    return Page(rows[: query.limit], total, next_, previous)


def _total(desk: Desk, query: MovieQuery, filters: Filters, also: sql.Composable | None) -> Question[browse.Total]:
    """How many match: counted once for each version."""
    trust = desk.watch.trust
    key = (query.q, filters)
    total = desk.kept.total(trust.version, key) if trust else None
    if total is None:
        total = yield from browse.counting(filters, also)
        if trust is not None:
            desk.kept.put_total(trust.version, key, total)
    return total


# One movie


async def show_movie(request: Request) -> Response | Answer:
    """GET /movies/{id}."""
    desk: Desk = request.app.state.desk
    known = await desk.known(request)
    if known is not None:
        return known
    parse(Nothing, pairs(request.scope["query_string"]))
    word = request.path_params["id"]
    return await desk.made_here(request, lambda: _detail(word))


def _detail(word: str) -> Question[Body]:
    found = yield from _finding(word, "detail")
    return Body(dumps({**movie_json(found.movie), **{name: found.movie[name] for name in movies.DETAILS}}))


def _found(connection: DictConnection, word: str, end: str) -> movies.Found:
    return answer(connection, _finding(word, "row", end))


def _finding(word: str, what: str, end: str = "") -> Question[movies.Found]:
    """The movie; raises Problem where there is none (404), or where it is a part of another one now (308)."""
    found = yield from if_loaded(movies.finding(word, what=what), None)
    if found is None:
        raise not_found(
            f"There is no movie {word[:80]!r}.",
            "An id is a UUID, tt0113277 (IMDb), movielens:6 or tmdb:949; GET /api/v1/movies?q= searches.",
        )
    if found.moved:
        raise Moved(f"{BASE}/movies/{quote(str(found.movie['id']))}{end}")
    return found


class Moved(Problem):
    """The movie is part of another one now."""

    def __init__(self, location: str) -> None:
        super().__init__(308, "moved", "This movie turned out to be another one.", headers={"location": location})


async def movie_ratings(request: Request) -> Answer:
    """GET /movies/{id}/ratings."""
    parse(Nothing, pairs(request.scope["query_string"]))
    word = request.path_params["id"]

    def ask(connection: DictConnection) -> Body:
        movielens_id = _found(connection, word, "/ratings").movie["movielens_id"]
        counts = movies.rating_counts(connection, movielens_id) if movielens_id is not None else None
        histogram = [{"rating": rating, "votes": votes} for rating, votes in counts.histogram.items()] if counts else []
        return Body(dumps({"histogram": histogram, "years": counts.years if counts else []}))

    desk: Desk = request.app.state.desk
    return await desk.cached(request, ask)


class SimilarQuery(Query):
    """How many."""

    limit: int = Field(default=12, ge=1, le=100, examples=[5])


async def similar_movies(request: Request) -> Answer:
    """GET /movies/{id}/similar."""
    query = parse(SimilarQuery, pairs(request.scope["query_string"]))
    word = request.path_params["id"]

    def ask(connection: DictConnection) -> Body:
        movielens_id = _found(connection, word, "/similar").movie["movielens_id"]
        near = similar.similar(connection, movielens_id, query.limit) if movielens_id is not None else None
        items = [{**movie_json(row), "distance": row["distance"]} for row in near.movies] if near else []
        return Body(dumps({"by": near.by.value if near and items else None, "items": items}))

    desk: Desk = request.app.state.desk
    return await desk.cached(request, ask)
