"""The grammar of records in a delimited file: where each record begins and ends, and what its fields are.

The cutter and the sift both ask here, so that cutting a file can never change what a record is. Values are not looked
at: that a number is one is the sift's business.

- A record ends with LF or CR LF, or with the file. A lone CR is data.
- A quote means something only as the first byte of a field (RFC 4180). Elsewhere it is a letter, as Python's csv and
  pandas read it; PostgreSQL's COPY would swallow it, which is why the sift rewrites such records.
- Only a field of a text column may hold a line end, between quotes. Any other quote that is not closed on its line,
  within `QUOTED_BYTES` or before the file ends, or that is closed on a later line with something behind it, spoils its
  own line: the record stops at that line's end and reading goes on behind it.
- Where there is an escape byte, a quoted field has it before quotes that do not end the field, and before itself.
- A record of nothing but separators is blank.

A record may have up to `RECORD_BYTES`; whoever cuts the file takes care of longer ones.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from typing import NamedTuple

from reelbase.datasets.model import Dialect

QUOTED_BYTES = 1 << 20
"""The longest quoted field, its quotes included: one forgotten quote must not swallow a file."""

RECORD_BYTES = 16 << 20
"""The longest record, its line end included."""

_LINE_END = re.compile(rb"\r?\n|\Z")


class Fault(enum.StrEnum):
    """Why a record cannot be split into fields."""

    UNCLOSED = "unclosed"
    MALFORMED = "malformed"


class Field(NamedTuple):
    """Where a field lies in its buffer, quotes included. Of a faulty one only `start` means something."""

    start: int
    stop: int
    quoted: bool
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One record: `stop` is where its text ends, `end` is behind its line end.

    With a fault, the last of `fields` is the one that has it. Of the fields that are too many, only the last is kept.
    """

    fields: list[Field]
    stop: int
    end: int
    fault: Fault | None = None


class Whole(NamedTuple):
    """The whole records at the start of a buffer: where they end, how many they are, and their physical lines.

    Blank records count here: telling them apart costs 25 ns for each line, and COPY refuses them anyway.
    """

    end: int
    records: int
    lines: int


class Grammar:
    """The grammar of one file, compiled from its dialect and from which of its columns (in order) are text."""

    def __init__(self, dialect: Dialect, text: tuple[bool, ...], *, quoted_bytes: int = QUOTED_BYTES) -> None:
        self._delimiter = dialect.delimiter
        self._quote = dialect.quote
        self._text = text
        self._quoted_bytes = quoted_bytes
        self.spanning = dialect.quote is not None and any(text)
        """Whether a record may have several lines."""
        shapes = _Shapes(dialect)
        self._unquoted = re.compile(repeated(unquoted(dialect, b"\n")))
        self._quoted = re.compile(shapes.quoted)
        self._one_line = re.compile(repeated(shapes.one_line))
        self._several_lines = re.compile(shapes.several_lines(text))
        self._blanks = re.compile(repeated(rb"(?!\Z)" + shapes.blank))

    def blanks(self, data: bytes, start: int) -> int:
        """Where the blank records that begin at `start` end; `start` itself when there are none."""
        return _end(self._blanks, data, start)

    def record(self, data: bytes, start: int, *, final: bool = True) -> Record | None:
        """The record at `start`; None when its end depends on bytes behind `data` (never if `data` is `final`)."""
        fields: list[Field] = []
        at = start
        while True:
            field = self._field(data, at, len(fields), final=final)
            if field is None:
                return None
            # A record of millions of separators must not become millions of objects.
            del fields[len(self._text) :]
            fields.append(field)
            if field.fault:
                return _spoiled(data, fields, field.fault, final=final)
            if not data.startswith(self._delimiter, field.stop):
                return Record(fields, field.stop, _end(_LINE_END, data, field.stop))
            at = field.stop + len(self._delimiter)

    def end(self, data: bytes, start: int, *, final: bool = True) -> int | None:
        """Where the record at `start` ends; much quicker than `record` where it is an ordinary one."""
        several = self._several_lines.match(data, start)
        if several:
            return several.end()
        record = self.record(data, start, final=final)
        return record.end if record else None

    def whole(self, data: bytes, *, final: bool) -> Whole:
        """The whole records at the start of `data`; all of it when it is `final`."""
        if self.spanning and self._quote and self._quote in data:
            return self._stepped(data, final=final)
        end = len(data) if final else data.rfind(b"\n") + 1
        count = lines(data, 0, end)
        return Whole(end, count, count)

    def first_end(self, data: bytes, *, final: bool) -> int | None:
        """Where the record at the start of `data` ends; None when that depends on bytes behind it."""
        if self.spanning:
            record = self.record(data, 0, final=final)
            return record.end if record else None
        return data.find(b"\n") + 1 or (len(data) if final else None)

    def _stepped(self, data: bytes, *, final: bool) -> Whole:
        """Step over runs of ordinary records in C, and over each other record in Python."""
        at = records = 0
        while at < len(data):
            run = _end(self._one_line, data, at)
            records += data.count(b"\n", at, run)
            end = self.end(data, run, final=final)
            if end is None:
                return Whole(run, records, lines(data, 0, run))
            records += end > run
            at = end
        return Whole(at, records, lines(data, 0, at))

    def _field(self, data: bytes, start: int, column: int, *, final: bool) -> Field | None:
        if self._quote and data[start : start + 1] == self._quote:
            text = column < len(self._text) and self._text[column]
            return self._quoted_field(data, start, text=text, final=final)
        stop = _end(self._unquoted, data, start)
        if stop == len(data):
            return Field(start, stop, quoted=False) if final else None
        if stop > start and data[stop - 1 : stop + 1] == b"\r\n":
            stop -= 1
        return Field(start, stop, quoted=False)

    def _quoted_field(self, data: bytes, start: int, *, text: bool, final: bool) -> Field | None:
        limit = start + self._quoted_bytes
        line_end = -1 if text else data.find(b"\n", start, limit)
        known = final or line_end >= 0 or limit <= len(data)
        limit = line_end if line_end >= 0 else min(limit, len(data))
        found = self._quoted.match(data, start, limit)
        if not found:
            return _faulty(start, Fault.UNCLOSED) if known else None
        return self._closed_field(data, start, found.end(), final=final)

    def _closed_field(self, data: bytes, start: int, stop: int, *, final: bool) -> Field | None:
        """The field whose last quote stands before `stop`, by what comes behind it."""
        behind = data[stop : stop + 2]
        if not final and behind in (b"", b"\r"):
            return None
        if behind in (b"", b"\r\n") or behind[:1] in (b"\n", self._delimiter):
            return Field(start, stop, quoted=True)
        # A quote here is half of a doubled one that the limit has cut.
        spans = behind[:1] == self._quote or data.find(b"\n", start, stop) >= 0
        return _faulty(start, Fault.UNCLOSED if spans else Fault.MALFORMED)


def lines(data: bytes, start: int, end: int) -> int:
    """How many physical lines there are in that part, an unfinished last one included."""
    return data.count(b"\n", start, end) + (end > start and data[end - 1] != 0x0A)


def blank_record(dialect: Dialect) -> bytes:
    """The pattern of a record in which every field is empty, or spaces and tabs, or a pair of quotes."""
    delimiter = re.escape(dialect.delimiter)
    space = b" " if dialect.delimiter == b"\t" else b" \t"
    empty = b"(?:%b[%b]*+)" % (re.escape(dialect.quote) * 2 + b"|" if dialect.quote else b"", space)
    return b"%b%b(?:\r?\n|\\Z)" % (empty, repeated(delimiter + empty))


def unquoted(dialect: Dialect, excluded: bytes) -> bytes:
    """A run of bytes of a field without quotes: neither the delimiter nor what is `excluded` (escaped for a set).

    Alternatives, to be repeated.
    """
    first, rest = re.escape(dialect.delimiter[:1]), re.escape(dialect.delimiter[1:])
    run = b"[^%b%b]++" % (excluded, first)
    return b"%b|%b(?!%b)" % (run, first, rest) if rest else run


def repeated(pattern: bytes, times: bytes = b"*") -> bytes:
    """A pattern that repeats another and does not go back into what it has matched, however long: `*+` for groups.

    Until 3.11.5 Python goes on behind a repetition that has failed as if it had matched (gh-106052), unless that is
    an atomic group, which puts the position back. Single characters may have a plain `*+`.
    """
    return b"(?>%b)%b+" % (pattern, times)


class _Shapes:
    """The patterns of one dialect.

    Those that step over whole records let no quoted field come near `QUOTED_BYTES` (at most 255 x 4000 bytes): longer
    ones are judged in Python.
    """

    def __init__(self, dialect: Dialect) -> None:
        delimiter = re.escape(dialect.delimiter)
        quote = re.escape(dialect.quote or b"")
        space = b" " if dialect.delimiter == b"\t" else b" \t"
        self._delimiter = delimiter
        self._quote = quote
        self._unquoted = b"[^\n%b%b][^\n%b]*+|" % (delimiter, quote, delimiter)
        self._not_blank = b"(?=[^\r\n%b%b%b]%b)" % (
            delimiter,
            space,
            quote,
            b"|%b[^%b]" % (quote, quote) if quote else b"",
        )
        self.blank = blank_record(dialect)
        self._escape = re.escape(dialect.escape or b"")
        inside = b"[^%b%b]*+" % (quote, self._escape)
        self.quoted = quote + inside + repeated(b"(?:%b)%b" % (self._pairs(), inside)) + quote if quote else b"(?!)"

    @property
    def one_line(self) -> bytes:
        """A record on one line that is not blank."""
        field = self._field(beside_quotes=b"\n")
        without_quotes = b"[^\n%b]*+\n" % self._quote
        with_quotes = b"%b%b\r?\n" % (field, repeated(self._delimiter + field))
        return b"%b(?:%b|%b)" % (self._not_blank, without_quotes, with_quotes)

    def several_lines(self, text: tuple[bool, ...]) -> bytes:
        """A record of exactly these columns that is not blank; text may span lines."""
        fields = (self._field(beside_quotes=b"" if column else b"\n") for column in text)
        return b"%b%b\r?\n" % (self._not_blank, self._delimiter.join(fields))

    def _field(self, *, beside_quotes: bytes) -> bytes:
        """A field, between quotes anything but quotes and what stands in `beside_quotes`."""
        if not self._quote:
            return b"(?:%b)" % self._unquoted
        inside = b"[^%b%b%b]{1,255}+" % (self._quote, self._escape, beside_quotes)
        body = repeated(b"%b|%b" % (inside, self._pairs(beside_quotes)), b"{0,4000}")
        return b"(?:%b%b%b|%b)" % (self._quote, body, self._quote, self._unquoted)

    def _pairs(self, excluded: bytes = b"") -> bytes:
        """What is two bytes in a quoted field and one outside: a doubled quote, or what is escaped."""
        escaped = b"|%b%b" % (self._escape, b"[^%b]" % excluded if excluded else rb"[\x00-\xff]")
        return self._quote * 2 + (escaped if self._escape else b"")


def _end(pattern: re.Pattern[bytes], data: bytes, start: int) -> int:
    """Where that pattern ends; `start` when it does not match."""
    match = pattern.match(data, start)
    return match.end() if match else start


def _faulty(start: int, fault: Fault) -> Field:
    return Field(start, start, quoted=True, fault=fault)


def _spoiled(data: bytes, fields: list[Field], fault: Fault, *, final: bool) -> Record | None:
    """A record whose last field is faulty: it stops with the line on which that field began."""
    end = data.find(b"\n", fields[-1].start) + 1
    if not end:
        return Record(fields, len(data), len(data), fault) if final else None
    stop = end - (2 if data[end - 2 : end] == b"\r\n" else 1)
    return Record(fields, stop, end, fault)
