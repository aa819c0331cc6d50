"""The ledger: a chunk's row is finished in the transaction that brings its rows, so both are there or neither.

`attempt` is the fence. Who claims a chunk gets a number; only that number can finish it. A worker that wakes up late
updates no row, and its rows are rolled back with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from reelbase.database.connect import Connection
from reelbase.database.statements import statements
from reelbase.errors import Fenced

# A chunk's own errors count to three; a lost worker does not count (its own bound is ten).
ERRORS_BOUND = 3
LOST_BOUND = 10

_SQL = statements("reelbase.loading", "ledger.sql")


@dataclass(frozen=True, slots=True)
class Run:
    """One attempt at an import by one worker: what every write of it is fenced by."""

    import_id: int
    attempt: int
    worker_id: UUID


@dataclass(frozen=True, slots=True)
class Claim:
    """A chunk that is ours until somebody claims it anew."""

    chunk_id: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Recorded:
    """A chunk as the ledger knows it, from an earlier attempt."""

    chunk_id: int
    first_byte: int
    bytes: int
    source_bytes: int
    first_line: int
    last_line: int
    state: str


@dataclass(frozen=True, slots=True)
class Counts:
    """A file's records: `rejected` holds the duplicates too.

    `source_bytes` is what its finished chunks take on disk, `unfinished` the number of the others; `is_gapless` tells
    whether the chunks lie one behind the other, from the first record to the end of the file where that is known.
    """

    loaded: int
    rejected: int
    duplicate: int
    source_bytes: int
    unfinished: int
    is_gapless: bool

    @property
    def read(self) -> int:
        return self.loaded + self.rejected


def cut(
    connection: Connection,
    run: Run,
    file_id: int,
    *,
    first_byte: int,
    size: int,
    source_bytes: int,
    first_line: int,
    lines: int,
) -> Claim:
    """Record a chunk that was just cut, claimed by us; raises Fenced."""
    row = connection.execute(
        _SQL["cut"],
        {
            "import_id": run.import_id,
            "import_attempt": run.attempt,
            "worker_id": run.worker_id,
            "file_id": file_id,
            "first_byte": first_byte,
            "bytes": size,
            "source_bytes": source_bytes,
            "first_line": first_line,
            "last_line": first_line + max(lines - 1, 0),
        },
    ).fetchone()
    if row is None:
        raise _fenced(run)
    return Claim(*row)


def claim(connection: Connection, run: Run, chunk_id: int) -> Claim:
    """Claim a chunk that an earlier attempt left behind; raises Fenced."""
    row = connection.execute(
        _SQL["claim"], {"chunk_id": chunk_id, "import_attempt": run.attempt, "worker_id": run.worker_id}
    ).fetchone()
    if row is None:
        raise _fenced(run)
    return Claim(*row)


def finish(connection: Connection, run: Run, claim: Claim, *, loaded: int, rejected: int, blank: int) -> None:
    """Finish a chunk inside the transaction of its rows; raises Fenced, and the caller's transaction rolls back."""
    row = connection.execute(
        _SQL["finish"],
        {
            "chunk_id": claim.chunk_id,
            "attempt": claim.attempt,
            "loaded": loaded,
            "rejected": rejected,
            "blank": blank,
        },
    ).fetchone()
    if row is None:
        raise _fenced(run)


def fail(connection: Connection, run: Run, claim: Claim, error: str) -> bool:
    """Count a chunk's own error; returns whether it may be tried again. Raises Fenced."""
    row = connection.execute(
        _SQL["fail"],
        {"chunk_id": claim.chunk_id, "attempt": claim.attempt, "error": error, "bound": ERRORS_BOUND},
    ).fetchone()
    if row is None:
        raise _fenced(run)
    return bool(row[0] == "queued")


def recorded(connection: Connection, file_id: int) -> list[Recorded]:
    """What the ledger knows of a file, in the file's order."""
    return [Recorded(*row) for row in connection.execute(_SQL["recorded"], {"file_id": file_id})]


def mark_started(connection: Connection, file_id: int) -> None:
    """Note when the first chunk of a file was taken."""
    connection.execute(_SQL["mark_started"], {"file_id": file_id})


def mark_cut(connection: Connection, file_id: int, size: int) -> None:
    """Note that every byte of a file is in a chunk, and how many there are."""
    connection.execute(_SQL["mark_cut"], {"file_id": file_id, "bytes": size})


def mark_finished(connection: Connection, file_id: int) -> None:
    """Note when the last chunk of a file was loaded."""
    connection.execute(_SQL["mark_finished"], {"file_id": file_id})


def counts(connection: Connection, file_id: int) -> Counts:
    """A file's records so far."""
    row = connection.execute(_SQL["counts"], {"file_id": file_id}).fetchone()
    assert row is not None  # noqa: S101  # an aggregate always has a row
    return Counts(*row)


def _fenced(run: Run) -> Fenced:
    return Fenced(f"Import {run.import_id} is no longer run by this worker.")
