"""Judging one field: whether it is a value of its column, and how COPY must be given it.

The patterns of `loading.patterns` say yes to the common spellings; this says yes or why not to all of them. `dialect`
is how the file is written, `copied` is what COPY reads.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal, InvalidOperation

from reelbase.datasets.model import Column, ColumnType, Dialect, Form
from reelbase.loading.forms import WHOLE_BITS, reader
from reelbase.loading.patterns import UNUSED_QUOTE
from reelbase.loading.rejects import Misspelt, Reason

_WHOLE = re.compile(rb"[+-]?\d+")
_DECIMAL = re.compile(rb"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")


def judge(column: Column, dialect: Dialect, copied: Dialect, *, key: bool) -> Judge:
    """Who judges the fields of a column. `key` says that it is part of the table's key."""
    if column.form is not Form.PLAIN:
        return FormJudge(column, dialect, copied, key=key)
    if dialect != copied:
        return RewritingJudge(column, dialect, copied, key=key)
    return Judge(column, dialect, key=key)


class Judge:
    """Judges the fields of one column, in a file that COPY reads as it is written."""

    def __init__(self, column: Column, dialect: Dialect, *, key: bool) -> None:
        self._column = column
        self._null = dialect.null
        self._quote = dialect.quote or UNUSED_QUOTE
        self._needs_quotes = re.compile(b"[\r%b]" % re.escape(self._quote))
        self._missing = Reason.MISSING_KEY if key else Reason.MISSING_VALUE

    def fault(self, raw: bytes, *, quoted: bool) -> Reason | None:
        """What is wrong with this field as it stands in the file; None when it is good."""
        value = raw[1:-1] if quoted else raw
        number = not self._column.type.is_text
        if not value or (not quoted and value == self._null):
            return self._absent(value)
        return self._number(value) if number else None

    def copied(self, raw: bytes, *, quoted: bool) -> bytes:
        """The field as COPY reads it right."""
        if quoted:
            # "" is a null number to whoever quotes everything, and an error to PostgreSQL.
            return self._null if len(raw) == 2 and not self._column.type.is_text else raw
        if not self._needs_quotes.search(raw):
            return raw
        return self._quote + raw.replace(self._quote, self._quote * 2) + self._quote

    def _absent(self, value: bytes) -> Reason | None:
        """An empty field or the null marker."""
        column = self._column
        if column.nullable:
            unmarked = not value and self._null and not column.type.is_text
            return Reason.WRONG_TYPE if unmarked else None
        return None if column.type.is_text and column.empty_is_text and not value else self._missing

    def _number(self, value: bytes) -> Reason | None:
        if self._column.type is ColumnType.BOOL:
            return None if value in (b"0", b"1") else Reason.WRONG_TYPE
        bits = WHOLE_BITS.get(self._column.type)
        if not (_WHOLE if bits else _DECIMAL).fullmatch(value):
            return Reason.WRONG_TYPE
        try:
            number = Decimal(value.decode())
        except InvalidOperation:  # an exponent of more than 18 digits
            return Reason.OUT_OF_RANGE
        if bits:
            fits = -(1 << (bits - 1)) <= number < 1 << (bits - 1)
        else:
            fits = _fits_double(number) if self._column.type is ColumnType.FLOAT else _fits_numeric(number)
        return None if fits and self._within_limits(number) else Reason.OUT_OF_RANGE

    def _within_limits(self, number: Decimal) -> bool:
        low, high, step = self._column.low, self._column.high, self._column.step
        if (low is not None and number < Decimal(str(low))) or (high is not None and number > Decimal(str(high))):
            return False
        return step is None or _is_multiple(number, Decimal(str(step)))


class RewritingJudge(Judge):
    """Judges fields that COPY cannot read as they are written."""

    def __init__(self, column: Column, dialect: Dialect, copied: Dialect, *, key: bool) -> None:
        super().__init__(column, dialect, key=key)
        self._doubled = (dialect.quote or b"") * 2
        escape = re.escape(dialect.escape or b"")
        self._escaped = re.compile(b"%b([%b%b])" % (escape, self._quote, escape)) if escape else None
        self._copied_null = copied.null
        self._copied_quote = copied.quote or UNUSED_QUOTE
        self._always_quoted = column.type in (ColumnType.JSON, ColumnType.TEXTS)
        self._special = re.compile(b"[\r\n%b%b]" % (re.escape(copied.delimiter), re.escape(self._copied_quote)))

    def copied(self, raw: bytes, *, quoted: bool) -> bytes:
        value = self.value(raw, quoted=quoted)
        if not value and quoted and self._column.type.is_text:
            return self._copied_quote * 2
        return self.written(value)

    def value(self, raw: bytes, *, quoted: bool) -> bytes:
        """What a field says; nothing where it is null."""
        if not quoted:
            return b"" if raw == self._null else raw
        value = raw[1:-1]
        if self._escaped:
            value = self._escaped.sub(rb"\1", value)
        return value.replace(self._doubled, self._doubled[:1]) if self._doubled in value else value

    def written(self, value: bytes) -> bytes:
        """A value as COPY reads it, null where it is nothing."""
        if not value:
            return self._copied_null
        if not self._always_quoted and self._special.search(value) is None and value != self._copied_null:
            return value
        return self._copied_quote + value.replace(self._copied_quote, self._copied_quote * 2) + self._copied_quote


class FormJudge(RewritingJudge):
    """Judges the fields of a column that has a form of its own."""

    def __init__(self, column: Column, dialect: Dialect, copied: Dialect, *, key: bool) -> None:
        super().__init__(column, dialect, copied, key=key)
        self._read = reader(column)

    def fault(self, raw: bytes, *, quoted: bool) -> Reason | None:
        try:
            self.copied(raw, quoted=quoted)
        except Misspelt as error:
            return error.reason
        except ValueError:
            return Reason.WRONG_TYPE
        return None

    def copied(self, raw: bytes, *, quoted: bool) -> bytes:
        """The same of a field that may be bad: raises Misspelt, or ValueError."""
        value = self.value(raw, quoted=quoted)
        if value:
            return self.written(self._read(value))
        if not self._column.nullable:
            raise Misspelt(self._missing)
        return self._copied_null


def _fits_double(number: Decimal) -> bool:
    """PostgreSQL refuses what overflows, and what is not 0 but would become 0."""
    near = float(number)
    return abs(near) != float("inf") and (near != 0) == (number != 0)


def _fits_numeric(number: Decimal) -> bool:
    """PostgreSQL's numeric takes 131,072 digits before the point and 16,383 behind it."""
    return number.adjusted() < 131072 and int(number.as_tuple().exponent) > -16384


def _is_multiple(number: Decimal, step: Decimal) -> bool:
    """Exactly: the default context of 28 digits would round."""
    size = len(number.as_tuple().digits) + abs(number.adjusted()) + 30
    return Context(prec=size).remainder(number, step) == 0
