"""The movies that tie the datasets together: what IMDb's and TMDb's files tell of MovieLens' movies.

links.csv of the MovieLens sample with so many movies and the same seed leads to them; a few of them are missing in
IMDb's files, a few in TMDb's, as it happens between files of different days.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from reelbase.sample.dice import shuffle, stream
from reelbase.sample.movielens import genres_of_movies, link_numbers, movie_titles
from reelbase.sample.ratings import popularity_order, qualities

MOST_VOTES = 2_800_000

_MISSING = 0.02  # share of the movies that a dataset does not know: an estimate
_YEAR = re.compile(r"\s*\((\d{4})\)\)?\s*$")
_SERIES = re.compile(r"\s*\((\d{4})-(?:\d{4})?\)\s*$")
_OTHER_TITLE = re.compile(r"\s*\((a\.k\.a\. )?([^()]+)\)$")
_ARTICLE = re.compile(r"^(.*), (The|A|Les|Le|La|L'|Une|El|Los|Las|Der|Die|Das|Il|O|Den|Det)$")
_GENRES = {"Children": "Family", "IMAX": "", "(no genres listed)": ""}


@dataclass(frozen=True, slots=True)
class Film:
    """One movie as it is told; ids are numbers, genres IMDb's, `average` is in tenths."""

    imdb_id: int
    tmdb_id: int | None
    kind: str
    title: str
    original_title: str
    year: int | None
    runtime: int | None
    genres: tuple[str, ...]
    adult: bool = False
    votes: int = 0
    average: int = 0
    in_imdb: bool = True
    in_tmdb: bool = True


def films(movies: int, seed: int) -> list[Film]:
    """The movies of a MovieLens sample of so many, in its order."""
    rng = stream(seed, "films")
    told = [_told(title) for title in movie_titles(movies, seed)]
    joined = genres_of_movies(movies, seed)
    imdb_ids, tmdb_ids = link_numbers(movies, seed)
    good = qualities(movies, seed)
    votes = _votes(movies, seed)
    places = list(range(movies))
    shuffle(rng, places)
    missing = max(min(1, movies // 20), round(movies * _MISSING))
    not_in_imdb, not_in_tmdb = set(places[:missing]), set(places[missing : 2 * missing])
    made = []
    for place, (title, original_title, year, series) in enumerate(told):
        chances = [rng.random() for _ in range(4)]
        kind = "tvSeries" if series else _kind(chances[0])
        made.append(
            Film(
                imdb_id=imdb_ids[place],
                tmdb_id=tmdb_ids[place],
                kind=kind,
                title=title,
                original_title=original_title,
                year=1930 + int(chances[1] * 85) if year is None else year,
                runtime=int(3 + chances[2] * 30) if kind == "short" else 75 + int((chances[2] + chances[3]) * 35),
                genres=_genres(joined[place]),
                votes=votes[place],
                average=min(97, 42 + int(good[place] * 38) + int(chances[3] * 8)),
                in_imdb=place not in not_in_imdb,
                in_tmdb=place not in not_in_tmdb,
            )
        )
    return made


def some(listed: Sequence[Film], most: int) -> list[Film]:
    """At most so many of the films, from all over the list."""
    if len(listed) <= most:
        return list(listed)
    return [listed[place * len(listed) // most] for place in range(most)]


def _told(source: str) -> tuple[str, str, int | None, bool]:
    """Title and original title without year and with articles in front, the year, and whether it is a series."""
    title, year, series = source.strip(), None, False
    if found := _SERIES.search(title):
        title, year, series = title[: found.start()], int(found[1]), True
    while found := _YEAR.search(title):
        if not found.start():
            break
        title, year = title[: found.start()], int(found[1])
    original = ""
    while found := _OTHER_TITLE.search(title):
        title = title[: found.start()]
        original = original if found[1] else found[2]
    title = _article_first(title)
    return title, _article_first(original) or title, year, series


def _article_first(title: str) -> str:
    found = _ARTICLE.match(title)
    if not found:
        return title
    return f"{found[2]}{'' if found[2].endswith(chr(39)) else ' '}{found[1]}"


def _kind(chance: float) -> str:
    """Nearly all are movies to IMDb too; the shares of the others are estimates."""
    for below, kind in ((0.03, "tvMovie"), (0.05, "video"), (0.06, "short")):
        if chance < below:
            return kind
    return "movie"


def _genres(joined: str) -> tuple[str, ...]:
    """At most three, as IMDb has it, in its words."""
    named = [_GENRES.get(name, name) for name in joined.split("|")]
    return tuple(sorted({name for name in named if name})[:3])


def _votes(movies: int, seed: int) -> list[int]:
    """In proportion to the MovieLens users who rate (see `ratings.popularity_bag`); few for what none does."""
    votes = [20] * movies
    for rank, place in enumerate(popularity_order(movies, seed)):
        share = rank / movies
        votes[place] += int(MOST_VOTES * (1 - share) / (1 + 89 * share) / (1 + 89 * share))
    return votes
