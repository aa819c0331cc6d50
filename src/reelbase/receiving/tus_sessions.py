"""Connections to PostgreSQL for uploads, kept open for the next one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

import psycopg

from reelbase.database.asking import Question, answer_async
from reelbase.database.connect import AsyncDictConnection, connect_dicts_async
from reelbase.receiving.tus_words import Refused

T = TypeVar("T")

NAME = "reelbase uploads"
_STATEMENT_SECONDS = 10
_SHORT_QUESTIONS = 4  # at a time, besides the uploads that run
_TURN_SECONDS = 5
_KEPT = 4


class Sessions:
    """Lends connections; a transfer has one for as long as it runs, all else waits for its turn."""

    def __init__(self, url: str, transfers: int) -> None:
        self._url = url
        self._transfers = transfers
        self._running = 0
        self._turns = asyncio.Semaphore(_SHORT_QUESTIONS)
        self._free: list[AsyncDictConnection] = []

    @asynccontextmanager
    async def for_a_transfer(self) -> AsyncIterator[AsyncDictConnection]:
        """Raises Refused (503) where as many run as may."""
        if self._running >= self._transfers:
            raise too_many(f"{self._transfers} uploads are being received, and that is all this server takes.")
        self._running += 1
        try:
            async with self._lent() as connection:
                yield connection
        finally:
            self._running -= 1

    @asynccontextmanager
    async def for_a_moment(self) -> AsyncIterator[AsyncDictConnection]:
        """Raises Refused (503) where one's turn does not come."""
        try:
            async with asyncio.timeout(_TURN_SECONDS):
                await self._turns.acquire()
        except TimeoutError:
            raise too_many("Too many uploads are asked for.") from None
        try:
            async with self._lent() as connection:
                yield connection
        finally:
            self._turns.release()

    async def ask(self, question: Question[T]) -> T:
        """Ask one question on any connection."""
        async with self.for_a_moment() as connection:
            return await answer_async(connection, question)

    @asynccontextmanager
    async def _lent(self) -> AsyncIterator[AsyncDictConnection]:
        connection = await self._living() or await self._open()
        try:
            yield connection
        except BaseException:
            await connection.close()  # whatever it was in the middle of ends with it
            raise
        if connection.closed or len(self._free) >= _KEPT:
            await connection.close()
        else:
            self._free.append(connection)

    async def _living(self) -> AsyncDictConnection | None:
        """One that is open and whose server has not been restarted."""
        while self._free:
            connection = self._free.pop()
            with contextlib.suppress(psycopg.Error):
                await connection.execute("select 1")
                return connection
            await connection.close()
        return None

    async def _open(self) -> AsyncDictConnection:
        made = await connect_dicts_async(self._url, NAME)
        await made.execute("select set_config('statement_timeout', %s, false)", (str(_STATEMENT_SECONDS * 1000),))
        return made

    async def close(self) -> None:
        while self._free:
            await self._free.pop().close()


def too_many(detail: str) -> Refused:
    """Not now."""
    return Refused(503, "unavailable", detail, "Try again.", {"retry-after": "2"})
