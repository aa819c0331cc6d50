"""A worker that waits for imports: seen by others as long as it beats."""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from reelbase.database.connect import Connection, connect
from reelbase.errors import ReelbaseError
from reelbase.imports import lease, tasks
from reelbase.imports.store import SQL


def somebody_listens(connection: Connection, lease_seconds: float) -> bool:
    """Whether a worker is there that will take a new import."""
    row = connection.execute(SQL["somebody_listens"], {"lease_seconds": lease_seconds}).fetchone()
    return bool(row and row[0])


@contextmanager
def listening(url: str, lease_seconds: float) -> Iterator[None]:
    """Be known as a worker; imports whose worker is gone are reaped meanwhile."""
    over = threading.Event()
    thread = threading.Thread(target=_beat, args=(url, lease_seconds, over), name="listening", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=10)


def _beat(url: str, lease_seconds: float, over: threading.Event) -> None:
    """Beat until it is over; when the server goes away, beat again as soon as it is back."""
    while not over.is_set():
        try:
            _beat_on_one_connection(url, lease_seconds, over)
        except (psycopg.Error, ReelbaseError):
            over.wait(1)


def _beat_on_one_connection(url: str, lease_seconds: float, over: threading.Event) -> None:
    with connect(url, "reelbase worker") as connection:
        parameters = {"host": platform.node(), "pid": os.getpid(), "listens": True}
        row = connection.execute(SQL["worker_start"], parameters).fetchone()
        worker_id = row[0] if row else None
        while not over.wait(min(lease_seconds / 3, 5.0)):
            connection.execute(SQL["worker_beat"], {"worker_id": worker_id, "import_id": None})
            connection.execute(SQL["workers_prune"])
            lease.reap(connection, lease_seconds)
            tasks.defer_lost(connection, lease_seconds)
        connection.execute(SQL["worker_stop"], {"worker_id": worker_id})
