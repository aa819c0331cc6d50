"""Separating the good records of a chunk from the bad ones.

Runs of good records are stepped over by one pattern in C; Python sees only the odd ones, so that a dirty chunk costs
time only where it is dirty. What comes out is bytes for `COPY … (FORMAT csv)` with the file's delimiter, quote
(`UNUSED_QUOTE` when it has none) and null marker, encoding UTF8, and FORCE_NOT_NULL for the `empty_is_text` columns.
"""

from __future__ import annotations

from reelbase.datasets.model import Column, Dialect, Table
from reelbase.loading.heap import Heap, Sifted
from reelbase.loading.judging import RecordJudge
from reelbase.loading.patterns import UNUSED_QUOTE, Patterns, is_made_of, number_bytes
from reelbase.reading.records import Grammar


class Sift:
    """Knows the good records of one file: `columns` are the file's, in its order, unknown ones as text."""

    def __init__(self, table: Table, columns: tuple[Column, ...], dialect: Dialect) -> None:
        self.columns = columns
        """The columns of what comes out."""
        self.dialect = dialect
        """The dialect of what comes out."""
        self._records = RecordJudge(table, columns, dialect, dialect)
        self.grammar: Grammar = self._records.grammar
        """The grammar of what goes in."""
        self._patterns = Patterns(columns, dialect)
        self._number_bytes = number_bytes(columns, dialect)

    @property
    def output(self) -> Grammar:
        """The grammar of what comes out: that of what goes in."""
        return self.grammar

    def ready(self, data: bytes) -> bytes | None:
        """The chunk as COPY can be given it; None when it has to be sifted."""
        return data if self.is_clean(data) else None

    def is_clean(self, data: bytes) -> bool:
        """Whether COPY will load every record of `data` as it is written, or refuse: never misread one in silence.

        Limits of numbers (`low`, `high`, `step`) are not looked at in files of numbers only: check them in SQL. Blank
        lines of such files are refused by COPY, if columns that are not nullable are NOT NULL.
        """
        if self.dialect.quote is None:
            # COPY's quote must not occur, nor a CR, which would become the line end. All else it reads as it is, or
            # refuses; of numbers it takes further spellings (+1, 0x1F), whose value is what they say.
            return UNUSED_QUOTE not in data and b"\r" not in data
        return self._is_numbers(data) or self._patterns.cover(data)

    def sift(self, data: bytes, first_line: int, first_byte: int) -> Sifted:
        """Separate the records of a chunk that begins on `first_line`, at `first_byte` of the unpacked file."""
        heap = Heap(data, first_line, first_byte)
        while heap.at < len(data):
            run = self._patterns.lines.match(data, heap.at)
            if run and run.end() > heap.at:
                heap.keep_lines(run.end())
            else:
                self._sort_odd(data, heap)
        return heap.sifted

    def _sort_odd(self, data: bytes, heap: Heap) -> None:
        """The blank records, or the one record, that stopped the run."""
        blanks = self.grammar.blanks(data, heap.at)
        if blanks > heap.at:
            heap.drop_blanks(blanks)
        elif good := self._patterns.record.match(data, heap.at):
            heap.keep(good.group(), good.end())
        else:
            self._judge(data, heap)

    def _judge(self, data: bytes, heap: Heap) -> None:
        record = self.grammar.record(data, heap.at)
        if record is None:
            raise AssertionError("A record of a whole chunk has an end.")
        verdict = self._records.verdict(data, heap.at, record)
        if isinstance(verdict, bytes):
            heap.keep(verdict, record.end)
        else:
            heap.reject(record, *verdict)

    def _is_numbers(self, data: bytes) -> bool:
        return self._number_bytes is not None and is_made_of(data, self._number_bytes)
