"""What a file is, told by its header line: order free, quotes, BOM and CRLF accepted, unknown columns kept.

Files that are declared to have no header are told by their name and the shape of their first line.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from reelbase.datasets import Column, ColumnType, Dataset, Layout, Table
from reelbase.errors import EmptyFile, UnknownHeader

# No known header is longer than a few hundred bytes; a line that goes on after this is not one.
HEADER_BYTES = 1 << 16
_BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_IDENTIFIER_BYTES = 63
_DELIMITERS = {b",": "commas", b";": "semicolons", b"\t": "tabs", b"|": "bars", b"::": "double colons"}
# PostgreSQL's own columns, and those that settling duplicates adds to a copy of the table.
_SYSTEM_COLUMNS = frozenset(
    {"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", "reelbase_rank", "reelbase_chunk", "reelbase_ordinal"}
)


@dataclass(frozen=True, slots=True)
class Recognised:
    """A file that we know: its table and layout, its columns in the file's order, and where its first record begins."""

    table: Table
    layout: Layout
    columns: tuple[Column, ...]
    raw_header: bytes
    first_byte: int

    @property
    def header(self) -> str:
        """The header line as people see it; empty where there is none."""
        return shown(self.raw_header.removeprefix(_BOM))

    @property
    def first_line(self) -> int:
        """The line of the first record."""
        return 2 if self.raw_header else 1


def recognise(name: str, head: bytes, datasets: Sequence[Dataset]) -> Recognised:
    """Recognise a file by its first bytes (up to HEADER_BYTES); raises UnknownHeader or EmptyFile."""
    if not head:
        raise EmptyFile(f"{name} is empty (zero bytes).", "A file without records still has its header line.")
    end = head.find(b"\n") + 1 or len(head)
    raw = head[:end]
    line = raw.removeprefix(_BOM).rstrip(b"\r\n")
    tables = [table for dataset in datasets for table in dataset.tables]
    # A line that goes on behind what was read has no known end: no record can be found behind it.
    whole = raw.endswith(b"\n") or len(head) < HEADER_BYTES
    mark = len(_BOM) if raw.startswith(_BOM) else 0
    headerless = [known for table in tables if whole and (known := _without_header(name, table, line, mark))]
    if headerless:
        return headerless[0]
    matches = [match for table in tables if whole and (match := _match(table, line))]
    if not matches:
        raise UnknownHeader(_unknown(name, line, tables))
    table, columns = max(matches, key=_declared)
    layout = _layout(table, line)
    spelled = table.columns_in(layout)
    return Recognised(table, layout, tuple(spelled.get(column.name, column) for column in columns), raw, end)


def _without_header(name: str, table: Table, line: bytes, first_byte: int) -> Recognised | None:
    """The file as one that begins with its first record, which is on that line."""
    file_name = re.split(r"[/\\]", name.casefold())[-1].removesuffix(".gz")
    for layout in table.layouts:
        if file_name in layout.file_names:
            columns = tuple(table.columns_in(layout)[column] for column in layout.order)
            fields = line.split(layout.dialect.delimiter)
            if len(fields) == len(columns) and all(map(_may_be, columns, fields)):
                return Recognised(table, layout, columns, b"", first_byte)
    return None


def _may_be(column: Column, field: bytes) -> bool:
    """Whether that field of a first line may be a value of the column, and is not its name."""
    return column.type.is_text or re.fullmatch(rb"-?\d+(?:\.\d+)?", field) is not None


def _layout(table: Table, line: bytes) -> Layout:
    """How a file with this header is written."""
    delimiter = re.escape(table.dialect.delimiter)
    if re.fullmatch(rb'"[^"]*"(?:%b"[^"]*")*' % delimiter, line):
        for layout in table.layouts:
            if layout.quoted_header:
                return layout
    return table.every_layout[0]


def _match(table: Table, line: bytes) -> tuple[Table, tuple[Column, ...]] | None:
    names = _fields(line, table)
    if names is None:
        return None
    declared = _declared_as({_plain(name) for name in names}, table)
    found = [declared.get(_plain(name)) for name in names]
    present = [column for column in found if column is not None]
    if len(present) != len(set(present)) or not set(table.required) <= set(present):
        return None
    if sum(column.name in table.telltales for column in present) < table.telltales_needed:
        return None
    return table, _columns(table, names, found)


def _declared_as(names: Collection[str], table: Table) -> dict[str, Column]:
    """The columns of a table by the headers they have in a file; an alias counts where the header is not there."""
    declared = {_plain(column.header): column for column in table.written}
    for column in table.written:
        aliases = [_plain(alias) for alias in column.aliases if _plain(alias) in names]
        if aliases and _plain(column.header) not in names:
            declared.setdefault(aliases[0], column)
    return declared


def _declared(match: tuple[Table, tuple[Column, ...]]) -> tuple[int, int]:
    """How well a table fits: most of its columns there, fewest missing."""
    table, columns = match
    there = len(set(columns) & set(table.written))
    return there, there - len(table.written)


def _fields(line: bytes, table: Table) -> list[str] | None:
    # A lone CR belongs to no header (old Mac files are one line of them), and PostgreSQL takes no NUL.
    if b"\r" in line or b"\0" in line:
        return None
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return None
    delimiter = table.dialect.delimiter.decode()
    if table.dialect.quote is None:
        return text.split(delimiter)
    return next(csv.reader([text], delimiter=delimiter), [])


def _plain(name: str) -> str:
    """A column's name without what people change in it: case, underscores, spaces."""
    return re.sub(r"[\s_]", "", name).casefold()


def _columns(table: Table, names: Sequence[str], found: Sequence[Column | None]) -> tuple[Column, ...]:
    # The table has its declared columns even where the file does not.
    taken = {column.name for column in table.columns} | _SYSTEM_COLUMNS
    columns: list[Column] = []
    for position, (name, column) in enumerate(zip(names, found, strict=True), start=1):
        known = column or unknown_column(name, _free(snake_case(name) or f"column_{position}", taken))
        taken.add(known.name)
        columns.append(known)
    return tuple(columns)


def unknown_column(header: str, name: str) -> Column:
    """A column that no declaration knows: kept as text."""
    return Column(header, name, ColumnType.TEXT)


def _free(name: str, taken: Iterable[str]) -> str:
    taken = set(taken)
    candidate, number = name, 2
    while candidate in taken:
        suffix = f"_{number}"
        candidate, number = _short(name, _IDENTIFIER_BYTES - len(suffix)) + suffix, number + 1
    return candidate


def snake_case(name: str) -> str:
    """`imdbId` → `imdb_id`; at most PostgreSQL's 63 bytes."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())
    return _short(re.sub(r"\W+", "_", words).strip("_").lower(), _IDENTIFIER_BYTES)


def _short(name: str, limit: int) -> str:
    return name.encode()[:limit].decode(errors="ignore")


def shown(line: bytes) -> str:
    """A header line as it can be printed: readable, no line end, not endless."""
    text = line.rstrip(b"\r\n").decode("utf-8", errors="replace")
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text if len(text) <= 200 else f"{text[:200]}…"


def _unknown(name: str, line: bytes, tables: Sequence[Table]) -> str:
    known = known_headers(tables)
    return f"{name} begins with the header {shown(line)!r}, which is none of those known{_hint(line, tables)}: {known}."


def header(table: Table) -> str:
    """The header line of a table's file as its publisher writes it."""
    return table.dialect.delimiter.decode().join(column.header for column in table.written)


def known_headers(tables: Iterable[Table]) -> str:
    """Every header that is recognised, in a form to read."""
    return "; ".join(f"{table.full_name} ({shown(header(table).encode())})" for table in tables)


def _hint(line: bytes, tables: Sequence[Table]) -> str:
    if line.startswith(_UTF16):
        return " (the file is UTF-16; save it as UTF-8)"
    first = re.split(rb"[,;\t:|]", line, maxsplit=1)[0]
    if first.strip(b' "').isdigit():
        return " (the header line is missing: that is a record)"
    return _delimiter_hint(line, tables) or _missing_hint(line, tables)


def _delimiter_hint(line: bytes, tables: Sequence[Table]) -> str:
    for delimiter, name in _DELIMITERS.items():
        for table in tables:
            wanted = table.dialect.delimiter
            if delimiter in line and _match(table, line.replace(delimiter, wanted)):
                return f" (its fields are separated by {name}; save it with {_DELIMITERS[wanted]})"
    return ""


def _missing_hint(line: bytes, tables: Sequence[Table]) -> str:
    """Name what is missing when a file has more of a table's columns than it lacks."""
    near: list[tuple[int, int, str]] = []
    for table in tables:
        names = {_plain(field) for field in _fields(line, table) or ()}
        there = _declared_as(names, table)
        present = {column.name for name, column in there.items() if name in names}
        lacking = [column.header for column in table.required if column.name not in present]
        if len(present) > len(lacking) > 0:
            near.append((len(lacking), -len(present), f" (for {table.full_name} it lacks {', '.join(lacking)})"))
    return min(near, key=lambda one: one[:2])[2] if near else ""
