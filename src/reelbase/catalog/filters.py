"""What people narrow the catalog down by, as conditions on `catalog.movies` (called m)."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache

from psycopg import sql

MOVIE_TYPES = ("movie", "tvMovie")
"""What a list shows unless it is asked for more."""


class Adult(enum.StrEnum):
    """What to do with movies for adults."""

    EXCLUDE = "exclude"
    INCLUDE = "include"
    ONLY = "only"


@dataclass(frozen=True, slots=True)
class Filters:
    """Each narrows the list down further; `genres` are all of a movie's, `types` None means any.

    Years, ratings (0 to 10), votes and minutes are inclusive. A movie without a value is not within its limits.
    """

    genres: Sequence[str] = ()
    year_min: int | None = None
    year_max: int | None = None
    rating_min: float | None = None
    rating_max: float | None = None
    votes_min: int | None = None
    runtime_min: int | None = None
    runtime_max: int | None = None
    language: str | None = None
    types: Sequence[str] | None = MOVIE_TYPES
    source: str | None = None
    adult: Adult = Adult.EXCLUDE

    @property
    def is_counted(self) -> bool:
        """Whether the kept combinations of facts can tell how many match: they know ratings without their decimals."""
        unknown = (self.rating_max, self.votes_min, self.runtime_min, self.runtime_max)
        return all(limit is None for limit in unknown) and float(self.rating_min or 0).is_integer()

    @property
    def has_years(self) -> bool:
        """Whether there is a limit to the years."""
        return self.year_min is not None or self.year_max is not None

    @property
    def combinations(self) -> str:
        """The smaller of the catalog's tables of combinations that knows what the filters ask for."""
        return "combinations_by_year" if self.has_years else "combinations"


Value = Callable[[str, object], sql.Composable]
"""How the value of a filter gets into a statement."""


def literal(_: str, value: object) -> sql.Composable:
    """Written into it."""
    return sql.Literal(value)


def placeholder(name: str, _: object) -> sql.Composable:
    """Sent beside it, so that PostgreSQL can keep the plan; see `parameters`."""
    return sql.Placeholder(name)


def parameters(filters: Filters) -> dict[str, object]:
    """The values for statements whose conditions have placeholders."""
    return {
        "types": list(filters.types or ()),
        "genres": list(filters.genres),
        "source": [filters.source],
        **{name: getattr(filters, name) for name in _PLAIN},
    }


@lru_cache(maxsize=1000)
def shape(filters: Filters) -> Filters:
    """The same for all filters whose conditions differ in values only."""
    return Filters(
        genres=("",) if filters.genres else (),
        types=None if filters.types is None else (),
        source=None if filters.source is None else "",
        language=None if filters.language is None else "",
        adult=filters.adult,
        **{name: None if getattr(filters, name) is None else 0 for name in _LIMITS},
    )


_LIMITS = ("year_min", "year_max", "rating_min", "rating_max", "votes_min", "runtime_min", "runtime_max")
_PLAIN = (*_LIMITS, "language")
assert {*_PLAIN, "types", "genres", "source", "adult"} == {field.name for field in fields(Filters)}  # noqa: S101


def conditions(filters: Filters, value: Value = literal) -> sql.Composed:
    """All of them, joined by `and`; true when there are none."""
    return sql.SQL(" and ").join([*_facts(filters, value), *_limits(filters, value)] or [sql.SQL("true")])


def _facts(filters: Filters, value: Value) -> Iterator[sql.Composable]:
    if filters.types is not None:
        yield sql.SQL("m.type = any ({}::text[])").format(value("types", list(filters.types)))
    if filters.genres:
        yield sql.SQL("m.genres @> {}::text[]").format(value("genres", list(filters.genres)))
    if filters.language is not None:
        yield sql.SQL("m.language = {}").format(value("language", filters.language))
    if filters.source is not None:
        yield sql.SQL("m.sources @> {}::text[]").format(value("source", [filters.source]))
    if filters.adult is not Adult.INCLUDE:
        yield sql.SQL("m.adult" if filters.adult is Adult.ONLY else "not m.adult")


def _limits(filters: Filters, value: Value) -> Iterator[sql.Composed]:
    for name in _LIMITS:
        limit = getattr(filters, name)
        if limit is not None:
            column, _, end = name.rpartition("_")
            beyond = sql.SQL(">=" if end == "min" else "<=")
            yield sql.SQL("{} {} {}").format(sql.Identifier("m", column), beyond, value(name, limit))
