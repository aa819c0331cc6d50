"""What imports leave behind, in the database and in the file store: taken away as soon as no import needs it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from reelbase.database.asking import answer
from reelbase.database.connect import Connection
from reelbase.errors import Cancelled
from reelbase.imports import origins, store
from reelbase.imports.sources import URL
from reelbase.loading.ledger import Run
from reelbase.receiving import copies, uploads
from reelbase.receiving.store import remove

_DAY_SECONDS = 86400.0


def end_cancelled(connection: Connection, run: Run) -> bool:
    """Write down that a run was cancelled, and take all of it away; false when it is no longer ours."""
    with connection.transaction():
        is_ours = store.end(connection, run, "cancelled", Cancelled(f"Import {run.import_id} was cancelled."))
        if is_ours:
            store.forget_all(connection, run.import_id)
    if is_ours:
        drop(connection, run.import_id)
    return is_ours


def drop(connection: Connection, import_id: int) -> None:
    """Take away what a cancelled import was sent or has downloaded, unless another one needs it."""
    drop_uploads(connection, import_id)
    for origin in origins.of_import(connection, import_id):
        if origin.source.kind == URL and origin.path is not None:
            with contextlib.suppress(OSError):
                copies.clear(origin.path.parent, _needed(connection, float("inf")), only=origin.path)


def drop_uploads(connection: Connection, import_id: int) -> None:
    """Take away the uploads of an import that has come to its end for good, unless another one may read them."""
    rows = connection.execute(origins.SQL["uploads_to_drop"], {"import_id": import_id}).fetchall()
    for (upload_id,) in rows:
        path = answer(connection, uploads.end(upload_id, "terminated"))
        if path is not None:
            with contextlib.suppress(OSError):
                remove(path)


def sweep(connection: Connection, folder: Path | None, *, keep_days: float, staging_days: float) -> list[Path]:
    """Take away downloads that no import needs: copies after `keep_days`, beginnings after `staging_days`."""
    if folder is None:
        return []
    return copies.sweep(
        folder,
        _needed(connection, staging_days * _DAY_SECONDS),
        copy_seconds=keep_days * _DAY_SECONDS,
        partial_seconds=staging_days * _DAY_SECONDS,
    )


def _needed(connection: Connection, failed_seconds: float) -> Callable[[Path], bool]:
    """Whether an import needs a file; a failed one may be retried for so many seconds."""

    def needed(path: Path) -> bool:
        seconds = min(failed_seconds, 1e9)
        row = connection.execute(origins.SQL["is_needed"], {"path": str(path), "seconds": seconds}).fetchone()
        return row == (True,)

    return needed
