"""One movie: found by any of its ids, with everything that the datasets say of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, LiteralString
from uuid import UUID

from psycopg import sql

from reelbase.database.asking import Ask, Question, answer
from reelbase.database.connect import DictConnection
from reelbase.database.statements import statements

_SQL = statements("reelbase.catalog", "movies.sql")
_IMDB = re.compile(r"tt[0-9]{7,10}")
_BY = {"imdb": "by_imdb_id", "movielens": "by_movielens_id", "tmdb": "by_tmdb_id"}
_OTHER = re.compile(r"(movielens|tmdb):([0-9]{1,10})")

Row = dict[str, Any]


def is_imdb_id(word: str) -> bool:
    """Whether it looks like one: tt and seven to ten digits."""
    return _IMDB.fullmatch(word) is not None


DETAILS = ("people", "titles", "tags", "genome", "keywords", "imdb", "movielens", "tmdb")
"""What a movie's detail has beside its row; each dataset's own values are None where it does not know the movie."""


@dataclass(frozen=True, slots=True)
class Found:
    """A movie; `moved` when it was asked for by an id that it had before it was joined with another."""

    movie: Row
    moved: bool = False


def find(connection: DictConnection, word: str, *, what: str = "row") -> Found | None:
    """The movie of an id as people give it: a UUID, `tt0113277`, `movielens:6` or `tmdb:949`.

    `what` is "row", or "detail" with everything in DETAILS.
    """
    return answer(connection, finding(word, what=what))


def finding(word: str, *, what: str = "row") -> Question[Found | None]:
    """As `find`, to be asked anywhere."""
    if _IMDB.fullmatch(word):
        return _found((yield from _one(what, "imdb_id", word)))
    if match := _OTHER.fullmatch(word):
        return _found((yield from _one(what, f"{match[1]}_id", int(match[2]))))
    try:
        movie_id = UUID(word)
    except ValueError:
        return None
    return _found((yield from _one(what, "id", movie_id))) or (yield from _moved(what, movie_id))


def _found(movie: Row | None) -> Found | None:
    return Found(movie) if movie else None


def _moved(what: str, movie_id: UUID) -> Question[Found | None]:
    """What a source's movie is part of now."""
    for seen in (yield Ask(_SQL["seen"], {"id": movie_id})):
        source, source_id = seen["source"], seen["source_id"]
        if source == "imdb" or source_id.isdigit():
            word = source_id if source == "imdb" else int(source_id)
            movie = yield from _one(what, f"{source}_id", word)
            if movie:
                return Found(movie, moved=True)
    return None


def _one(what: str, column: str, value: object) -> Question[Row | None]:
    rows = yield Ask(_by(what, column), {"id": value}, binary=True)
    return rows[0] if rows else None


@cache
def _by(what: str, column: str) -> LiteralString:
    made = sql.SQL(_SQL[what]).format(key=sql.Identifier("m", column))
    return made.as_string(None)  # of a statement and a column that is named in this file


def details(connection: DictConnection, movie: Row) -> Row:
    """What is beside a movie's row."""
    found = answer(connection, _one("detail", "id", movie["id"]))
    return {name: found[name] for name in DETAILS} if found else {}


@dataclass(frozen=True, slots=True)
class RatingCounts:
    """MovieLens' ratings of one movie: how often each was given, and each year's votes and mean (UTC)."""

    histogram: dict[float, int]
    years: list[Row]


def rating_counts(connection: DictConnection, movielens_id: int) -> RatingCounts:
    """The ratings of a movie of MovieLens."""
    rows = connection.execute(_SQL["rating_counts"], {"movielens_id": movielens_id}).fetchall()
    histogram = {row["rating"]: row["votes"] for row in rows if row["year"] is None}
    years = [{name: row[name] for name in ("year", "votes", "average")} for row in rows if row["year"] is not None]
    return RatingCounts(histogram, years)
