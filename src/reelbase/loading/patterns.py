"""Patterns of good records, compiled from the declaration, so that good records are stepped over in C.

A pattern matches nothing that is bad, and what people write every day; a good record in a rare spelling (a rating `.5`
with ten zeros, a number of twenty digits) is left to `loading.fields`, which judges in Python.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import assert_never

from reelbase.datasets.model import Column, ColumnType, Dialect, Form
from reelbase.reading.records import blank_record, repeated, unquoted

UNUSED_QUOTE = b"\b"
"""What COPY is given as quote when the dialect has none: it insists on one. Records that hold it are rewritten."""

MOST_STEPS = 1000

# The Unicode Standard, table 3-7; PostgreSQL accepts just these.
_UTF8 = (
    rb"[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]"
    rb"|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)


class Patterns:
    """The patterns of one file's good records."""

    def __init__(self, columns: tuple[Column, ...], dialect: Dialect) -> None:
        self._columns = columns
        self._dialect = dialect
        self._delimiter = re.escape(dialect.delimiter)
        one_line, several = self._fields(b"\n"), self._fields(b"")
        self.lines = re.compile(repeated(one_line + b"\r?+\n"))
        """Records of one line each."""
        self.record = re.compile(b"%b(?:\r?\n|\\Z)" % several)
        """One record, on several lines perhaps, or unfinished at the end of the file."""
        self._all_lf = re.compile(repeated(several + b"\n"))
        self._all_crlf = re.compile(repeated(several + b"\r\n"))

    def cover(self, data: bytes) -> bool:
        """Whether `data` is good records throughout, all with the same line end."""
        crlf = data.find(b"\r\n") == data.find(b"\n") - 1
        run = (self._all_crlf if crlf else self._all_lf).match(data)
        end = run.end() if run else 0
        return end == len(data) or (b"\n" not in data[end:] and self.record.fullmatch(data, end) is not None)

    def _fields(self, not_in_quotes: bytes) -> bytes:
        fields = self._delimiter.join(self._field(column, not_in_quotes) for column in self._columns)
        return self._not_blank() + fields

    def _not_blank(self) -> bytes:
        """Keeps blank records out, where the columns alone would not."""
        if any(not column.nullable and not column.type.is_text for column in self._columns):
            return b""
        return b"(?!%b)" % blank_record(self._dialect)

    def _field(self, column: Column, not_in_quotes: bytes) -> bytes:
        if column.type.is_text:
            return self._text(column, not_in_quotes)
        spelling = number(column)
        quoted = b"|%b(?:%b)%b" % (self._dialect.quote, spelling, self._dialect.quote) if self._dialect.quote else b""
        null = b"|" + re.escape(self._dialect.null) if column.nullable else b""
        return b"(?:%b%b%b)" % (spelling, quoted, null)

    def _text(self, column: Column, not_in_quotes: bytes) -> bytes:
        quote = re.escape(self._dialect.quote or b"")
        least = b"" if column.empty_is_text or column.nullable else b"(?!%b)" % self._nothing(quote)
        null = self._dialect.null
        if null and not column.nullable:
            least += b"(?!%b(?:%b|\r?\n|\\Z))" % (re.escape(null), self._delimiter)
        unquoted = _text_of(b"\r\n" + self._delimiter + (quote or UNUSED_QUOTE))
        if not quote:
            return least + repeated(unquoted)
        # 255 x 4000 bytes: longer fields may be an unclosed quote, which the grammar decides.
        body = repeated(_text_of(quote + not_in_quotes, b"{1,255}+") + b"|" + quote * 2, b"{0,4000}")
        return b"%b(?:%b%b%b|%b)" % (least, quote, body, quote, repeated(unquoted))

    def _nothing(self, quote: bytes) -> bytes:
        return b"%b(?:%b|\r?\n|\\Z)" % (repeated(quote * 2, b"?"), self._delimiter)


class Spellings:
    """The patterns of fields that are taken out of records in `dialect`, one group each, as COPY reads most of them.

    A field that says nothing is left out of its group. Text is not looked at further: that it is UTF-8 is to be seen.
    Each pattern knows by what follows that it has the whole field, and never thinks better of it: of twenty fields with
    two readings each there would be a million readings of a bad record.
    """

    def __init__(self, dialect: Dialect, copied: Dialect) -> None:
        self._quote = re.escape(dialect.quote or b"")
        unwanted = rb"\x00\r\n" + self._quote + re.escape(copied.delimiter) + re.escape(copied.quote or UNUSED_QUOTE)
        self._unquoted = repeated(unquoted(dialect, unwanted), b"+")
        self._not_in_quotes = rb"\x00" + self._quote + re.escape(dialect.escape or b"")
        self._end = rb"(?=%b|\r?\n|\Z)" % re.escape(dialect.delimiter)

    def field(self, column: Column) -> bytes:
        """The pattern of one field."""
        if column.form is Form.PLAIN and column.type.is_text:
            return self._plain_text(column)
        value = self._value(column)
        if column.nullable:
            # What says nothing between quotes; or there is nothing at all.
            value = b"%b%b|" % (self._quote * 2 + self._end + b"|" if self._quote else b"", value)
        return b"(?>%b)" % value

    def _value(self, column: Column) -> bytes:
        if column.form is Form.WHOLE:
            return self._whole(column)
        if column.form is Form.LOGICAL:
            spelling = rb"[01]|[Tt]rue|TRUE|[Ff]alse|FALSE"
        elif column.form is Form.PLAIN:
            spelling = number(column)
        else:
            return b"(%b)%b" % (self._text(column), self._end)
        quoted = b"|%b(?:%b)%b" % (self._quote, spelling, self._quote) if self._quote else b""
        return b"(%b%b)%b" % (spelling, quoted, self._end)

    def _plain_text(self, column: Column) -> bytes:
        """Text that may be empty between quotes, which is not the same as nothing."""
        is_needed = not column.nullable and not column.empty_is_text
        least = b"(?!(?:%b)?%b)" % (self._quote * 2, self._end) if is_needed else b""
        return b"%b(?>(%b|)%b)" % (least, self._text(column), self._end)

    def _text(self, column: Column) -> bytes:
        if not self._quote:
            return self._unquoted
        beside = b"" if column.type.may_span_lines else b"\n"
        # 255 x 4000 bytes: longer fields may be an unclosed quote, which the grammar decides.
        inside = b"[^%b%b]{1,255}+" % (self._not_in_quotes, beside)
        body = repeated(b"%b|%b" % (inside, self._quote * 2), b"{0,4000}")
        return b"%b%b%b|%b" % (self._quote, body, self._quote, self._unquoted)

    def _whole(self, column: Column) -> bytes:
        """The digits before the point; quotes are left out."""
        digits = rb"-?[0-9]{1,%d}+" % (9 if column.type is ColumnType.INT else 18)
        if not self._quote:
            return rb"(%b)(?:\.0{0,9}+)?%b" % (digits, self._end)
        whole = rb"%b(?:\.0{0,9}+)?" % digits
        ahead = rb"(?=%b%b%b%b|%b%b)" % (self._quote, whole, self._quote, self._end, whole, self._end)
        optional = b"%b?" % self._quote
        return rb"%b%b(%b)(?:\.0{0,9}+)?%b" % (ahead, optional, digits, optional)


def number(column: Column) -> bytes:
    """A pattern of the common spellings of a good value: alternatives, to be put between brackets."""
    bounded = column.low is not None or column.high is not None
    match column.type:
        case ColumnType.INT | ColumnType.BIGINT:
            digits = 9 if column.type is ColumnType.INT else 18
            if column.step is not None:
                return _NOTHING
            return _whole(column, 10**digits - 1) if bounded else b"-?[0-9]{1,%d}" % digits
        case ColumnType.BOOL:
            return b"[01]"
        case ColumnType.FLOAT | ColumnType.NUMERIC:
            if column.step is not None:
                return _steps(column, Decimal(str(column.step)))
            return _decimals(column) if bounded else rb"-?\d{1,15}(?:\.\d{0,17})?(?:[eE][+-]?\d{1,2})?"
        case ColumnType.TEXT | ColumnType.DATE | ColumnType.JSON | ColumnType.TEXTS:
            raise ValueError(f"{column.name} is no number.")
        case _:
            assert_never(column.type)


def number_bytes(columns: tuple[Column, ...], dialect: Dialect) -> bytes | None:
    """The bytes of plain numbers; None when they prove nothing: text has others, and all-null records need a look."""
    if any(column.type.is_text for column in columns) or all(column.nullable for column in columns):
        return None
    exponents = any(column.type is ColumnType.FLOAT and column.step is None for column in columns)
    return b"0123456789.-\r\n" + dialect.delimiter + (b"eE+" if exponents else b"")


def is_made_of(data: bytes, allowed: bytes) -> bool:
    """Only these bytes. A lone CR as first line end would make COPY take CR for the line end."""
    if data.translate(None, allowed):
        return False
    first = data.find(b"\r")
    return first < 0 or data[first + 1 : first + 2] == b"\n"


def whole_numbers(low: int, high: int) -> Iterator[bytes]:
    """Patterns that match just the numbers from `low` (not below 0) to `high`, without leading zeros."""
    while low <= high:
        top = min(high, 10 ** len(str(low)) - 1)
        yield from _same_length(b"%d" % low, b"%d" % top)
        low = top + 1


_NOTHING = b"(?!)"


def _same_length(low: bytes, high: bytes) -> Iterator[bytes]:
    rest = len(low) - 1
    zeros, nines = b"0" * rest, b"9" * rest
    first, last = low[0], high[0]
    if first == last and rest:
        yield from (low[:1] + tail for tail in _same_length(low[1:], high[1:]))
        return
    if low[1:] != zeros:
        yield from (low[:1] + tail for tail in _same_length(low[1:], nines))
        first += 1
    if high[1:] != nines:
        last -= 1
    if first <= last:
        yield b"[%c-%c]" % (first, last) + (b"[0-9]{%d}" % rest if rest else b"")
    if high[1:] != nines:
        yield from (high[:1] + tail for tail in _same_length(zeros, high[1:]))


def _limits(column: Column, most: int) -> tuple[int, int]:
    """The whole numbers from 0 that are within the column's limits."""
    low = 0 if column.low is None else max(0, math.ceil(column.low))
    return low, most if column.high is None else min(most, math.floor(column.high))


def _whole(column: Column, most: int) -> bytes:
    return b"|".join(whole_numbers(*_limits(column, most))) or _NOTHING


def _decimals(column: Column) -> bytes:
    low, high = _limits(column, 10**15 - 1)
    below = b"|".join(whole_numbers(low, high - 1))
    alternatives = [rb"(?:%b)(?:\.\d{0,17})?" % below] if below else []
    if low <= high:
        alternatives.append(rb"%d(?:\.0{0,17})?" % high)
    return b"|".join(alternatives) or _NOTHING


def _steps(column: Column, step: Decimal) -> bytes:
    """The values of a short grid, by what stands behind the point."""
    whole_by_fraction: defaultdict[bytes, list[bytes]] = defaultdict(list)
    low, high = Decimal(str(column.low or 0)), Decimal(str(column.high or 0))
    first = math.ceil(low / step)
    for count in range(max(first, 0), min(math.floor(high / step), first + MOST_STEPS) + 1):
        whole, _, fraction = f"{(count * step).normalize():f}".encode().partition(b".")
        whole_by_fraction[fraction].append(whole)
    alternatives = (_on_grid(whole, fraction) for fraction, whole in whole_by_fraction.items())
    return b"|".join(alternatives) or _NOTHING


def _on_grid(whole: list[bytes], fraction: bytes) -> bytes:
    if not fraction:
        return rb"(?:%b)(?:\.0{0,9})?" % _any_of(whole)
    optional = b"?" if b"0" in whole else b""  # .5 is 0.5
    return rb"(?:%b)%b\.%b0{0,9}" % (_any_of(whole), optional, fraction)


def _any_of(numbers: list[bytes]) -> bytes:
    if all(len(number) == 1 for number in numbers):
        return b"[%b]" % b"".join(numbers)
    return b"|".join(numbers)


def _text_of(excluded: bytes, repeat: bytes = b"++") -> bytes:
    """A run of characters without the excluded ones (escaped for a set) and NUL, well-formed in UTF-8."""
    return rb"[^\x00\x80-\xff%b]%b|%b" % (excluded, repeat, _UTF8)
