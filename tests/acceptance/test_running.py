"""Imports that are queued, run by a worker, cancelled, interrupted, killed; and what a retry makes of them."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.conftest import SLOW, Ratings, Reelbase
from tests.importing import RATINGS, write

pytestmark = pytest.mark.slow

WORKER = {"id", "host", "pid", "task", "import", "since", "seen_at", "chunks_done"}
MANY, FEW = 4000, 800


def counted(reelbase: Reelbase, import_id: int, given: Ratings) -> None:
    """Every record is there, once."""
    [file] = reelbase.json("imports", "show", import_id)["files"]
    assert (file["rows_loaded"], file["rows_rejected"]) == (given.rows, given.rejected)
    assert reelbase.rows("select count(*), count(distinct (user_id, movie_id)) from movielens.ratings") == [
        (given.rows, given.rows)
    ]
    assert reelbase.rows(
        f"select count(*), count(distinct line) from reelbase.rejects where import_id = {import_id}"
    ) == [(given.rejected, given.rejected)]


def test_a_queued_import_waits_for_retry_or_cancel(reelbase: Reelbase, tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", RATINGS, "1,1,3.5,5")
    assert "Import 1 is queued" in reelbase("import", path, "--no-wait").stdout
    found = reelbase.json("import", path, "--no-wait")
    assert (found["id"], found["state"], found["error"]) == (2, "queued", None)
    assert [file["rows_loaded"] for file in found["files"]] == [0]
    assert reelbase.json("imports", "cancel", 1)["state"] == "cancelled"
    assert reelbase.json("imports", "retry", 2)["state"] == "completed"
    assert reelbase.rows("select count(*) from movielens.ratings") == [(1,)]
    assert "Import 2 is completed" in reelbase.refused("imports", "cancel", 2)
    assert "Import 1 is cancelled" in reelbase.refused("imports", "cancel", 1)
    assert "Only a failed import" in reelbase.refused("imports", "retry", 1)


def test_a_failed_import_can_be_cancelled_and_leaves_nothing(reelbase: Reelbase, tmp_path: Path) -> None:
    reelbase("import", write(tmp_path / "r.csv", RATINGS, "1,1,3.5,5", "bad"), code=1)
    assert "movielens_import_1" in reelbase.schemas()
    assert "Import 1 is cancelled." in reelbase("imports", "cancel", 1).stdout
    assert reelbase.schemas() == set()


def test_a_worker_takes_what_comes_and_ends_when_told(reelbase: Reelbase, tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", RATINGS, "1,1,3.5,5")
    reelbase("import", path, "--no-wait")
    worker = reelbase.start("worker")
    reelbase.until("select state = 'completed' from reelbase.imports where id = 1")
    items = reelbase.json("workers")["items"]
    assert all(set(item) == WORKER for item in items)
    assert [(item["pid"], item["task"], item["import"]) for item in items] == [(worker.pid, "waiting", None)]
    assert str(worker.pid) in reelbase("workers").stdout
    assert reelbase.json("import", path)["state"] == "completed"
    assert reelbase.rows("select count(*) from reelbase.workers where listens") == [(1,)]
    began = time.monotonic()
    worker.send_signal(signal.SIGTERM)
    log = [json.loads(line) for line in reelbase.end(worker, 0).stderr.splitlines()]
    assert time.monotonic() - began < 5
    assert [line["import_id"] for line in log if line["event"] == "import completed"] == [1, 2]
    assert reelbase.json("workers") == {"items": []}


def test_a_worker_that_is_told_to_end_leaves_its_import_to_the_next(
    reelbase: Reelbase, many_ratings: Callable[[int], Ratings]
) -> None:
    given = many_ratings(FEW)
    reelbase("import", given.path, "--no-wait", code=0, **SLOW)
    worker = reelbase.start("worker", **SLOW)
    reelbase.until_loading(1)
    [item] = reelbase.json("workers")["items"]
    assert (item["pid"], item["task"], item["import"]) == (worker.pid, "import 1 of movielens: loading", 1)
    assert item["chunks_done"] > 0
    began = time.monotonic()
    worker.send_signal(signal.SIGINT)
    reelbase.end(worker, None)
    assert time.monotonic() - began < 3
    found = reelbase.json("imports", "show", 1)
    assert (found["state"], found["attempt"], found["error"]) == ("queued", 2, None)
    assert 0 < found["progress"]["rows_loaded"] < given.rows
    reelbase.start("worker")
    reelbase.until("select state = 'completed' from reelbase.imports where id = 1")
    counted(reelbase, 1, given)


def test_a_running_import_is_cancelled_at_once_and_leaves_nothing(
    reelbase: Reelbase, many_ratings: Callable[[int], Ratings]
) -> None:
    running = reelbase.start("import", many_ratings(MANY).path, "--json", **SLOW)
    reelbase.until_loading(1)
    began = time.monotonic()
    cancelled = reelbase.start("imports", "cancel", 1)
    reelbase.until("select cancel_asked from reelbase.imports where id = 1")
    asked = time.monotonic()
    reelbase.until("select finished_at is not null from reelbase.imports where id = 1")
    assert time.monotonic() - asked < 2
    assert reelbase.end(cancelled, 0).stdout == "Import 1 is cancelled.\n"
    assert time.monotonic() - began < 10
    found = json.loads(reelbase.end(running, 1).stdout)
    assert (found["id"], found["state"], found["release"]) == (1, "cancelled", None)
    assert reelbase.schemas() == set()
    assert "Import 1 is cancelled" in reelbase.refused("imports", "retry", 1)


def test_ctrl_c_ends_with_130_and_a_retry_goes_on(reelbase: Reelbase, many_ratings: Callable[[int], Ratings]) -> None:
    given = many_ratings(FEW)
    running = reelbase.start("import", given.path, "--json", **SLOW)
    reelbase.until_loading(1)
    running.send_signal(signal.SIGINT)
    said = reelbase.end(running, 130)
    found = json.loads(said.stdout)
    assert (found["id"], found["state"], found["error"]["code"]) == (1, "failed", "interrupted")
    assert "Import 1 failed" in said.stderr
    assert reelbase.states(1) == ("failed", "interrupted")
    [(loaded,)] = reelbase.rows("select count(*) from reelbase.chunks where state = 'done'")
    assert loaded > 20
    found = reelbase.json("imports", "retry", 1)
    assert (found["id"], found["state"], found["release"]) == (1, "completed", 1)
    assert reelbase.rows("select attempt from reelbase.imports") == [(2,)]
    counted(reelbase, 1, given)


def test_a_killed_import_shows_at_once_and_a_retry_goes_on(
    reelbase: Reelbase, many_ratings: Callable[[int], Ratings]
) -> None:
    given = many_ratings(FEW)
    running = reelbase.start("import", given.path, **SLOW)
    reelbase.until_loading(1)
    running.kill()
    running.wait()
    found = reelbase.json("imports", "show", 1)
    assert (found["state"], found["error"]["code"]) == ("failed", "interrupted")
    assert "reelbase imports retry 1" in found["error"]["detail"]
    assert 0 < found["progress"]["rows_loaded"] < given.rows
    reelbase("imports", "retry", 1)
    counted(reelbase, 1, given)
