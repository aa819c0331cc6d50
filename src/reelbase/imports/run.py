"""Running one import: receiving, loading, indexing, publishing, and whatever ends it before."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from uuid import UUID

import psycopg
import structlog

from reelbase.catalog.version import Change
from reelbase.database.connect import Connection, connect, translated
from reelbase.errors import (
    Cancelled,
    ConnectionLost,
    DiskFull,
    Fenced,
    Interrupted,
    ReelbaseError,
    ServerUnavailable,
)
from reelbase.imports import catalog, leftovers, store
from reelbase.imports.lease import Lease, give_back
from reelbase.imports.load import Loading
from reelbase.imports.receive import Receiving
from reelbase.imports.resources import Resources
from reelbase.loading.ledger import Run
from reelbase.loading.staging import schema_name
from reelbase.publishing import prune, release
from reelbase.publishing.release import ReleaseTable
from reelbase.telemetry.timing import timed

_log = structlog.get_logger("reelbase.imports")


def run_import(url: str, import_id: int, resources: Resources, worker: UUID | None = None) -> None:
    """Run a queued import to its end; whatever happens is written down in its row.

    Returns at once when somebody else runs it or it is not queued. `resources.stopped`, or PostgreSQL going away, ends
    it as interrupted, unless a `worker` runs it: then it is queued again for the next one.
    """
    with Lease(url, import_id, resources.lease_seconds, worker) as lease:
        run = lease.run
        if run is None:
            return
        log = _log.bind(import_id=import_id, attempt=run.attempt)
        log.info("import started")
        try:
            with translated():
                _dispatch(url, lease, run, resources)
        except Fenced:
            log.info("import taken over by another worker, or cancelled")
            _write_cancelled(url, run)
        except (Interrupted, ConnectionLost, ServerUnavailable) as error:
            log.info("import interrupted", code=error.code, detail=str(error))
            _write_end(url, lease.connection, run, error, again=worker is not None)
        except ReelbaseError as error:
            log.info("import ended", code=error.code, detail=str(error))
            _write_end(url, lease.connection, run, error)
        except BaseException as error:
            log.exception("import failed")
            _write_end(url, lease.connection, run, Interrupted(f"It stopped on {type(error).__name__}: {error}."))
            raise
        else:
            log.info("import completed")
            _tidy(url, run, resources)


def _dispatch(url: str, lease: Lease, run: Run, resources: Resources) -> None:
    found = store.job(lease.connection, run.import_id)
    stop = _Stop(lease.connection)
    lease.watch(stop)
    with resources.on_stop(lambda: stop(Interrupted("It was interrupted."))):
        try:
            if found.kind in ("rollback", "remove"):
                _republish(lease, run, found)
            else:
                _load_and_publish(url, lease, run, found, resources, stop)
        except (ReelbaseError, psycopg.Error) as error:
            # What PostgreSQL says when it is cut off is not why the run has ended.
            raise stop.error or error from error
        finally:
            stop.close()


class _Stop:
    """Ends a run from outside: what PostgreSQL is busy with is cancelled, each time; the first error is why."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._closed = False
        self.error: ReelbaseError | None = None
        self.listener: Callable[[ReelbaseError], None] | None = None

    def __call__(self, error: ReelbaseError) -> None:
        with self._lock:
            if self._closed:
                return
            self.error = self.error or error
            if self.listener:
                self.listener(error)
            with contextlib.suppress(psycopg.Error):
                self._connection.cancel_safe(timeout=5)

    def close(self) -> None:
        """The run is over: what comes now is its end, which nobody may cut off."""
        with self._lock:
            self._closed = True


def _load_and_publish(url: str, lease: Lease, run: Run, found: store.Job, resources: Resources, stop: _Stop) -> None:
    receiving = Receiving(lease.connection, run, found, resources)
    stop.listener = receiving.stop
    if stop.error:
        raise stop.error
    found = receiving.run()
    store.forget_unless_staged(lease.connection, run, schema_name(found.dataset, run.import_id))
    loading = Loading(url, lease, run, found, resources)
    stop.listener = loading.stop
    if stop.error:
        raise stop.error
    tables = loading.run()
    with timed("publishing"):
        _publish(lease, run, found, tables)


def _republish(lease: Lease, run: Run, found: store.Job) -> None:
    lease.hold_dataset(found.dataset)
    lease.hold_catalog()
    store.advance(lease.connection, run, "publishing")
    publish = release.rollback if found.kind == "rollback" else release.publish_nothing
    with Change(lease.connection) as change:
        publish(lease.connection, found.dataset, run.import_id, run.attempt, catalog.builder(run, change, lease.tell))


def _publish(lease: Lease, run: Run, found: store.Job, tables: list[ReleaseTable]) -> None:
    lease.hold_dataset(found.dataset)
    lease.hold_catalog()
    store.advance(lease.connection, run, "publishing")
    with Change(lease.connection) as change:
        builder = catalog.builder(run, change, lease.tell)
        release.publish(lease.connection, found.dataset, run.import_id, run.attempt, tables, builder)


def _write_cancelled(url: str, run: Run) -> None:
    """A run that is no longer ours may have been cancelled; then its end is still to be written."""
    with contextlib.suppress(psycopg.Error, ReelbaseError), connect(url) as fresh:
        if isinstance(store.lost(fresh, run), Cancelled):
            leftovers.end_cancelled(fresh, run)


def _write_end(url: str, connection: Connection, run: Run, error: ReelbaseError, *, again: bool = False) -> None:
    """Write down how it ended; where the connection is gone, the next one who looks at imports does it."""
    with contextlib.suppress(psycopg.Error, ReelbaseError):
        if connection.closed or connection.broken or isinstance(error, ConnectionLost):
            with connect(url) as fresh:
                _end(fresh, run, error, again=again)
        else:
            _end(connection, run, error, again=again)


def _end(connection: Connection, run: Run, error: ReelbaseError, *, again: bool) -> None:
    found = store.job(connection, run.import_id)
    if found.cancel_asked or isinstance(error, Cancelled):
        leftovers.end_cancelled(connection, run)
        return
    if again and give_back(connection, run, str(error), lost=not isinstance(error, Interrupted)):
        return
    with connection.transaction():
        is_ours = store.end(connection, run, "failed", error)
        if is_ours and isinstance(error, DiskFull):
            # What it takes is what is missing.
            prune.drop_staging(connection, run.import_id, schema_name(found.dataset, run.import_id))
    if isinstance(error, DiskFull):
        # Dropped tables give their last blocks back at the next checkpoint.
        with contextlib.suppress(psycopg.Error):
            connection.execute("checkpoint")


def _tidy(url: str, run: Run, resources: Resources) -> None:
    """Drop what the new release has made superfluous; what is in use stays for the next time."""
    with contextlib.suppress(psycopg.Error, ReelbaseError), connect(url, "reelbase tidy") as connection:
        prune.prune(connection, staging_days=resources.staging_days)
        leftovers.drop_uploads(connection, run.import_id)
        leftovers.sweep(
            connection, resources.web.folder, keep_days=resources.web.keep_days, staging_days=resources.staging_days
        )
