"""What narrows the catalog down: facets to choose from, chips of what is chosen, and how to relax it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reelbase.catalog.facets import Facets
from reelbase.serving.movie_list import MovieQuery
from reelbase.web.here import Here
from reelbase.web.names import SOURCES, TYPES, language

_SHOWN = 7  # choices of a facet that are seen at once
_LEAST_RATING, _BEST = 5, 9


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a facet: how many movies it leaves, and where it leads."""

    label: str
    movies: int | None
    url: str
    is_on: bool = False

    @property
    def key(self) -> str:
        """The label as a part of an element's id: the choice is known by it when counts and places change."""
        return re.sub(r"[^a-z0-9]+", "-", self.label.lower())


@dataclass(frozen=True, slots=True)
class Facet:
    """A question with its answers, the most frequent first; `more` are behind a button."""

    name: str
    title: str
    choices: list[Choice]
    more: list[Choice]


@dataclass(frozen=True, slots=True)
class Chip:
    """Something that narrows the list, and the address without it."""

    label: str
    url: str
    here: Here


def facets(here: Here, query: MovieQuery, found: Facets) -> list[Facet]:
    """All facets that have anything to choose or to take back."""
    counts = found.counts
    made = [
        _facet("type", "Type", list(_types(here, query, counts["type"]))),
        _facet("genre", "Genre", list(_genres(here, query, counts["genre"]))),
        _facet("decade", "Decade", list(_decades(here, query, counts["decade"])), shown=20),
        _facet("rating", "Rating", list(_ratings(here, query, counts["rating"]))),
        _facet("language", "Original language", list(_languages(here, query, counts["language"]))),
        _facet("source", "Known to", list(_sources(here, query, counts["source"]))),
    ]
    return [facet for facet in made if facet.choices]


def _facet(name: str, title: str, choices: list[Choice], shown: int = _SHOWN) -> Facet:
    first = [choice for at, choice in enumerate(choices) if at < shown or choice.is_on]
    more = [choice for at, choice in enumerate(choices) if at >= shown and not choice.is_on]
    return Facet(name, title, first, more)


def _types(here: Here, query: MovieQuery, counts: Mapping[str, int]) -> Iterator[Choice]:
    everything = "any" in query.type
    yield Choice("Movies", None, here.without("type").url(), is_on=not query.type)
    yield Choice("Everything", None, here.having(type="any").url(), is_on=everything)
    for name, movies in counts.items():
        is_on = name in query.type and not everything
        if query.type and (is_on or everything):
            yield Choice(TYPES.get(name, name), movies, here.having(type="any" if is_on else name).url(), is_on)


def _genres(here: Here, query: MovieQuery, counts: Mapping[str, int]) -> Iterator[Choice]:
    for name, movies in _known(query.genre, counts):
        is_on = name in query.genre
        there = here.less("genre", name) if is_on else here.adding("genre", name)
        yield Choice(name, movies, there.url(), is_on)


def _decades(here: Here, query: MovieQuery, counts: Mapping[str, int]) -> Iterator[Choice]:
    for name, movies in sorted(counts.items(), key=lambda item: -int(item[0])):
        first = int(name)
        is_on = (query.year_min, query.year_max) == (first, first + 9)
        if first < 1:
            continue
        years: tuple[int | None, int | None] = (None, None) if is_on else (first, first + 9)
        there = here.having(year=None, year_min=years[0], year_max=years[1])
        yield Choice(f"{first}s", movies, there.url(), is_on)


def _ratings(here: Here, query: MovieQuery, counts: Mapping[str, int]) -> Iterator[Choice]:
    for least in range(_BEST, _LEAST_RATING - 1, -1):
        movies = sum(movies for rating, movies in counts.items() if int(rating) >= least)
        is_on = query.rating_min == least
        if movies or is_on:
            yield Choice(f"{least} and above", movies, here.having(rating_min=None if is_on else least).url(), is_on)


def _languages(here: Here, query: MovieQuery, counts: Mapping[str, int]) -> Iterator[Choice]:
    chosen = [query.language.lower()] if query.language else []
    for code, movies in _known(chosen, counts):
        is_on = code in chosen
        yield Choice(language(code), movies, here.having(language=None if is_on else code).url(), is_on)


def _sources(here: Here, query: MovieQuery, counts: Mapping[str, int]) -> Iterator[Choice]:
    for name, movies in _known([query.source] if query.source else [], counts):
        is_on = query.source == name
        yield Choice(SOURCES.get(name, name), movies, here.having(source=None if is_on else name).url(), is_on)


def _known(chosen: list[str], counts: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    """What is counted, and before it what is chosen and no longer found."""
    yield from ((name, 0) for name in chosen if name not in counts)
    yield from counts.items()


def chips(here: Here, query: MovieQuery) -> list[Chip]:
    """Everything that is chosen, each to be taken away by itself."""
    return [Chip(label[0].upper() + label[1:], there.url(), there) for label, there in _chosen(here, query)]


def _chosen(here: Here, query: MovieQuery) -> Iterator[tuple[str, Here]]:
    if query.q is not None:
        yield f"“{query.q}”", here.without("q", "sort") if query.sort == "relevance" else here.without("q")
    if query.type:
        names = ["Everything"] if "any" in query.type else [TYPES[name] for name in query.type]
        yield ", ".join(names), here.without("type")
    for genre in dict.fromkeys(query.genre):
        yield genre, here.less("genre", genre)
    years = _span(query.year or query.year_min, query.year or query.year_max, "")
    if years:
        yield years, here.without("year", "year_min", "year_max")
    rating = _span(query.rating_min, query.rating_max, "rated ")
    if rating:
        yield rating, here.without("rating_min", "rating_max")
    if query.votes_min is not None:
        yield f"At least {query.votes_min:,} votes", here.without("votes_min")
    runtime = _span(query.runtime_min, query.runtime_max, "")
    if runtime:
        yield f"{runtime} minutes", here.without("runtime_min", "runtime_max")
    if query.language:
        yield language(query.language.lower()), here.without("language")
    if query.source:
        yield SOURCES[query.source], here.without("source")
    if query.adult != "exclude":
        yield ("With adult titles" if query.adult == "include" else "Adult titles only"), here.without("adult")


def _span(least: float | None, most: float | None, before: str) -> str:
    if least is None and most is None:
        return ""
    if least is None:
        return f"{before}up to {most:g}"
    if most is None:
        return f"{before}{least:g} and above"
    return f"{before}{least:g}" if least == most else f"{before}{least:g} to {most:g}"
