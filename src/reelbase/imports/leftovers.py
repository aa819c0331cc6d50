"""What imports leave in the file store: taken away as soon as no import needs it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from psycopg.rows import dict_row

from reelbase.database.asking import answer
from reelbase.database.connect import Connection
from reelbase.imports import origins
from reelbase.imports.sources import URL
from reelbase.receiving import copies, store, uploads

_DAY_SECONDS = 86400.0


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
    with connection.cursor(row_factory=dict_row) as cursor:
        for (upload_id,) in rows:
            path = answer(cursor, uploads.end(upload_id, "terminated"))
            if path is not None:
                with contextlib.suppress(OSError):
                    store.remove(path)


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
