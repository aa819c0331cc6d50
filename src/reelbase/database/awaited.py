"""A connection for an event loop that has many short questions.

The driver registers a socket with the loop for each answer that it waits for, and takes it away again, with a timer
beside it: on uvloop eight system calls and a handle for each statement. Here the socket stays registered.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import ConnStatus
from psycopg.rows import DictRow
from psycopg.waiting import Ready, Wait

T = TypeVar("T")


class AwaitedConnection(psycopg.AsyncConnection[DictRow]):
    """For one event loop, and for statements only: COPY, notices and timeouts of a wait go the driver's own way."""

    _socket: int | None = None
    _waiter: asyncio.Future[Ready] | None = None
    _cursor: psycopg.AsyncCursor[Any] | None = None

    @property
    def questions(self) -> psycopg.AsyncCursor[Any]:
        """One cursor for all of them, one at a time: a new one for each costs 20 µs."""
        if self._cursor is None:
            self._cursor = self.cursor()
        return self._cursor

    async def wait(
        self,
        gen: PQGen[T],
        interval: float = 0.1,
        timeout: float | None = None,  # noqa: ASYNC109  # as the driver has it
    ) -> T:
        """Run one of the driver's steps to its end."""
        if timeout is not None:
            self._leave()
            return await super().wait(gen, interval, timeout)
        try:
            wanted = next(gen)
            while True:
                wanted = gen.send(await self._ready(wanted))
        except StopIteration as end:
            found: T = end.value
            return found
        except asyncio.CancelledError:
            self._leave()
            with contextlib.suppress(psycopg.Error):
                await self.cancel_safe(timeout=2)
            await self.close()
            raise
        except OSError as error:
            raise psycopg.OperationalError("connection socket closed") from error
        finally:
            # libpq has closed the socket: its number may be another one's soon.
            if self.pgconn.status == ConnStatus.BAD:
                self._leave()

    async def close(self) -> None:
        """Leave the loop first."""
        self._leave()
        await super().close()

    async def _ready(self, wanted: Wait) -> Ready:
        loop = asyncio.get_running_loop()
        if self._socket is None:
            self._socket = self.pgconn.socket
            loop.add_reader(self._socket, self._wake, Ready.R)
        self._waiter = loop.create_future()
        is_writing = wanted != Wait.R
        if is_writing:
            loop.add_writer(self._socket, self._wake, Ready.W)
        try:
            return await self._waiter
        finally:
            self._waiter = None
            if is_writing and self._socket is not None:
                loop.remove_writer(self._socket)

    def _wake(self, ready: Ready) -> None:
        if self._waiter is None:
            self._leave()  # the server speaks unasked: most likely it ends, which the next question will see
        elif not self._waiter.done():
            self._waiter.set_result(ready)

    def _leave(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket = None
