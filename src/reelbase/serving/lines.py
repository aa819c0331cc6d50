"""Connections of the event loop, each lent to one question at a time: the way of the questions that come most often.

A question that waits here costs no thread. Threads that wait for PostgreSQL fight the event loop for the interpreter:
at 16 clients that took a third of all time (docs/decisions/0014).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import LiteralString, TypeVar

import orjson
import psycopg
from psycopg.types.json import set_json_loads
from starlette.types import Receive

from reelbase.database.asking import Question, answer_async
from reelbase.database.connect import AsyncDictConnection, connect_dicts_async

T = TypeVar("T")

_WATCHED_AFTER_SECONDS = 0.05  # most answers are there before a client could have gone


@dataclass(frozen=True, slots=True)
class Limits:
    """How many questions at a time, in threads and in the event loop each, and how long one may take."""

    connections: int
    query_seconds: float


class GoneAway(Exception):  # a signal, never shown
    """The client does not wait for its answer any more."""


def session(limits: Limits) -> Iterator[tuple[LiteralString, tuple[str, ...]]]:
    """What every connection of the API is told first."""
    yield "select set_config('statement_timeout', %s, false)", (str(int(limits.query_seconds * 1000)),)
    # Pages and details are for the catalog's own indexes: parallel workers cost more than they bring.
    yield "set max_parallel_workers_per_gather = 0", ()


class Watching:
    """Looks from a moment on whether the client has gone away, and then gives up."""

    def __init__(self, receive: Receive, give_up: Callable[[], Awaitable[None]]) -> None:
        self._receive = receive
        self._give_up = give_up
        self._task: asyncio.Task[None] | None = None
        self._later = asyncio.get_running_loop().call_later(_WATCHED_AFTER_SECONDS, self._begin)

    def end(self) -> None:
        """The answer is there."""
        self._later.cancel()
        if self._task is not None:
            self._task.cancel()

    def _begin(self) -> None:
        self._task = asyncio.ensure_future(self._wait())

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        await self._give_up()


class Call:
    """A question on its way; `connection` is there while it is being asked."""

    def __init__(self) -> None:
        self.connection: AsyncDictConnection | None = None
        self.is_given_up = False

    async def answer(self, connection: AsyncDictConnection, question: Question[T]) -> T:
        """Ask; raises GoneAway when it was given up."""
        if self.is_given_up:
            raise GoneAway
        self.connection = connection
        try:
            return await answer_async(connection, question)
        except psycopg.errors.QueryCanceled as error:
            if self.is_given_up:
                raise GoneAway from error
            raise
        finally:
            self.connection = None

    async def give_up(self) -> None:
        """Cancel the query: nobody waits for its answer."""
        self.is_given_up = True
        if self.connection is not None:
            with contextlib.suppress(psycopg.Error):
                await self.connection.cancel_safe(timeout=2)


class _Line:
    """The place of one connection, empty until it is needed first."""

    def __init__(self) -> None:
        self.connection: AsyncDictConnection | None = None


class Lines:
    """As many connections as may be at a time."""

    def __init__(self, url: str, limits: Limits) -> None:
        self._url = url
        self._limits = limits
        self._lines = [_Line() for _ in range(limits.connections)]
        self._free = list(self._lines)  # the one that was used last knows the most plans
        self._waiting: deque[asyncio.Future[_Line]] = deque()

    async def ask(self, receive: Receive, question: Callable[[], Question[T]]) -> T:
        """Ask it when a connection is free. When the client goes away, its query is cancelled."""
        call = Call()
        watching = Watching(receive, call.give_up)
        try:
            line = await self._take()
            try:
                return await self._answer(line, call, question)
            finally:
                # A cancellation may still be on its way, and must not meet the next question.
                if call.is_given_up:
                    await _drop(line)
                self._give(line)
        finally:
            watching.end()

    async def _take(self) -> _Line:
        if self._free:
            return self._free.pop()
        turn: asyncio.Future[_Line] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give(turn.result())
            raise

    def _give(self, line: _Line) -> None:
        """To the one who waits longest: a queue of asyncio lets those who come later go first."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(line)
                return
        self._free.append(line)

    async def _answer(self, line: _Line, call: Call, question: Callable[[], Question[T]]) -> T:
        """Once more where the server has ended the connection meanwhile."""
        known = line.connection
        if known is not None and not known.closed:
            try:
                return await call.answer(known, question())
            except psycopg.OperationalError:
                if not known.closed:
                    raise
        return await call.answer(await self._open(line), question())

    async def _open(self, line: _Line) -> AsyncDictConnection:
        await _drop(line)
        line.connection = made = await connect_dicts_async(self._url, "reelbase api")
        for text, values in session(self._limits):
            await made.execute(text, values)
        set_json_loads(orjson.Fragment, made)  # passed on as it is
        return made

    async def close(self) -> None:
        """What is still being asked is cancelled."""
        for line in self._lines:
            if line.connection is not None:
                with contextlib.suppress(psycopg.Error):
                    await line.connection.cancel_safe(timeout=1)
            await _drop(line)


async def _drop(line: _Line) -> None:
    connection, line.connection = line.connection, None
    if connection is not None:
        await connection.close()
