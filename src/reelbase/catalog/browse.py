"""Pages of the catalog: filtered, sorted, and walked by keyset, so that no movie is skipped or repeated."""

from __future__ import annotations

import base64
import binascii
import enum
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from operator import itemgetter
from typing import Any, LiteralString
from uuid import UUID

import orjson
from psycopg import sql

from reelbase.catalog.filters import Filters, Value, conditions, literal, parameters, placeholder, shape
from reelbase.database.asking import Ask, Question, answer
from reelbase.database.connect import DictConnection
from reelbase.database.statements import statements
from reelbase.errors import BadCursor

_SQL = statements("reelbase.catalog", "browse.sql")

EXACT_UP_TO = 10_000
"""Totals up to here are counted, those above are estimated."""
_WORTH_COUNTING = 50_000  # expected rows above which no count is tried: it would read most of the table

_ANY = UUID(int=0)

Row = dict[str, Any]
Values = tuple[Any, ...]

COLUMNS = (
    "id", "type", "title", "original_title", "title_sort", "year", "release_date", "runtime", "genres", "language",
    "languages", "overview", "adult", "rating", "votes", "score", "imdb_id", "movielens_id", "tmdb_id", "imdb_average",
    "imdb_votes", "movielens_average", "movielens_votes", "tmdb_average", "tmdb_votes", "sources",
)  # fmt: skip
"""What a list has of each movie."""
_COLUMNS = sql.SQL(", ").join(sql.Identifier("m", name) for name in COLUMNS)

values_of: Callable[[Row], Values] = itemgetter(*COLUMNS)
"""A movie's row as a list has it, whatever else is in it."""


class Sort(enum.StrEnum):
    """What a list can be sorted by: the column of `catalog.movies`."""

    TITLE = "title"
    YEAR = "year"
    RATING = "rating"
    VOTES = "votes"
    RELEASE_DATE = "release_date"
    SCORE = "score"

    @property
    def column(self) -> str:
        """What it is called in `catalog.movies`."""
        return "title_sort" if self is Sort.TITLE else self.value


@dataclass(frozen=True, slots=True)
class Order:
    """A sort and its direction; movies without a value come last in either."""

    sort: Sort = Sort.VOTES
    descending: bool = True

    @classmethod
    def named(cls, name: str) -> Order:
        """As people write it: `-` before the sort for descending; raises ValueError for what is no sort."""
        return cls(Sort(name.removeprefix("-")), name.startswith("-"))


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in an order: just behind the movie with this value and id, or before it when walking `back`."""

    order: Order
    value: str | float | None
    id: UUID
    back: bool = False

    @property
    def shape(self) -> Cursor:
        """The same for all places that differ in values only."""
        return Cursor(self.order, None if self.value is None else "", _ANY, self.back)

    def encode(self) -> str:
        """Opaque to whoever gets it."""
        parts = [self.order.sort, self.order.descending, self.value, self.id, self.back]
        return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def decode(text: str, order: Order) -> Cursor:
    """Read a cursor of this order; raises BadCursor."""
    try:
        parts = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
        sort, descending, value, movie_id, back = parts
        if (sort, descending) != (order.sort, order.descending):
            raise BadCursor("This cursor belongs to another sort.", "Begin at the first page.")
        return Cursor(order, _value(order.sort, value), UUID(movie_id), back is True)
    except (ValueError, TypeError, AttributeError, binascii.Error) as error:
        raise BadCursor("This is not a cursor of ours.", "Begin at the first page.") from error


def _value(sort: Sort, value: object) -> str | float | None:
    if value is None:
        return None
    if sort is Sort.TITLE and isinstance(value, str) and "\0" not in value:
        return value
    if sort is Sort.RELEASE_DATE and isinstance(value, str):
        return date.fromisoformat(value).isoformat()
    if sort in (Sort.RATING, Sort.SCORE) and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if sort in (Sort.YEAR, Sort.VOTES) and type(value) is int and -(2**31) <= value < 2**31:
        return value
    raise ValueError(f"{value!r} is no {sort}")


@dataclass(frozen=True, slots=True)
class Page:
    """Movies in order, each with the values of COLUMNS, and where the pages behind and before begin (None: nowhere)."""

    values: list[Values]
    next: Cursor | None
    previous: Cursor | None

    @property
    def items(self) -> list[Row]:
        """The movies by the names of their columns."""
        return [dict(zip(COLUMNS, values, strict=True)) for values in self.values]


@dataclass(frozen=True, slots=True)
class Total:
    """How many match; above EXACT_UP_TO an estimate."""

    count: int
    is_exact: bool


def browse(
    connection: DictConnection,
    filters: Filters,
    order: Order,
    *,
    cursor: Cursor | None = None,
    limit: int = 20,
    also: sql.Composable | None = None,
    skip: int = 0,
) -> Page:
    """One page; `also` is a further condition on m. `skip` counts movies from the start instead of a cursor."""
    return answer(connection, page(filters, order, cursor=cursor, limit=limit, also=also, skip=skip))


def page(
    filters: Filters,
    order: Order,
    *,
    cursor: Cursor | None = None,
    limit: int = 20,
    also: sql.Composable | None = None,
    skip: int = 0,
) -> Question[Page]:
    """As `browse`, to be asked anywhere."""
    back = cursor is not None and cursor.back
    # One more than asked for tells whether there is a page behind.
    rows = yield from _rows(filters, order, cursor, limit=limit + 1, also=also, skip=skip)
    more, rows = len(rows) > limit, rows[:limit]
    if back:
        rows.reverse()
    has_next = more if not back else cursor is not None
    has_previous = more if back else cursor is not None or skip > 0
    return Page(
        rows,
        _place(rows[-1], order) if rows and has_next else None,
        _place(rows[0], order, back=True) if rows and has_previous else None,
    )


def _rows(
    filters: Filters,
    order: Order,
    cursor: Cursor | None,
    *,
    limit: int,
    also: sql.Composable | None,
    skip: int,
) -> Question[list[Values]]:
    """Most pages are within one part, whose statement takes a third of the time of the whole one.

    It is prepared for the whole list only. A plan that does for all values expects a third of all movies above any
    bound, and walks the list in its order until it has a page: with 360 of a million movies above the bound that took
    88 ms, where the plan for the value itself takes 0.2.
    """
    if also is None and not skip:
        values = parameters(filters)
        if cursor is not None:
            values |= {"value": cursor.value, "id": cursor.id}
        text = _part(shape(filters), order, cursor and cursor.shape, limit)
        prepare = None if filters == Filters() else False
        rows = yield Ask(text, values, binary=True, plain=True, prepare=prepare)
        if len(rows) == limit:
            return rows
    asked = statement(filters, order, cursor, limit=limit + skip, also=also, skip=skip)
    return (yield Ask(asked, binary=True, plain=True))


@lru_cache(maxsize=1000)
def _part(filters: Filters, order: Order, cursor: Cursor | None, limit: int) -> LiteralString:
    """The query for the part that the place is in, of shapes: the same for all places that differ in values only."""
    where = conditions(filters, placeholder)
    made = sql.SQL(_SQL["part"]).format(where=where, limit=sql.Literal(limit), **_walk(order, cursor, placeholder))
    # Put together of statements, identifiers and a number, and nothing else.
    return made.as_string(None)


def _place(values: Values, order: Order, *, back: bool = False) -> Cursor:
    value = values[_PLACES[order.sort]]
    return Cursor(order, value.isoformat() if isinstance(value, date) else value, values[0], back)


_PLACES = {sort: COLUMNS.index(sort.column) for sort in Sort}


def statement(
    filters: Filters,
    order: Order,
    cursor: Cursor | None,
    *,
    limit: int,
    also: sql.Composable | None = None,
    skip: int = 0,
) -> sql.Composed:
    """The query for one page, in walking order."""
    return sql.SQL(_SQL["page"]).format(
        where=_both(conditions(filters), also),
        limit=sql.Literal(limit),
        offset=sql.Literal(skip),
        **_walk(order, cursor, literal),
    )


def _walk(order: Order, cursor: Cursor | None, value: Value) -> dict[str, sql.Composable]:
    """Which way the list is walked, and from where: what both queries have in common."""
    descending = order.descending != (cursor is not None and cursor.back)
    key = sql.Identifier("m", order.sort.column)
    direction = sql.SQL("desc" if descending else "asc")
    beyond = sql.SQL("<" if descending else ">")
    first, second = _parts(key, beyond, order.sort, cursor, value)
    return {
        "columns": _COLUMNS,
        "first_part": first,
        "second_part": second,
        "order": sql.SQL("{} {}, m.id {}").format(key, direction, direction),
    }


def _parts(
    key: sql.Identifier, beyond: sql.SQL, sort: Sort, cursor: Cursor | None, value: Value
) -> tuple[sql.Composable, sql.Composable]:
    """The part that the place is in, and the one that is walked behind it."""
    valued, empty = sql.SQL("{} is not null").format(key), sql.SQL("{} is null").format(key)
    nothing = sql.SQL("false")
    if cursor is None:
        return valued, empty
    at = value("id", cursor.id)
    if cursor.value is None:
        rest = sql.SQL("{} and m.id {} {}").format(empty, beyond, at)
        return rest, valued if cursor.back else nothing
    edge = sql.SQL("{}::{}").format(value("value", cursor.value), sql.SQL(_TYPES[sort]))
    rest = sql.SQL("({}, m.id) {} ({}, {})").format(key, beyond, edge, at)
    return rest, nothing if cursor.back else empty


def _both(where: sql.Composed, also: sql.Composable | None) -> sql.Composed:
    return where if also is None else sql.SQL("{} and {}").format(where, also)


_TYPES = {
    Sort.TITLE: 'text collate "C"',
    Sort.YEAR: "integer",
    Sort.RATING: "double precision",
    Sort.VOTES: "integer",
    Sort.RELEASE_DATE: "date",
    Sort.SCORE: "double precision",
}


def total(connection: DictConnection, filters: Filters) -> Total:
    """How many movies match: counted where that is cheap, otherwise estimated."""
    return answer(connection, counting(filters))


def counting(filters: Filters) -> Question[Total]:
    """As `total`, to be asked anywhere."""
    if filters.is_counted:
        where, combinations = conditions(filters), sql.Identifier("catalog", filters.combinations)
        found = yield from _number(Ask(sql.SQL(_SQL["counted"]).format(where=where, combinations=combinations)))
        return Total(found, found <= EXACT_UP_TO)
    where = conditions(filters)
    return (
        yield from counted_where_few(
            _estimate(where),
            Ask(sql.SQL(_SQL["count"]).format(where=where, limit=sql.Literal(EXACT_UP_TO + 1))),
        )
    )


def estimating(where: sql.Composable) -> Question[int]:
    """How many movies PostgreSQL expects to match a condition on m; it looks at none of them."""
    row, *_ = yield _estimate(where)  # explain always has a row
    return _planned_rows(row)


def _estimate(where: sql.Composable) -> Ask:
    return Ask(sql.SQL(_SQL["estimate"]).format(where=where))


def counted_where_few(estimate: Ask, count: Ask) -> Question[Total]:
    """How many rows there are, by an EXPLAIN of them and, if that is not much, a count that ends behind EXACT_UP_TO."""
    row, *_ = yield estimate  # explain always has a row
    expected = _planned_rows(row)
    if expected > _WORTH_COUNTING:
        return Total(expected, False)
    found = yield from _number(count)
    return Total(found, True) if found <= EXACT_UP_TO else Total(max(expected, found), False)


def _number(ask: Ask) -> Question[int]:
    [row] = yield ask  # an aggregate always has a row
    return int(next(iter(row.values())))


def _planned_rows(row: Row) -> int:
    """How many rows the first line of an EXPLAIN expects."""
    [line] = row.values()
    found = re.search(r" rows=(\d+) ", line)
    return int(found[1]) if found else 0
