"""Records with the same key: the last one wins, in the order of the files; the others become rejects.

Rows do not know where in the file they came from, but each knows the transaction that brought it, and the ledger knows
the chunk of that transaction. So only chunks that hold such a key are read again, one at a time, in bounded memory; a
clean import pays nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from psycopg import sql

from reelbase.database.connect import Connection
from reelbase.database.statements import statements
from reelbase.errors import CountMismatch
from reelbase.loading.copy import REFUSED, copy, statement
from reelbase.loading.load import Target
from reelbase.loading.positions import good_positions
from reelbase.loading.refused import without_refused
from reelbase.reading.chunks import Chunk

_SQL = statements("reelbase.loading", "duplicates.sql")
_PLACES = sql.SQL("copy duplicate_places (rank, chunk_id, ordinal, line, byte_offset, record) from stdin")


@dataclass(frozen=True, slots=True)
class Again:
    """A chunk read once more, with where it went."""

    target: Target
    chunk: Chunk


def settle(
    connection: Connection,
    *,
    import_id: int,
    schema: str,
    targets: Sequence[Target],
    columns: Sequence[str],
    read: Callable[[int], Again],
) -> int:
    """Keep the last record of every key of one table and return the number of those that became rejects.

    `targets` are the table's files, `columns` the staged table's, `read` reads a chunk of the ledger again. Part of the
    caller's transaction: rows, rejects and ledger change together.
    """
    table = targets[0].table
    names = _Names(sql.Identifier(schema, table.name), table.key, columns)
    parameters = {"import_id": import_id, "table_name": table.name}
    for step in ("keys", "analyze_keys", "candidates", "places", "buffer", "number_buffer"):
        connection.execute(names.statement(step))
    chunks = connection.execute(names.statement("chunks"), parameters).fetchall()
    for rank, (chunk_id,) in enumerate(chunks):
        _collect(connection, names, rank, chunk_id, read(chunk_id))
    connection.execute(names.statement("winners"))
    deleted = connection.execute(names.statement("delete_rows")).rowcount
    kept = connection.execute(names.statement("insert_winners")).rowcount
    rejected = connection.execute(_SQL["reject_others"], {"column": table.key[0]}).rowcount
    if deleted != kept + rejected:
        raise CountMismatch(f"{table.full_name}: {deleted} rows share keys, but {kept + rejected} were found again.")
    connection.execute(_SQL["count_others"], parameters)
    return rejected


def any_left(connection: Connection, relation: sql.Identifier, key: Sequence[str]) -> bool:
    """Whether a table has a key more than once."""
    names = sql.SQL(", ").join(map(sql.Identifier, key))
    row = connection.execute(sql.SQL(_SQL["any"]).format(table=relation, key=names)).fetchone()
    return bool(row and row[0])


class _Names:
    """The statements with one table's names in them."""

    def __init__(self, relation: sql.Identifier, key: Sequence[str], columns: Sequence[str]) -> None:
        self._parts = {
            "table": relation,
            "key": sql.SQL(", ").join(map(sql.Identifier, key)),
            "columns": sql.SQL(", ").join(map(sql.Identifier, columns)),
            "same_key": sql.SQL(" and ").join(
                sql.SQL("t.{0} = d.{0}").format(sql.Identifier(column)) for column in key
            ),
        }

    def statement(self, name: str) -> sql.Composed:
        return sql.SQL(_SQL[name]).format(**self._parts)


def _collect(connection: Connection, names: _Names, rank: int, chunk_id: int, again: Again) -> None:
    """Find one chunk's records of those keys: which they are by a join, where they are by walking the chunk."""
    target, chunk = again.target, again.chunk
    rejected = _rejected(connection, chunk_id)
    into_buffer = statement("pg_temp", "duplicate_buffer", target.columns, target.sift.dialect)
    connection.execute(names.statement("empty_buffer"))
    _fill(connection, into_buffer, target, chunk)
    rows = connection.execute(names.statement("members"), {"rank": rank, "chunk_id": chunk_id}).fetchall()
    members = {ordinal for (ordinal,) in rows}
    with connection.cursor() as cursor, cursor.copy(_PLACES) as sink:
        for ordinal, place in enumerate(good_positions(target.grammar, chunk, rejected)):
            if ordinal in members:
                sink.write_row((rank, chunk_id, ordinal, place.line, place.byte_offset, place.record))


def _fill(connection: Connection, into_buffer: sql.Composed, target: Target, chunk: Chunk) -> None:
    """The same rows as the chunk brought when it was loaded."""
    sifted = target.sift.sift(chunk.data, chunk.first_line, chunk.first_byte)
    try:
        with connection.transaction():
            copy(connection, into_buffer, sifted.good)
    except REFUSED:
        sifted = without_refused(connection, into_buffer, target.sift, chunk, sifted)
        # Attempts that were rolled back have used numbers up.
        connection.execute("truncate pg_temp.duplicate_buffer restart identity")
        copy(connection, into_buffer, sifted.good)


def _rejected(connection: Connection, chunk_id: int) -> set[int]:
    rows = connection.execute("select byte_offset from reelbase.rejects where chunk_id = %s", (chunk_id,))
    return {offset for (offset,) in rows}
