"""Movies: the list with all its filters, one movie by any of its ids, its ratings, and what is like it."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from reelbase.catalog import movies, similar
from reelbase.database.asking import Question, answer
from reelbase.database.connect import DictConnection
from reelbase.serving.answers import Answer, Body, dumps, links
from reelbase.serving.desk import Desk
from reelbase.serving.movie_list import MovieList, MovieQuery, Page
from reelbase.serving.one_movie import finding
from reelbase.serving.query import Nothing, Query, pairs, parse

Row = dict[str, Any]

BASE = "/api/v1"
_MOVIES = f"{BASE}/movies"


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
    asked = MovieList(desk, query, path, given)
    if query.q is not None:
        return await desk.made(request, lambda connection: _page_body(asked.searched(connection)))
    return await desk.made_here(request, lambda: _asking_page(asked))


def _asking_page(asked: MovieList) -> Question[Body]:
    return _page_body((yield from asked.asking()))


def _page_body(found: Page) -> Body:
    answer: Row = {
        "items": [movie_json(row) for row in found.rows],
        "total": found.total.count,
        "total_is_exact": found.total.is_exact,
        "next": found.next,
        "previous": found.previous,
    }
    if found.number is not None:
        answer |= {"page": found.number, "pages": found.pages}
    return Body(dumps(answer), links(answer["next"], answer["previous"]))


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
    found = yield from finding(word, "detail", _MOVIES)
    return Body(dumps({**movie_json(found.movie), **{name: found.movie[name] for name in movies.DETAILS}}))


def _found(connection: DictConnection, word: str, end: str) -> movies.Found:
    return answer(connection, finding(word, "row", _MOVIES, end))


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
