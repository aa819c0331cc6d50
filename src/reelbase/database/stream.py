"""Bytes that PostgreSQL makes as they are asked for: exports, each on a connection of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator
from typing import Generic, TypeVar

import psycopg

from reelbase.database.connect import Connection, DictConnection

Blocks = Generator[bytes, None, None]
_Connection = TypeVar("_Connection", bound=Connection | DictConnection)


class Stream(Generic[_Connection]):
    """Blocks that are read over a connection of their own, for as long as that takes; any thread may stop them."""

    def __init__(self, connect: Callable[[], _Connection], make: Callable[[_Connection], Blocks]) -> None:
        self._connect = connect
        self._make = make
        self._connection: _Connection | None = None

    def blocks(self) -> Blocks:
        """Made as they are asked for; it connects for the first. Raises what connecting and making raise."""
        self._connection = connection = self._connect()
        connection.execute("set statement_timeout = 0")
        yield from self._make(connection)

    def cancel(self) -> None:
        """Stop what PostgreSQL is busy with; called from any thread."""
        connection = self._connection
        if connection is not None and not connection.closed:
            with contextlib.suppress(psycopg.Error):
                connection.cancel_safe(timeout=2)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
