"""One chunk into its staging table: the fast path, and the slow one where PostgreSQL refuses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psycopg import sql

from reelbase.database.connect import Connection
from reelbase.datasets import Column, Table
from reelbase.errors import CountMismatch
from reelbase.loading import ledger
from reelbase.loading.convert import Converter
from reelbase.loading.copy import REFUSED, copy
from reelbase.loading.heap import Sifted
from reelbase.loading.ledger import Claim, Run
from reelbase.loading.refused import without_refused
from reelbase.loading.rejects import Reason, Reject
from reelbase.loading.sift import Sift
from reelbase.reading.chunks import Chunk
from reelbase.reading.records import Grammar

_REJECTS = sql.SQL(
    "copy reelbase.rejects (import_id, file_id, chunk_id, line, byte_offset, column_name, reason, record, record_bytes)"
    " from stdin"
)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a file's chunks go: its row in the ledger, its table, and how its bytes are copied and sifted."""

    file_id: int
    name: str
    table: Table
    copy: sql.Composed
    sift: Sift | Converter

    @property
    def grammar(self) -> Grammar:
        """What a record of the file is."""
        return self.sift.grammar

    @property
    def columns(self) -> tuple[Column, ...]:
        """What the file brings: its columns, and those that are derived from them."""
        return self.sift.columns


@dataclass(frozen=True, slots=True)
class Loaded:
    """What became of a chunk's records."""

    loaded: int
    rejected: int
    blank: int


def load(connection: Connection, run: Run, target: Target, claim: Claim, chunk: Chunk) -> Loaded:
    """Load one chunk; its rows, its rejects and its row of the ledger are one transaction.

    Raises Fenced when the claim is lost, CountMismatch when PostgreSQL made another number of rows than was read.
    """
    if chunk.too_long is not None:
        return _reject_too_long(connection, run, target, claim, chunk)
    ready = target.sift.ready(chunk.data)
    if ready is not None:
        try:
            return _load_ready(connection, run, target, claim, chunk, ready)
        except REFUSED:
            pass  # the sift finds out why
    return _load_sifted(connection, run, target, claim, chunk)


def _load_ready(connection: Connection, run: Run, target: Target, claim: Claim, chunk: Chunk, ready: bytes) -> Loaded:
    with connection.transaction():
        rows = copy(connection, target.copy, [ready])
        if rows != chunk.records:
            raise _mismatch(target, chunk, rows, chunk.records)
        ledger.finish(connection, run, claim, loaded=rows, rejected=0, blank=0)
    return Loaded(rows, 0, 0)


def _load_sifted(connection: Connection, run: Run, target: Target, claim: Claim, chunk: Chunk) -> Loaded:
    sifted = target.sift.sift(chunk.data, chunk.first_line, chunk.first_byte)
    found = sifted.loaded + len(sifted.rejects) + sifted.blanks
    if found != chunk.records:
        raise _mismatch(target, chunk, found, chunk.records)
    try:
        return _load_good(connection, run, target, claim, chunk, sifted)
    except REFUSED:
        # The declaration has no objection, PostgreSQL has: find its records one by one.
        sifted = without_refused(connection, target.copy, target.sift, chunk, sifted)
        return _load_good(connection, run, target, claim, chunk, sifted)


def _load_good(connection: Connection, run: Run, target: Target, claim: Claim, chunk: Chunk, sifted: Sifted) -> Loaded:
    with connection.transaction():
        rows = copy(connection, target.copy, sifted.good) if sifted.loaded else 0
        if rows != sifted.loaded:
            raise _mismatch(target, chunk, rows, sifted.loaded)
        keep(connection, run.import_id, target.file_id, claim.chunk_id, sifted.rejects)
        result = Loaded(rows, len(sifted.rejects), sifted.blanks)
        ledger.finish(connection, run, claim, loaded=result.loaded, rejected=result.rejected, blank=result.blank)
    return result


def _reject_too_long(connection: Connection, run: Run, target: Target, claim: Claim, chunk: Chunk) -> Loaded:
    assert chunk.too_long is not None  # noqa: S101  # the caller asked
    reject = Reject(
        line=chunk.first_line,
        byte_offset=chunk.first_byte,
        column=None,
        reason=Reason.RECORD_TOO_LONG,
        record=chunk.too_long.head,
        length=chunk.too_long.length,
    )
    with connection.transaction():
        keep(connection, run.import_id, target.file_id, claim.chunk_id, [reject])
        ledger.finish(connection, run, claim, loaded=0, rejected=1, blank=0)
    return Loaded(0, 1, 0)


def keep(connection: Connection, import_id: int, file_id: int, chunk_id: int, rejects: Iterable[Reject]) -> None:
    """Keep the rejects of a chunk."""
    rejects = list(rejects)
    if not rejects:
        return
    with connection.cursor() as cursor, cursor.copy(_REJECTS) as sink:
        for reject in rejects:
            sink.write_row(_row(import_id, file_id, chunk_id, reject))


def _row(import_id: int, file_id: int, chunk_id: int, reject: Reject) -> Sequence[object]:
    return (
        import_id,
        file_id,
        chunk_id,
        reject.line,
        reject.byte_offset,
        reject.column,
        reject.reason.value,
        reject.record,
        reject.length,
    )


def _mismatch(target: Target, chunk: Chunk, rows: int, expected: int) -> CountMismatch:
    return CountMismatch(f"{target.name} from line {chunk.first_line}: {expected} records were read, {rows} arrived.")
