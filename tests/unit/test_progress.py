"""How far an import is, from what the ledger says of its files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from reelbase.imports.progress import progress

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def file(**known: Any) -> dict[str, Any]:
    """A file of 1000 bytes, half of it loaded in the last 20 seconds, the last 100 bytes of it in the last 10."""
    return {
        "state": "loading",
        "source_bytes": 1000,
        "source_done": 500,
        "rows_loaded": 45,
        "rows_rejected": 5,
        "recent_rows": 10,
        "recent_bytes": 100,
        "attempt_rows": 50,
        "attempt_bytes": 500,
        "begun_at": NOW - timedelta(seconds=20),
        "last_at": NOW,
        "seen_at": NOW,
        **known,
    }


def test_the_rate_is_that_of_the_last_seconds_and_the_rest_is_reckoned_by_it() -> None:
    assert progress("loading", [file()]) == {
        "bytes_done": 500,
        "bytes_total": 1000,
        "rows_loaded": 45,
        "rows_rejected": 5,
        "rows_per_second": 1,
        "eta_seconds": 50.0,
    }


def test_a_young_attempt_is_reckoned_from_its_first_chunk() -> None:
    begun = NOW - timedelta(seconds=2)
    found = progress(
        "loading", [file(begun_at=begun), file(begun_at=None, recent_rows=0, recent_bytes=0, source_done=0)]
    )
    assert found["rows_per_second"] == 5
    assert found["eta_seconds"] == 30.0


def test_chunks_that_take_long_are_reckoned_over_the_whole_attempt() -> None:
    found = progress("loading", [file(recent_rows=0, recent_bytes=0)])
    assert found["rows_per_second"] == 2
    assert found["eta_seconds"] == 20.0


def test_what_an_earlier_attempt_has_loaded_is_done_but_tells_no_rate() -> None:
    found = progress("loading", [file(recent_rows=0, recent_bytes=0, attempt_rows=0, attempt_bytes=0, begun_at=None)])
    assert (found["bytes_done"], found["rows_per_second"], found["eta_seconds"]) == (500, None, None)


def test_where_nothing_is_loaded_there_is_no_rate_and_nothing_left() -> None:
    for state in ("queued", "receiving", "indexing", "publishing", "held"):
        found = progress(state, [file(state="done", source_done=990)])
        assert (found["bytes_done"], found["rows_per_second"], found["eta_seconds"]) == (1000, None, None)


def test_in_the_end_the_rate_is_that_of_the_attempt() -> None:
    for state in ("completed", "failed", "cancelled"):
        found = progress(state, [file(), file(begun_at=None, last_at=None, attempt_rows=0)])
        assert (found["rows_per_second"], found["eta_seconds"]) == (2, None)


def test_without_files_everything_is_nothing() -> None:
    assert progress("completed", []) == {
        **dict.fromkeys(("bytes_done", "bytes_total", "rows_loaded", "rows_rejected"), 0),
        "rows_per_second": None,
        "eta_seconds": None,
    }


def test_never_more_than_all() -> None:
    assert progress("loading", [file(source_done=1200)])["bytes_done"] == 1000
