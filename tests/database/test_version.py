"""The catalog's version: who keeps answers stops trusting them before anything changes."""

from __future__ import annotations

import time

from reelbase.catalog.version import Change, Trust, Watch
from reelbase.database.connect import connect


def trusted(watch: Watch) -> Trust:
    """What it trusts, once it does."""
    deadline = time.monotonic() + 60
    while (trust := watch.trust) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return trust


def test_whoever_keeps_answers_has_stopped_before_a_change_begins(database: str) -> None:
    watch = Watch(database)
    watch.start()
    try:
        before = trusted(watch)
        with connect(database) as connection, Change(connection):
            assert watch.trust is None
            time.sleep(0.2)
            assert watch.trust is None, "begun again before the change was made"
        after = trusted(watch)
        assert after is not before
        assert after.version == before.version  # nothing was changed after all
    finally:
        watch.stop()


def test_a_reader_that_does_not_answer_is_waited_for_for_a_moment_only(database: str) -> None:
    with connect(database) as stopped, connect(database) as connection:
        stopped.execute("select pg_advisory_lock_shared(1919247734, 2)")
        with Change(connection):
            assert connection.execute("show lock_timeout").fetchall() == [("0",)]
