"""The board: which connection does what next, so that all of them are busy all the time.

A connection keeps to one stream while there are others for its neighbours: records then lie in the table in the order
of the file, and a file that is sorted by its key is indexed in half the time. When the streams run out it builds
indexes of tables that are complete, the longest first; when there is nothing to build, it helps with a neighbour's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from reelbase.database.connect import Connection
from reelbase.reading.feed import End, Feed, Piece


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do on a table that is loaded.

    `weight` is its expected length in any unit; `run` is given a connection and the number of further cores it may use,
    and returns what is to be done next.
    """

    weight: float
    name: str
    run: Callable[[Connection, int], list[Job]]


@dataclass(slots=True, eq=False)
class OpenFeed:
    """A feed on the board: who reads it, and how many of its pieces are being loaded."""

    feed: Feed
    weight: int
    lock: threading.Lock = field(default_factory=threading.Lock)
    readers: int = 0
    is_open: bool = True


Task: TypeAlias = OpenFeed | Job


class Board:
    """Hands out tasks to connections. `table_done` gives the jobs of a table whose files are all loaded."""

    def __init__(
        self,
        feeds: Iterable[OpenFeed],
        tables: dict[str, set[int]],
        table_done: Callable[[str], list[Job]],
    ) -> None:
        self._feeds = sorted(feeds, key=lambda feed: -feed.weight)
        self._missing = {name: set(files) for name, files in tables.items()}
        self._table_done = table_done
        self._in_flight: dict[int, int] = {}
        self._ended: set[int] = set()
        self._jobs: list[Job] = []
        self._running: list[Job] = []
        self._busy = 0
        self._change = threading.Condition()
        self.error: BaseException | None = None
        self.loaded = threading.Event()
        """Set when every table is loaded: what is left is building."""

    def take(self, mine: OpenFeed | None) -> Task | None:
        """The next task for a connection that last read `mine`; waits for one, None when all is done or lost."""
        with self._change:
            while self.error is None:
                task = self._next(mine)
                if task is not None:
                    self._busy += 1
                    if isinstance(task, OpenFeed):
                        task.readers += 1
                    else:
                        self._running.append(task)
                    return task
                if self._is_done():
                    return None
                self._change.wait()
        return None

    def give_back(self, task: Task) -> None:
        """The task is over, or this turn of it."""
        with self._change:
            self._busy -= 1
            if isinstance(task, OpenFeed):
                task.readers -= 1
            else:
                self._running.remove(task)
            self._change.notify_all()

    def pull(self, feed: OpenFeed, note: Callable[[Piece], None]) -> Piece | End | None:
        """The feed's next part; a piece counts as being loaded until `piece_done`.

        `note` writes a piece down before anybody gets the next one, so that what is written down has no gaps; when that
        fails, the feed is closed.
        """
        with feed.lock:
            part = None
            if feed.is_open:
                try:
                    part = feed.feed.next()
                    if isinstance(part, Piece):
                        note(part)
                except BaseException:
                    feed.is_open = False
                    raise
            with self._change:
                if part is None:
                    feed.is_open = False
                    self._change.notify_all()
                elif isinstance(part, Piece):
                    self._in_flight[part.file] = self._in_flight.get(part.file, 0) + 1
        return part

    def piece_done(self, file: int) -> bool:
        """A piece is loaded; returns whether its file is complete with it."""
        with self._change:
            self._in_flight[file] -= 1
            return self._is_complete(file)

    def file_ended(self, file: int) -> bool:
        """Every piece of the file has been handed out; returns whether all of them are loaded."""
        with self._change:
            self._ended.add(file)
            return self._is_complete(file)

    def file_complete(self, table: str, file: int) -> None:
        """A file is loaded and counted; with the last of a table, the table's jobs go up."""
        with self._change:
            files = self._missing.get(table, set())
            files.discard(file)
            complete = not files and self._missing.pop(table, None) is not None
        jobs = self._table_done(table) if complete else []
        with self._change:
            self._jobs.extend(jobs)
            if not self._missing:
                self.loaded.set()
            self._change.notify_all()

    def add(self, job: Job) -> None:
        """Put up a further job."""
        with self._change:
            self._jobs.append(job)
            self._change.notify_all()

    def fail(self, error: BaseException) -> None:
        """Stop handing out tasks; the first error is the one that counts."""
        with self._change:
            if self.error is None:
                self.error = error
            self._change.notify_all()

    def helpers(self, job: Job, connections: int) -> int:
        """How many further cores a job may use: those that are idle, or will be long before it ends."""
        with self._change:
            if any(feed.is_open for feed in self._feeds):
                return 0
            others = sum(other.weight for other in (*self._jobs, *self._running) if other is not job)
            idle = connections - self._busy - len(self._jobs)
            return max(idle, 1 if job.weight > others and connections > 1 else 0)

    def _next(self, mine: OpenFeed | None) -> Task | None:
        if mine is not None and mine.is_open and not mine.readers:
            return mine
        for feed in self._feeds:
            if feed.is_open and not feed.readers:
                return feed
        if self._jobs:
            job = max(self._jobs, key=lambda job: job.weight)
            self._jobs.remove(job)
            return job
        return next((feed for feed in self._feeds if feed.is_open), None)

    def _is_complete(self, file: int) -> bool:
        return file in self._ended and not self._in_flight.get(file)

    def _is_done(self) -> bool:
        return not self._busy and not self._jobs and not any(feed.is_open for feed in self._feeds)
