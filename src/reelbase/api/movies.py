"""Movies: the list with all its filters, one movie by any of its ids, its ratings, and what is like it."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from reelbase.catalog import movies, similar
from reelbase.catalog.browse import Values, values_of
from reelbase.database.asking import Question, answer
from reelbase.database.connect import DictConnection
from reelbase.serving.answers import Answer, Body, dumps, links
from reelbase.serving.desk import Desk
from reelbase.serving.movie_list import MovieList, Page, asked_for
from reelbase.serving.one_movie import finding
from reelbase.serving.query import Nothing, Query, pairs, parse

Row = dict[str, Any]

BASE = "/api/v1"
_MOVIES = f"{BASE}/movies"


def movie_json(row: Row) -> Row:
    """A movie as a client gets it, out of its row."""
    return _movie(values_of(row))


def _movie(values: Values) -> Row:
    """Out of the values of browse.COLUMNS, in one step: 20 for each page."""
    (
        movie_id, kind, title, original_title, _, year, release_date, runtime, genres, language,
        languages, overview, adult, rating, votes, score, imdb_id, movielens_id, tmdb_id, imdb_average,
        imdb_votes, ml_average, ml_votes, tmdb_average, tmdb_votes, sources,
    ) = values  # fmt: skip
    return {
        "id": movie_id,
        "type": kind,
        "title": title,
        "original_title": original_title,
        "year": year,
        "release_date": release_date,
        "runtime": runtime,
        "genres": genres,
        "language": language,
        "languages": languages,
        "overview": overview,
        "adult": adult,
        "rating": rating,
        "votes": votes,
        "score": score,
        "ratings": {
            "imdb": {"average": imdb_average, "votes": imdb_votes} if imdb_average is not None else None,
            "movielens": {"average": ml_average, "votes": ml_votes} if ml_average is not None else None,
            "tmdb": {"average": tmdb_average, "votes": tmdb_votes} if tmdb_average is not None else None,
        },
        "ids": {"imdb": imdb_id, "movielens": movielens_id, "tmdb": tmdb_id},
        "imdb_url": f"https://www.imdb.com/title/{imdb_id}/" if imdb_id else None,
        "sources": sources,
    }


# The list


async def list_movies(request: Request) -> Answer:
    """GET /movies."""
    desk: Desk = request.app.state.desk
    known = await desk.known(request)
    if known is not None:
        return known
    asked = asked_for(desk, request.scope["path"], pairs(request.scope["query_string"]))
    if asked.query.q is not None:
        return await desk.made(request, lambda connection: _page_body(asked.searched(connection)))
    return await desk.made_here(request, lambda: _asking_page(asked))


def _asking_page(asked: MovieList) -> Question[Body]:
    return _page_body((yield from asked.asking()))


def _page_body(found: Page) -> Body:
    answer: Row = {
        "items": [_movie(values) for values in found.movies],
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
