"""Rewriting whole chunks of numbers, ratings above all: twenty million of them are too many to look at one by one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from reelbase.datasets.model import Column, Dialect, Form
from reelbase.loading.forms import seconds_of_clock, seconds_of_day
from reelbase.loading.memo import Memo
from reelbase.loading.patterns import is_made_of, number, number_bytes
from reelbase.loading.rejects import Misspelt
from reelbase.reading.records import repeated

# The pieces that a chunk of moments is taken apart into cost ten times its bytes: so it is not done at once.
_BLOCK_BYTES = 1 << 20
_MOMENT = rb'"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"'


class Bulk:
    """Files of numbers only, whose delimiter or whose last column, a moment, COPY cannot read."""

    def __init__(self, columns: tuple[Column, ...], dialect: Dialect, copied: Dialect) -> None:
        self._delimiter = dialect.delimiter
        self._copied_delimiter = copied.delimiter
        self._quote = dialect.quote
        self._number_bytes = number_bytes(columns, dialect)
        self._copied_bytes = number_bytes(columns, copied)
        self._days = Memo(_seconds_before)
        self._clock = Memo(seconds_of_clock, entries=86400)
        fields = re.escape(dialect.delimiter).join(_field(column) for column in columns)
        self.lines = re.compile(repeated(fields + rb"\r?\n"))
        """Records that can be rewritten, unless a day or an hour is impossible."""

    @staticmethod
    def knows(columns: tuple[Column, ...]) -> bool:
        """Whether a file is of that kind."""
        if any(column.type.is_text for column in columns) or all(column.nullable for column in columns):
            return False
        *others, last = (column.form for column in columns)
        return last in (Form.PLAIN, Form.EPOCH) and all(form is Form.PLAIN for form in others)

    def ready(self, data: bytes) -> bytes | None:
        """The chunk as COPY reads it, or refuses it; None when it cannot be told."""
        if self._number_bytes is not None and is_made_of(data, self._number_bytes):
            return data.replace(self._delimiter, self._copied_delimiter)
        try:
            return self._rewritten(data)
        except ValueError:
            return None

    def _rewritten(self, data: bytes) -> bytes:
        """The same where it is not numbers only; raises Misspelt or ValueError."""
        if self._quote is None:
            raise Misspelt
        copied = b"".join(self._without_moments(block) for block in _blocks(data))
        if self._copied_bytes is None or not is_made_of(copied, self._copied_bytes):
            raise Misspelt
        return copied

    def _without_moments(self, data: bytes) -> bytes:
        """Lines with numbers of seconds at their ends instead of what stands between quotes there."""
        pieces = data.split(b'"')
        moments = pieces[1::2]
        ends = data.count(b'"\n') + data.count(b'"\r\n') + data.endswith(b'"')
        if not len(moments) == data.count(b',"') == ends == len(pieces) // 2:
            raise Misspelt
        days, clock = self._days, self._clock
        pieces[1::2] = [b"%d" % (days[moment[:11]] + clock[moment[11:]]) for moment in moments]
        return b"".join(pieces)


def _field(column: Column) -> bytes:
    spelling = number(column) + (b"|" + _MOMENT if column.form is Form.EPOCH else b"")
    return b"(?:%b%b)" % (spelling, b"|" if column.nullable else b"")


def _blocks(data: bytes) -> Iterator[bytes]:
    """The data in pieces of whole lines."""
    at = 0
    while at < len(data):
        end = data.find(b"\n", at + _BLOCK_BYTES) + 1 or len(data)
        yield data[at:end]
        at = end


def _seconds_before(day_and_space: bytes) -> int:
    if day_and_space[10:] != b" ":
        raise Misspelt
    return seconds_of_day(day_and_space[:10])
