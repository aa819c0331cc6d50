"""Where questions are asked, in the event loop or in a thread, and answers kept as long as they are true.

What is asked most, a page and a movie, is asked in the event loop (lines.py). All else is synchronous: a request goes
to a thread once, with all its questions, and comes back with the bytes; see docs/decisions/0014.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

import orjson
import psycopg
from psycopg.types.json import set_json_loads
from starlette.requests import Request
from starlette.types import Scope

from reelbase.catalog.browse import Total
from reelbase.catalog.version import Trust, Watch, asking_version, version
from reelbase.database.asking import Question
from reelbase.database.connect import Connection, DictConnection, connect, connect_dicts
from reelbase.serving.answers import Answer, Body, etag, found, is_known, unchanged
from reelbase.serving.lines import GoneAway, Limits, Lines, Watching, session
from reelbase.serving.problems import too_busy

S = TypeVar("S")
T = TypeVar("T")

_TRIES = 10  # of a question whose answer was overtaken by a publish each time
_WAITING_FOR_EACH_THREAD = 32
_KEPT_BYTES = 32 << 20
_KEPT_TOTALS = 10_000


class _Job(Generic[T]):
    """A question on its way; `connection` is there while it is being asked."""

    def __init__(self, ask: Callable[[DictConnection], T]) -> None:
        self._ask = ask
        self.connection: DictConnection | None = None
        self.is_given_up = False

    def __call__(self, connection: DictConnection) -> T:
        self.connection = connection
        try:
            if self.is_given_up:
                raise GoneAway
            return self._ask(connection)
        finally:
            self.connection = None

    def give_up(self) -> None:
        """Cancel the query: nobody waits for its answer."""
        self.is_given_up = True
        connection = self.connection
        if connection is not None:
            with contextlib.suppress(psycopg.Error):
                connection.cancel_safe(timeout=2)


class Desk:
    """Asks PostgreSQL for the API's answers."""

    def __init__(self, url: str, limits: Limits) -> None:
        self.url = url
        self.limits = limits
        self.watch = Watch(url)
        self.kept = Kept()
        self._lines = Lines(url, limits)
        self._threads = ThreadPoolExecutor(limits.connections, thread_name_prefix="api")
        self._mine = threading.local()
        self._opened: list[psycopg.Connection[Any]] = []
        self._lock = threading.Lock()
        self.waiting = 0

    def open(self) -> None:
        self.watch.start()

    async def close(self) -> None:
        """Nothing is asked any more; what is being asked is cancelled."""
        await self._lines.close()
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self.watch.stop()
        with self._lock:
            for connection in self._opened:
                with contextlib.suppress(psycopg.Error):
                    connection.cancel_safe(timeout=1)
        self._threads.shutdown(wait=True, cancel_futures=True)
        for connection in self._opened:
            connection.close()

    # Asking

    async def ask(self, request: Request, ask: Callable[[DictConnection], T]) -> T:
        """Ask in a thread. When the client goes away, its query is cancelled."""
        job = _Job(ask)
        with self._waiting():
            future = asyncio.get_running_loop().run_in_executor(self._threads, self._run, job)
            watching = Watching(request.receive, lambda: asyncio.to_thread(job.give_up))
            try:
                return await future
            finally:
                watching.end()

    async def ask_here(self, request: Request, question: Callable[[], Question[T]]) -> T:
        """Ask in the event loop. When the client goes away, its query is cancelled."""
        with self._waiting():
            return await self._lines.ask(request.receive, question)

    @contextlib.contextmanager
    def _waiting(self) -> Iterator[None]:
        if self.waiting >= self.limits.connections * _WAITING_FOR_EACH_THREAD:
            raise too_busy("Too many questions are waiting.")
        self.waiting += 1
        try:
            yield
        finally:
            self.waiting -= 1

    async def change(self, change: Callable[[Connection], T]) -> T:
        """Do something that changes the database; not cancelled when the client goes away."""

        def run() -> T:
            with connect(self.url, "reelbase api") as connection:
                return change(connection)

        return await asyncio.to_thread(run)

    def _run(self, job: _Job[T]) -> T:
        """In a thread: once more where the server has ended the thread's connection meanwhile."""
        if job.is_given_up:
            raise GoneAway
        connection, is_fresh = self._connection()
        try:
            return job(connection)
        except psycopg.OperationalError:
            if not (connection.broken or connection.closed) or is_fresh:
                raise
        connection, _ = self._connection()
        return job(connection)

    def _connection(self) -> tuple[DictConnection, bool]:
        known: DictConnection | None = getattr(self._mine, "connection", None)
        if known is not None and not known.closed and not known.broken:
            return known, False
        with self._lock:
            if known is not None:
                self._opened.remove(known)
                known.close()
            self._mine.connection = None
        made = connect_dicts(self.url, "reelbase api")
        for text, values in session(self.limits):
            made.execute(text, values)
        set_json_loads(orjson.Fragment, made)  # passed on as it is
        with self._lock:
            self._opened.append(made)
        self._mine.connection = made
        return made, True

    # Answers of one release

    def consistent(self, ask: Callable[[DictConnection], T]) -> Callable[[DictConnection], tuple[T, str]]:
        """The question, asked so that all of its answer is of one version of the catalog, which comes with it."""

        def asked(connection: DictConnection) -> tuple[T, str]:
            for _ in range(_TRIES):
                trust = self.watch.trust
                before = trust.version if trust else version(connection)
                answer = ask(connection)
                if (trust is not None and self.watch.trust is trust) or version(connection) == before:
                    return answer, before
            raise too_busy("The catalog changes faster than it can be read.")

        return asked

    def consistent_here(self, question: Callable[[], Question[T]]) -> Callable[[], Question[tuple[T, str]]]:
        """As `consistent`, for a question that is asked in the event loop."""

        def asked() -> Question[tuple[T, str]]:
            for _ in range(_TRIES):
                trust = self.watch.trust
                before = trust.version if trust else (yield from asking_version())
                answer = yield from question()
                if (trust is not None and self.watch.trust is trust) or (yield from asking_version()) == before:
                    return answer, before
            raise too_busy("The catalog changes faster than it can be read.")

        return asked

    # What of a cookie or the like makes an answer differ, besides its path and query, is its `variant`.

    async def cached(self, request: Request, ask: Callable[[DictConnection], Body], variant: bytes = b"") -> Answer:
        """The answer to a GET from what is kept, or asked and kept; 304 where the client has it."""
        return await self.known(request, variant) or await self.made(request, ask, variant)

    async def made(self, request: Request, ask: Callable[[DictConnection], Body], variant: bytes = b"") -> Answer:
        """The answer that is not known yet, asked in a thread and kept."""
        return self.keep(request.scope, *await self.ask(request, self.consistent(ask)), variant)

    async def together(
        self, request: Request, first: Callable[[DictConnection], T], second: Callable[[DictConnection], S]
    ) -> tuple[T, S, str]:
        """Two questions at once, on a connection each; their answers are of one version, which comes with them."""
        for _ in range(_TRIES):
            (one, of_one), (other, of_other) = await asyncio.gather(
                self.ask(request, self.consistent(first)), self.ask(request, self.consistent(second))
            )
            if of_one == of_other:
                return one, other, of_one
        raise too_busy("The catalog changes faster than it can be read.")

    async def made_here(self, request: Request, question: Callable[[], Question[Body]], variant: bytes = b"") -> Answer:
        """As `made`, asked in the event loop."""
        return self.keep(request.scope, *await self.ask_here(request, self.consistent_here(question)), variant)

    def keep(self, scope: Scope, body: Body, now: str, variant: bytes = b"") -> Answer:
        """The answer with a body that is true of a version; kept as long as that one is."""
        key = (scope["path"], scope["query_string"], variant)
        self.kept.put(now, key, body)
        tag = etag(now, *key)
        return unchanged(tag, variant) if is_known(scope, tag) else found(scope, body, tag, variant)

    async def known(self, request: Request, variant: bytes = b"") -> Answer | None:
        """The answer without a question to the catalog, where there is one."""
        scope = request.scope
        trust: Trust | None = self.watch.trust
        if trust is not None:
            return self._known(scope, trust.version, variant)
        if any(name == b"if-none-match" for name, _ in scope["headers"]):
            return self._known(scope, await self.ask(request, version), variant)
        return None

    def _known(self, scope: Any, now: str, variant: bytes) -> Answer | None:
        key = (scope["path"], scope["query_string"], variant)
        tag = etag(now, *key)
        if is_known(scope, tag):
            return unchanged(tag, variant)
        body = self.kept.get(now, key)
        return None if body is None else found(scope, body, tag, variant)


Key = tuple[str, bytes, bytes]
"""Path, query and variant."""


class Kept:
    """Answers and totals of one version of the catalog: another version, and all of them are forgotten."""

    def __init__(self) -> None:
        self._version = ""
        self._bodies: OrderedDict[Key, Body] = OrderedDict()
        self._bytes = 0
        self._totals: dict[tuple[str, object], Total] = {}

    def get(self, version: str, key: Key) -> Body | None:
        if version != self._version:
            return None
        body = self._bodies.get(key)
        if body is not None:
            self._bodies.move_to_end(key)
        return body

    def put(self, version: str, key: Key, body: Body) -> None:
        """Only ever called by the event loop's thread."""
        if version != self._version:
            self._version, self._bytes = version, 0
            self._bodies.clear()
        old = self._bodies.pop(key, None)
        self._bodies[key] = body
        self._bytes += body.size - (old.size if old else 0)
        while self._bytes > _KEPT_BYTES and self._bodies:
            _, dropped = self._bodies.popitem(last=False)
            self._bytes -= dropped.size

    def total(self, version: str, key: object) -> Total | None:
        """How many match, where that is known; called by any thread."""
        return self._totals.get((version, key))

    def put_total(self, version: str, key: object, total: Total) -> None:
        """Counted once for each version; called by any thread."""
        if len(self._totals) >= _KEPT_TOTALS:
            self._totals = {}
        self._totals[version, key] = total


def where_loaded(ask: Callable[[DictConnection], T], otherwise: T) -> Callable[[DictConnection], T]:
    """Before anything is loaded there is no schema `catalog`, and the answer is another."""

    def asked(connection: DictConnection) -> T:
        try:
            return ask(connection)
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            return otherwise

    return asked


def if_loaded(question: Question[T], otherwise: T) -> Question[T]:
    """As `where_loaded`, for a question that is asked anywhere."""
    try:
        return (yield from question)
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return otherwise
