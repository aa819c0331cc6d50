"""Imports as rows. Every change of a running import is fenced by its attempt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg.types.json import Jsonb

from reelbase.database.connect import Connection
from reelbase.database.statements import statements
from reelbase.datasets import DATASETS, Column, Dataset, Layout, Table
from reelbase.errors import Cancelled, Fenced, ReelbaseError, UnknownImport
from reelbase.imports.sources import Source
from reelbase.loading.ledger import Run
from reelbase.reading.recognise import unknown_column
from reelbase.reading.survey import Survey

SQL = statements("reelbase.imports", "store.sql")


@dataclass(frozen=True, slots=True)
class Job:
    """An import as whoever runs it needs it; `dataset` is empty while it is not known yet: nothing is staged then."""

    id: int
    kind: str
    dataset: str
    state: str
    mode: str
    max_rejects: str
    chunk_bytes: int
    attempt: int
    cancel_asked: bool
    has_staging: bool


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of an import: where it is, what it is, and whether it has been cut to its end."""

    id: int
    name: str
    path: Path
    container: str
    member: str | None
    fingerprint: str
    source_bytes: int
    table: Table
    layout: Layout
    columns: tuple[Column, ...]
    first_byte: int
    first_line: int
    cut: bool


def create(
    connection: Connection,
    *,
    dataset: str | None,
    kind: str = "import",
    mode: str = "replace",
    max_rejects: str = "1%",
    chunk_bytes: int,
    words: Sequence[str] = (),
) -> int:
    """Write down a new import; returns its id."""
    row = connection.execute(
        SQL["create"],
        {
            "kind": kind,
            "dataset": dataset,
            "mode": mode,
            "max_rejects": max_rejects,
            "chunk_bytes": chunk_bytes,
            "sources": Jsonb(list(words)),
        },
    ).fetchone()
    assert row is not None  # noqa: S101  # insert … returning
    return int(row[0])


def add_sources(connection: Connection, import_id: int, sources: Sequence[Source]) -> None:
    """Write down where an import's files come from."""
    for position, source in enumerate(sources):
        connection.execute(
            SQL["add_source"],
            {
                "import_id": import_id,
                "position": position,
                "kind": source.kind,
                "name": source.name,
                "location": source.location,
                "is_local": source.is_local,
                "published": source.published,
                "has_md5": source.has_md5,
            },
        )


def add_files(connection: Connection, import_id: int, survey: Survey) -> None:
    """Write down the files of an import, and what is passed over."""
    connection.execute(SQL["set_skipped"], {"import_id": import_id, "skipped": Jsonb(list(survey.skipped))})
    for position, file in enumerate(survey.files):
        connection.execute(
            SQL["add_file"],
            {
                "import_id": import_id,
                "position": position,
                "name": file.name,
                "path": str(file.path),
                "container": file.container,
                "member": file.member,
                "fingerprint": file.fingerprint,
                "source_bytes": file.source_bytes,
                "bytes": file.unpacked_bytes,
                "table_name": file.table.name,
                "layout": file.layout.name,
                "header": file.header,
                "raw_header": file.raw_header,
                "columns": Jsonb([[column.header, column.name] for column in file.columns]),
                "first_byte": file.first_byte,
                "first_line": file.first_line,
            },
        )


def job(connection: Connection, import_id: int) -> Job:
    """The import of that number; raises UnknownImport."""
    row = connection.execute(SQL["job"], {"import_id": import_id}).fetchone()
    if row is None:
        raise UnknownImport(f"There is no import {import_id}.", "`reelbase imports` lists them.")
    return Job(*row)


def dataset_of(name: str) -> Dataset:
    """The declaration of a dataset; raises UnknownImport."""
    for dataset in DATASETS:
        if dataset.name == name:
            return dataset
    known = ", ".join(dataset.name for dataset in DATASETS)
    raise UnknownImport(f"There is no dataset {name!r}.", f"Known are: {known}.")


def files(connection: Connection, found: Job) -> list[StoredFile]:
    """The files of an import, in the order in which they were given."""
    dataset = dataset_of(found.dataset)
    return [
        StoredFile(
            id=file_id,
            name=name,
            path=Path(path),
            container=container,
            member=member,
            fingerprint=fingerprint,
            source_bytes=source_bytes,
            table=dataset.table(table_name),
            layout=dataset.table(table_name).layout(layout),
            columns=_columns(dataset.table(table_name), layout, columns),
            first_byte=first_byte,
            first_line=first_line,
            cut=cut,
        )
        for (
            file_id, name, path, container, member, fingerprint, source_bytes, table_name, layout,
            columns, first_byte, first_line, cut,
        ) in connection.execute(SQL["files"], {"import_id": found.id})
    ]  # fmt: skip


def _columns(table: Table, layout: str, stored: list[list[str]]) -> tuple[Column, ...]:
    declared = table.columns_in(table.layout(layout))
    return tuple(declared.get(name) or unknown_column(header, name) for header, name in stored)


def forget_unless_staged(connection: Connection, run: Run, schema: str) -> None:
    """When the staging of an earlier attempt is gone, forget its ledger too: begin at the beginning."""
    row = connection.execute(SQL["has_schema"], {"schema": schema}).fetchone()
    if not (row and row[0]):
        with connection.transaction():
            forget_progress(connection, run.import_id)
            fence(connection, run)


def forget_progress(connection: Connection, import_id: int) -> None:
    """Forget everything that attempts have achieved."""
    for step in ("forget_ledger", "forget_merges", "forget_rejects", "reset_files"):
        connection.execute(SQL[step], {"import_id": import_id})


def start(connection: Connection, import_id: int, worker_id: object) -> int | None:
    """Make a queued import this worker's; returns its attempt, None when it is not queued any more."""
    row = connection.execute(SQL["start"], {"import_id": import_id, "worker_id": worker_id}).fetchone()
    return int(row[0]) if row else None


def advance(connection: Connection, run: Run, state: str) -> None:
    """Go on to the next state; raises Cancelled or Fenced when the import is no longer ours."""
    row = connection.execute(
        SQL["advance"], {"import_id": run.import_id, "attempt": run.attempt, "state": state}
    ).fetchone()
    if row is None:
        raise lost(connection, run)


def check(connection: Connection, run: Run) -> None:
    """Raise Cancelled or Fenced when the import is no longer ours; holds nothing up."""
    row = connection.execute(SQL["check"], {"import_id": run.import_id, "attempt": run.attempt}).fetchone()
    if row is None:
        raise lost(connection, run)


def fence(connection: Connection, run: Run) -> None:
    """Hold the import to the end of the transaction; raises Cancelled or Fenced when it is no longer ours.

    The last statement of a transaction: whoever takes the import over waits for it.
    """
    row = connection.execute(SQL["fence"], {"import_id": run.import_id, "attempt": run.attempt}).fetchone()
    if row is None:
        raise lost(connection, run)


def lost(connection: Connection, run: Run) -> Cancelled | Fenced:
    """Why an import is no longer ours."""
    found = job(connection, run.import_id)
    if found.cancel_asked and found.attempt == run.attempt:
        return Cancelled(f"Import {run.import_id} was cancelled.")
    return Fenced(f"Import {run.import_id} is no longer run by this worker.")


def end(connection: Connection, run: Run, state: str, error: ReelbaseError) -> bool:
    """Write the final state of a run that did not complete, and free its chunks; false when it is no longer ours.

    Who cancels an import knows why it has ended: that is no error.
    """
    code, detail = (None, None) if state == "cancelled" else (error.code, str(error))
    with connection.transaction():
        row = connection.execute(
            SQL["end"],
            {"import_id": run.import_id, "attempt": run.attempt, "state": state, "code": code, "detail": detail},
        ).fetchone()
        if row is not None:
            connection.execute(SQL["free_chunks"], {"import_id": run.import_id})
    return row is not None
