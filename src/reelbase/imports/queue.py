"""The queue (Procrastinate), kept thin: a job only wakes a worker, the import's own row decides what happens.

There are two lanes, so that a small import does not wait for a huge one: small imports go into one of their own, which
other workers serve too. First asked, first served: a job's priority is its import's number. Who runs an import without
a worker takes its job out.
"""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path

import procrastinate

from reelbase.database.connect import Connection
from reelbase.errors import SourceError
from reelbase.imports.store import SQL
from reelbase.receiving.paths import check_unchanged

TASK = "reelbase.run_import"
LANE, SMALL_LANE = "imports", "small imports"
SMALL_BYTES = 128 << 20
"""Files of at most so many bytes on disk, together, make a small import; one of unknown size is none."""

# The queue counts a worker as lost after so many seconds without its heartbeat, which comes every ten.
LOST_SECONDS = 30.0
_LOWEST_PRIORITY = -(2**31)


def queues(*lanes: str) -> list[str]:
    """What a worker on this host takes from these lanes: what anybody may run, and what only this host can."""
    return [queue for lane in lanes for queue in (lane, _at(lane, platform.node()))]


def _see_queue(connection: Connection) -> None:
    """For the rest of the transaction: the queue's functions, its triggers too, name their tables without a schema.

    A role that is called `reelbase` would find them anyhow, by PostgreSQL's own default; another's would not.
    """
    connection.execute("set local search_path = reelbase, public")


def _at(lane: str, host: str) -> str:
    """The queue of a lane for one host; short, because the channel that wakes workers has its name (63 bytes)."""
    return f"{lane}@{hashlib.sha256(host.encode()).hexdigest()[:12]}"


def defer(connection: Connection, import_id: int, *, seconds: float = 0, host: str | None = None) -> None:
    """Put an import into the queue, in the caller's transaction: nobody wakes up before it is committed.

    It is taken after so many `seconds` at the earliest, and by a worker on `host` only, where one is given.
    """
    row = connection.execute(SQL["is_small"], {"import_id": import_id, "bound": SMALL_BYTES}).fetchone()
    lane = SMALL_LANE if row and row[0] else LANE
    app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())
    _see_queue(connection)
    app.configure_task(
        TASK,
        queue=lane if host is None else _at(lane, host),
        priority=max(-import_id, _LOWEST_PRIORITY),
        schedule_in={"seconds": seconds} if seconds else None,
        connection=connection,
    ).defer(import_id=import_id)


def take_back(connection: Connection, import_id: int) -> None:
    """Take an import out of the queue, to run it without a worker or not at all."""
    _forget(connection, import_id, "todo")


def forget_taken(connection: Connection, import_id: int) -> None:
    """Forget the job of a worker that is gone: nobody else would before the queue counts it as lost."""
    _forget(connection, import_id, "doing")


def _forget(connection: Connection, import_id: int, status: str) -> None:
    with connection.transaction():
        _see_queue(connection)
        connection.execute(SQL["forget_job"], {"task": TASK, "import_id": import_id, "status": status})


def defer_lost(connection: Connection, lease_seconds: float) -> None:
    """Put imports back whose job was taken by somebody who died before the import was theirs."""
    with connection.transaction():
        parameters = {"task": TASK, "lease_seconds": lease_seconds}
        for (import_id,) in connection.execute(SQL["without_job"], parameters).fetchall():
            defer(connection, import_id)


def tidy(connection: Connection) -> None:
    """Delete jobs that have ended, and those that the queue still counts as being done by a worker that is gone."""
    with connection.transaction():
        _see_queue(connection)
        connection.execute(SQL["forget_job_workers"], {"seconds": LOST_SECONDS})
        connection.execute(SQL["forget_jobs"], {"task": TASK})


def hand_over(connection: Connection, import_id: int) -> bool:
    """Leave an import whose files are not here to the host that has accepted them; whether that was so."""
    row = connection.execute(SQL["host"], {"import_id": import_id}).fetchone()
    host = row[0] if row else None
    if host in (None, platform.node()) or _are_here(connection, import_id):
        return False
    with connection.transaction():
        defer(connection, import_id, host=host)
    return True


def _are_here(connection: Connection, import_id: int) -> bool:
    try:
        for path, fingerprint in connection.execute(SQL["paths"], {"import_id": import_id}).fetchall():
            if fingerprint is not None:
                check_unchanged(Path(path), fingerprint)
            elif not Path(path).exists():
                return False
    except (SourceError, OSError):
        return False
    return True
