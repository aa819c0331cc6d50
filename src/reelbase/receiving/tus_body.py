"""The body of a request on its way to the disk.

While one batch is written in a thread the next is gathered in the event loop; every so often what is written is made
durable, and only then the row says so. Whatever ends the request, the row never says more than the disk has.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import errno
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
from starlette.types import Receive

from reelbase.receiving.store import Writing
from reelbase.receiving.tus_locks import Hold
from reelbase.receiving.tus_words import Checksum, Refused, SenderGone

T = TypeVar("T")

_MOST_PIECES = 1024  # of a batch, however small they are
_LEAST_PAUSE_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Pace:
    """How much is written at once and how often it is made durable; bytes and seconds.

    Of 4 MiB at once, 2 GiB cost no less processor time, and others waited up to 170 ms meanwhile instead of 10 to 70
    (`/readyz` in bench/uploads.py, on two cores).
    """

    batch_bytes: int = 1 << 20
    checkpoint_bytes: int = 64 << 20
    checkpoint_seconds: float = 5.0
    idle_seconds: float = 60.0


class Ending(enum.Enum):
    """What a body ends with."""

    WHOLE = "all of it has arrived"
    GONE = "the sender is gone"
    IDLE = "nothing has come for too long"
    ASKED = "somebody else goes on with the upload"


@dataclass(frozen=True, slots=True)
class _Batch:
    pieces: list[bytes]
    size: int
    ending: Ending | None


class Body:
    """One body, written from `place` on and never behind `end`; `save` makes a place known after it is durable.

    `is_sized` says that its size was announced, and fits.
    """

    def __init__(
        self,
        hold: Hold,
        writing: Writing,
        receive: Receive,
        *,
        place: int,
        end: int,
        is_sized: bool,
        pace: Pace,
        threads: Executor,
        save: Callable[[int, int], Awaitable[None]],
        checksum: Checksum | None,
        counted: Callable[[int], None],
    ) -> None:
        self._hold = hold
        self._writing = writing
        self._receive = receive
        self._end = end
        self._is_sized = is_sized
        self._pace = pace
        self._threads = threads
        self._save = save
        self._checksum = checksum
        self._hash: Any = checksum.begin() if checksum else None
        self._counted = counted
        self._loop = asyncio.get_running_loop()
        self.place = place  # all before it is written
        self.saved = place  # all before it is durable, and the row says so
        self._heard_at = self._saved_at = self._loop.time()
        self._write: asyncio.Future[None] | None = None
        self._written_to = place
        self._saving: asyncio.Task[None] | None = None

    async def take(self) -> int:
        """Write all of it and say where it ends; raises Refused or SenderGone once what has arrived is safe."""
        try:
            ending = await self._take()
        except OSError as error:
            await self._give_up()
            raise _disk(error) from error
        except asyncio.CancelledError:
            with contextlib.suppress(Refused, psycopg.Error):
                await self._keep()
            raise
        except BaseException:
            await self._give_up()
            raise
        if ending is not Ending.WHOLE:
            await self._keep()
            raise _ended(ending)
        return self.place

    async def _take(self) -> Ending:
        while True:
            batch = await self._gather()
            await self._until_written()
            if self.place + batch.size > self._end:
                raise Refused(
                    413, "too_long", f"The body goes beyond the upload's end at {self._end} bytes.",
                    "Nothing of what went beyond is kept.",
                )  # fmt: skip
            if batch.pieces:
                self._begin_to_write(batch)
            if batch.ending is Ending.WHOLE:
                await self._finish()
            if batch.ending is not None:
                return batch.ending
            self._begin_to_save()

    # Gathering

    async def _gather(self) -> _Batch:
        pieces: list[bytes] = []
        size = 0
        ending: Ending | None = None
        try:
            async with self._hold.waiting(self._patience_ends()):
                while ending is None and size < self._pace.batch_bytes and len(pieces) < _MOST_PIECES:
                    message = await self._receive()
                    if message["type"] == "http.disconnect":
                        ending = Ending.GONE
                    elif not message.get("more_body", False):
                        ending = Ending.WHOLE
                    if piece := message.get("body", b""):
                        pieces.append(piece)
                        size += len(piece)
                        self._heard_at = self._loop.time()
        except TimeoutError:
            now = self._loop.time()
            if now >= self._hold.lets_go_at(self._heard_at):
                ending = Ending.ASKED
            elif now >= self._heard_at + self._pace.idle_seconds:
                ending = Ending.IDLE
        self._counted(size)
        return _Batch(pieces, size, ending)

    def _patience_ends(self) -> float:
        """When nothing has come for too long, or what has come should be made durable."""
        now, pause = self._loop.time(), self._pace.checkpoint_seconds
        is_safe = self._written_to == self.saved
        save = now + pause if is_safe else max(self._saved_at + pause, now + _LEAST_PAUSE_SECONDS)
        return min(self._heard_at + self._pace.idle_seconds, self._hold.lets_go_at(self._heard_at), save)

    # Writing

    def _begin_to_write(self, batch: _Batch) -> None:
        at = self.place
        self._write = self._in_thread(lambda: self._do_write(batch.pieces, at))
        self._written_to = at + batch.size

    def _do_write(self, pieces: list[bytes], at: int) -> None:
        if self._hash is not None:
            for piece in pieces:
                self._hash.update(piece)
        self._writing.write(pieces, at)

    async def _until_written(self) -> None:
        if self._write is not None:
            await asyncio.shield(self._write)
            self._write = None
            self.place = self._written_to

    # Making it durable

    def _begin_to_save(self) -> None:
        """Make durable what is written, while more is written; a body with a checksum is saved when it is right."""
        if self._saving is not None:
            if not self._saving.done():
                return
            self._saving.result()
            self._saving = None
        is_due = (
            self.place - self.saved >= self._pace.checkpoint_bytes
            or self._loop.time() - self._saved_at >= self._pace.checkpoint_seconds
        )
        # The end is saved only when it is known that nothing comes behind it.
        if is_due and self._hash is None and self.saved < self.place < self._end:
            self._saving = asyncio.ensure_future(self._make_durable(self.place))

    async def _make_durable(self, place: int) -> None:
        await self._in_thread(self._writing.sync)
        await self._save(self.saved, place)
        self.saved = place
        self._saved_at = self._loop.time()

    async def _finish(self) -> None:
        await self._until_written()
        if self._checksum is not None and self._hash.digest() != self._checksum.digest:
            raise Refused(460, "checksum_mismatch", "The body does not have the digest that Upload-Checksum says.")
        await self._until_saved()
        await self._make_durable(self.place)

    async def _until_saved(self) -> None:
        if self._saving is not None:
            await asyncio.shield(self._saving)
            self._saving = None

    # Ends that are not the right one

    async def _keep(self) -> None:
        """Save what has arrived; half of a body with a checksum is not kept."""
        with contextlib.suppress(OSError):
            await self._until_written()
        try:
            await self._until_saved()
            if self._hash is None and self.saved < self.place and (self.place < self._end or self._is_sized):
                await self._make_durable(self.place)
        except OSError as error:
            raise _disk(error) from error
        finally:
            await self._give_up()

    async def _give_up(self) -> None:
        """Nothing more is written; the file ends where the row says that it does."""
        for running in (self._write, self._saving):
            if running is not None:
                await asyncio.wait([running])
                running.exception()
        self._write = self._saving = None
        with contextlib.suppress(OSError):
            await self._in_thread(lambda: self._writing.cut(self.saved))

    def _in_thread(self, work: Callable[[], T]) -> asyncio.Future[T]:
        return self._loop.run_in_executor(self._threads, work)


def _disk(error: OSError) -> Refused:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return Refused(507, "disk_full", "The store's disk is full.", "Make room; what has arrived is kept.")
    return Refused(500, "store", f"The store cannot be written to: {error.strerror or error}.")


def _ended(ending: Ending) -> Exception:
    if ending is Ending.GONE:
        return SenderGone()
    if ending is Ending.IDLE:
        return Refused(
            408, "idle", "Nothing has come for too long; what has arrived is kept.", "Go on from the offset.",
            {"connection": "close"},
        )  # fmt: skip
    return Refused(
        423, "taken_over", "Another request goes on with this upload; what this one has sent is kept.",
        headers={"retry-after": "1"},
    )  # fmt: skip
