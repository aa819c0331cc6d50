"""What is done with uploads: made, gone on with, ended; no sender is asked for bytes before all else is right."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from starlette.types import Receive

from reelbase.database.asking import answer_async
from reelbase.database.connect import AsyncDictConnection
from reelbase.receiving import uploads
from reelbase.receiving.store import Busy, Store, Writing, new_id, remove
from reelbase.receiving.tus_body import Body, Pace
from reelbase.receiving.tus_locks import Hold, Locks, locked
from reelbase.receiving.tus_room import Room
from reelbase.receiving.tus_sessions import Sessions
from reelbase.receiving.tus_words import BODY_TYPE, Refused, Words
from reelbase.receiving.uploads import Created, Upload

_BUSY_SECONDS = 3.0
_LOOK_AGAIN_SECONDS = 0.05

Known = Callable[[Upload | None], Awaitable[Upload]]
"""Lets a visitor have the upload that was found; raises Refused (401, 403, 404, 410)."""


@dataclass(frozen=True, slots=True)
class Reception:
    """What uploads are received with."""

    store: Store
    sessions: Sessions
    locks: Locks
    room: Room
    pace: Pace
    lifetime_seconds: float
    threads: Executor
    counted: Callable[[int], None]

    async def create(self, words: Words, owner: str | None, receive: Receive) -> Upload:
        """Make an upload, with as much of it as comes with the request."""
        length = words.length()
        words.metadata(), words.checksum()
        if words.has_body and not words.is_upload:
            raise wrong_type()
        self.room.check_length(length)
        if length is not None and (words.number("content-length") or 0) > length:
            raise Refused(413, "too_long", f"The body is longer than Upload-Length, {length} bytes.")
        upload = await self._keep(words, owner, length)
        if not words.has_body and length != 0:
            return upload
        try:
            return await self._append(upload.id, 0, words, receive if words.has_body else _no_body, _anybody)
        except Refused:
            # The sender has not been told where it is.
            await self.sessions.ask(uploads.end(upload.id, "terminated"))
            remove(upload.path)
            raise

    async def _keep(self, words: Words, owner: str | None, length: int | None) -> Upload:
        """Make the file and the row, if there is room for all that is announced."""
        metadata = words.metadata()
        async with self.sessions.for_a_moment() as connection, connection.transaction():
            await connection.execute(uploads.SQL["one_creation_at_a_time"])
            kept, promised = await answer_async(connection, uploads.outstanding())
            self.room.check(length or words.number("content-length") or 0, kept, promised)
            upload_id = new_id()
            path = await asyncio.get_running_loop().run_in_executor(self.threads, self.store.create, upload_id)
            new = Created(upload_id, path, owner, length, metadata.text, metadata.name, metadata.sha256)
            return await answer_async(connection, uploads.create(new, self.lifetime_seconds))

    async def append(self, upload: Upload, words: Words, receive: Receive, known: Known) -> Upload:
        """Go on with an upload; raises Refused, SenderGone."""
        if not words.is_upload:
            raise wrong_type()
        offset = words.number("upload-offset")
        if offset is None:
            raise Refused(
                400, "upload_offset", "The request does not say where its body begins.", "Send Upload-Offset."
            )
        words.checksum()
        # Before the lock: a request that cannot be right should not take an upload away from one that is.
        if offset < upload.received or (upload.length is not None and offset > upload.length):
            raise _elsewhere(upload)
        self._check_length(words, upload)
        return await self._append(upload.id, offset, words, receive, known)

    def _check_length(self, words: Words, upload: Upload) -> Upload:
        """The upload with the length that this request says it has; raises Refused (400, 413)."""
        told = words.number("upload-length")
        if told is not None and upload.length not in (None, told):
            raise Refused(400, "upload_length", f"The upload's length is {upload.length} bytes, and does not change.")
        if told is not None and told < upload.received:
            raise Refused(400, "upload_length", f"The upload has {upload.received} bytes already.")
        self.room.check_length(told)
        length = told if told is not None else upload.length
        if length is not None and upload.received + (words.number("content-length") or 0) > length:
            raise Refused(413, "too_long", f"The body goes beyond the upload's end at {length} bytes.")
        return replace(upload, length=length)

    async def _append(self, upload_id: str, offset: int, words: Words, receive: Receive, known: Known) -> Upload:
        async with (
            self.locks.here(upload_id) as hold,
            self.sessions.for_a_transfer() as connection,
            self.locks.everywhere(hold, connection),
        ):
            found = await known(await answer_async(connection, uploads.find(upload_id)))
            if offset != found.received:
                raise _elsewhere(found)
            upload = self._check_length(words, found)
            end = await self._end(upload, words, connection)
            if upload.length != found.length and not await answer_async(connection, uploads.set_length(upload_id, end)):
                raise _elsewhere(found)
            async with self._writing(upload) as writing:
                return await self._take(upload, end, words, hold, writing, receive, connection)

    async def _end(self, upload: Upload, words: Words, connection: AsyncDictConnection) -> int:
        """Where its bytes end at the latest; raises Refused (507)."""
        kept, promised = await answer_async(connection, uploads.outstanding(upload.id))
        wanted = upload.length if upload.length is not None else upload.received + (words.number("content-length") or 0)
        if upload.state == "receiving":
            self.room.check(wanted, kept, promised, of_them_here=upload.received)
        return upload.length if upload.length is not None else self.room.end(upload.received, kept, promised)

    async def _take(
        self,
        upload: Upload,
        end: int,
        words: Words,
        hold: Hold,
        writing: Writing,
        receive: Receive,
        connection: AsyncDictConnection,
    ) -> Upload:
        now = upload

        async def save(before: int, place: int) -> None:
            nonlocal now
            if upload.state == "received" and place == before:
                return
            expires_at = await answer_async(
                connection, uploads.checkpoint(upload.id, before, place, self.lifetime_seconds)
            )
            if expires_at is None:
                raise locked()  # somebody has ended it, or goes on with it
            now = replace(now, received=place, expires_at=expires_at)

        body = Body(
            hold,
            writing,
            receive,
            place=upload.received,
            end=end,
            is_sized=words.number("content-length") is not None,
            pace=self.pace,
            threads=self.threads,
            save=save,
            checksum=words.checksum(),
            counted=self.counted,
        )
        await body.take()
        return now

    @asynccontextmanager
    async def _writing(self, upload: Upload) -> AsyncIterator[Writing]:
        """The file, as long as nobody else writes to it; raises Refused (410, 423)."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _BUSY_SECONDS
        while True:
            try:
                writing = await loop.run_in_executor(self.threads, Writing, upload.path, upload.received)
                break
            except Busy:
                if loop.time() >= until:
                    raise locked() from None
            except FileNotFoundError as error:
                raise Refused(410, "gone", "What had arrived of it is lost.", "Upload the file again.") from error
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        try:
            yield writing
        finally:
            writing.close()

    async def terminate(self, upload_id: str) -> None:
        """End it and free its disk, whoever writes to it."""
        async with (
            self.locks.here(upload_id, at_once=True) as hold,
            self.sessions.for_a_moment() as connection,
            self.locks.everywhere(hold, connection, at_once=True),
        ):
            path = await answer_async(connection, uploads.end(upload_id, "terminated"))
        if path is not None:
            await asyncio.get_running_loop().run_in_executor(self.threads, remove, path)


async def _anybody(upload: Upload | None) -> Upload:
    if upload is None:
        raise Refused(404, "not_found", "There is no such upload.")
    return upload


async def _no_body() -> dict[str, object]:
    return {"type": "http.request", "body": b"", "more_body": False}


def wrong_type() -> Refused:
    """Bytes of a file say that they are."""
    return Refused(
        415, "wrong_type", "The body is not a piece of a file.", f"Send it with Content-Type: {BODY_TYPE}.",
        {"accept": BODY_TYPE},
    )  # fmt: skip


def _elsewhere(upload: Upload) -> Refused:
    return Refused(
        409, "wrong_offset", f"The upload goes on at {upload.received} bytes.", "Ask with HEAD where it goes on.",
        {"upload-offset": str(upload.received)},
    )  # fmt: skip
