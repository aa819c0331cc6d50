"""The connections of a run: threads that take tasks from the board until there are none."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

import psycopg

from reelbase.database.connect import Connection, connect, translated, without_timeouts
from reelbase.imports.board import Board, Job, OpenFeed
from reelbase.telemetry.timing import timed


class Crew:
    """So many connections, each with a thread; `read` does a turn at a feed."""

    def __init__(
        self, url: str, name: str, count: int, board: Board, read: Callable[[Connection, OpenFeed], None]
    ) -> None:
        self._url = url
        self._name = name
        self._board = board
        self._read = read
        self._connections: list[Connection] = []
        self._threads = [
            threading.Thread(target=self._work, name=f"loader {number}", daemon=True) for number in range(count)
        ]

    def start(self) -> None:
        """Begin to take tasks."""
        for thread in self._threads:
            thread.start()

    def wait(self) -> None:
        """Return when all is done; raises what has gone wrong."""
        for thread in self._threads:
            thread.join()
        if self._board.error is not None:
            raise self._board.error

    def is_at_work(self) -> bool:
        """Whether any of them is still busy."""
        return any(thread.is_alive() for thread in self._threads)

    def cancel(self) -> None:
        """Cut off what PostgreSQL is busy with."""
        for connection in list(self._connections):
            with contextlib.suppress(psycopg.Error):
                connection.cancel_safe(timeout=5)

    def _work(self) -> None:
        try:
            with translated(), connect(self._url, self._name) as connection:
                self._connections.append(connection)
                try:
                    # A chunk that a crash forgets is forgotten by the ledger too: nothing has to wait for the disk.
                    connection.execute("set synchronous_commit = off")
                    without_timeouts(connection)
                    self._take_tasks(connection)
                finally:
                    self._connections.remove(connection)
        except BaseException as error:  # noqa: BLE001  # whatever it is ends the import, in the thread that waits
            self._board.fail(error)
            self.cancel()

    def _take_tasks(self, connection: Connection) -> None:
        mine: OpenFeed | None = None
        while (task := self._board.take(mine)) is not None:
            try:
                if isinstance(task, OpenFeed):
                    mine = task
                    self._read(connection, task)
                else:
                    self._do(connection, task)
            finally:
                self._board.give_back(task)

    def _do(self, connection: Connection, job: Job) -> None:
        helpers = self._board.helpers(job, len(self._threads))
        with timed(job.name, helpers=helpers):
            next_jobs = job.run(connection, helpers)
        for next_job in next_jobs:
            self._board.add(next_job)
