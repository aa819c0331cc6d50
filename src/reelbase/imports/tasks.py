"""The job queue (Procrastinate), kept thin: a job only wakes a worker, the import's own row decides what happens.

Each import has a queue of its own, so that its job is found by its name. Workers listen to all of them; who runs an
import without a worker needs no job, and takes it out of its queue.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal

import procrastinate
import psycopg
import structlog
from procrastinate.exceptions import ConnectorException

from reelbase.database.connect import Connection, connect
from reelbase.errors import ServerUnavailable
from reelbase.imports.resources import Resources
from reelbase.imports.run import run_import
from reelbase.imports.store import SQL

TASK = "reelbase.run_import"
_SEARCH_PATH = "-c search_path=reelbase,public"
_POOL_SECONDS = 5.0
_PAUSE_SECONDS = 1.0

_log = structlog.get_logger("reelbase.imports")


def queue_of(import_id: int) -> str:
    """The queue of one import."""
    return f"import-{import_id}"


def defer(connection: Connection, import_id: int) -> None:
    """Put an import into its queue, in the caller's transaction: nobody wakes up before it is committed."""
    app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())
    connection.execute("set local search_path = reelbase, public")
    app.configure_task(TASK, queue=queue_of(import_id), connection=connection).defer(import_id=import_id)


def take_back(connection: Connection, import_id: int) -> None:
    """Take an import out of its queue, to run it without a worker."""
    with connection.transaction():
        connection.execute("set local search_path = reelbase, public")
        connection.execute(SQL["take_back"], {"queue": queue_of(import_id)})


def defer_lost(connection: Connection, lease_seconds: float) -> None:
    """Put imports back whose job was taken by somebody who died before the import was theirs."""
    with connection.transaction():
        for (import_id,) in connection.execute(SQL["without_job"], {"lease_seconds": lease_seconds}).fetchall():
            defer(connection, import_id)


def work(url: str, resources: Resources, *, concurrency: int) -> None:
    """Run imports as they come, until a signal; what is running then ends as interrupted.

    When the server goes away, this goes on as soon as it is back.
    """
    asyncio.run(_work(url, resources, concurrency))


async def _work(url: str, resources: Resources, concurrency: int) -> None:
    over = asyncio.Event()

    def stop() -> None:
        over.set()
        resources.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    while not over.is_set():
        try:
            await asyncio.to_thread(_reach, url)
            await _work_until(over, url, resources, concurrency)
        except (ConnectorException, ServerUnavailable, psycopg.Error) as error:
            _log.warning("queue lost", detail=str(error.__cause__ or error).strip())
        await _wait(over, _PAUSE_SECONDS)


def _reach(url: str) -> None:
    """Raise ServerUnavailable at once where a pool would try for minutes."""
    connect(url, "reelbase queue").close()


async def _work_until(over: asyncio.Event, url: str, resources: Resources, concurrency: int) -> None:
    app = _app(url, resources)
    async with app.open_async():
        worker = asyncio.create_task(app.run_worker_async(concurrency=concurrency, install_signal_handlers=False))
        asked = asyncio.create_task(over.wait())
        await asyncio.wait((worker, asked), return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if not worker.done():
            worker.cancel()
        with contextlib.suppress(asyncio.CancelledError):  # as it was told
            await worker


async def _wait(over: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(over.wait(), seconds)


def _app(url: str, resources: Resources) -> procrastinate.App:
    options = {"options": _SEARCH_PATH, "application_name": "reelbase queue"}
    connector = procrastinate.PsycopgConnector(
        conninfo=url, kwargs=options, min_size=1, max_size=2, timeout=_POOL_SECONDS
    )
    app = procrastinate.App(connector=connector)

    @app.task(name=TASK)
    def run(import_id: int) -> None:
        run_import(url, import_id, resources)

    return app
