"""Rewriting records that COPY cannot read as they are written, in the place of the sift and with the same answers.

One pattern takes a record apart; most of its fields go on as they are, the others are looked up or worked out. What the
pattern does not know is judged field by field. What comes out is CSV with the columns of the file, followed by those
that are derived from them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from reelbase.datasets.model import Column, Dialect, Form, Table
from reelbase.loading.bulk import Bulk
from reelbase.loading.fields import Judge
from reelbase.loading.heap import Heap, Sifted
from reelbase.loading.judging import RecordJudge
from reelbase.loading.memo import Memo
from reelbase.loading.patterns import Spellings
from reelbase.loading.sift import Sift
from reelbase.reading.records import RECORD_BYTES, Grammar, blank_record

# Records that leave together.
_RUN = 4096
# These are copied as the pattern finds them.
_TAKEN_AS_FOUND = (Form.PLAIN, Form.WORDS, Form.WHOLE, Form.LOGICAL)


def sieve(table: Table, columns: tuple[Column, ...], dialect: Dialect) -> Sift | Converter:
    """What separates the good records of such a file from the bad ones."""
    if copied_dialect(dialect) == dialect and all(column.form is Form.PLAIN for column in columns):
        return Sift(table, columns, dialect)
    return Converter(table, columns, dialect)


def copied_dialect(dialect: Dialect) -> Dialect:
    """What COPY reads in the place of that dialect."""
    delimiter = dialect.delimiter if len(dialect.delimiter) == 1 else b"\t"
    return replace(dialect, delimiter=delimiter, escape=None, other_encoding=None)


class Converter:
    """Knows the good records of one file: `columns` are the file's, in its order."""

    def __init__(self, table: Table, columns: tuple[Column, ...], dialect: Dialect) -> None:
        self.columns = (*columns, *table.derived_from(columns))
        """The columns of what comes out."""
        self.dialect = copied_dialect(dialect)
        """The dialect of what comes out."""
        self._records = RecordJudge(table, columns, dialect, self.dialect)
        self.grammar = self._records.grammar
        """The grammar of what goes in."""
        self._match = re.compile(_record(columns, dialect, self.dialect)).match
        self._worked_out = [
            (position, Memo(_of_raw(self._records.fields[position], dialect)))
            for position, column in enumerate(columns)
            if column.form not in _TAKEN_AS_FOUND
        ]
        self._derived = [(position, Memo(_of_raw(judge, dialect))) for position, judge in self._records.derived]
        self._bulk = Bulk(columns, dialect, self.dialect) if Bulk.knows(columns) else None

    @property
    def output(self) -> Grammar:
        """The grammar of what comes out; doubled quotes make fields longer than they were."""
        texts = tuple(column.type.may_span_lines for column in self.columns)
        return Grammar(self.dialect, texts, quoted_bytes=2 * RECORD_BYTES)

    def ready(self, data: bytes) -> bytes | None:
        """The chunk as COPY can be given it; None when its records have to be looked at."""
        return self._bulk.ready(data) if self._bulk else None

    def sift(self, data: bytes, first_line: int, first_byte: int) -> Sifted:
        """Rewrite the good records of a chunk that begins on `first_line`, at `first_byte` of the unpacked file."""
        heap = Heap(data, first_line, first_byte)
        # Where lines are tried as a whole again: behind those that looked well and were not.
        again = 0
        while heap.at < len(data):
            if self._bulk and heap.at >= again and (lines := self._bulk.lines.match(data, heap.at)):
                again = lines.end()
                if self._keep_lines(lines.group(), heap, self._bulk):
                    continue
            if not self._keep_run(data, heap):
                self._sort_odd(data, heap)
        return heap.sifted

    def _keep_lines(self, lines: bytes, heap: Heap, bulk: Bulk) -> bool:
        """Keep lines that are rewritten as a whole; whether there was any, and it could be done."""
        copied = bulk.ready(lines) if lines else None
        if copied is None:
            return False
        heap.keep_rewritten(copied.replace(b"\r\n", b"\n"), lines.count(b"\n"), heap.at + len(lines))
        return True

    def _keep_run(self, data: bytes, heap: Heap) -> bool:
        """Rewrite records until one is odd; whether there was any."""
        rows: list[bytes] = []
        at = heap.at
        match, delimiter, worked_out, derived = self._match, self.dialect.delimiter, self._worked_out, self._derived
        try:
            while len(rows) < _RUN and (found := match(data, at)):
                fields = list(found.groups(b""))
                fields += [read[fields[position]] for position, read in derived]
                for position, read in worked_out:
                    fields[position] = read[fields[position]]
                row = delimiter.join(fields)
                if not row.isascii():
                    row.decode()
                rows.append(row)
                at = found.end()
        except ValueError:
            pass  # a field is misspelt, or not UTF-8: the record is odd
        if rows:
            heap.keep_rewritten(b"\n".join(rows) + b"\n", len(rows), at)
        return bool(rows)

    def _sort_odd(self, data: bytes, heap: Heap) -> None:
        """The blank records, or the one record, that stopped the run."""
        blanks = self.grammar.blanks(data, heap.at)
        if blanks > heap.at:
            heap.drop_blanks(blanks)
            return
        record = self.grammar.record(data, heap.at)
        if record is None:
            raise AssertionError("A record of a whole chunk has an end.")
        verdict = self._records.verdict(data, heap.at, record)
        if isinstance(verdict, bytes):
            heap.keep_rewritten(verdict + b"\n", 1, record.end)
        else:
            heap.reject(record, *verdict)


def _of_raw(judge: Judge, dialect: Dialect) -> Callable[[bytes], bytes]:
    quote = dialect.quote

    def read(raw: bytes) -> bytes:
        return judge.copied(raw, quoted=quote is not None and raw[:1] == quote)

    return read


def _record(columns: tuple[Column, ...], dialect: Dialect, copied: Dialect) -> bytes:
    """The pattern of one record, a group for each field."""
    spellings = Spellings(dialect, copied)
    fields = re.escape(dialect.delimiter).join(spellings.field(column) for column in columns)
    is_never_blank = any(not column.nullable and not column.type.may_span_lines for column in columns)
    not_blank = b"" if is_never_blank else b"(?!%b)" % blank_record(dialect)
    return b"%b%b(?:\r?\n|\\Z)" % (not_blank, fields)
