"""The words in which a public file is declared: dataset, table, column, layout, dialect. Values only."""

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
    DATE = "date"
    JSON = "jsonb"
    TEXTS = "text[]"

    @property
    def is_text(self) -> bool:
        """Whether a field of this type may hold anything."""
        return self is ColumnType.TEXT

    @property
    def may_span_lines(self) -> bool:
        """Whether a quoted field of this type may have a line break in it: what is text in the file."""
        return self in (ColumnType.TEXT, ColumnType.JSON, ColumnType.TEXTS)


class Form(enum.Enum):
    """How the fields of a column are spelled, in words; all but PLAIN are rewritten before PostgreSQL reads them."""

    PLAIN = "as PostgreSQL reads the type"
    WORDS = "an empty field is null, between quotes too"
    WHOLE = "may be written as a decimal: `81.0`"
    LOGICAL = "`True`, `FALSE`, `0` or `1`"
    OBJECTS = "a list: JSON, a Python literal, or names between commas"
    OBJECT = "JSON, a Python literal, or a name"
    LIST = "a Python literal, JSON, or names between commas"
    DAY = "null where the year alone is certain (`1995`, `2/10/1995`)"
    YEAR = "the year, of an uncertain date too"
    EPOCH = "seconds since 1970, or a moment in UTC: `2005-04-02 23:53:47`"
    IMDB_DIGITS = "filled up with zeros to seven digits"


@dataclass(frozen=True, slots=True)
class Column:
    """One declared column.

    `header` is the publisher's spelling, `aliases` are others in use, `name` is the SQL name. A file must have every
    `required` column; the others may be absent (the table has them all the same, as null). A field of a column that is
    not `nullable` may not be empty. `low` and `high` are inclusive; `step` is the grid the value must lie on (0.5 for
    half stars). In a text column `empty_is_text` keeps an empty field as '' instead of null. A column that is `derived`
    is in no file: it is read out of the column that has the same header.
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
    form: Form = Form.PLAIN
    aliases: tuple[str, ...] = ()
    derived: bool = False


@dataclass(frozen=True, slots=True)
class Dialect:
    r"""How fields are written: delimiter, quote byte (none: quotes mean nothing), and the null marker.

    A delimiter has one byte, or two where there is no quote. Between quotes a quote is doubled; where there is an
    `escape` byte, it may stand before a quote, and before another escape byte (Kaggle's edition of MovieLens 20M has
    both at once: `"\"\"Great Performances\"\" Cats"`). A record that is not UTF-8 is read in `other_encoding`.
    """

    delimiter: bytes = b","
    quote: bytes | None = b'"'
    null: bytes = b""
    escape: bytes | None = None
    other_encoding: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """One way in which a table's files are written.

    `columns` are those that are spelled otherwise than the table says, under the same names. With a `quoted_header` it
    is told by a header in which every name stands between quotes. With `file_names` there is no header: the file is
    told by its name and its first line, and has the columns named in `order`.
    """

    name: str
    dialect: Dialect
    columns: tuple[Column, ...] = ()
    quoted_header: bool = False
    file_names: tuple[str, ...] = ()
    order: tuple[str, ...] = ()


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

    `key` is unique (empty: no key, identical records are kept); where its columns are not `required`, it holds if every
    file has them. `indexes` are built beside it. `dialect` is that of the publisher's files, `layouts` are other ways
    in which they are written. A file must have at least `telltales_needed` of the columns named in `telltales`, besides
    those that are required.
    """

    dataset: str
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    indexes: tuple[tuple[str, ...], ...] = ()
    references: tuple[Reference, ...] = ()
    dialect: Dialect = Dialect()
    layouts: tuple[Layout, ...] = ()
    telltales: tuple[str, ...] = ()
    telltales_needed: int = 0

    @property
    def full_name(self) -> str:
        """The live name, as people write it in SQL."""
        return f"{self.dataset}.{self.name}"

    @property
    def has_shapes(self) -> bool:
        """Whether its files come in several shapes, none of which has all columns."""
        return bool(self.telltales) or any(column.aliases for column in self.columns)

    @property
    def written(self) -> tuple[Column, ...]:
        """The columns that files have."""
        return tuple(column for column in self.columns if not column.derived)

    @property
    def required(self) -> tuple[Column, ...]:
        """The columns without which a file is not this table."""
        return tuple(column for column in self.columns if column.required)

    @property
    def every_layout(self) -> tuple[Layout, ...]:
        """The publisher's way of writing, and the others."""
        return (Layout(STANDARD, self.dialect), *self.layouts)

    def layout(self, name: str) -> Layout:
        """The layout of that name; KeyError when there is none."""
        for layout in self.every_layout:
            if layout.name == name:
                return layout
        raise KeyError(name)

    def columns_in(self, layout: Layout) -> dict[str, Column]:
        """The columns that files have, as they are spelled in that layout, by their names."""
        otherwise = {column.name: column for column in layout.columns}
        return {column.name: otherwise.get(column.name, column) for column in self.written}

    def derived_from(self, columns: tuple[Column, ...]) -> tuple[Column, ...]:
        """What can be read out of these columns besides."""
        headers = {column.header for column in columns}
        return tuple(column for column in self.columns if column.derived and column.header in headers)


STANDARD = "standard"
"""The name of the layout that is the publisher's own."""


@dataclass(frozen=True, slots=True)
class Published:
    """Files that a publisher keeps under one name, at paths below the place that a setting names.

    Those `of_one_day` refer to each other and are made anew together; `has_md5` is said of files that have an MD5 sum
    beside them, under the same name with `.md5` behind it.
    """

    name: str
    files: tuple[str, ...]
    of_one_day: bool = False
    has_md5: bool = False


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
    published: tuple[Published, ...] = ()

    def table(self, name: str) -> Table:
        """The table of that name; KeyError when there is none."""
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(name)
