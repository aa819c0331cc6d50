"""How fields that are not spelled PostgreSQL's way are read: one function for each form, from bytes to bytes.

Given is what a field says, without quotes and not empty; what comes out PostgreSQL reads as the column's type, empty
where it is null. Raises Misspelt, or ValueError, when it says nothing of that kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date

from reelbase.datasets.model import Column, ColumnType, Form
from reelbase.loading import literals
from reelbase.loading.rejects import Misspelt, Reason

WHOLE_BITS = {ColumnType.INT: 32, ColumnType.BIGINT: 64}
_WHOLE = re.compile(rb"([+-]?)(?=[0-9])0*+([0-9]*+)(?:\.0*+)?")
_MOST_DIGITS = 20
_LOGICAL = (b"true", b"1", b"false", b"0")

_YEAR = re.compile(rb"([0-9]{4})(?:\.0*)?")
_MONTH = re.compile(rb"([0-9]{4})-(?:0[1-9]|1[0-2])")
_YEAR_FIRST = re.compile(rb"([0-9]{4})([-/])([0-9]{1,2})\2([0-9]{1,2})")
_YEAR_LAST = re.compile(rb"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4})")
_MIDNIGHT = re.compile(rb"[ T]00:00(?::00(?:\.0+)?)?(?:Z|\+00:?00)?\Z")
_CLOCK = re.compile(rb"([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(?:\.0+)?)?(?:Z| ?UTC|\+00:?00)?")
_EPOCH = date(1970, 1, 1).toordinal()
_IMDB_DIGITS = 7


def reader(column: Column) -> Callable[[bytes], bytes]:
    """What reads the fields of that column."""
    if column.form is Form.WHOLE:
        return lambda value: whole(value, WHOLE_BITS[column.type])
    return _READERS[column.form]


def whole(value: bytes, bits: int) -> bytes:
    """`5415.0` is 5415; 81.5 is no whole number."""
    match = _WHOLE.fullmatch(value)
    if not match:
        raise Misspelt
    sign, digits = match.groups()
    if len(digits) > _MOST_DIGITS:
        raise Misspelt(Reason.OUT_OF_RANGE)
    number = int(sign + (digits or b"0"))
    if not -(1 << (bits - 1)) <= number < 1 << (bits - 1):
        raise Misspelt(Reason.OUT_OF_RANGE)
    return b"%d" % number


def logical(value: bytes) -> bytes:
    """True, FALSE, 0 or 1, which PostgreSQL reads as well."""
    if value.lower() not in _LOGICAL:
        raise Misspelt
    return value


def day(value: bytes) -> bytes:
    """A date as ISO writes it; empty where only the year is certain."""
    found, _ = _day(value)
    return found.isoformat().encode() if found else b""


def year(value: bytes) -> bytes:
    """The year of a date, of an incomplete or an ambiguous one too."""
    return b"%d" % _day(value)[1]


def epoch(value: bytes) -> bytes:
    """Seconds since 1970 of a moment in UTC; a number is that already."""
    if value.lstrip(b"-").isdigit():
        return whole(value, WHOLE_BITS[ColumnType.BIGINT])
    in_days, _, in_hours = value.replace(b"T", b" ", 1).partition(b" ")
    return b"%d" % (seconds_of_day(in_days) + seconds_of_clock(in_hours))


def seconds_of_day(value: bytes) -> int:
    """Seconds from 1970 to the beginning of a day, which has to be certain."""
    found, _ = _day(value)
    if found is None:
        raise Misspelt
    return (found.toordinal() - _EPOCH) * 86400


def seconds_of_clock(value: bytes) -> int:
    """Seconds of the day, of a time with or without seconds."""
    match = _CLOCK.fullmatch(value)
    if not match:
        raise Misspelt
    hours, minutes, seconds = match.groups()
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds or 0)


def imdb_digits(value: bytes) -> bytes:
    """`114709` is `0114709`; what is not digits stays as it is."""
    return value.zfill(_IMDB_DIGITS) if value.isdigit() else value


def _day(value: bytes) -> tuple[date | None, int]:
    """The date, unless it is not certain, and the year."""
    if match := _YEAR_FIRST.fullmatch(value) or _YEAR_FIRST.fullmatch(value := _MIDNIGHT.sub(b"", value)):
        year, _, month, day = match.groups()
        found = date(int(year), int(month), int(day))
        return found, found.year
    if match := _YEAR_LAST.fullmatch(value):
        first, _, second, year = match.groups()
        return _by_what_is_possible(int(first), int(second), int(year))
    if match := _YEAR.fullmatch(value) or _MONTH.fullmatch(value):
        return None, date(int(match.group(1)), 1, 1).year
    raise Misspelt


def _by_what_is_possible(first: int, second: int, year: int) -> tuple[date | None, int]:
    """Of day and month, the one above twelve is the day; where none is, the order is not certain."""
    if first > 12:
        return date(year, second, first), year
    found = date(year, first, second)
    return (found if second > 12 or first == second else None), year


def _as_it_is(value: bytes) -> bytes:
    return value


_READERS: Mapping[Form, Callable[[bytes], bytes]] = {
    Form.WORDS: _as_it_is,
    Form.LOGICAL: logical,
    Form.OBJECTS: literals.objects,
    Form.OBJECT: literals.one_object,
    Form.LIST: literals.names,
    Form.DAY: day,
    Form.YEAR: year,
    Form.EPOCH: epoch,
    Form.IMDB_DIGITS: imdb_digits,
}
