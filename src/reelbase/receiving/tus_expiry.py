"""Removing uploads whose time is over."""

from __future__ import annotations

import contextlib

from reelbase.database.asking import answer_async
from reelbase.receiving import uploads
from reelbase.receiving.store import Store, remove
from reelbase.receiving.tus_locks import Locks
from reelbase.receiving.tus_sessions import Sessions

_STRAY_SECONDS = 3600.0


async def sweep(sessions: Sessions, locks: Locks, store: Store) -> None:
    """Remove what has expired and nobody is at, and files without a row."""
    for upload_id in await sessions.ask(uploads.expired()):
        async with sessions.for_a_moment() as connection:
            if not await locks.try_everywhere(upload_id, connection):
                continue
            try:
                path = await answer_async(connection, uploads.end(upload_id, "expired", only_if_over=True))
            finally:
                await locks.unlock(upload_id, connection)
        if path is not None:
            remove(path)
    strays = {path.name: path for path in store.strays(_STRAY_SECONDS)}
    if strays:
        alive = await sessions.ask(uploads.alive(list(strays)))
        for name in strays.keys() - alive:
            with contextlib.suppress(OSError):
                remove(strays[name])
