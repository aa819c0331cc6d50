"""Imports asked for over HTTP: sources in JSON, files in forms, keys that make a repeated request safe."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from reelbase.database.connect import connect
from reelbase.imports.idempotency import Turn
from tests.importing import MOVIES, RATINGS, TAGS, Importer, write
from tests.serving import Served, importing_from, served

IMPORTS = "/api/v1/imports"
FILE = ("movies.csv", f"{MOVIES}\n1,Heat (1995),Drama\nbad\n".encode())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "allowed"
    made.mkdir()
    write(made / "movies.csv", MOVIES, "1,Heat (1995),Drama")
    return made


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def server(database: str, folder: Path, store: Path) -> Iterator[Served]:
    with served(database, importing=importing_from(database, folder, store=store)) as made:
        yield made


@pytest.fixture
def importer(database: str) -> Importer:
    return Importer(database)


def body(folder: Path, **more: Any) -> dict[str, Any]:
    return {"sources": [f"path:{folder / 'movies.csv'}"], **more}


def kept(store: Path) -> list[Path]:
    return list((store / "uploads").iterdir()) if store.exists() else []


def count(client: httpx.Client) -> int:
    return int(client.get(IMPORTS).json()["total"])


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    return found


# JSON


def test_a_source_becomes_an_import(client: httpx.Client, importer: Importer, folder: Path) -> None:
    asked = body(folder, dataset="movielens", mode="replace", max_rejects="5%")
    answer = client.post(IMPORTS, json=asked)
    assert answer.status_code == 202
    assert answer.headers["retry-after"] == "1"
    made = answer.json()
    assert answer.headers["location"] == f"{IMPORTS}/{made['id']}"
    assert (made["state"], made["kind"], made["dataset"], made["mode"]) == ("queued", "import", "movielens", "replace")
    assert importer.run(made["id"])["state"] == "completed"
    assert client.get(answer.headers["location"]).json()["progress"]["rows_loaded"] == 1


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({}, "/sources"),
        ({"sources": []}, "/sources"),
        ({"sources": "movielens/latest"}, "/sources"),
        ({"sources": [7]}, "/sources/0"),
        ({"sources": ["a\0b"]}, "/sources/0"),
        ({"sources": [""]}, "/sources/0"),
        ({"sources": ["x" * 4097]}, "/sources/0"),
        ({"sources": ["path:/a"] * 100_000}, "/sources"),
        ({"sources": ["movielens/latest"], "mode": "append"}, "/mode"),
        ({"sources": ["movielens/latest"], "mode": None}, "/mode"),
        ({"sources": ["movielens/latest"], "dataset": "netflix"}, "/dataset"),
        ({"sources": ["movielens/latest"], "max_rejects": "101%"}, "/max_rejects"),
        ({"sources": ["movielens/latest"], "max_rejects": -1}, "/max_rejects"),
        ({"sources": ["movielens/latest"], "max_rejects": True}, "/max_rejects"),
        ({"sources": ["movielens/latest"], "x": 1}, "/x"),
        ([], ""),
    ],
)
def test_what_is_wrong_in_the_body_is_named_with_its_place(nothing: httpx.Client, asked: object, pointer: str) -> None:
    found = problem(nothing.post(IMPORTS, json=asked), 422)
    assert any(one["pointer"].startswith(pointer.split("/function", maxsplit=1)[0]) for one in found["errors"])
    assert count(nothing) == 0


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b'{"sources": ["movielens/latest"]', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"sources":' + b"[" * 5000 + b"]" * 5000 + b"}", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"sources": ["\\ud800"]}', "application/json", 400),
        (b" " * (1 << 21), "application/json", 413),
        (b"sources=movielens/latest", "application/x-www-form-urlencoded", 415),
        (b"{}", "text/plain", 415),
        (b"{}", "", 415),
        (b"--x", "multipart/form-data", 400),
        (b"--x", "multipart/form-data; boundary=" + "x" * 200, 400),
    ],
)
def test_bodies_that_are_none(nothing: httpx.Client, content: bytes, kind: str, status: int) -> None:
    problem(nothing.post(IMPORTS, content=content, headers={"content-type": kind}), status)
    assert count(nothing) == 0


def test_sources_that_may_not_be_named_are_refused(client: httpx.Client, folder: Path, tmp_path: Path) -> None:
    secret = write(tmp_path / "secret.csv", MOVIES, "1,Heat (1995),Drama")
    (folder / "link.csv").symlink_to(secret)
    for source in (
        "path:/etc/passwd",
        f"path:{secret}",
        f"path:{folder}/../secret.csv",
        f"path:{folder}/link.csv",
        "file:///etc/passwd",
        "/etc/passwd",
        "http://127.0.0.1/x.csv",
        "https://127.0.0.1/x.csv",
        "https://example.org/x.csv",
    ):
        answer = client.post(IMPORTS, json={"sources": [source]})
        assert 400 <= answer.status_code < 500, (source, answer.text)
        assert problem(answer, answer.status_code)["errors"][0]["pointer"] == "/sources/0", source
    assert problem(client.post(IMPORTS, json={"sources": ["upload:" + "0" * 32]}), 404)
    assert count(client) == 0


def test_the_source_that_is_to_blame_is_named(client: httpx.Client, folder: Path) -> None:
    write(folder / "odd.csv", "nobody,knows,this", "1,2,3")
    (folder / "empty.csv").touch()
    good = f"path:{folder / 'movies.csv'}"
    for name in ("odd.csv", "empty.csv", "missing.csv"):
        found = problem(client.post(IMPORTS, json={"sources": [good, f"path:{folder / name}"]}), 422)
        assert found["errors"][0]["pointer"] == "/sources/1"
    assert count(client) == 0


# Once, however often


def test_a_request_that_is_sent_again_is_answered_again(client: httpx.Client, importer: Importer, folder: Path) -> None:
    key = {"idempotency-key": "one-of-mine"}
    first = client.post(IMPORTS, json=body(folder), headers=key)
    importer.run(first.json()["id"])
    again = client.post(IMPORTS, content=json.dumps(body(folder, mode="replace"), indent=2).encode(), headers={
        **key, "content-type": "application/json"})  # fmt: skip
    assert again.status_code == first.status_code == 202
    assert again.headers["location"] == first.headers["location"]
    assert again.content == first.content
    assert again.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert count(client) == 1
    found = problem(client.post(IMPORTS, json=body(folder, mode="merge"), headers=key), 422)
    assert found["type"].endswith("key_of_another")
    assert client.post(IMPORTS, json=body(folder), headers={"idempotency-key": "another"}).status_code == 202
    assert count(client) == 2


def test_many_at_once_make_one_import(client: httpx.Client, server: Served, folder: Path) -> None:
    def post(_: int) -> httpx.Response:
        while True:
            answer = httpx.post(
                f"{server.address}{IMPORTS}", json=body(folder), headers={"idempotency-key": "race"}, timeout=30
            )
            if answer.status_code != 409:
                return answer
            assert answer.headers["retry-after"] == "1"
            time.sleep(0.02)

    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(post, range(24)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert len([answer for answer in answers if "idempotency-replayed" not in answer.headers]) == 1
    assert count(client) == 1


def test_a_request_still_at_work_is_not_made_twice(client: httpx.Client, database: str, folder: Path) -> None:
    key = {"idempotency-key": "busy"}
    with Turn(database, "busy"):
        answer = client.post(IMPORTS, json=body(folder), headers=key)
        problem(answer, 409)
        assert answer.headers["retry-after"] == "1"
    assert client.post(IMPORTS, json=body(folder), headers=key).status_code == 202


def test_a_request_that_was_refused_may_be_put_right(client: httpx.Client, folder: Path) -> None:
    key = {"idempotency-key": "mine"}
    problem(client.post(IMPORTS, json={"sources": [f"path:{folder}/no.csv"]}, headers=key), 422)
    assert client.post(IMPORTS, json=body(folder), headers=key).status_code == 202


def test_who_dies_before_the_answer_has_made_the_import(client: httpx.Client, database: str, folder: Path) -> None:
    key = {"idempotency-key": "mine"}
    first = client.post(IMPORTS, json=body(folder), headers=key)
    with connect(database) as connection:
        connection.execute("update reelbase.idempotency_keys set answer = null")
    again = client.post(IMPORTS, json=body(folder), headers=key)
    assert (again.status_code, again.headers["location"]) == (202, first.headers["location"])


def test_a_key_is_forgotten_after_a_day(client: httpx.Client, database: str, folder: Path) -> None:
    key = {"idempotency-key": "mine"}
    client.post(IMPORTS, json=body(folder), headers=key)
    with connect(database) as connection:
        connection.execute("update reelbase.idempotency_keys set created_at = now() - interval '25 hours'")
    assert "idempotency-replayed" not in client.post(IMPORTS, json=body(folder), headers=key).headers
    assert count(client) == 2


@pytest.mark.parametrize("key", [b"", b"x" * 256, b"two words", b"\xe9"])
def test_keys_that_are_none(nothing: httpx.Client, folder: Path, key: bytes) -> None:
    problem(nothing.post(IMPORTS, json=body(folder), headers=[(b"idempotency-key", key)]), 400)
    assert count(nothing) == 0


def test_two_keys_are_none(client: httpx.Client, folder: Path) -> None:
    headers = [("idempotency-key", "a"), ("idempotency-key", "b")]
    problem(client.post(IMPORTS, json=body(folder), headers=headers), 400)


# Forms


def test_a_form_with_files_is_imported(client: httpx.Client, importer: Importer, store: Path) -> None:
    files = [
        ("file", FILE),
        ("file", ("ratings.csv.gz", gzip.compress(f"{RATINGS}\n1,1,3.5,5\n".encode()))),
    ]
    answer = client.post(IMPORTS, files=files, data={"max_rejects": "50%", "dataset": "movielens"})
    assert answer.status_code == 202, answer.text
    assert [file["name"] for file in answer.json()["files"]] == ["movies.csv", "ratings.csv.gz"]
    assert importer.rows("select state, received, length from reelbase.uploads order by length") == [
        ("received", len(data), len(data)) for _, (_, data) in sorted(files, key=lambda one: len(one[1][1]))
    ]
    assert len(kept(store)) == 2
    found = importer.run(answer.json()["id"])
    assert (found["state"], found["progress"]["rows_loaded"], found["progress"]["rows_rejected"]) == ("completed", 2, 1)
    assert kept(store) == []  # nobody needs them any more


def form(*parts: bytes, end: bytes = b"--x--\r\n") -> bytes:
    return b"".join(b"--x\r\n" + part + b"\r\n" for part in parts) + end


def part(name: str, value: bytes, filename: str | None = None) -> bytes:
    more = "" if filename is None else f'; filename="{filename}"'
    return f'Content-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value


def post_form(client: httpx.Client, content: bytes | Iterator[bytes], **headers: str) -> httpx.Response:
    return client.post(IMPORTS, content=content, headers={"content-type": "multipart/form-data; boundary=x", **headers})


def test_fields_may_come_after_the_file_in_pieces_of_any_size(client: httpx.Client, importer: Importer) -> None:
    rows = b"".join(b"1,%d,odd \r\n--\r\n-- x tag,5\n" % number for number in range(3))
    data = f"{TAGS}\n1,9,plain,5\n".encode() + rows
    content = form(part("file", data, "tags.csv"), part("max_rejects", b"100%"), part("mode", b"merge"))
    for size in (1, 7, len(content)):
        pieces = (content[at : at + size] for at in range(0, len(content), size))
        answer = post_form(client, pieces)
        assert answer.status_code == 202, answer.text
        assert answer.json()["mode"] == "merge"
        file = answer.json()["files"][0]
        assert (file["name"], importer.rows("select max(length) from reelbase.uploads")) == ("tags.csv", [(len(data),)])


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (form(part("mode", b"merge")), 422),
        (form(part("file", b"no file")), 422),
        (form(part("file", b"", "empty.csv")), 422),
        (form(part("file", b"nobody,knows\n1,2\n", "odd.csv")), 422),
        (form(part("file", FILE[1], "m.csv"), part("mode", b"append")), 422),
        (form(part("file", FILE[1], "m.csv"), part("mode", b"merge"), part("mode", b"merge")), 422),
        (form(part("file", FILE[1], "m.csv"), part("nobody", b"x")), 422),
        (form(part("file", FILE[1], "m.csv"), part("dataset", b"\xff")), 422),
        (form(part("file", FILE[1], "m.csv"), part("dataset", b"x" * 5000)), 422),
        (form(part("file", FILE[1], "m.csv"), part("dataset", b"imdb")), 422),
        (form(*(part("file", FILE[1], "m.csv") for _ in range(51))), 422),
        (form(part("file", FILE[1], "m.csv"), end=b""), 400),
        (form(b"No-Disposition: 1\r\n\r\nx"), 400),
        (form(b"Content-Disposition: form-data\r\n\r\nx"), 400),
        (form(b"X: " + b"y" * 100_000 + b"\r\n\r\nx"), 400),
        (b"", 400),
        (b"no form at all", 400),
    ],
)
def test_a_form_that_is_refused_leaves_nothing_behind(
    client: httpx.Client, database: str, store: Path, content: bytes, status: int
) -> None:
    problem(post_form(client, content), status)
    assert kept(store) == []
    assert count(client) == 0
    with connect(database) as connection:
        assert connection.execute("select id from reelbase.uploads where state <> 'terminated'").fetchall() == []


def test_a_name_is_only_a_name(client: httpx.Client, store: Path) -> None:
    content = form(part("file", FILE[1], "../../etc/cron.d/x\\y\t.csv"))
    answer = post_form(client, content)
    assert answer.status_code == 202, answer.text
    assert "/" not in answer.json()["files"][0]["name"]
    assert [path.parent for path in kept(store)] == [store / "uploads"]


def test_a_client_that_leaves_in_a_form_leaves_nothing_behind(
    client: httpx.Client, server: Served, store: Path, database: str
) -> None:
    host, port = urlsplit(server.address).netloc.split(":")
    head = (
        f"POST {IMPORTS} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000000\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    )
    with socket.create_connection((host, int(port))) as one:
        one.sendall(head.encode() + form(part("file", b"x" * 1000, "a.csv"), end=b""))
        one.sendall(form(part("file", b"x" * 1000, "b.csv"), end=b"")[:-100])
        deadline = time.monotonic() + 20
        while len(kept(store)) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    while kept(store):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    while server.app_state.importing.forms:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert count(client) == 0


def test_a_form_that_stops_is_given_up(server: Served, store: Path) -> None:
    server.app_state.importing.idle_seconds = 0.3
    host, port = urlsplit(server.address).netloc.split(":")
    head = (
        f"POST {IMPORTS} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000000\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=20) as one:
        one.sendall(head.encode() + form(part("file", b"x" * 1000, "a.csv"), end=b""))
        assert one.recv(100).startswith(b"HTTP/1.1 408 ")
    assert kept(store) == []


def test_files_that_are_too_large_are_refused_before_they_are_read(database: str, store: Path) -> None:
    with (
        served(database, importing=importing_from(database, store=store, max_bytes=10_000)) as server,
        httpx.Client(base_url=server.address) as client,
    ):
        host, port = urlsplit(server.address).netloc.split(":")
        head = (
            f"POST {IMPORTS} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
        )
        with socket.create_connection((host, int(port)), timeout=20) as one:
            one.sendall(head.encode())
            assert one.recv(100).startswith(b"HTTP/1.1 413 ")
        content = form(part("file", b"x" * 20_000, "a.csv"))
        problem(post_form(client, iter([content])), 413)
        assert kept(store) == []


def test_a_disk_without_room_is_said(database: str, store: Path) -> None:
    with (
        served(database, importing=importing_from(database, store=store, free_bytes=1 << 60)) as server,
        httpx.Client(base_url=server.address) as client,
    ):
        problem(post_form(client, form(part("file", FILE[1], "a.csv"))), 507)


def test_a_form_that_is_sent_again_is_answered_again(client: httpx.Client, store: Path) -> None:
    content = form(part("file", FILE[1], "m.csv"), part("max_rejects", b"100%"))
    other = form(part("file", FILE[1] + b"2,Up (2009),Comedy\n", "m.csv"), part("max_rejects", b"100%"))
    first = post_form(client, content, **{"idempotency-key": "form"})
    again = post_form(client, form(part("max_rejects", b"100%"), part("file", FILE[1], "m.csv")), **{
        "idempotency-key": "form"})  # fmt: skip
    assert first.status_code == again.status_code == 202
    assert again.headers["idempotency-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    problem(post_form(client, other, **{"idempotency-key": "form"}), 422)
    assert count(client) == 1
    assert len(kept(store)) == 1


def test_forms_at_once_with_one_key_make_one_import(client: httpx.Client, server: Served, store: Path) -> None:
    begun, may_end = threading.Event(), threading.Event()
    content = form(part("file", FILE[1], "m.csv"), part("max_rejects", b"100%"))

    def slowly() -> Iterator[bytes]:
        yield content[:50]
        begun.set()
        may_end.wait(20)
        yield content[50:]

    def send() -> httpx.Response:
        with httpx.Client(base_url=server.address, timeout=30) as one:
            return post_form(one, slowly(), **{"idempotency-key": "form"})

    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(send)
        assert begun.wait(20)
        # Whichever of the two is the first to be read holds the key.
        second = post_form(client, content, **{"idempotency-key": "form"})
        may_end.set()
        answers = [second, first.result()]
    assert {answer.status_code for answer in answers} <= {202, 409}
    [location] = {answer.headers["location"] for answer in answers if answer.status_code == 202}
    assert count(client) == 1
    again = post_form(client, content, **{"idempotency-key": "form"})
    assert again.headers["location"] == location
    assert count(client) == 1
    assert len(kept(store)) == 1


def test_an_upload_is_kept_where_its_import_was_made(
    client: httpx.Client, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What goes wrong behind the import does not take its file away."""

    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(Turn, "keep_answer", broken)
    problem(post_form(client, form(part("file", FILE[1], "m.csv"))), 500)
    assert count(client) == 1
    assert len(kept(store)) == 1


# Cancel, retry, confirm


def test_cancel_retry_and_confirm(client: httpx.Client, importer: Importer, folder: Path) -> None:
    made = client.post(IMPORTS, json=body(folder)).json()
    place = f"{IMPORTS}/{made['id']}"
    assert client.post(f"{place}/retry").json()["state"] == "queued"
    cancelled = client.post(f"{place}/cancel")
    assert (cancelled.status_code, cancelled.headers["location"]) == (202, place)
    assert cancelled.json()["state"] == "cancelled"
    for verb in ("cancel", "retry", "confirm"):
        assert "cancelled" in problem(client.post(f"{place}/{verb}"), 409)["detail"]
        problem(client.post(f"{IMPORTS}/99/{verb}"), 404)
        problem(client.post(f"{IMPORTS}/x/{verb}"), 404)
        assert client.get(f"{place}/{verb}").status_code == 405
    write(folder / "movies.csv", MOVIES, *["bad"] * 5)
    other = client.post(IMPORTS, json=body(folder)).json()
    assert importer.run(other["id"])["state"] == "failed"
    again = client.post(f"{IMPORTS}/{other['id']}/retry")
    assert (again.status_code, again.json()["state"], again.json()["attempt"]) == (202, "queued", 2)
