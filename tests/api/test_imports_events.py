"""An import as it goes on, watched over HTTP: server-sent events."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from reelbase.api import events as api_events
from reelbase.database.connect import connect
from reelbase.imports import read
from tests.importing import MOVIES, RATINGS, Importer, write
from tests.serving import Served, served

PATIENCE = 30


@pytest.fixture
def importer(database: str) -> Importer:
    return Importer(database, chunk_bytes=4096)


class Stream:
    """A stream as it comes in: events with their numbers, and comments."""

    def __init__(self, response: httpx.Response) -> None:
        self.headers = response.headers
        self.comments = 0
        self._lines = response.iter_lines()

    def __iter__(self) -> Iterator[tuple[int, dict[str, Any]]]:
        fields: dict[str, str] = {}
        for line in self._lines:
            if line.startswith(":"):
                self.comments += 1
            elif line:
                name, _, value = line.partition(": ")
                assert name not in fields
                fields[name] = value
            elif "data" in fields:
                assert fields["event"] == "import"
                yield int(fields["id"]), json.loads(fields["data"])
                fields = {}
            else:
                fields = {}


@contextmanager
def watching(address: str, import_id: int, last: object = None) -> Iterator[Stream]:
    headers = {} if last is None else {"last-event-id": str(last)}
    url = f"{address}/api/v1/imports/{import_id}/events"
    with httpx.stream("GET", url, headers=headers, timeout=PATIENCE) as response:
        assert response.status_code == 200
        yield Stream(response)


def until(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def many(folder: Path, users: int = 400) -> Path:
    rows = [f"{user},{movie},3.5,5" for user in range(1, users + 1) for movie in range(100)]
    return write(folder / "ratings.csv", RATINGS, *rows)


def test_an_import_is_watched_from_its_request_to_its_end(server: Served, importer: Importer, tmp_path: Path) -> None:
    import_id = importer.queue(many(tmp_path))
    with watching(server.address, import_id) as stream:
        assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.headers["cache-control"] == "no-cache"
        assert stream.headers["x-accel-buffering"] == "no"
        assert "content-encoding" not in stream.headers
        running = threading.Thread(target=importer.run, args=(import_id,))
        seen = []
        for number, found in stream:
            seen.append((number, found))
            if len(seen) == 1:
                running.start()
        running.join()
    numbers = [number for number, _ in seen]
    assert numbers == sorted(set(numbers))
    states = ["queued", "receiving", "loading", "indexing", "publishing", "completed"]
    places = [states.index(found["state"]) for _, found in seen]
    assert places == sorted(places)
    assert (places[0], places[-1]) == (0, 5)
    done = [found["progress"]["bytes_done"] for _, found in seen]
    assert done == sorted(done)
    assert done[0] == 0
    assert {found["progress"]["bytes_total"] for _, found in seen} == {done[-1]}
    assert len([found for _, found in seen if found["state"] in ("completed", "failed", "cancelled")]) == 1
    last = seen[-1][1]
    assert last == httpx.get(f"{server.address}/api/v1/imports/{import_id}").json()
    assert last["progress"]["rows_loaded"] == 40_000
    assert last["progress"]["rows_per_second"] > 0
    assert last["progress"]["eta_seconds"] is None


def test_a_final_import_is_told_once_and_the_stream_ends(server: Served, importer: Importer, tmp_path: Path) -> None:
    found = importer(write(tmp_path / "m.csv", MOVIES, "1,Heat (1995),Drama"))
    with watching(server.address, found["id"]) as stream:
        [(number, told)] = stream
    assert told["state"] == "completed"
    with watching(server.address, found["id"], last=number) as stream:
        assert list(stream) == [(number, told)]


def test_who_knows_the_last_event_is_told_the_next(
    server: Served, database: str, importer: Importer, tmp_path: Path
) -> None:
    import_id = importer.queue(write(tmp_path / "m.csv", MOVIES, "1,Heat (1995),Drama"))
    with watching(server.address, import_id) as stream:
        first, told = next(iter(stream))
    assert told["state"] == "queued"
    for last in ("none of ours", str(first - 1), str(first + 10**9), "9" * 40):
        with watching(server.address, import_id, last=last) as stream:
            assert next(iter(stream))[0] == first
    # Another process goes on where the first one was.
    with served(database) as other, watching(other.address, import_id, last=first) as stream:
        ended = threading.Timer(0.5, importer.run, (import_id,))
        ended.start()
        numbers = [number for number, _ in stream]
        ended.join()
    assert numbers[0] > first


def test_a_retry_goes_on_with_the_numbers_and_the_bytes(server: Served, importer: Importer, tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", RATINGS, *(f"{n},1,3.5,5" for n in range(2000)), *(["bad"] * 100))
    import_id = importer.queue(path, max_rejects="0")
    assert importer.run(import_id)["state"] == "failed"
    with watching(server.address, import_id) as stream:
        [(number, failed)] = stream
    importer.retry(import_id, max_rejects="100%")
    with watching(server.address, import_id, last=number) as stream:
        [(later, completed)] = stream
    assert later > number
    assert completed["attempt"] == 2
    assert completed["progress"]["bytes_done"] >= failed["progress"]["bytes_done"]
    assert completed["progress"]["bytes_done"] == completed["progress"]["bytes_total"]


def test_what_was_loaded_before_is_forgotten_and_the_numbers_go_on(
    server: Served, database: str, importer: Importer, tmp_path: Path
) -> None:
    path = write(tmp_path / "r.csv", RATINGS, *(f"{n},1,3.5,5" for n in range(2000)), *(["bad"] * 100))
    import_id = importer.queue(path, max_rejects="0")
    importer.run(import_id)
    with watching(server.address, import_id) as stream:
        [(number, _)] = stream
    with connect(database) as connection:
        connection.execute("drop schema movielens_import_1 cascade")
    importer.retry(import_id, max_rejects="100%")
    with watching(server.address, import_id) as stream:
        [(later, completed)] = stream
    assert completed["state"] == "completed"
    assert later > number


def test_many_who_watch_cost_one_look(
    server: Served, database: str, importer: Importer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = importer.queue(many(tmp_path))
    looked: list[int] = []
    look = read.look

    def counted(connection: Any, ids: Any) -> Any:
        looked.append(len(ids))
        return look(connection, ids)

    monkeypatch.setattr(read, "look", counted)
    ends: list[dict[str, Any]] = []

    def watch() -> None:
        with watching(server.address, import_id) as stream:
            *_, (_, found) = stream
            ends.append(found)

    threads = [threading.Thread(target=watch) for _ in range(20)]
    for thread in threads:
        thread.start()
    until(lambda: server.app_state.events.watchers == 20)
    # Each who watches asks once what it is like now; then one looks for all.
    until(lambda: len(looked) - server.app_state.events.looks == 20)
    importer.run(import_id)
    for thread in threads:
        thread.join(timeout=PATIENCE)
    assert [found["state"] for found in ends] == ["completed"] * 20
    until(lambda: len(looked) == server.app_state.events.looks + 20)
    until(lambda: server.app_state.events.watchers == 0)
    looks = server.app_state.events.looks
    time.sleep(1)
    assert server.app_state.events.looks == looks, "nobody watches, and yet it looks"
    with connect(database) as connection:
        left = connection.execute(
            "select 1 from pg_stat_activity where application_name = 'reelbase api events' "
            "and datname = current_database()"
        ).fetchall()
    assert left == []


def test_at_most_four_events_a_second(server: Served, database: str, importer: Importer, tmp_path: Path) -> None:
    import_id = importer.queue(write(tmp_path / "m.csv", MOVIES, "1,Heat (1995),Drama"))
    over = threading.Event()

    def change() -> None:
        with connect(database) as connection:
            while not over.wait(0.02):
                connection.execute("update reelbase.imports set updated_at = clock_timestamp()")
            connection.execute("update reelbase.imports set state = 'cancelled'")

    changing = threading.Thread(target=change)
    changing.start()
    times = []
    with watching(server.address, import_id) as stream:
        for _ in stream:
            times.append(time.monotonic())
            if len(times) == 8:
                over.set()
    changing.join()
    assert times[7] - times[0] > 7 * 0.25 * 0.9


def test_clients_that_vanish_leave_nothing_behind(server: Served, importer: Importer, tmp_path: Path) -> None:
    import_id = importer.queue(write(tmp_path / "m.csv", MOVIES, "1,Heat (1995),Drama"))
    host, port = urlsplit(server.address).netloc.split(":")
    sockets = []
    for _ in range(10):
        one = socket.create_connection((host, int(port)))
        one.sendall(f"GET /api/v1/imports/{import_id}/events HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        sockets.append(one)
    until(lambda: server.app_state.events.watchers == 10)
    for number, one in enumerate(sockets):
        if number % 2:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset instead of an end
        one.close()
    until(lambda: server.app_state.events.watchers == 0)


@pytest.mark.slow
def test_a_client_that_takes_nothing_holds_nobody_up(
    server: Served, database: str, importer: Importer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_events, "_PATIENCE_SECONDS", 0.5)
    import_id = importer.queue(write(tmp_path / "m.csv", MOVIES, "1,Heat (1995),Drama"))
    with connect(database) as connection:
        # Events that are larger than what the sockets between hold.
        connection.execute("update reelbase.imports set skipped = to_jsonb(array[repeat('x', 8000000)])")
    host, port = urlsplit(server.address).netloc.split(":")
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect((host, int(port)))
        slow.sendall(f"GET /api/v1/imports/{import_id}/events HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        until(lambda: server.app_state.events.watchers == 1)
        assert httpx.get(f"{server.address}/livez").status_code == 200
        until(lambda: server.app_state.events.watchers == 0)


def test_streams_end_with_the_server_at_once(database: str, importer: Importer, tmp_path: Path) -> None:
    import_id = importer.queue(write(tmp_path / "m.csv", MOVIES, "1,Heat (1995),Drama"))
    with served(database, grace_seconds=60) as server, watching(server.address, import_id) as stream:
        place = iter(stream)
        next(place)
        server.stop()  # fails if it waits for its grace
        assert list(place) == []


def test_a_quiet_stream_shows_that_it_is_alive(
    server: Served, importer: Importer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_events, "PING_SECONDS", 0.1)
    import_id = importer.queue(write(tmp_path / "m.csv", MOVIES, "1,Heat (1995),Drama"))
    with watching(server.address, import_id) as stream:
        threading.Timer(1, importer.run, (import_id,)).start()
        assert [found["state"] for _, found in stream][-1] == "completed"
        assert stream.comments > 2


@pytest.mark.slow
def test_a_death_is_seen_by_who_watches(server: Served, database: str, importer: Importer, tmp_path: Path) -> None:
    import_id = importer.queue(write(tmp_path / "m.csv", MOVIES, "1,Heat (1995),Drama"))
    with connect(database) as connection:
        connection.execute("update reelbase.imports set state = 'loading', started_at = now()")
    with watching(server.address, import_id) as stream:
        *_, (_, last) = stream
    assert (last["state"], last["error"]["code"]) == ("failed", "interrupted")


def test_what_is_not_there_is_a_problem(server: Served) -> None:
    for word in ("7", "x"):
        answer = httpx.get(f"{server.address}/api/v1/imports/{word}/events")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
    assert httpx.get(f"{server.address}/api/v1/imports/7/events?x=1").status_code == 422


def test_head_tells_the_headers_and_ends(server: Served, importer: Importer, tmp_path: Path) -> None:
    import_id = importer.queue(write(tmp_path / "m.csv", MOVIES, "1,Heat (1995),Drama"))
    answer = httpx.head(f"{server.address}/api/v1/imports/{import_id}/events")
    assert (answer.status_code, answer.content) == (200, b"")
