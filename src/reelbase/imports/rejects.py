"""The bad records of an import, for those who want to see or mend them: pages, CSV, or byte for byte."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

from reelbase.database.connect import Connection, DictConnection, connect
from reelbase.database.statements import statements
from reelbase.database.stream import Blocks, Stream
from reelbase.errors import UnknownImport

_SQL = statements("reelbase.imports", "rejects.sql")

HEADER = ("file", "line", "byte_offset", "column", "reason", "record")
_BLOCK = 1 << 16


def check_known(connection: Connection, import_id: int) -> None:
    """Raise UnknownImport where there is no import of that number."""
    row = connection.execute(_SQL["known"], {"import_id": import_id}).fetchone()
    if not (row and row[0]):
        raise UnknownImport(f"There is no import {import_id}.", "`reelbase imports` lists them.")


def rejects(
    connection: Connection, import_id: int, *, reason: str | None = None, file: str | None = None
) -> Iterator[tuple[Any, ...]]:
    """The rejects of an import, file after file: file, line, byte_offset, column, reason, record, record_bytes."""
    with connection.transaction(), connection.cursor(name="rejects") as cursor:
        cursor.execute(_SQL["all"], {"import_id": import_id, "reason": reason, "file": file})
        yield from cursor


def page(
    connection: DictConnection,
    import_id: int,
    *,
    reason: str | None = None,
    file: str | None = None,
    after: tuple[int, int] = (0, -1),
    limit: int = 100,
) -> list[tuple[tuple[int, int], dict[str, Any]]]:
    """Rejects in the same order, each with its place; `after` leaves out those up to that place."""
    parameters = {"import_id": import_id, "reason": reason, "file": file, "limit": limit}
    parameters |= {"after_file": after[0], "after_byte": after[1]}
    rows = connection.execute(_SQL["page"], parameters).fetchall()
    return [((row.pop("file_id"), row["byte_offset"]), {**row, "record": as_text(row["record"])}) for row in rows]


def count(
    connection: psycopg.Connection[Any], import_id: int, *, reason: str | None = None, file: str | None = None
) -> int:
    """How many rejects of an import there are."""
    parameters = {"import_id": import_id, "reason": reason, "file": file}
    row = connection.execute(_SQL["count"], parameters).fetchone()
    if row is None:
        return 0
    return int(row["found"] if isinstance(row, dict) else row[0])


def as_text(record: bytes) -> str:
    r"""A record as text: bytes that are not UTF-8 as \xNN."""
    return bytes(record).decode("utf-8", errors="backslashreplace")


def as_csv(rows: Iterable[tuple[Any, ...]]) -> Blocks:
    """What `rejects` gives, as CSV with its header, in blocks."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    for row in rows:
        writer.writerow((*row[:5], as_text(row[5])))
        if text.tell() >= _BLOCK:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def csv_stream(url: str, import_id: int, *, reason: str | None = None, file: str | None = None) -> Stream[Connection]:
    """The same on a connection of its own; raises UnknownImport before the first block."""

    def make(connection: Connection) -> Blocks:
        check_known(connection, import_id)
        yield from as_csv(rejects(connection, import_id, reason=reason, file=file))

    return Stream(lambda: connect(url, "reelbase export"), make)


@dataclass(frozen=True, slots=True)
class RawRejects:
    """The bad records of one file byte for byte, below its header line: a file that can be mended and imported.

    A file without header line has none here either.
    """

    connection: Connection
    file_id: int
    name: str
    header: bytes
    left_out: frozenset[str]

    def lines(self) -> Iterator[bytes]:
        """Header and records with the line ends of the file. Records that were too long to keep are not there."""
        line_end = b"\r\n" if self.header.endswith(b"\r\n") else b"\n"
        if self.header:
            yield self.header.rstrip(b"\r\n") + line_end
        with self.connection.transaction(), self.connection.cursor(name="raw") as cursor:
            cursor.execute(_SQL["raw_records"], {"file_id": self.file_id, "left_out": list(self.left_out)})
            for (record,) in cursor:
                yield record + line_end


def raw_rejects(connection: Connection, import_id: int, left_out: frozenset[str]) -> list[RawRejects]:
    """The files of an import that have rejects, without those for the reasons `left_out`."""
    rows = connection.execute(_SQL["raw_headers"], {"import_id": import_id, "left_out": list(left_out)}).fetchall()
    return [RawRejects(connection, file_id, name, header, left_out) for file_id, name, header in rows]
