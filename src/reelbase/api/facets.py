"""Counts beside a list: genres, languages, and every facet, for the same filters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request

from reelbase.catalog import facets, search
from reelbase.catalog.facets import FACETS, Facets
from reelbase.database.connect import DictConnection
from reelbase.serving.answers import Answer, Body, dumps
from reelbase.serving.desk import Desk, where_loaded
from reelbase.serving.movie_list import MovieFilters
from reelbase.serving.query import pairs, parse


async def list_genres(request: Request) -> Answer:
    """GET /genres."""
    return await _answer(request, lambda found: _counts(found, "genre"))


async def list_languages(request: Request) -> Answer:
    """GET /languages."""
    return await _answer(request, lambda found: _counts(found, "language"))


async def list_facets(request: Request) -> Answer:
    """GET /facets."""
    return await _answer(
        request,
        lambda found: {"are_counted": found.are_counted, **{name: _items(found, name) for name in FACETS}},
    )


async def _answer(request: Request, shown: Callable[[Facets], dict[str, Any]]) -> Answer:
    query = parse(MovieFilters, pairs(request.scope["query_string"]))
    filters = query.filters()

    def ask(connection: DictConnection) -> Facets:
        also = search.movie_query(connection, query.q).condition if query.q is not None else None
        return facets.facets(connection, filters, also)

    nothing = Facets(True, {name: {} for name in FACETS})
    desk: Desk = request.app.state.desk
    return await desk.cached(request, lambda connection: Body(dumps(shown(where_loaded(ask, nothing)(connection)))))


def _counts(found: Facets, facet: str) -> dict[str, Any]:
    return {"are_counted": found.are_counted, "items": _items(found, facet)}


def _items(found: Facets, facet: str) -> list[dict[str, Any]]:
    return [{"value": value, "movies": movies} for value, movies in found.counts.get(facet, {}).items()]
