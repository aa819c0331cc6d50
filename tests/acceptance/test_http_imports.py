"""From a file to an answer by HTTP alone: posted, watched, asked."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import SLOW, Ratings, Reelbase
from tests.acceptance.test_serve import address, until_ready
from tests.api.test_imports_events import watching
from tests.importing import LINKS, MOVIES, RATINGS, TAGS, write

pytestmark = pytest.mark.slow

IMPORTS = "/api/v1/imports"
STATES = ["queued", "receiving", "loading", "indexing", "publishing", "completed"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "files"
    made.mkdir()
    return made


@pytest.fixture
def url(reelbase: Reelbase, folder: Path) -> Iterator[str]:
    serving = reelbase.start("serve", "--port", "0", REELBASE_IMPORT_DIRS=str(folder))
    url = address(serving)
    until_ready(url)
    yield url
    serving.send_signal(signal.SIGINT)
    reelbase.end(serving, 0)


def watch(url: str, import_id: int) -> list[dict[str, Any]]:
    with watching(url, import_id) as stream:
        return [found for _, found in stream]


def check_progress(events: list[dict[str, Any]]) -> None:
    """Forward only, from nothing to everything, with a rate that makes sense."""
    places = [STATES.index(found["state"]) for found in events]
    assert places == sorted(places)
    done = [found["progress"]["bytes_done"] for found in events]
    assert done == sorted(done)
    assert events[-1]["progress"]["bytes_done"] == events[-1]["progress"]["bytes_total"] > 0
    for found in events:
        progress = found["progress"]
        for name in ("rows_per_second", "eta_seconds"):
            assert progress[name] is None or progress[name] >= 0
        assert progress["eta_seconds"] is None or found["state"] == "loading"


def test_a_form_is_imported_watched_and_asked(
    url: str, folder: Path, many_ratings: Callable[[int], Ratings], reelbase: Reelbase
) -> None:
    ratings = many_ratings(400)
    movies = write(folder / "movies.csv", MOVIES, *(f"{n},Movie {n} (1999),Drama" for n in range(200)))
    with ratings.path.open("rb") as one, movies.open("rb") as two:
        answer = httpx.post(
            f"{url}{IMPORTS}", files=[("file", one), ("file", two)], data={"max_rejects": "5%"}, timeout=60
        )
    assert answer.status_code == 202, answer.text
    events = watch(url, answer.json()["id"])
    assert events[-1]["state"] == "completed"
    check_progress(events)
    assert events[-1]["progress"]["rows_loaded"] == ratings.rows + 200
    assert events[-1]["progress"]["rows_rejected"] == ratings.rejected
    assert httpx.get(f"{url}/api/v1/movies?limit=1").json()["total"] == 200
    found = httpx.get(f"{url}/api/v1/datasets/movielens/tables/ratings?limit=1").json()
    assert found["total"] == ratings.rows or not found["total_is_exact"]
    rejects = httpx.get(f"{url}{IMPORTS}/{answer.json()['id']}/rejects?format=csv").text
    assert rejects == reelbase("imports", "rejects", answer.json()["id"]).stdout
    assert len(rejects.splitlines()) == ratings.rejected + 1


def test_a_slow_import_is_watched_by_many(reelbase: Reelbase, many_ratings: Callable[[int], Ratings]) -> None:
    ratings = many_ratings(400)
    serving = reelbase.start("serve", "--port", "0", REELBASE_IMPORT_DIRS=str(ratings.path.parent), **SLOW)
    url = address(serving)
    until_ready(url)
    asked = {"sources": [f"path:{ratings.path}"], "max_rejects": "5%"}
    made = httpx.post(f"{url}{IMPORTS}", json=asked, timeout=30)
    assert made.status_code == 202, made.text
    with ThreadPoolExecutor(5) as threads:
        watched = list(threads.map(lambda _: watch(url, made.json()["id"]), range(5)))
    assert all(events[-1] == watched[0][-1] for events in watched)
    for events in watched:
        check_progress(events)
    loading = [found["progress"] for found in watched[0] if found["state"] == "loading"]
    assert len(loading) > 2
    assert any(progress["rows_per_second"] and progress["eta_seconds"] is not None for progress in loading)
    serving.send_signal(signal.SIGINT)
    reelbase.end(serving, 0)


def test_twenty_at_once_each_come_to_their_own_end(url: str, folder: Path, reelbase: Reelbase) -> None:
    def good(n: int) -> Path:
        kinds = [
            (RATINGS, [f"{user},{n},3.5,5" for user in range(50 + n)]),
            (TAGS, [f"1,{movie},tag {n},5" for movie in range(50 + n)]),
            (LINKS, [f"{movie},{movie:07},{n}" for movie in range(50 + n)]),
        ]
        header, rows = kinds[n % 3]
        return write(folder / f"good{n}.csv", header, *rows)

    def bad(n: int) -> Path:
        return write(folder / f"bad{n}.csv", RATINGS, *["bad"] * n, "1,1,3.5,5")

    paths = [bad(n) if n % 4 == 3 else good(n) for n in range(20)]
    ends: dict[int, list[dict[str, Any]]] = {}

    def one(n: int) -> None:
        answer = httpx.post(f"{url}{IMPORTS}", json={"sources": [f"path:{paths[n]}"], "mode": "merge"}, timeout=60)
        assert answer.status_code == 202, answer.text
        ends[n] = watch(url, answer.json()["id"])

    threads = [threading.Thread(target=one, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=100)
    assert len(ends) == 20
    for n, events in ends.items():
        last = events[-1]
        if n % 4 == 3:
            assert (last["state"], last["error"]["code"]) == ("failed", "too_many_rejects")
            assert last["progress"]["rows_rejected"] == n
        else:
            assert (last["state"], last["error"]) == ("completed", None)
            assert last["progress"]["rows_loaded"] == 50 + n
        assert last["files"][0]["rows_read"] == last["progress"]["rows_loaded"] + last["progress"]["rows_rejected"]
    listed = httpx.get(f"{url}{IMPORTS}?limit=100").json()["items"]
    assert sorted(found["state"] for found in listed) == ["completed"] * 15 + ["failed"] * 5
    assert reelbase.rows("select count(*) from movielens.tags") == [(sum(50 + n for n in (1, 4, 10, 13, 16)),)]


def test_cancelled_over_http_it_ends_within_moments(reelbase: Reelbase, many_ratings: Callable[[int], Ratings]) -> None:
    ratings = many_ratings(2000)
    serving = reelbase.start("serve", "--port", "0", REELBASE_IMPORT_DIRS=str(ratings.path.parent), **SLOW)
    url = address(serving)
    until_ready(url)
    made = httpx.post(f"{url}{IMPORTS}", json={"sources": [f"path:{ratings.path}"]}, timeout=30).json()
    events: list[dict[str, Any]] = []
    watcher = threading.Thread(target=lambda: events.extend(watch(url, made["id"])))
    watcher.start()
    reelbase.until_loading(made["id"])
    assert httpx.post(f"{url}{IMPORTS}/{made['id']}/cancel").status_code == 202
    watcher.join(timeout=30)
    assert events[-1]["state"] == "cancelled"
    deadline = time.monotonic() + 10
    while reelbase.schemas():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    serving.send_signal(signal.SIGINT)
    reelbase.end(serving, 0)
