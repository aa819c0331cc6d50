"""Separating the good records of a chunk from the bad ones.

Runs of good records are stepped over by one pattern in C; Python sees only the odd ones, so that a dirty chunk costs
time only where it is dirty. What comes out is bytes for `COPY … (FORMAT csv)` with the file's delimiter, quote
(`UNUSED_QUOTE` when it has none) and null marker, encoding UTF8, and FORCE_NOT_NULL for the `empty_is_text` columns.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from reelbase.datasets.model import Column, ColumnType, Dialect, Table
from reelbase.loading.fields import Judge
from reelbase.loading.patterns import UNUSED_QUOTE, Patterns
from reelbase.loading.rejects import Reason, Reject
from reelbase.reading.records import Fault, Grammar, Record

_REASONS = {Fault.UNCLOSED: Reason.UNCLOSED_QUOTE, Fault.MALFORMED: Reason.MALFORMED_QUOTE}


@dataclass(slots=True)
class Sifted:
    """What came out of one chunk: the good records in pieces, all ending with LF, and the bad ones, in order."""

    good: list[bytes | memoryview] = field(default_factory=list)
    loaded: int = 0
    rejects: list[Reject] = field(default_factory=list)
    blanks: int = 0


class Sift:
    """Knows the good records of one file: `columns` are the file's, in its order, unknown ones as text."""

    def __init__(self, table: Table, columns: tuple[Column, ...], dialect: Dialect) -> None:
        self._columns = columns
        self._dialect = dialect
        self._grammar = Grammar(dialect, tuple(column.type.is_text for column in columns))
        self._patterns = Patterns(columns, dialect)
        self._judges = [Judge(column, dialect, key=column.name in table.key) for column in columns]
        self._number_bytes = _number_bytes(columns, dialect)

    def is_clean(self, data: bytes) -> bool:
        """Whether COPY will load every record of `data` as it is written, or refuse: never misread one in silence.

        Limits of numbers (`low`, `high`, `step`) are not looked at in files of numbers only: check them in SQL. Blank
        lines of such files are refused by COPY, if columns that are not nullable are NOT NULL.
        """
        if self._dialect.quote is None:
            # COPY's quote must not occur, nor a CR, which would become the line end. All else it reads as it is, or
            # refuses; of numbers it takes further spellings (+1, 0x1F), whose value is what they say.
            return UNUSED_QUOTE not in data and b"\r" not in data
        return self._is_numbers(data) or self._patterns.cover(data)

    def sift(self, data: bytes, first_line: int, first_byte: int) -> Sifted:
        """Separate the records of a chunk that begins on `first_line`, at `first_byte` of the unpacked file."""
        heap = _Heap(data, first_line, first_byte)
        while heap.at < len(data):
            run = self._patterns.lines.match(data, heap.at)
            if run and run.end() > heap.at:
                heap.keep_lines(run.end())
            else:
                self._sort_odd(data, heap)
        return heap.sifted

    def _sort_odd(self, data: bytes, heap: _Heap) -> None:
        """The blank records, or the one record, that stopped the run."""
        blanks = self._grammar.blanks(data, heap.at)
        if blanks > heap.at:
            heap.drop_blanks(blanks)
        elif good := self._patterns.record.match(data, heap.at):
            heap.keep(good.group(), good.end())
        else:
            self._judge(data, heap)

    def _judge(self, data: bytes, heap: _Heap) -> None:
        record = self._grammar.record(data, heap.at)
        if record is None:
            raise AssertionError("A record of a whole chunk has an end.")
        problem = self._problem(data, heap.at, record)
        if problem:
            heap.reject(record, *problem)
        else:
            heap.keep(self._copied(data, record), record.end)

    def _problem(self, data: bytes, start: int, record: Record) -> tuple[Reason, str | None] | None:
        """What is wrong with a record, and in which column."""
        unreadable = _unreadable(data[start : record.stop])
        if unreadable:
            reason, at = unreadable
            return reason, self._column_at(record, start + at)
        if record.fault:
            return _REASONS[record.fault], self._name(len(record.fields) - 1)
        if len(record.fields) != len(self._columns):
            few = len(record.fields) < len(self._columns)
            return Reason.TOO_FEW_COLUMNS if few else Reason.TOO_MANY_COLUMNS, None
        return self._first_fault(data, record)

    def _first_fault(self, data: bytes, record: Record) -> tuple[Reason, str] | None:
        for column, judge, place in zip(self._columns, self._judges, record.fields, strict=True):
            reason = judge.fault(data[place.start : place.stop], quoted=place.quoted)
            if reason:
                return reason, column.name
        return None

    def _copied(self, data: bytes, record: Record) -> bytes:
        return self._dialect.delimiter.join(
            judge.copied(data[place.start : place.stop], quoted=place.quoted)
            for judge, place in zip(self._judges, record.fields, strict=True)
        )

    def _column_at(self, record: Record, position: int) -> str | None:
        for index, place in enumerate(record.fields):
            if place.start <= position and (position < place.stop or place.fault):
                return self._name(index)
        return None

    def _name(self, index: int) -> str | None:
        return self._columns[index].name if index < len(self._columns) else None

    def _is_numbers(self, data: bytes) -> bool:
        """Only the bytes of plain numbers. A lone CR as first line end would make COPY take CR for the line end."""
        if self._number_bytes is None or data.translate(None, self._number_bytes):
            return False
        first = data.find(b"\r")
        return first < 0 or data[first + 1 : first + 2] == b"\n"


class _Heap:
    """What has been sorted so far, and where the rest begins."""

    def __init__(self, data: bytes, first_line: int, first_byte: int) -> None:
        self.sifted = Sifted()
        self.at = 0
        self._data = data
        self._view = memoryview(data)
        self._line = first_line
        self._first_byte = first_byte

    def keep_lines(self, end: int) -> None:
        """Good records of one line each; there CR LF can only be a line end."""
        uniform = self._data.find(b"\r", self.at, end) < 0
        piece = self._view[self.at : end] if uniform else self._data[self.at : end].replace(b"\r\n", b"\n")
        self.sifted.good.append(piece)
        self.sifted.loaded += self._advance(end)

    def keep(self, record: bytes, end: int) -> None:
        """One good record, with its line end or without."""
        self.sifted.good.append(record.removesuffix(b"\n").removesuffix(b"\r") + b"\n")
        self.sifted.loaded += 1
        self._advance(end)

    def drop_blanks(self, end: int) -> None:
        """Blank records; the last of them may lack its line end."""
        unfinished = self._data[end - 1 : end] != b"\n"
        self.sifted.blanks += self._advance(end) + unfinished

    def reject(self, record: Record, reason: Reason, column: str | None) -> None:
        """One bad record."""
        text = self._data[self.at : record.stop]
        offset = self._first_byte + self.at
        self.sifted.rejects.append(Reject(self._line, offset, column, reason, text, len(text)))
        self._advance(record.end)

    def _advance(self, end: int) -> int:
        """Go on to `end`; the number of line ends passed."""
        passed = self._data.count(b"\n", self.at, end)
        self.at = end
        self._line += passed
        return passed


def _unreadable(text: bytes) -> tuple[Reason, int] | None:
    """Why PostgreSQL cannot store this as text, and where."""
    nul = text.find(b"\0")
    if nul >= 0:
        return Reason.NUL_BYTE, nul
    try:
        text.decode()
    except UnicodeDecodeError as error:
        return Reason.INVALID_UTF8, error.start
    return None


def _number_bytes(columns: tuple[Column, ...], dialect: Dialect) -> bytes | None:
    """The bytes of plain numbers; None when they prove nothing: text has others, and all-null records need a look."""
    if any(column.type.is_text for column in columns) or all(column.nullable for column in columns):
        return None
    exponents = any(column.type is ColumnType.FLOAT and column.step is None for column in columns)
    return b"0123456789.-\r\n" + dialect.delimiter + (b"eE+" if exponents else b"")
