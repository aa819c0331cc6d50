"""Resumable uploads: a tus 1.0 server (https://tus.io) as an ASGI application.

Who may send, and whether what is announced can be taken, is decided before the first byte of a body is asked for.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass

import psycopg
from starlette.types import Receive, Scope, Send

from reelbase.errors import DatabaseError
from reelbase.receiving import uploads
from reelbase.receiving.store import Store
from reelbase.receiving.tus_answers import Reply, complete, created, described, options, patched, removed
from reelbase.receiving.tus_body import Pace
from reelbase.receiving.tus_expiry import sweep
from reelbase.receiving.tus_locks import Locks
from reelbase.receiving.tus_reception import Reception
from reelbase.receiving.tus_room import Limits, Room
from reelbase.receiving.tus_sessions import Sessions, too_many
from reelbase.receiving.tus_words import Refused, Words
from reelbase.receiving.uploads import Upload

BASE = "/api/v1/uploads"
_TAKEOVER_SECONDS = 3.0
_SWEEP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks for what: all that a policy may judge by. `upload` is None as long as it is not known."""

    method: str
    headers: Words
    client: str
    upload: Upload | None = None


Policy = Callable[[Visitor], Awaitable[str | None]]
"""Gives the owner of what the visitor creates, or raises Refused (401, 403, 404).

It is asked before anything else is done, and again when the upload is known.
"""


async def everybody(visitor: Visitor) -> None:
    """The policy without keys: whoever is let in may do everything."""


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms uploads are taken; seconds."""

    limits: Limits
    pace: Pace
    lifetime_seconds: float
    at_a_time: int


class Tus:
    """The application. What it does not answer itself leaves it as Refused, or SenderGone."""

    def __init__(self, url: str, store: Store, terms: Terms, policy: Policy = everybody) -> None:
        self._terms = terms
        self._policy = policy
        self._threads = ThreadPoolExecutor(2 * terms.at_a_time + 2, thread_name_prefix="uploads")
        self.counted: Callable[[int], None] = lambda _: None
        """Told how many bytes have come."""
        self._reception = Reception(
            store,
            Sessions(url, terms.at_a_time),
            Locks(url, _TAKEOVER_SECONDS),
            Room(store, terms.limits),
            terms.pace,
            terms.lifetime_seconds,
            self._threads,
            self._count,
        )

    @asynccontextmanager
    async def life(self) -> AsyncIterator[None]:
        """Hear what other processes ask for and remove what has expired, as long as it lasts."""
        tasks = [asyncio.ensure_future(self._reception.locks.listen()), asyncio.ensure_future(self._keep_sweeping())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await self._reception.sessions.close()
            self._threads.shutdown()

    def _count(self, size: int) -> None:
        self.counted(size)

    async def _keep_sweeping(self) -> None:
        there = self._reception
        while True:
            with contextlib.suppress(psycopg.Error, DatabaseError, OSError, Refused):
                await sweep(there.sessions, there.locks, there.store)
            await asyncio.sleep(min(_SWEEP_SECONDS, self._terms.lifetime_seconds))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; raises Refused with the headers that the protocol wants, SenderGone where nobody waits for it."""
        words = Words.of(scope)
        try:
            reply = await self._answer(words, scope, receive)
        except Refused as refused:
            raise complete(refused, words) from refused
        except (psycopg.OperationalError, DatabaseError) as error:
            away = too_many("The database does not answer; what is known to have arrived is kept.")
            raise complete(away, words) from error
        await reply(send)

    async def _answer(self, words: Words, scope: Scope, receive: Receive) -> Reply:
        if words.method == "OPTIONS":
            return options(self._terms.limits.max_bytes)
        client = scope.get("client")
        visitor = Visitor(words.method, words, client[0] if client else "")
        owner = await self._policy(visitor)
        words.check_version()
        place = scope.get("root_path", "") + BASE
        upload_id = scope["path"].removeprefix(place).strip("/")
        allowed = ("DELETE", "HEAD", "OPTIONS", "PATCH") if upload_id else ("OPTIONS", "POST")
        if words.method not in allowed:
            allow = ", ".join(allowed)
            raise Refused(405, "method", f"The method is not allowed here: {allow} are.", headers={"allow": allow})
        if not upload_id:
            made = await self._reception.create(words, owner, receive)
            return created(made, f"{place}/{made.id}")
        return await self._known(upload_id, visitor, receive)

    async def _known(self, upload_id: str, visitor: Visitor, receive: Receive) -> Reply:
        """Answer about an upload that there is."""

        async def known(found: Upload | None) -> Upload:
            if found is None:
                raise Refused(404, "not_found", "There is no such upload.")
            await self._policy(Visitor(visitor.method, visitor.headers, visitor.client, found))
            if found.is_gone:
                raise Refused(410, "gone", "The upload is no more.", "Upload the file again.")
            return found

        upload = await known(await self._reception.sessions.ask(uploads.find(upload_id)))
        if visitor.method == "HEAD":
            return described(upload)
        if visitor.method == "PATCH":
            return patched(await self._reception.append(upload, visitor.headers, receive, known))
        await self._reception.terminate(upload.id)
        return removed()
