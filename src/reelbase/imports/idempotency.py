"""A request that may be sent twice: its key is written down in the transaction that makes the import.

While a request is at work its session holds a lock on the key, which goes with the session, however that ends.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import psycopg

from reelbase.database.connect import Connection, connect
from reelbase.database.statements import statements
from reelbase.errors import KeyInUse, KeyOfAnother

_SQL = statements("reelbase.imports", "idempotency.sql")


@dataclass(frozen=True, slots=True)
class Kept:
    """What a key has led to: the import, and the answer as it was, unless its writer died before that was kept."""

    import_id: int
    answer: bytes | None


class Turn:
    """One request's turn to make an import, on a connection of its own; without a key it is nobody's but its own."""

    def __init__(self, url: str, key: str | None) -> None:
        """Raises KeyInUse where another request with this key is still at work."""
        self._key = key
        self._holds = False
        self.connection: Connection = connect(url, "reelbase api")
        if key is not None:
            row = self.connection.execute(_SQL["hold"], {"key": key}).fetchone()
            self._holds = bool(row and row[0])
            if not self._holds:
                self.close()
                raise KeyInUse("A request with this Idempotency-Key is still at work.", "Send it again in a moment.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let others have the key."""
        if self._holds:
            with contextlib.suppress(psycopg.Error):  # the session is gone, and the lock with it
                self.connection.execute(_SQL["release"], {"key": self._key})
        self.connection.close()

    def kept(self, request: bytes) -> Kept | None:
        """What the key has led to in the last day; raises KeyOfAnother when it came with another request."""
        if self._key is None:
            return None
        self.connection.execute(_SQL["forget_old"])
        row = self.connection.execute(_SQL["kept"], {"key": self._key}).fetchone()
        if row is None:
            return None
        if bytes(row[0]) != request:
            raise KeyOfAnother("This Idempotency-Key came with another request.", "A new request needs a new key.")
        return Kept(row[1], None if row[2] is None else bytes(row[2]))

    def make(self, request: bytes, create: Callable[[Connection], int]) -> int:
        """Make an import and write the key down with it: both are there, or neither."""
        if self._key is None:
            return create(self.connection)
        with self.connection.transaction():
            import_id = create(self.connection)
            values = {"key": self._key, "request": request, "import_id": import_id}
            self.connection.execute(_SQL["write_down"], values)
        return import_id

    def keep_answer(self, answer: bytes) -> None:
        """Keep what is answered, for whoever asks again."""
        if self._key is not None:
            self.connection.execute(_SQL["keep_answer"], {"key": self._key, "answer": answer})
