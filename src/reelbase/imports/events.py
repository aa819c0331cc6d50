"""What happens to imports, for all who watch: one look at the database for everybody in this process, each tick.

States tell of themselves (NOTIFY); chunks do not, and are looked at while an import runs. While nobody watches there is
no look, and no connection. A watcher who is slow misses what lies between, never the last.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from reelbase.database.connect import DictConnection, connect, connect_dicts
from reelbase.database.statements import statements
from reelbase.errors import ReelbaseError
from reelbase.imports import lease, read
from reelbase.imports.read import Seen

_SQL = statements("reelbase.imports", "events.sql")

TICK_SECONDS = 0.25
_QUIET_SECONDS = 0.5  # what is waiting or held tells of itself
_REAP_SECONDS = 5.0
_AGAIN_SECONDS = 0.5
_RUNS = ("receiving", "loading", "indexing", "publishing")


@dataclass(frozen=True, slots=True)
class Event:
    """An import as it is told to its watchers: `data` was made once for all of them."""

    sequence: int
    is_final: bool
    data: bytes


class Watcher:
    """One who watches an import, in an event loop."""

    def __init__(self, import_id: int) -> None:
        self.import_id = import_id
        self._loop = asyncio.get_running_loop()
        self._latest: Event | None = None
        self._is_there = asyncio.Event()
        self._closed = asyncio.Event()

    @property
    def is_closed(self) -> bool:
        """Whether nobody watches any more."""
        return self._closed.is_set()

    def close(self) -> None:
        """Wake up, and watch no more."""
        self._closed.set()
        self._is_there.set()

    def tell(self, event: Event) -> None:
        """Called by any thread; what was not taken is replaced."""
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._put, event)

    def _put(self, event: Event) -> None:
        self._latest = event
        self._is_there.set()

    async def next(self, seconds: float) -> Event | None:
        """The latest event as soon as there is one; None after so many seconds, or when it is closed."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._is_there.wait(), seconds)
        event, self._latest = self._latest, None
        if not self.is_closed:
            self._is_there.clear()
        return event

    async def pause(self, seconds: float) -> None:
        """Wait, unless it is closed meanwhile."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closed.wait(), seconds)


class Events:
    """Everybody in this process who watches an import, and the thread that looks for them."""

    def __init__(self, url: str, lease_seconds: float, render: Callable[[dict[str, Any]], bytes]) -> None:
        self._url = url
        self._lease_seconds = lease_seconds
        self._render = render
        self._lock = threading.Lock()
        self._watchers: dict[int, set[Watcher]] = {}
        self._wanted = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="import events", daemon=True)
        self.looks = 0

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Nobody is told anything any more."""
        self._over.set()
        self._wanted.set()
        self._thread.join(timeout=2)

    @property
    def watchers(self) -> int:
        """How many watch."""
        with self._lock:
            return sum(len(some) for some in self._watchers.values())

    @contextmanager
    def watching(self, import_id: int) -> Iterator[Watcher]:
        """Be told what changes from now on; what it is like now, whoever watches asks by themselves."""
        watcher = Watcher(import_id)
        with self._lock:
            self._watchers.setdefault(import_id, set()).add(watcher)
        self._wanted.set()
        try:
            yield watcher
        finally:
            with self._lock:
                some = self._watchers[import_id]
                some.discard(watcher)
                if not some:
                    del self._watchers[import_id]

    def close_all(self) -> None:
        """Wake up everybody who watches, to end."""
        with self._lock:
            everybody = [watcher for some in self._watchers.values() for watcher in some]
        for watcher in everybody:
            watcher.close()

    def event(self, seen: Seen) -> Event:
        """What was seen, to be told."""
        return Event(seen.sequence, seen.is_final, self._render(seen.found))

    # The thread

    def _run(self) -> None:
        while not self._over.is_set():
            self._wanted.wait()
            # Without a server there is nothing to tell; a watcher's own question says why.
            with (
                contextlib.suppress(psycopg.Error, ReelbaseError),
                connect_dicts(self._url, "reelbase api events") as connection,
            ):
                self._follow(connection)
                continue
            self._over.wait(_AGAIN_SECONDS)

    def _follow(self, connection: DictConnection) -> None:
        """Look as long as somebody watches."""
        connection.execute(_SQL["listen"])
        told: dict[int, int] = {}
        reaped_at = time.monotonic()
        while not self._over.is_set():
            ids = self._ids()
            if not ids:
                return
            found = read.look(connection, ids)
            self.looks += 1
            told = {import_id: sequence for import_id, sequence in told.items() if import_id in ids}
            for seen in found:
                # One look asks several times: what was overtaken meanwhile is put right by the next look.
                if seen.sequence > told.get(seen.found["id"], 0):
                    told[seen.found["id"]] = seen.sequence
                    self._tell(seen)
            runs = any(seen.found["state"] in _RUNS for seen in found)
            if runs and time.monotonic() - reaped_at > _REAP_SECONDS:
                reaped_at = time.monotonic()
                self._reap()
            began = time.monotonic()
            for _ in connection.notifies(timeout=TICK_SECONDS if runs else _QUIET_SECONDS, stop_after=1):
                pass
            self._over.wait(max(0.0, TICK_SECONDS / 5 - (time.monotonic() - began)))

    def _ids(self) -> list[int]:
        with self._lock:
            if not self._watchers:
                self._wanted.clear()
            return list(self._watchers)

    def _tell(self, seen: Seen) -> None:
        event = self.event(seen)
        with self._lock:
            watchers = list(self._watchers.get(seen.found["id"], ()))
        for watcher in watchers:
            watcher.tell(event)

    def _reap(self) -> None:
        """As everybody who looks at imports does: a death is seen although no worker is there to see it."""
        with connect(self._url, "reelbase api events") as connection:
            lease.reap(connection, self._lease_seconds)
