"""How far an import is: bytes, rows, how fast it is just now, and how long the rest of the loading will take."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

WINDOW_SECONDS = 10.0
"""The rate is that of the last seconds; read.sql counts what was loaded in them."""

FINAL = ("completed", "failed", "cancelled")
"""The states after which nothing changes, unless a failed import is retried."""

LEDGER = (
    *("source_bytes", "source_done", "cut", "blank", "recent_rows", "recent_bytes", "attempt_rows", "attempt_bytes"),
    *("begun_at", "last_at", "seen_at", "changes"),
)
"""What is known of a file for this module's use only."""


def progress(state: str, files: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The progress of an import (CONTRACT.md) from its files.

    Bytes are those of the files as they lie on disk, known before anything is unpacked. They never go back while the
    ledger is kept, and are all done when the import is completed. A rate is told while rows are loaded, and in the end
    for the last attempt as a whole; `eta_seconds` is the time left until everything is loaded.
    """
    total = sum(file["source_bytes"] for file in files)
    done = sum(_done(file) for file in files)
    rows, size = _rates(state, files)
    is_loading = state == "loading"
    return {
        "bytes_done": done,
        "bytes_total": total,
        "rows_loaded": sum(file["rows_loaded"] for file in files),
        "rows_rejected": sum(file["rows_rejected"] for file in files),
        "rows_per_second": None if rows is None else round(rows),
        "eta_seconds": round((total - done) / size, 1) if is_loading and size else None,
    }


def _done(file: dict[str, Any]) -> int:
    """A file's bytes: packed ones are known for each chunk only about, and exactly when all of it is loaded."""
    whole: int = file["source_bytes"]
    return whole if file["state"] == "done" else min(int(file["source_done"]), whole)


def _rates(state: str, files: Sequence[dict[str, Any]]) -> tuple[float | None, float | None]:
    """Rows and bytes a second; None where nothing is loaded just now."""
    begun: list[datetime] = [file["begun_at"] for file in files if file["begun_at"]]
    if not begun or state not in ("loading", *FINAL):
        return None, None
    if state == "loading":
        seconds = (files[0]["seen_at"] - min(begun)).total_seconds()
        recent = sum(file["recent_bytes"] for file in files)
        if recent:
            return _each(sum(file["recent_rows"] for file in files), recent, min(seconds, WINDOW_SECONDS))
        # Chunks that take longer than the window.
    else:
        seconds = (max(file["last_at"] for file in files if file["last_at"]) - min(begun)).total_seconds()
    return _each(sum(file["attempt_rows"] for file in files), sum(file["attempt_bytes"] for file in files), seconds)


def _each(rows: int, size: int, seconds: float) -> tuple[float | None, float | None]:
    return (rows / seconds, size / seconds) if seconds > 0 else (None, None)
