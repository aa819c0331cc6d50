"""Movies of one's own: added, changed, taken away. What was done is seen by the next request."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any, TypeVar
from uuid import UUID

import orjson
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from reelbase.api.movies import BASE, movie_json
from reelbase.api.schemas import OwnMovieChange, OwnMovieGiven
from reelbase.catalog import movies
from reelbase.database.connect import Connection, DictConnection
from reelbase.imports import own
from reelbase.imports.own import OwnMovie
from reelbase.serving.answers import Answer, plain
from reelbase.serving.bodies import json_body
from reelbase.serving.desk import Desk, where_loaded
from reelbase.serving.one_movie import Moved
from reelbase.serving.problems import Problem, invalid, not_found
from reelbase.serving.query import Nothing, faults_of, pairs, parse

M = TypeVar("M", bound=BaseModel)


async def add_movie(request: Request) -> Answer:
    """POST /movies."""
    _no_parameters(request)
    given = _checked(OwnMovieGiven, await json_body(request))
    movie = _movie(given.model_dump())
    desk: Desk = request.app.state.desk
    movie_id = await desk.change(lambda connection: own.add(connection, movie))
    shown = await desk.ask(request, lambda connection: _shown(connection, movie_id, movie))
    return plain(shown, 201, {"location": f"{BASE}/movies/{movie_id}"})


async def change_movie(request: Request) -> Answer:
    """PATCH /movies/{id}."""
    _no_parameters(request)
    given = _checked(OwnMovieChange, await json_body(request))
    changes = given.model_dump(include=given.model_fields_set)
    desk: Desk = request.app.state.desk
    movie_id, is_known = await desk.ask(request, lambda connection: _id_of(connection, request.path_params["id"]))

    def change(connection: Connection) -> OwnMovie:
        old = own.get(connection, movie_id)
        if old is None:
            raise _not_own(movie_id, is_known=is_known)
        made = _movie({**asdict(old), **changes})
        own.edit(connection, movie_id, made)
        return made

    movie = await desk.change(change)
    return plain(await desk.ask(request, lambda connection: _shown(connection, movie_id, movie)))


async def remove_movie(request: Request) -> Response:
    """DELETE /movies/{id}."""
    _no_parameters(request)
    desk: Desk = request.app.state.desk
    movie_id, is_known = await desk.ask(request, lambda connection: _id_of(connection, request.path_params["id"]))

    def remove(connection: Connection) -> None:
        if own.get(connection, movie_id) is None:
            raise _not_own(movie_id, is_known=is_known)
        own.remove(connection, movie_id)

    await desk.change(remove)
    return Response(status_code=204)


def _no_parameters(request: Request) -> None:
    parse(Nothing, pairs(request.scope["query_string"]))


def _checked(model: type[M], body: bytes) -> M:
    try:
        # In JSON a list is a list, and a number never a text: nothing is guessed.
        return model.model_validate(orjson.loads(body))
    except ValidationError as error:
        raise invalid(list(faults_of(error, body=True))) from error


def _movie(values: dict[str, Any]) -> OwnMovie:
    movie = OwnMovie(**{**values, "genres": tuple(dict.fromkeys(values["genres"] or ()))})
    return replace(movie, title=movie.title.strip())


def _id_of(connection: DictConnection, word: str) -> tuple[UUID, bool]:
    """The id of a movie that may be one's own, and whether the catalog shows it."""
    found = where_loaded(lambda connected: movies.find(connected, word), None)(connection)
    if found is not None:
        if found.moved:
            raise Moved(f"{BASE}/movies/{found.movie['id']}")
        return UUID(str(found.movie["id"])), True
    try:
        return UUID(word), False
    except ValueError:
        raise not_found(f"There is no movie {word[:80]!r}.") from None


def _not_own(movie_id: UUID, *, is_known: bool) -> Problem:
    if not is_known:
        return not_found(f"There is no movie {movie_id}.")
    return Problem(
        409,
        "conflict",
        f"The movie {movie_id} is not one of your own.",
        remedy="Only movies that were added with POST /api/v1/movies can be changed.",
    )


def _shown(connection: DictConnection, movie_id: UUID, movie: OwnMovie) -> dict[str, Any]:
    """As the catalog shows it; what is not in it yet is shown as it was given."""
    found = where_loaded(lambda connected: movies.find(connected, str(movie_id)), None)(connection)
    if found is not None:
        return movie_json(found.movie)
    return {**_EMPTY, **asdict(movie), "genres": list(movie.genres), "id": movie_id} | _ids(movie)


_EMPTY: dict[str, Any] = {
    **dict.fromkeys(("original_title", "release_date", "votes", "score")),
    "type": "movie",
    "languages": [],
    "adult": False,
    "ratings": {"imdb": None, "movielens": None, "tmdb": None},
    "sources": ["own"],
}


def _ids(movie: OwnMovie) -> dict[str, Any]:
    imdb_id = movie.imdb_id
    url = f"https://www.imdb.com/title/{imdb_id}/" if imdb_id else None
    return {"ids": {"imdb": imdb_id, "movielens": None, "tmdb": None}, "imdb_url": url}
