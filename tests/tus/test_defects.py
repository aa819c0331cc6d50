"""What other servers did wrong, one probe each: whoever changes this server should not do it again."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from reelbase.app import Uploads
from reelbase.database.connect import connect
from reelbase.receiving.store import Store
from reelbase.receiving.tus import BASE, Terms, Visitor
from reelbase.receiving.tus import Tus as Server
from reelbase.receiving.tus_body import Pace
from reelbase.receiving.tus_room import Limits
from reelbase.receiving.tus_words import Refused
from tests.serving import served
from tests.tus.client import BODY_TYPE, Tus, wait_until
from tests.tus.conftest import Own, client

MIB = 1 << 20


async def keys(visitor: Visitor) -> str:
    """A policy as keys will be: a caller needs a name, and sees only what is his."""
    name = visitor.headers.get("authorization")
    if not name:
        raise Refused(401, "unauthorized", "A key is needed.")
    if name == "reader" and visitor.method != "HEAD":
        raise Refused(403, "forbidden", "The key is for reading.")
    if visitor.upload is not None and visitor.upload.owner not in (name, None) and name != "reader":
        raise Refused(404, "not_found", "There is no such upload.")
    return name


@contextmanager
def inside(url: str, folder: Path, limits: Limits | None = None, **others: Any) -> Iterator[Tus]:
    """Our server in this process, so that it can be given a policy."""
    terms = Terms(
        limits or Limits(1 << 40, 1 << 40, 0),
        Pace(idle_seconds=others.pop("idle_seconds", 5.0)),
        lifetime_seconds=others.pop("lifetime_seconds", 3600),
        at_a_time=others.pop("at_a_time", 4),
    )
    uploads = Uploads(Server(url, Store(folder), terms, **others))
    with (
        served(url, more=uploads.routes(), lives=[uploads.life]) as server,
        client(f"{server.address}{BASE}") as tus,
    ):
        yield tus


def written(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


# 1


@pytest.mark.parametrize(("who", "status"), [("", 401), ("reader", 403), ("eve", 404)])
def test_whoever_may_not_send_writes_not_one_byte(database: str, tmp_path: Path, who: str, status: int) -> None:
    with inside(database, tmp_path, policy=keys) as tus:
        url = tus.create(10 * MIB, Authorization="adam")
        assert tus.patch(url, 0, b"x" * MIB, Authorization=who).status_code == status
        assert tus.ask("DELETE", url, Authorization=who).status_code == status
        assert tus.ask("HEAD", url, Authorization=who).status_code == (200 if who == "reader" else status)
        with tus.raw(url, Upload_Offset="0", Content_Length=str(MIB), Expect="100-continue", Authorization=who) as raw:
            assert raw.status() == status  # and never 100
        if who in ("", "reader"):
            assert tus.ask("POST", Upload_Length="1", Authorization=who).status_code == status
        assert written(tmp_path) == 0
        assert tus.ask("HEAD", url, Authorization="adam").headers["upload-offset"] == "0"


def test_a_body_is_asked_for_once_all_else_is_right(tus: Tus) -> None:
    url = tus.create(5)
    with tus.raw(url, Upload_Offset="0", Content_Length="5", Expect="100-continue") as raw:
        assert raw.status() == 100
        raw.send(b"hello")
        assert raw.status() == 204


@pytest.mark.parametrize("headers", [{"Upload_Offset": "1"}, {"Content_Type": "text/plain"}, {"Tus_Resumable": "0"}])
def test_what_is_refused_is_not_even_asked_for(tus: Tus, headers: dict[str, str]) -> None:
    url = tus.create(5)
    sent = {"Upload_Offset": "0", "Content_Length": "5", "Expect": "100-continue", **headers}
    with tus.raw(url, **sent) as raw:
        assert raw.status() in (409, 412, 415)


# 2


def test_bytes_of_another_type_are_not_written(tus: Tus, ours: Own | None) -> None:
    url = tus.create(MIB)
    assert tus.patch(url, 0, b"x" * 1000, Content_Type="application/octet-stream").status_code == 415
    assert tus.offset(url) == 0
    if ours:
        assert ours.path(url).stat().st_size == 0


# 3


def test_an_upload_without_a_name_can_be_resumed(tus: Tus) -> None:
    assert tus.head(tus.create(5)).status_code == 200


# 4


def test_a_body_that_is_too_long_does_not_spoil_what_comes_after_it(tus: Tus, ours: Own | None) -> None:
    data = os.urandom(200_000)
    url = tus.create(len(data))
    answer = tus.patch(url, 0, iter([data[:196_608], b"x" * 200_000]))
    assert answer.status_code in (400, 413)
    start = tus.offset(url)
    assert tus.patch(url, start, data[start:]).status_code == 204
    assert tus.offset(url) == len(data)
    if ours:
        assert ours.received(url).path.read_bytes() == data


# 5: test_protocol.py::test_a_whole_file_in_one_request; here that it does not pass through memory


@pytest.mark.slow
@pytest.mark.parametrize("method", ["PATCH", "POST"])
def test_one_request_of_400_mb_does_not_pass_through_memory(tus: Tus, own_only: Own, method: str) -> None:
    size = 400 * MIB
    process = psutil.Process(own_only.started[0].pid)
    idle, peak, over = process.memory_info().rss, [0], threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            peak[0] = max(peak[0], process.memory_info().rss)

    thread = threading.Thread(target=look)
    thread.start()
    pieces = (b"x" * MIB for _ in range(400))
    try:
        if method == "PATCH":
            answer = tus.patch(tus.create(size), 0, pieces)
        else:
            answer = tus.ask("POST", content=pieces, Upload_Length=str(size), Content_Type=BODY_TYPE)
    finally:
        over.set()
        thread.join()
    assert answer.headers["upload-offset"] == str(size)
    assert peak[0] - idle < 80 * MIB


# 6


def test_nothing_impossible_is_created(database: str, tmp_path: Path) -> None:
    with inside(database, tmp_path, Limits(1000, 1000, 0)) as tus:
        for headers in ({"Upload_Length": "5"}, {"Upload_Length": "1001"}, {"Upload_Length": "-5"}, {}):
            answer = tus.ask("POST", content=b"x" * 10, Content_Type=BODY_TYPE, **headers)
            assert answer.status_code in (400, 413), headers
        assert not list(tmp_path.rglob("?" * 32))


def test_all_uploads_together_have_a_limit_too(database: str, tmp_path: Path) -> None:
    with inside(database, tmp_path, Limits(1000, 1500, 0)) as tus:
        first = tus.create(1000)
        assert tus.ask("POST", Upload_Length="501").status_code == 507
        later = tus.create(None)
        assert tus.patch(later, 0, b"x" * 400).status_code == 204
        assert tus.patch(later, 400, iter([b"x" * 101])).status_code == 413
        assert tus.patch(later, 400, b"x" * 101).status_code == 507
        assert tus.offset(later) == 400
        assert tus.ask("DELETE", first).status_code == 204
        assert tus.patch(later, 400, b"x" * 101).status_code == 204


def test_a_disk_without_room_takes_nothing(database: str, tmp_path: Path) -> None:
    with inside(database, tmp_path, Limits(1 << 62, 1 << 62, 1 << 60)) as tus:
        assert tus.ask("POST", Upload_Length="1").status_code == 507


# 7


def test_two_requests_for_one_upload_keep_nobody_else_waiting(tus: Tus, own_only: Own) -> None:
    url = tus.create(1000)
    with tus.raw(url, Upload_Offset="0", Content_Length="1000") as first:
        first.send(b"x" * 10)
        with tus.raw(url, Upload_Offset="0", Content_Length="1000") as second:
            began = time.monotonic()
            slowest = 0.0
            assert second.is_silent()
            while time.monotonic() - began < 1.5:
                asked = time.monotonic()
                assert httpx.get(tus.url.replace(BASE, "/livez")).status_code == 200
                slowest = max(slowest, time.monotonic() - asked)
                first.send(b"x")
                time.sleep(0.01)
            assert slowest < 1.0


# 8: test_own.py::test_killed_at_random_points


# 9


def test_what_has_expired_is_gone_and_its_disk_free(database: str, tmp_path: Path) -> None:
    with inside(database, tmp_path, lifetime_seconds=1.0) as tus:
        urls = [tus.create(5), tus.create(0)]
        assert tus.patch(urls[0], 0, b"abc").status_code == 204
        wait_until(lambda: all(tus.head(url).status_code == 410 for url in urls), 15)
        assert tus.patch(urls[0], 3, b"de").status_code == 410
        wait_until(lambda: not list(tmp_path.rglob("?" * 32)), 15)
        assert tus.head(f"{tus.url}/{'0' * 32}").status_code == 404


# 10: test_one_request_of_400_mb_does_not_pass_through_memory


_HELD = """select count(*)::int from pg_locks l join pg_stat_activity a using (pid)
            where l.locktype = 'advisory' and a.datname = current_database()
              and a.application_name = 'reelbase uploads'"""


def test_no_more_uploads_at_a_time_than_allowed(database: str, tmp_path: Path) -> None:
    with inside(database, tmp_path, at_a_time=1) as tus:
        first, second = tus.create(10), tus.create(10)
        with tus.raw(first, Upload_Offset="0", Content_Length="10") as raw:
            raw.send(b"x")
            with connect(database) as connection:  # the other one might be first
                wait_until(lambda: connection.execute(_HELD).fetchone() == (1,))
            wait_until(lambda: tus.patch(second, 0, b"").status_code == 503)
            answer = tus.patch(second, 0, b"x")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
            assert tus.head(second).status_code == 200
            raw.send(b"x" * 9)
            assert raw.status() == 204
        assert tus.patch(second, 0, b"x").status_code == 204
