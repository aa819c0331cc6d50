"""What one import reads and where it goes: its files, the tables they make, and the streams they come in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from psycopg import sql

from reelbase.database.connect import Connection
from reelbase.datasets import Column, Table
from reelbase.imports import store
from reelbase.imports.board import OpenFeed
from reelbase.imports.store import StoredFile
from reelbase.loading import ledger, staging
from reelbase.loading.convert import sieve
from reelbase.loading.copy import statement
from reelbase.loading.duplicates import Again
from reelbase.loading.load import Target
from reelbase.reading import unpack
from reelbase.reading.feed import Extent, Feed, FeedFile, Piece


@dataclass(frozen=True, slots=True)
class Plan:
    """One import's files by their number in the database, and its staged tables with their columns by name."""

    import_id: int
    dataset: str
    schema: str
    chunk_bytes: int
    files: Mapping[int, StoredFile]
    targets: Mapping[int, Target]
    tables: Mapping[str, tuple[Table, tuple[Column, ...]]]
    check: Callable[[], None]
    """Raises what somebody wants the run to end with."""

    def files_of(self, table: str) -> list[StoredFile]:
        """The files that make a table, in the order in which they were given."""
        return [file for file in self.files.values() if file.table.name == table]

    def targets_of(self, table: str) -> list[Target]:
        """The same as where their chunks go."""
        return [self.targets[file.id] for file in self.files_of(table)]

    def relation(self, table: str) -> sql.Identifier:
        """The staged table."""
        return sql.Identifier(self.schema, table)

    def weight(self, table: str) -> float:
        """How large a table is, by the bytes of its files on disk."""
        return float(sum(file.source_bytes for file in self.files_of(table)))

    def feeds(self, connection: Connection) -> list[OpenFeed]:
        """The streams of the import, each from where an earlier attempt has left it."""
        extents = {file.id: _extents(connection, file) for file in self.files.values()}
        return [
            OpenFeed(self._feed(files, extents), sum(file.source_bytes for file in files))
            for files in _streams(self.files.values())
        ]

    def reader(self, connection: Connection) -> Callable[[int], Again]:
        """What reads a chunk of the ledger once more, given its number."""

        def read(chunk_id: int) -> Again:
            row = connection.execute(store.SQL["file_of_chunk"], {"chunk_id": chunk_id}).fetchone()
            assert row is not None  # noqa: S101  # the ledger named it
            file_id, first_byte, size, first_line, last_line, source_bytes = row
            file = self.files[file_id]
            before = Extent(0, file.first_byte, first_byte - file.first_byte, 0, first_line, 0, wanted=False)
            wanted = Extent(chunk_id, first_byte, size, first_line, last_line + 1, source_bytes, wanted=True)
            feed = self._feed([file], {file_id: [before, wanted]}, cut=True)
            try:
                part = feed.next()
            finally:
                feed.close()
            assert isinstance(part, Piece)  # noqa: S101  # the extent is wanted
            return Again(self.targets[file_id], part.chunk)

        return read

    def _feed(self, files: Sequence[StoredFile], extents: Mapping[int, list[Extent]], *, cut: bool = False) -> Feed:
        parts = [
            FeedFile(
                key=file.id,
                member=file.member,
                grammar=self.targets[file.id].grammar,
                first_byte=file.first_byte,
                first_line=file.first_line,
                extents=extents[file.id],
                cut=cut or file.cut,
            )
            for file in files
        ]
        return Feed(files[0].path, files[0].container, parts, self.chunk_bytes, self.check)


def plan(connection: Connection, job: store.Job, check: Callable[[], None]) -> Plan:
    """The plan of an import as it was asked for; `check` raises what somebody wants the run to end with."""
    schema = staging.schema_name(job.dataset, job.id)
    found = store.files(connection, job)
    tables = [effective(table, [file for file in found if file.table == table]) for table in _tables(found)]
    files = [_as_in(tables, file) for file in found]
    targets = {file.id: _target(schema, file) for file in files}
    return Plan(
        import_id=job.id,
        dataset=job.dataset,
        schema=schema,
        chunk_bytes=job.chunk_bytes,
        files={file.id: file for file in files},
        targets=targets,
        tables={
            table.name: (
                table,
                staging.table_columns(table, [targets[file.id].columns for file in files if file.table == table]),
            )
            for table in tables
        },
        check=check,
    )


def _tables(files: Iterable[StoredFile]) -> list[Table]:
    return list(dict.fromkeys(file.table for file in files))


def effective(table: Table, files: Sequence[StoredFile]) -> Table:
    """The table that these files make: where one of them lacks a column of the key, it has none.

    Where there is a key, every record must have it.
    """
    in_every_file = set.intersection(*({column.name for column in file.columns} for file in files))
    key = table.key if in_every_file.issuperset(table.key) else ()
    columns = (replace(column, nullable=column.nullable and column.name not in key) for column in table.columns)
    return replace(table, key=key, columns=tuple(columns))


def _as_in(tables: Sequence[Table], file: StoredFile) -> StoredFile:
    """The file as one of those tables'."""
    table = next(table for table in tables if table.name == file.table.name)
    nullable = {column.name: column.nullable for column in table.columns}
    columns = (replace(column, nullable=nullable.get(column.name, True)) for column in file.columns)
    return replace(file, table=table, columns=tuple(columns))


def _target(schema: str, file: StoredFile) -> Target:
    sift = sieve(file.table, file.columns, file.layout.dialect)
    copy = statement(schema, file.table.name, sift.columns, sift.dialect)
    return Target(file_id=file.id, name=file.name, table=file.table, copy=copy, sift=sift)


def _streams(files: Iterable[StoredFile]) -> list[list[StoredFile]]:
    """What can only be read from front to back belongs together: all files of a tar."""
    groups: dict[tuple[Path, str | None], list[StoredFile]] = {}
    for file in files:
        groups.setdefault((file.path, None if file.container == unpack.TAR else file.member), []).append(file)
    return list(groups.values())


def _extents(connection: Connection, file: StoredFile) -> list[Extent]:
    """What the ledger knows of a file."""
    return [
        Extent(
            chunk.chunk_id,
            chunk.first_byte,
            chunk.bytes,
            chunk.first_line,
            chunk.last_line + 1,
            chunk.source_bytes,
            wanted=chunk.state != "done",
        )
        for chunk in ledger.recorded(connection, file.id)
    ]
