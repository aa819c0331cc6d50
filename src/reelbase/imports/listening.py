"""A worker that waits for imports: seen by others as long as it beats, and looking after what others have left."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg

from reelbase.database.connect import Connection, connect
from reelbase.errors import ReelbaseError
from reelbase.imports import lease, queue
from reelbase.imports.store import SQL

_LONGEST_BEAT_SECONDS = 5.0
# A look at what others have left takes a few milliseconds; an import whose worker has died waits for so long.
_LOOK_SECONDS = 1.0
_LOOKS_BETWEEN_TIDYING = 10
_AGAIN_SECONDS = 1.0


def somebody_listens(connection: Connection, lease_seconds: float) -> bool:
    """Whether a worker is there that will take a new import."""
    row = connection.execute(SQL["somebody_listens"], {"lease_seconds": lease_seconds}).fetchone()
    return bool(row and row[0])


@contextmanager
def listening(url: str, lease_seconds: float, worker: UUID) -> Iterator[None]:
    """Be known as a worker; imports whose worker is gone are reaped meanwhile.

    Two threads with a connection each: taking an import from somebody may last, and nobody should think us gone.
    """
    over = threading.Event()
    tasks: tuple[Callable[[Connection], None], ...] = (
        lambda connection: _beat(connection, lease_seconds, worker, over),
        lambda connection: _look_after(connection, lease_seconds, over),
    )
    threads = [threading.Thread(target=_keep, args=(url, task, over), name="listening", daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(timeout=10)


def _keep(url: str, task: Callable[[Connection], None], over: threading.Event) -> None:
    """Do it until it is over; when the server goes away, again as soon as it is back."""
    while not over.is_set():
        try:
            with connect(url, "reelbase worker") as connection:
                task(connection)
        except (psycopg.Error, ReelbaseError):
            over.wait(_AGAIN_SECONDS)


def _beat(connection: Connection, lease_seconds: float, worker: UUID, over: threading.Event) -> None:
    lease.register(connection, worker)
    while not over.wait(min(lease_seconds / 3, _LONGEST_BEAT_SECONDS)):
        if connection.execute(SQL["worker_beat"], {"worker_id": worker}).fetchone() is None:
            lease.register(connection, worker)  # silent for so long that others have forgotten us
    connection.execute(SQL["worker_stop"], {"worker_id": worker})


def _look_after(connection: Connection, lease_seconds: float, over: threading.Event) -> None:
    looks = 0
    while True:
        lease.reap(connection, lease_seconds)
        queue.defer_lost(connection, lease_seconds)
        if looks % _LOOKS_BETWEEN_TIDYING == 0:
            connection.execute(SQL["workers_prune"])
            queue.tidy(connection)
        looks += 1
        if over.wait(_LOOK_SECONDS):
            return
