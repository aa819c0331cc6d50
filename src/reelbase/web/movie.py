"""One movie: all that the datasets say of it, each by its name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from starlette.requests import Request

from reelbase.catalog import movies, similar
from reelbase.database.asking import answer
from reelbase.database.connect import DictConnection
from reelbase.serving.answers import Answer
from reelbase.serving.one_movie import finding
from reelbase.serving.query import Nothing, pairs, parse
from reelbase.web import charts
from reelbase.web.catalog import list_url
from reelbase.web.covers import with_cover
from reelbase.web.names import SOURCES, TYPES, category, language
from reelbase.web.pages import kept
from reelbase.web.words import strings

Row = dict[str, Any]

_CAST = ("actor", "actress", "self")
_SIMILAR = 12
_OF_FIVE = 2  # MovieLens' stars are five, the others' ten


async def show_movie(request: Request) -> Answer:
    """GET /movies/{id}."""
    parse(Nothing, pairs(request.scope["query_string"]))
    word = request.path_params["id"]
    return await kept(request, "movie.html", lambda connection: _values(connection, word))


def _values(connection: DictConnection, word: str) -> Mapping[str, Any]:
    movie = answer(connection, finding(word, "detail", "/movies")).movie
    for name in movies.DETAILS:
        movie[name] = orjson.loads(orjson.dumps(movie[name]))  # was to be passed on as it is
    movielens_id = movie["movielens_id"]
    counts = movies.rating_counts(connection, movielens_id) if movielens_id is not None else None
    near = similar.similar(connection, movielens_id, _SIMILAR) if movielens_id is not None else None
    return {
        "movie": with_cover(movie),
        "kind": TYPES.get(movie["type"], movie["type"]),
        "language": language(movie["language"]) if movie["language"] else None,
        "ratings": list(_ratings(movie)),
        "histogram": charts.histogram(counts.histogram) if counts else None,
        "years": charts.years(counts.years) if counts else None,
        "directors": _named(movie["people"], ["director"]),
        "writers": _named(movie["people"], ["writer"]),
        "cast": [_person(one) for one in movie["people"] if one["category"] in _CAST],
        "crew": [_person(one) for one in movie["people"] if one["category"] not in (*_CAST, "director", "writer")],
        "titles": _titles(movie),
        "similar": [with_cover(row) for row in near.movies] if near else [],
        "similar_by": near.by.value if near else None,
        "links": list(_links(movie)),
        "said": _said(movie),
        "said_by": [name for name in ("imdb", "movielens", "tmdb") if movie[name]],
        "more": _more(movie["tmdb"] or {}),
        "sources": SOURCES,
        "types": TYPES,
        "list_url": list_url,
    }


def _ratings(movie: Row) -> Iterable[Row]:
    """Each source's mean in its own measure, and as a part of ten."""
    for source, best in (("imdb", 10), ("movielens", 5), ("tmdb", 10)):
        average = movie[f"{source}_average"]
        if average is not None:
            of_ten = average * _OF_FIVE if best != 10 else average
            votes = movie[f"{source}_votes"]
            yield {"source": source, "average": average, "best": best, "of_ten": of_ten, "votes": votes}


def _named(people: list[Row], categories: list[str]) -> list[Row]:
    """Those of a category, each once."""
    found = {one["nconst"]: _person(one) for one in people if one["category"] in categories}
    return list(found.values())


def _person(one: Row) -> Row:
    roles = strings(one["characters"])
    return {
        "nconst": one["nconst"],
        "name": one["name"] or one["nconst"],
        "roles": ", ".join(roles) or one["job"] or "",
        "category": category(one["category"]),
    }


def _titles(movie: Row) -> list[Row]:
    """Other titles, each once, with the regions where it is called so."""
    found: dict[str, list[str]] = {}
    for one in movie["titles"]:
        if one["title"] != movie["title"]:
            places = found.setdefault(one["title"], [])
            place = one["region"] or one["language"]
            if place and place not in places:
                places.append(place)
    if movie["original_title"] and movie["original_title"] != movie["title"]:
        found.setdefault(movie["original_title"], [])
    return [{"title": title, "regions": ", ".join(places)} for title, places in found.items()]


def _links(movie: Row) -> Iterable[tuple[str, str]]:
    if movie["imdb_id"]:
        yield "IMDb", f"https://www.imdb.com/title/{movie['imdb_id']}/"
    if movie["tmdb_id"]:
        yield "TMDb", f"https://www.themoviedb.org/movie/{movie['tmdb_id']}"
    if movie["movielens_id"]:
        yield "MovieLens", f"https://movielens.org/movies/{movie['movielens_id']}"
    homepage = (movie["tmdb"] or {}).get("homepage") or ""
    if homepage.startswith(("https://", "http://")):
        yield "Home page", homepage


_SAID: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("Id", "", {"imdb": "tconst", "movielens": "movie_id", "tmdb": "id"}),
    ("Title", "title", {"imdb": "primary_title", "movielens": "title", "tmdb": "title"}),
    ("Original title", "original_title", {"imdb": "original_title", "tmdb": "original_title"}),
    ("Type", "type", {"imdb": "title_type"}),
    ("Year", "year", {"imdb": "start_year"}),
    ("Release date", "release_date", {"tmdb": "release_date"}),
    ("Minutes", "runtime", {"imdb": "runtime_minutes", "tmdb": "runtime"}),
    ("Genres", "genres", {"imdb": "genres", "movielens": "genres", "tmdb": "genres"}),
    ("Language", "language", {"tmdb": "original_language"}),
)


def _said(movie: Row) -> list[Row]:
    """What each dataset's own row says, beside what the catalog shows."""
    rows = []
    for label, ours, theirs in _SAID:
        values = {source: _shown((movie[source] or {}).get(column)) for source, column in theirs.items()}
        if any(values.values()):
            rows.append({"label": label, "shown": _shown(movie[ours]) if ours else "", "values": values})
    means: Row = {source: f"{movie[f'{source}_average']:.2f}" for source in _sources(movie)}
    if means:
        rows.append({"label": "Mean rating", "shown": _shown(movie["rating"]), "values": means})
        votes = {source: f"{movie[f'{source}_votes'] or 0:,}" for source in _sources(movie)}
        rows.append({"label": "Votes", "shown": f"{movie['votes'] or 0:,}", "values": votes})
    return rows


def _sources(movie: Row) -> list[str]:
    return [source for source in ("imdb", "movielens", "tmdb") if movie[f"{source}_average"] is not None]


def _shown(value: object) -> str:
    """A value of a file as text: names of lists of named things, lists with commas."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(_shown(one.get("name")) if isinstance(one, dict) else _shown(one) for one in value)
    return (
        str(value).replace("|", ", ").replace(",", ", ").replace(",  ", ", ") if isinstance(value, str) else str(value)
    )


def _more(tmdb: Row) -> list[tuple[str, str]]:
    """What only TMDb has."""
    money = [(label, tmdb.get(name)) for label, name in (("Budget", "budget"), ("Revenue", "revenue"))]
    words = ("Status", "status"), ("Made by", "production_companies"), ("Made in", "production_countries")
    return [
        *((label, f"${amount:,}") for label, amount in money if isinstance(amount, int) and amount > 0),
        *((label, _shown(tmdb.get(name))) for label, name in words if tmdb.get(name)),
    ]
