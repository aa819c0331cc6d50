"""The catalog's version, and how answers can be kept in memory without ever being older than a commit.

Whoever keeps answers holds a shared lock (READERS) while trusting them. Whoever changes what readers see says so first
(NOTIFY), then takes that lock for itself, and only then commits: by that time everybody has stopped trusting what they
keep. A second lock, the GATE, keeps those who stopped from beginning again before the change is made. A reader that
does not answer (a stopped process) is waited for only for a moment: it must not be able to stop an import.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import psycopg

from reelbase.database.asking import Ask, Question
from reelbase.database.connect import Connection, connect
from reelbase.database.statements import statements
from reelbase.errors import ReelbaseError

_SQL = statements("reelbase.catalog", "version.sql")
_PATIENCE_MS = 1000
_LOOK_SECONDS = 0.5
_LOOKS_BETWEEN_CHECKS = 10  # who changes the version by hand is noticed after some seconds
_AGAIN_SECONDS = 0.5


def version(connection: psycopg.Connection[Any]) -> str:
    """A word that changes with every publish and every change of a movie of one's own."""
    row = connection.execute(_SQL["version"]).fetchone()
    return "" if row is None else str(row["version"] if isinstance(row, dict) else row[0])


def asking_version() -> Question[str]:
    """As `version`, to be asked anywhere."""
    rows = yield Ask(_SQL["version"])
    return str(rows[0]["version"]) if rows else ""


class Change:
    """The time in which what readers see may change; outside any transaction, and as short as can be."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_on = False

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        # A session that has ended holds no locks.
        with contextlib.suppress(psycopg.Error):
            self.end()

    def begin(self) -> None:
        """Make everybody stop trusting what they keep."""
        if self._is_on:
            return
        self._is_on = True
        self._lock("hold_gate")
        self._connection.execute(_SQL["tell"])
        self._lock("hold_readers")

    def end(self) -> None:
        """Let them begin again; also before work that takes long, which then begins anew."""
        if self._is_on:
            self._is_on = False
            self._connection.execute(_SQL["release_readers"])
            self._connection.execute(_SQL["release_gate"])

    def _lock(self, name: str) -> None:
        before = self._connection.execute("select current_setting('lock_timeout')").fetchone()
        self._connection.execute(_SQL["patience"], {"milliseconds": str(_PATIENCE_MS)})
        try:
            self._connection.execute(_SQL[name])
        except psycopg.errors.LockNotAvailable:
            return
        finally:
            self._connection.execute(_SQL["patience"], {"milliseconds": before[0] if before else "0"})


@dataclass(frozen=True, slots=True, eq=False)
class Trust:
    """A time in which the catalog cannot change; two of them are never the same, even with one version."""

    version: str


class Watch:
    """Knows the version without asking, as long as `trust` is there; a thread with a connection of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.trust: Trust | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="catalog version", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends within a second, unless it waits for a change just then; nobody waits for that."""
        self._over.set()
        self._thread.join(timeout=2 * _LOOK_SECONDS)

    def _run(self) -> None:
        while not self._over.is_set():
            # Without a server there is nothing to trust, and those who ask it will say why.
            with contextlib.suppress(psycopg.Error, ReelbaseError):
                try:
                    with connect(self._url, "reelbase api version") as connection:
                        connection.execute(_SQL["listen"])
                        self._follow(connection)
                finally:
                    self.trust = None
            self._over.wait(_AGAIN_SECONDS)

    def _follow(self, connection: Connection) -> None:
        while not self._over.is_set():
            connection.execute(_SQL["pass_gate"])
            connection.execute(_SQL["read"])
            connection.execute(_SQL["leave_gate"])
            self.trust = Trust(version(connection))
            self._wait_for_change(connection, self.trust.version)
            self.trust = None
            connection.execute(_SQL["stop_reading"])

    def _wait_for_change(self, connection: Connection, known: str) -> None:
        looks = 0
        while not self._over.is_set():
            if any(True for _ in connection.notifies(timeout=_LOOK_SECONDS, stop_after=1)):
                return
            looks += 1
            if looks % _LOOKS_BETWEEN_CHECKS == 0 and version(connection) != known:
                return
