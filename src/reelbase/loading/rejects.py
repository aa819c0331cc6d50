"""Bad records, as values: what was wrong, where, and the record as it was."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Reason(enum.StrEnum):
    """Why a record was not loaded."""

    WRONG_TYPE = "wrong_type"
    OUT_OF_RANGE = "out_of_range"
    TOO_FEW_COLUMNS = "too_few_columns"
    TOO_MANY_COLUMNS = "too_many_columns"
    MISSING_KEY = "missing_key"
    MISSING_VALUE = "missing_value"
    UNCLOSED_QUOTE = "unclosed_quote"
    MALFORMED_QUOTE = "malformed_quote"
    INVALID_UTF8 = "invalid_utf8"
    NUL_BYTE = "nul_byte"
    RECORD_TOO_LONG = "record_too_long"
    DUPLICATE_KEY = "duplicate_key"
    REFUSED = "refused"
    """PostgreSQL found a reason that we had not thought of."""


class Misspelt(ValueError):
    """A field that is no value of its column; `reason` says why. Never leaves the room."""

    def __init__(self, reason: Reason = Reason.WRONG_TYPE) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Reject:
    """One bad record: the physical line (from 1) and the byte (of the unpacked file) where it begins.

    `column` is the SQL name of the first column that is wrong, where it is one. `record` is without its line end;
    `length` is its length in bytes, which is more than is kept when the record is too long.
    """

    line: int
    byte_offset: int
    column: str | None
    reason: Reason
    record: bytes
    length: int
