"""Judging the records of one file one by one: what is wrong with a record, or how COPY must be given it."""

from __future__ import annotations

from reelbase.datasets.model import Column, Dialect, Table
from reelbase.loading.fields import Judge, judge
from reelbase.loading.rejects import Reason
from reelbase.reading.records import Fault, Grammar, Record

_REASONS = {Fault.UNCLOSED: Reason.UNCLOSED_QUOTE, Fault.MALFORMED: Reason.MALFORMED_QUOTE}


class RecordJudge:
    """Knows what is a record of a file with these columns; `copied` is the dialect that COPY reads."""

    def __init__(self, table: Table, columns: tuple[Column, ...], dialect: Dialect, copied: Dialect) -> None:
        self._columns = columns
        self._other_encoding = dialect.other_encoding
        self._delimiter = copied.delimiter
        self.grammar = Grammar(dialect, tuple(column.type.may_span_lines for column in columns))
        self.fields = [judge(column, dialect, copied, key=column.name in table.key) for column in columns]
        headers = [column.header for column in columns]
        self.derived: list[tuple[int, Judge]] = [
            (headers.index(column.header), judge(column, dialect, copied, key=False))
            for column in table.derived_from(columns)
        ]
        """What is read out of other fields: the number of the field, and how."""

    def verdict(self, data: bytes, start: int, record: Record) -> tuple[Reason, str | None] | bytes:
        """What is wrong with a record and in which column, or the record for COPY, without its line end."""
        unreadable = _unreadable(data[start : record.stop])
        if unreadable:
            reason, at = unreadable
            if reason is Reason.INVALID_UTF8 and self._other_encoding:
                return self._decoded(data[start : record.stop])
            return reason, self._column_at(record, start + at)
        if record.fault:
            return _REASONS[record.fault], self._name(len(record.fields) - 1)
        if len(record.fields) != len(self._columns):
            few = len(record.fields) < len(self._columns)
            return Reason.TOO_FEW_COLUMNS if few else Reason.TOO_MANY_COLUMNS, None
        return self._first_fault(data, record) or self._copied(data, record)

    def _decoded(self, text: bytes) -> tuple[Reason, str | None] | bytes:
        """The same of a record that is not UTF-8: bytes that mean something to the grammar are so in both encodings."""
        text = text.decode(self._other_encoding or "").encode()
        record = self.grammar.record(text, 0)
        if record is None or record.end < len(text):
            raise AssertionError("A record is the same in every encoding.")
        return self.verdict(text, 0, record)

    def _first_fault(self, data: bytes, record: Record) -> tuple[Reason, str] | None:
        for column, field, place in zip(self._columns, self.fields, record.fields, strict=True):
            reason = field.fault(data[place.start : place.stop], quoted=place.quoted)
            if reason:
                return reason, column.name
        return None

    def _copied(self, data: bytes, record: Record) -> bytes:
        fields = [(data[place.start : place.stop], place.quoted) for place in record.fields]
        copied = [field.copied(raw, quoted=quoted) for field, (raw, quoted) in zip(self.fields, fields, strict=True)]
        for position, field in self.derived:
            raw, quoted = fields[position]
            copied.append(field.copied(raw, quoted=quoted))
        return self._delimiter.join(copied)

    def _column_at(self, record: Record, position: int) -> str | None:
        for index, place in enumerate(record.fields):
            if place.start <= position and (position < place.stop or place.fault):
                return self._name(index)
        return None

    def _name(self, index: int) -> str | None:
        return self._columns[index].name if index < len(self._columns) else None


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
