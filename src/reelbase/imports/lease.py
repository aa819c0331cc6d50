"""Who runs an import, and whether they are still alive.

A running import is held twice: by an advisory lock of the worker's session, which goes with the connection at once, and
by a heartbeat, for a worker that is silent without being gone (stopped, swapped out, cut off). Whoever looks at imports
reaps those that are held by nobody.
"""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self
from uuid import UUID

import psycopg

from reelbase.database.connect import Connection, connect, without_timeouts
from reelbase.errors import Cancelled, ConnectionLost, Fenced, Interrupted, ReelbaseError
from reelbase.imports import leftovers
from reelbase.imports.store import SQL, end, start
from reelbase.loading.ledger import Run
from reelbase.loading.staging import schema_name
from reelbase.publishing import prune

# Two spaces of advisory locks of our own: "reel" and "reem" in ASCII.
IMPORT_SPACE = 0x7265656C
DATASET_SPACE = 0x7265656D
_LOOK_SECONDS = 0.5


def session_name(import_id: int, attempt: int) -> str:
    """How the sessions of one attempt are called in pg_stat_activity."""
    return f"reelbase import {import_id} attempt {attempt}"


class Lease:
    """Holds one import while it is run: lock, heartbeat, and an eye on whether somebody wants it to stop.

    As a context manager it ends with the lock and the worker's row gone. `run` is None when the import was not to be
    had: somebody else runs it, or it is not queued any more.
    """

    def __init__(self, url: str, import_id: int, lease_seconds: float) -> None:
        self._url = url
        self._import_id = import_id
        self._beat_seconds = min(lease_seconds / 3, 5.0)
        self._over = threading.Event()
        self._dataset_lock = threading.Lock()
        self._held: set[str] = set()
        self.run: Run | None = None
        self.connection: Connection = connect(url, "reelbase worker")

    def __enter__(self) -> Self:
        if self._locked():
            worker_id = self._register()
            attempt = start(self.connection, self._import_id, worker_id)
            if attempt is not None:
                self.run = Run(self._import_id, attempt, worker_id)
                name = session_name(self._import_id, attempt)
                self.connection.execute("select set_config('application_name', %s, false)", (name,))
                without_timeouts(self.connection)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        try:
            if self.run:
                self.connection.execute(SQL["worker_stop"], {"worker_id": self.run.worker_id})
        except psycopg.Error:
            pass  # the connection is gone, and the lock with it
        finally:
            self.connection.close()

    def watch(self, stop: Callable[[ReelbaseError], None]) -> threading.Thread:
        """Start the heartbeat; `stop` is called once when the run should end: cancelled, fenced or cut off."""
        thread = threading.Thread(target=self._beat, args=(stop,), name="heartbeat", daemon=True)
        thread.start()
        return thread

    def hold_dataset(self, dataset: str) -> None:
        """Wait for the right to publish a dataset; kept until the lease ends."""
        self._hold(dataset)

    def hold_catalog(self) -> None:
        """Wait for the right to publish the catalog. Always after the dataset's: nobody waits in a circle."""
        self._hold("catalog")

    def _hold(self, name: str) -> None:
        with self._dataset_lock:
            if name not in self._held:
                self.connection.execute("select pg_advisory_lock(%s, hashtext(%s))", (DATASET_SPACE, name))
                self._held.add(name)

    def _locked(self) -> bool:
        row = self.connection.execute("select pg_try_advisory_lock(%s, %s)", (IMPORT_SPACE, self._import_id)).fetchone()
        return bool(row and row[0])

    def _register(self) -> UUID:
        row = self.connection.execute(
            SQL["worker_start"], {"host": platform.node(), "pid": os.getpid(), "listens": False}
        ).fetchone()
        assert row is not None  # noqa: S101  # insert … returning
        worker_id: UUID = row[0]
        return worker_id

    def _beat(self, stop: Callable[[ReelbaseError], None]) -> None:
        """On a connection of its own: the lease's may wait for another import of the dataset."""
        run = self.run
        assert run is not None  # noqa: S101  # watched only when the import was had
        try:
            with connect(self._url, session_name(run.import_id, run.attempt)) as connection:
                waited = self._beat_seconds
                while not self._over.wait(_LOOK_SECONDS):
                    waited += _LOOK_SECONDS
                    if waited >= self._beat_seconds:
                        connection.execute(SQL["worker_beat"], {"worker_id": run.worker_id, "import_id": run.import_id})
                        waited = 0.0
                    trouble = _trouble(connection, run)
                    if trouble:
                        stop(trouble)
                        return
        except (psycopg.Error, ReelbaseError) as error:
            if not self._over.is_set():
                stop(ConnectionLost(f"The connection to PostgreSQL was lost ({str(error).strip()})."))


def _trouble(connection: Connection, run: Run) -> ReelbaseError | None:
    row = connection.execute(SQL["watch"], {"import_id": run.import_id}).fetchone()
    if row is None or row[1] != run.attempt or row[2] in ("failed", "cancelled"):
        return Fenced(f"Import {run.import_id} is no longer run by this worker.")
    return Cancelled(f"Import {run.import_id} was cancelled.") if row[0] else None


def reap(connection: Connection, lease_seconds: float, import_id: int | None = None) -> list[int]:
    """End imports whose worker is gone or silent as failed (`interrupted`), and return their numbers."""
    rows = connection.execute(SQL["held_by"], {"space": IMPORT_SPACE, "import_id": import_id}).fetchall()
    reaped = []
    for found, attempt, dataset, cancel_asked, locked, silent in rows:
        if locked and silent <= lease_seconds:
            continue
        # First of all: a worker that stands still in a transaction would hold up whatever is written here.
        connection.execute(SQL["terminate"], {"name": session_name(found, attempt)})
        run = Run(found, attempt, UUID(int=0))
        if _end_lost(connection, run, dataset, cancelled=cancel_asked, locked=locked, silent=silent):
            reaped.append(found)
    return reaped


def _end_lost(connection: Connection, run: Run, dataset: str, *, cancelled: bool, locked: bool, silent: float) -> bool:
    """Write the end of a run whose worker is lost; false when somebody else has."""
    if cancelled:
        with connection.transaction():
            is_ours = end(connection, run, "cancelled", Cancelled(f"Import {run.import_id} was cancelled."))
            if is_ours:
                prune.drop_staging(connection, run.import_id, schema_name(dataset, run.import_id))
        if is_ours:
            leftovers.drop(connection, run.import_id)
        return is_ours
    why = f"Its worker has been silent for {silent:.0f} seconds." if locked else "Its worker is gone."
    remedy = f"`reelbase imports retry {run.import_id}` goes on with it."
    return end(connection, run, "failed", Interrupted(why, remedy))
