"""Who runs an import, and whether they are still alive.

A running import is held twice: by an advisory lock of the worker's session, which goes with the connection at once, and
by a heartbeat, for a worker that is silent without being gone (stopped, swapped out, cut off). Whoever looks at imports
reaps those that are held by nobody: what a worker ran goes back into the queue, what a command ran itself ends as
interrupted, because whoever has called it knows.
"""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self
from uuid import UUID

import psycopg
import structlog

from reelbase.database.connect import Connection, connect, without_timeouts
from reelbase.errors import Cancelled, ConnectionLost, Fenced, Interrupted, ReelbaseError
from reelbase.imports import leftovers, queue
from reelbase.imports.store import SQL, end, job, start
from reelbase.loading.ledger import LOST_BOUND, Run

# Two spaces of advisory locks of our own: "reel" and "reem" in ASCII.
IMPORT_SPACE = 0x7265656C
DATASET_SPACE = 0x7265656D
_LOOK_SECONDS = 0.5
# Whoever ran an import before may have put it back a moment before its lock goes.
_LOCK_SECONDS = 5.0
_LOCK_PAUSE_SECONDS = 0.05
# An import whose worker was lost again waits for so many seconds more each time: what it needs may be coming back.
_AGAIN_SECONDS = 2.0


_log = structlog.get_logger("reelbase.imports")


def session_name(import_id: int, attempt: int) -> str:
    """How the sessions of one attempt are called in pg_stat_activity."""
    return f"reelbase import {import_id} attempt {attempt}"


class Lease:
    """Holds one import while it is run: lock, heartbeat, and an eye on whether somebody wants it to stop.

    As a context manager it ends with the lock and the worker's row gone. `run` is None when the import was not to be
    had: somebody else runs it, or it is not queued any more. `worker` is the worker whose run it is, None for a command
    that runs its import itself.
    """

    def __init__(self, url: str, import_id: int, lease_seconds: float, worker: UUID | None = None) -> None:
        self._url = url
        self._import_id = import_id
        self._worker = worker
        self._beat_seconds = min(lease_seconds / 3, 5.0)
        self._over = threading.Event()
        self._dataset_lock = threading.Lock()
        self._held: set[str] = set()
        self.run: Run | None = None
        self._step: str | None = None
        self.connection: Connection = connect(url, "reelbase worker")

    def __enter__(self) -> Self:
        if self._locked():
            worker_id = self._register()
            attempt = start(self.connection, self._import_id, worker_id, by_worker=self._worker is not None)
            if attempt is None:
                self.connection.execute(SQL["worker_stop"], {"worker_id": worker_id})
            else:
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
                parameters = {"worker_id": self.run.worker_id, "import_id": self.run.import_id}
                self.connection.execute(SQL["run_stop"], parameters)
        except psycopg.Error:
            pass  # the connection is gone, and the lock with it
        finally:
            self.connection.close()

    def watch(self, stop: Callable[[ReelbaseError], None]) -> threading.Thread:
        """Start the heartbeat; `stop` is called when the run should end: cancelled, fenced or cut off.

        It is called again and again until the lease ends: what it cuts off may just not have begun.
        """
        thread = threading.Thread(target=self._beat, args=(stop,), name="heartbeat", daemon=True)
        thread.start()
        return thread

    def tell(self, step: str | None) -> None:
        """Say what the run is busy with, in words; the heartbeat writes it down."""
        self._step = step

    def hold_dataset(self, dataset: str) -> None:
        """Wait for the right to publish a dataset; kept until the lease ends."""
        self._hold(dataset)

    def hold_catalog(self) -> None:
        """Wait for the right to publish the catalog. Always after the dataset's: nobody waits in a circle."""
        self._hold("catalog")

    def _hold(self, name: str) -> None:
        with self._dataset_lock:
            if name not in self._held:
                self.tell("waiting for another import to be published")
                self.connection.execute("select pg_advisory_lock(%s, hashtext(%s))", (DATASET_SPACE, name))
                self._held.add(name)
                self.tell(None)

    def _locked(self) -> bool:
        patience = time.monotonic() + _LOCK_SECONDS
        parameters = (IMPORT_SPACE, self._import_id)
        while True:
            row = self.connection.execute("select pg_try_advisory_lock(%s, %s)", parameters).fetchone()
            if row and row[0]:
                return True
            if job(self.connection, self._import_id).state != "queued" or time.monotonic() > patience:
                return False
            time.sleep(_LOCK_PAUSE_SECONDS)

    def _register(self) -> UUID:
        return register(self.connection, None, process=self._worker)

    def _beat(self, stop: Callable[[ReelbaseError], None]) -> None:
        """On a connection of its own: the lease's may wait for another import of the dataset."""
        run = self.run
        assert run is not None  # noqa: S101  # watched only when the import was had
        trouble: ReelbaseError | None = None
        try:
            with connect(self._url, session_name(run.import_id, run.attempt)) as connection:
                waited = self._beat_seconds
                told: str | None = None
                while trouble is None and not self._over.wait(_LOOK_SECONDS):
                    waited += _LOOK_SECONDS
                    if waited >= self._beat_seconds:
                        connection.execute(SQL["worker_beat"], {"worker_id": run.worker_id})
                        waited = 0.0
                    trouble = _trouble(connection, run)
                    step = self._step
                    if step != told and _tell(connection, run, step):
                        told = step
        except (psycopg.Error, ReelbaseError) as error:
            trouble = ConnectionLost(f"The connection to PostgreSQL was lost ({str(error).strip()}).")
        while trouble is not None and not self._over.is_set():
            stop(trouble)
            self._over.wait(_LOOK_SECONDS)


def register(connection: Connection, worker_id: UUID | None, *, process: UUID | None = None) -> UUID:
    """Write down a worker (with its id), or a run of `process`, as long as this session lasts; returns its id."""
    parameters = {"id": worker_id, "process": process, "listens": worker_id is not None}
    row = connection.execute(
        SQL["worker_start"], {**parameters, "host": platform.node(), "pid": os.getpid()}
    ).fetchone()
    assert row is not None  # noqa: S101  # insert … returning
    registered: UUID = row[0]
    return registered


def _tell(connection: Connection, run: Run, step: str | None) -> bool:
    """Write down what a run is busy with; false where that has to wait."""
    return connection.execute(SQL["tell_step"], {**_attempt(run), "step": step}).fetchone() is not None


def _trouble(connection: Connection, run: Run) -> ReelbaseError | None:
    row = connection.execute(SQL["watch"], {"import_id": run.import_id}).fetchone()
    if row is None or row[1] != run.attempt or row[2] in ("failed", "cancelled"):
        return Fenced(f"Import {run.import_id} is no longer run by this worker.")
    return Cancelled(f"Import {run.import_id} was cancelled.") if row[0] else None


def reap(connection: Connection, lease_seconds: float, import_id: int | None = None) -> list[int]:
    """Take imports from workers that are gone or silent, and return their numbers.

    What a worker ran is queued again, what a command ran fails (`interrupted`), what was to be cancelled is.
    """
    rows = connection.execute(SQL["held_by"], {"space": IMPORT_SPACE, "import_id": import_id}).fetchall()
    reaped = []
    for found, attempt, by_worker, locked, silent in rows:
        if locked and silent <= lease_seconds:
            continue
        # First of all: a worker that stands still in a transaction would hold up whatever is written here.
        connection.execute(SQL["terminate"], {"name": session_name(found, attempt)})
        queue.forget_taken(connection, found)
        run = Run(found, attempt, UUID(int=0))
        why = f"Its worker has been silent for {silent:.0f} seconds." if locked else "Its worker is gone."
        if (by_worker and give_back(connection, run, why)) or _end_lost(connection, run, why):
            reaped.append(found)
    return reaped


def give_back(connection: Connection, run: Run, why: str, *, lost: bool = True) -> bool:
    """Queue the import of a worker's run again, for the next worker to go on with; false when it is no longer ours.

    A worker that was `lost` counts: after too many in a row the import fails (`interrupted`).
    """
    with connection.transaction():
        losses = 0
        if lost:
            row = connection.execute(SQL["count_loss"], _attempt(run)).fetchone()
            if row is None:
                return False
            losses = int(row[0])
        if losses >= LOST_BOUND:
            return end(connection, run, "failed", _interrupted(run, f"{losses} workers in a row were lost with it."))
        if connection.execute(SQL["give_back"], _attempt(run)).fetchone() is None:
            return False
        connection.execute(SQL["free_chunks"], {"import_id": run.import_id, "lost": int(lost)})
        queue.defer(connection, run.import_id, seconds=_AGAIN_SECONDS * max(losses - 1, 0))
    _log.info("import queued again", import_id=run.import_id, attempt=run.attempt + 1, losses=losses, detail=why)
    return True


def _end_lost(connection: Connection, run: Run, why: str) -> bool:
    """Write the end of a run whose worker is lost; false when somebody else has."""
    if job(connection, run.import_id).cancel_asked:
        return leftovers.end_cancelled(connection, run)
    return end(connection, run, "failed", _interrupted(run, why))


def _attempt(run: Run) -> dict[str, object]:
    return {"import_id": run.import_id, "attempt": run.attempt}


def _interrupted(run: Run, why: str) -> Interrupted:
    return Interrupted(why, f"`reelbase imports retry {run.import_id}` goes on with it.")
