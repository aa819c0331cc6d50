"""Records that the declaration has no objection to, but PostgreSQL has: found by halving.

Rare by construction (the sift knows what PostgreSQL refuses), so it is made to be right, not quick: each bad record
costs about twice the logarithm of the chunk's records in attempts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import psycopg
from psycopg import errors, sql

from reelbase.database.connect import Connection
from reelbase.loading.convert import Converter
from reelbase.loading.copy import REFUSED, copy
from reelbase.loading.heap import Sifted
from reelbase.loading.positions import Position, good_positions
from reelbase.loading.rejects import Reason, Reject
from reelbase.loading.sift import Sift
from reelbase.reading.chunks import Chunk
from reelbase.reading.records import Grammar


def without_refused(
    connection: Connection, statement: sql.Composed, sift: Sift | Converter, chunk: Chunk, sifted: Sifted
) -> Sifted:
    """The same sifted chunk with the records that PostgreSQL refuses among the rejects. Leaves no row behind."""
    good = list(_records(sift.output, b"".join(sifted.good)))
    refused = dict(_search(connection, statement, good, 0))
    rejected = {reject.byte_offset for reject in sifted.rejects}
    rejects = [
        _reject(position, refused[index])
        for index, position in enumerate(good_positions(sift.grammar, chunk, rejected))
        if index in refused
    ]
    return Sifted(
        good=[record for index, record in enumerate(good) if index not in refused],
        loaded=len(good) - len(refused),
        rejects=sorted([*sifted.rejects, *rejects], key=lambda reject: reject.byte_offset),
        blanks=sifted.blanks,
    )


def _records(grammar: Grammar, data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data) and (record := grammar.record(data, at)):
        yield data[at : record.end]
        at = record.end


def _search(
    connection: Connection, statement: sql.Composed, records: Sequence[bytes], first: int
) -> Iterator[tuple[int, psycopg.Error]]:
    """The refused ones among these records, with what PostgreSQL said of each; `first` is the number of the first."""
    error = _attempt(connection, statement, records)
    if error is None:
        return
    if len(records) == 1:
        yield first, error
        return
    half = len(records) // 2
    yield from _search(connection, statement, records[:half], first)
    yield from _search(connection, statement, records[half:], first + half)


def _attempt(connection: Connection, statement: sql.Composed, records: Sequence[bytes]) -> psycopg.Error | None:
    """What PostgreSQL has against these records as a whole; they are rolled back in either case."""
    try:
        with connection.transaction(force_rollback=True):
            copy(connection, statement, [b"".join(records)])
    except REFUSED as error:
        return error
    return None


def _reject(position: Position, error: psycopg.Error) -> Reject:
    is_limit = isinstance(error, errors.CheckViolation)  # of a column, and called like it: see loading.staging
    return Reject(
        line=position.line,
        byte_offset=position.byte_offset,
        column=error.diag.column_name or (error.diag.constraint_name if is_limit else None),
        reason=Reason.OUT_OF_RANGE if is_limit else Reason.REFUSED,
        record=position.record,
        length=len(position.record),
    )
