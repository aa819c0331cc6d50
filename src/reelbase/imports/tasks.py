"""What a worker does: two lanes take imports from the queue, one for any import, one for small ones alone."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import UUID

import procrastinate
import psycopg
import structlog
from procrastinate.exceptions import ConnectorException

from reelbase.database.connect import connect
from reelbase.errors import ReelbaseError
from reelbase.imports import queue
from reelbase.imports.resources import Resources
from reelbase.imports.run import run_import

_SEARCH_PATH = "-c search_path=reelbase,public"
_POOL_SECONDS = 5.0
_PAUSE_SECONDS = 1.0

_log = structlog.get_logger("reelbase.imports")


@dataclass(slots=True)
class Worker:
    """A process that runs imports: who it is, what it may take, and how many large ones it is at."""

    id: UUID
    url: str
    resources: Resources
    _running: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, import_id: int) -> None:
        """Run any import."""
        with self._counted():
            self._run(import_id, self.resources)

    def run_small(self, import_id: int) -> None:
        """Run a small import beside what else there is."""
        self._run(import_id, self.resources.beside_others() if self._running else self.resources)

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self._running += 1
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1

    def _run(self, import_id: int, resources: Resources) -> None:
        try:
            with connect(self.url) as connection:
                is_elsewhere = queue.hand_over(connection, import_id)
            if is_elsewhere:
                _log.info("import left to the host of its files", import_id=import_id)
            else:
                run_import(self.url, import_id, resources, self.id)
        except (psycopg.Error, ReelbaseError) as error:
            # Its row says how far it is; whoever looks after the queue next finds it there.
            _log.warning("import not begun", import_id=import_id, detail=str(error).strip())


def work(worker: Worker, *, concurrency: int) -> None:
    """Run imports as they come, until a signal; what is running then is queued again.

    When the server goes away, this goes on as soon as it is back.
    """
    asyncio.run(_work(worker, concurrency))


async def _work(worker: Worker, concurrency: int) -> None:
    over = asyncio.Event()

    def stop() -> None:
        over.set()
        # In a thread: telling PostgreSQL to leave off may take seconds.
        threading.Thread(target=worker.resources.stop, name="stop").start()

    loop = asyncio.get_running_loop()
    # Every import has a thread from its beginning to its end; the queue itself needs another now and then.
    loop.set_default_executor(ThreadPoolExecutor(max_workers=concurrency + 4, thread_name_prefix="import"))
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    await asyncio.gather(
        _keep(over, worker, queue.queues(queue.LANE, queue.SMALL_LANE), concurrency, is_small=False),
        _keep(over, worker, queue.queues(queue.SMALL_LANE), 1, is_small=True),
    )


async def _keep(over: asyncio.Event, worker: Worker, queues: list[str], concurrency: int, *, is_small: bool) -> None:
    """Serve a lane until it is over, whatever becomes of the server meanwhile."""
    while not over.is_set():
        try:
            await asyncio.to_thread(_reach, worker.url)
            app = _app(worker, is_small=is_small)
            async with app.open_async():
                await _serve(over, app, queues, concurrency)
        except (ConnectorException, ReelbaseError, psycopg.Error) as error:
            _log.warning("queue lost", detail=str(error.__cause__ or error).strip())
        await _wait(over, _PAUSE_SECONDS)


def _reach(url: str) -> None:
    """Raise ServerUnavailable at once where a pool would try for minutes."""
    connect(url, "reelbase queue").close()


async def _serve(over: asyncio.Event, app: procrastinate.App, queues: list[str], concurrency: int) -> None:
    serving = asyncio.create_task(
        app.run_worker_async(
            queues=queues,
            concurrency=concurrency,
            install_signal_handlers=False,
            delete_jobs="always",
            stalled_worker_timeout=queue.LOST_SECONDS,
        )
    )
    asked = asyncio.create_task(over.wait())
    await asyncio.wait((serving, asked), return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    if not serving.done():
        serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):  # as it was told
        await serving


async def _wait(over: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(over.wait(), seconds)


def _app(worker: Worker, *, is_small: bool) -> procrastinate.App:
    options = {"options": _SEARCH_PATH, "application_name": "reelbase queue"}
    connector = procrastinate.PsycopgConnector(
        conninfo=worker.url, kwargs=options, min_size=1, max_size=2, timeout=_POOL_SECONDS
    )
    app = procrastinate.App(connector=connector)

    @app.task(name=queue.TASK)
    def run(import_id: int) -> None:
        (worker.run_small if is_small else worker.run)(import_id)

    return app
