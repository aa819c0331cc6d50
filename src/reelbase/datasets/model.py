"""The words in which a public file is declared: dataset, table, column, dialect. Values only."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class ColumnType(enum.StrEnum):
    """The PostgreSQL type of a column; the value is its SQL spelling. A boolean is written 0 or 1 in the files."""

    INT = "integer"
    BIGINT = "bigint"
    FLOAT = "double precision"
    NUMERIC = "numeric"
    BOOL = "boolean"
    TEXT = "text"

    @property
    def is_text(self) -> bool:
        """Whether a field of this type may hold anything, a quoted line break included."""
        return self is ColumnType.TEXT


@dataclass(frozen=True, slots=True)
class Column:
    """One declared column.

    `header` is the publisher's spelling, `name` the SQL name. A file must have every `required` column; the others
    may be absent (the table has them all the same, as null). A field of a column that is not `nullable` may not be
    empty. `low` and `high` are inclusive; `step` is the grid the value must lie on (0.5 for half stars). In a text
    column `empty_is_text` keeps an empty field as '' instead of null.
    """

    header: str
    name: str
    type: ColumnType
    required: bool = False
    nullable: bool = True
    low: float | None = None
    high: float | None = None
    step: float | None = None
    empty_is_text: bool = False


@dataclass(frozen=True, slots=True)
class Dialect:
    """How fields are written: one-byte delimiter, quote byte (none: quotes mean nothing), and the null marker."""

    delimiter: bytes = b","
    quote: bytes | None = b'"'
    null: bytes = b""


@dataclass(frozen=True, slots=True)
class Reference:
    """Values of `column` are expected in `table`.`target`; rows that miss are kept, and counted as check `name`.

    The column must lead the key or an index: its distinct values are then walked, not the rows.
    """

    name: str
    column: str
    table: str
    target: str


@dataclass(frozen=True, slots=True)
class Table:
    """One table, made from one of a dataset's source files.

    `key` is unique (empty: no key, identical records are kept); `indexes` are built beside it.
    """

    dataset: str
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    references: tuple[Reference, ...] = ()
    dialect: Dialect = Dialect()

    @property
    def full_name(self) -> str:
        """The live name, as people write it in SQL."""
        return f"{self.dataset}.{self.name}"

    @property
    def required(self) -> tuple[Column, ...]:
        """The columns without which a file is not this table."""
        return tuple(column for column in self.columns if column.required)


@dataclass(frozen=True, slots=True)
class Dataset:
    """One publisher's files, with the credit and licence terms that the pages show."""

    name: str
    title: str
    publisher: str
    homepage: str
    licence: str
    credit: str
    tables: tuple[Table, ...]

    def table(self, name: str) -> Table:
        """The table of that name; KeyError when there is none."""
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(name)
