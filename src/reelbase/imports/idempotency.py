"""A request that may be sent twice: its key is written down in the transaction that makes the import.

While a request is at work it holds a lock of its session on the key, which goes with the session, however that ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from reelbase.database.connect import Connection
from reelbase.database.statements import statements
from reelbase.errors import KeyInUse, KeyOfAnother

_SQL = statements("reelbase.imports", "idempotency.sql")


@dataclass(frozen=True, slots=True)
class Kept:
    """What a key has led to: the import, and the answer as it was, unless its writer died before that was kept."""

    import_id: int
    answer: bytes | None


@contextmanager
def holding(connection: Connection, key: str) -> Iterator[None]:
    """Have a key for oneself; raises KeyInUse where another request with it is still at work."""
    row = connection.execute(_SQL["hold"], {"key": key}).fetchone()
    if not (row and row[0]):
        raise KeyInUse("A request with this Idempotency-Key is still at work.", "Send it again in a moment.")
    try:
        yield
    finally:
        if not connection.closed:
            connection.execute(_SQL["release"], {"key": key})


def kept(connection: Connection, key: str, request: bytes) -> Kept | None:
    """What the key has led to in the last day; raises KeyOfAnother when it came with another request."""
    connection.execute(_SQL["forget_old"])
    row = connection.execute(_SQL["kept"], {"key": key}).fetchone()
    if row is None:
        return None
    if bytes(row[0]) != request:
        raise KeyOfAnother("This Idempotency-Key came with another request.", "A new request needs a new key.")
    return Kept(row[1], None if row[2] is None else bytes(row[2]))


def make(connection: Connection, key: str, request: bytes, create: Callable[[Connection], int]) -> int:
    """Make an import and write the key down with it: both are there, or neither."""
    with connection.transaction():
        import_id = create(connection)
        connection.execute(_SQL["write_down"], {"key": key, "request": request, "import_id": import_id})
    return import_id


def keep_answer(connection: Connection, key: str, answer: bytes) -> None:
    """Keep what was answered, for whoever asks again."""
    connection.execute(_SQL["keep_answer"], {"key": key, "answer": answer})
