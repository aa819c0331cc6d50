"""One writer for each upload, and a way to take its place.

A connection that has died without a word still holds its upload while the sender already tries again: the most common
failure of uploads. So whoever comes later asks the holder to save what he has and to let go, which he does as soon as
he hears nothing from his sender. In this process he is asked directly, in another one by a notification of PostgreSQL,
whose lock both need. Nobody waits in a way that keeps others waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from reelbase.database.connect import AsyncDictConnection, connect_dicts_async
from reelbase.errors import ReelbaseError
from reelbase.receiving.tus_sessions import NAME
from reelbase.receiving.tus_words import Refused
from reelbase.receiving.uploads import SQL

_LOOK_AGAIN_SECONDS = 0.05
_QUIET_SECONDS = 1.0  # a sender that lives is rarely quiet for so long
_AT_ONCE = "!"


class Hold:
    """The right to write to an upload, as long as nobody else has more of it."""

    def __init__(self, upload_id: str) -> None:
        self.id = upload_id
        self.released = asyncio.Event()
        self.backend: int | None = None
        self._asked_until = 0.0
        self._is_over = False
        self._waiting: asyncio.Timeout | None = None

    def ask(self, seconds: float, *, at_once: bool) -> None:
        """Ask the holder to let go: at once, or should he hear nothing from his sender within so many seconds."""
        now = asyncio.get_running_loop().time()
        self._is_over = self._is_over or at_once
        self._asked_until = now + seconds
        if self._waiting is not None and not self._waiting.expired():
            self._waiting.reschedule(now)

    def lets_go_at(self, heard_at: float) -> float:
        """When the holder should let go who has heard from his sender at a time; never, if nobody asks."""
        if self._is_over:
            return 0.0
        is_asked_for = asyncio.get_running_loop().time() < self._asked_until
        return heard_at + _QUIET_SECONDS if is_asked_for else math.inf

    @asynccontextmanager
    async def waiting(self, until: float) -> AsyncIterator[None]:
        """Wait for bytes within; raises TimeoutError when the time comes, or somebody asks."""
        async with asyncio.timeout_at(until) as limit:
            self._waiting = limit
            try:
                yield
            finally:
                self._waiting = None


class Locks:
    """Who holds what in this process."""

    def __init__(self, url: str, patience_seconds: float) -> None:
        self._url = url
        self._patience = patience_seconds
        self._held: dict[str, Hold] = {}

    def is_held(self, upload_id: str) -> bool:
        return upload_id in self._held

    @asynccontextmanager
    async def here(self, upload_id: str, *, at_once: bool = False) -> AsyncIterator[Hold]:
        """Be the only one in this process, `at_once` even if a sender lives; raises Refused (423)."""
        until = self._until()
        while (holder := self._held.get(upload_id)) is not None:
            holder.ask(self._patience, at_once=at_once)
            try:
                async with asyncio.timeout_at(until):
                    await holder.released.wait()
            except TimeoutError:
                raise locked() from None
        hold = self._held[upload_id] = Hold(upload_id)
        try:
            yield hold
        finally:
            del self._held[upload_id]
            hold.released.set()

    @asynccontextmanager
    async def everywhere(
        self, hold: Hold, connection: AsyncDictConnection, *, at_once: bool = False
    ) -> AsyncIterator[None]:
        """Be the only one of all processes as long as the connection lives; raises Refused (423)."""
        until = self._until()
        key = {"key": _key(hold.id)}
        is_asked = False
        while not await _is_true(connection, key):
            if asyncio.get_running_loop().time() >= until:
                raise locked()
            if not is_asked:
                await connection.execute(SQL["call"], {"payload": hold.id + _AT_ONCE * at_once})
                is_asked = True
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        hold.backend = connection.info.backend_pid
        try:
            yield
        finally:
            if not connection.closed:
                with contextlib.suppress(psycopg.Error):
                    await connection.execute(SQL["unlock"], key)

    async def try_everywhere(self, upload_id: str, connection: AsyncDictConnection) -> bool:
        """Take the lock of an upload that nobody is at; it ends with `unlock`."""
        return not self.is_held(upload_id) and await _is_true(connection, {"key": _key(upload_id)})

    async def unlock(self, upload_id: str, connection: AsyncDictConnection) -> None:
        await connection.execute(SQL["unlock"], {"key": _key(upload_id)})

    async def listen(self) -> None:
        """Hear what other processes ask for, until cancelled; goes on when PostgreSQL is back."""
        while True:
            with contextlib.suppress(psycopg.Error, ReelbaseError):
                await self._hear()
            await asyncio.sleep(1)

    async def _hear(self) -> None:
        async with await connect_dicts_async(self._url, NAME) as connection:
            await connection.execute("listen reelbase_uploads")
            async for call in connection.notifies():
                hold = self._held.get(call.payload.removesuffix(_AT_ONCE))
                # One's own call may come back only after it has been answered.
                if hold is not None and hold.backend not in (None, call.pid):
                    hold.ask(self._patience, at_once=call.payload.endswith(_AT_ONCE))

    def _until(self) -> float:
        return asyncio.get_running_loop().time() + self._patience


async def _is_true(connection: AsyncDictConnection, key: dict[str, int]) -> bool:
    row = await (await connection.execute(SQL["lock"], key)).fetchone()
    return bool(row and row["is_ours"])


def _key(upload_id: str) -> int:
    """Half of its random bits: two uploads that share them would only wait for each other."""
    return int(upload_id[:16], 16) - 2**63


def locked() -> Refused:
    """Somebody else writes to it and does not let go."""
    return Refused(423, "locked", "Another request writes to this upload.", "Try again.", {"retry-after": "1"})
