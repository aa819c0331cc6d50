"""What only a server of our own shows: it is killed, started twice, and loses its database."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from reelbase.database.embedded import EmbeddedServer
from reelbase.errors import UnknownUpload, UploadUnfinished
from tests.crashing import small_disk
from tests.tus.client import Tus, b64, wait_until
from tests.tus.conftest import Own, client, own_server
from tests.tus.test_defects import inside

MIB = 1 << 20
GIB = 1 << 30


def resume(tus: Tus, url: str, data: bytes) -> None:
    """Go on as a client does: ask how far it is, send the rest."""
    for _ in range(20):
        start = tus.offset(url)
        answer = tus.patch(url, start, data[start:])
        if answer.status_code == 204:
            return
        assert answer.status_code in (409, 423), answer.text
        time.sleep(0.2)
    raise AssertionError("it never goes on")


def sending(url: str, data: bytes, start: int, rate: float) -> threading.Thread:
    """Send at so many bytes a second, until the server is gone."""

    def send() -> None:
        def pieces() -> Iterator[bytes]:
            for place in range(start, len(data), 16384):
                yield data[place : place + 16384]
                time.sleep(16384 / rate)

        with contextlib.suppress(httpx.HTTPError), client(url) as tus:
            tus.patch(url, start, pieces())

    thread = threading.Thread(target=send)
    thread.start()
    return thread


@pytest.mark.parametrize("kills", [2, pytest.param(30, marks=[pytest.mark.long, pytest.mark.timeout(500)])])
def test_killed_at_random_points(own: Own, kills: int) -> None:
    """Some of them fall between making bytes durable and saying so."""
    dice = random.Random(kills)
    data = dice.randbytes(24 * MIB)
    address = own.start()
    with client(address) as tus:
        url = tus.create(len(data))
    places = []
    for _ in range(kills):
        with client(address) as tus:
            places.append(start := tus.offset(url))
        thread = sending(url, data, start, dice.choice((1, 4, 32)) * MIB)
        time.sleep(dice.random() * 0.8)
        own.kill()
        thread.join()
        own.start()
    assert places == sorted(places)
    with client(address) as tus:
        resume(tus, url, data)
    assert own.received(url).bytes == len(data)
    assert own.digest(url) == hashlib.sha256(data).hexdigest()


def test_killed_with_more_on_disk_than_the_row_says(own: Own) -> None:
    """kill -9 during PATCH, restart, resume: 1,000,000 bytes and not 1,400,000."""
    data = os.urandom(1_000_000)
    address = own.start()
    with client(address) as tus:
        url = tus.create(len(data))
        with tus.raw(url, Upload_Offset="0", Content_Length=str(len(data))) as raw:
            raw.send(data[:400_000])
            time.sleep(0.7)
            own.kill()
        own.path(url).write_bytes(b"z" * 1_400_000)  # as if all of it had been written, and nothing been said
        own.start()
        resume(tus, url, data)
    assert own.received(url).path.read_bytes() == data


def test_started_in_one_process_and_gone_on_with_in_another(own: Own) -> None:
    data = os.urandom(MIB)
    one, two = own.start(), own.start(port=0)
    with client(one) as first, client(two) as second:
        url = first.create(len(data))
        there = url.replace(one, two)
        assert first.patch(url, 0, data[:1000]).status_code == 204
        assert second.patch(there, 1000, data[1000:2000]).status_code == 204
        with first.raw(url, Upload_Offset="2000", Content_Length=str(len(data) - 2000)) as dead:
            dead.send(data[2000:3000])
            time.sleep(0.5)
            began = time.monotonic()
            resume(second, there, data)
            assert time.monotonic() - began < 20
        assert first.offset(url) == len(data)
        with second.raw(url := second.create(10), Upload_Offset="0", Content_Length="10") as dead:
            dead.send(b"x")
            time.sleep(0.3)
            assert first.ask("DELETE", url.replace(two, one)).status_code == 204
    assert own.digest(there) == hashlib.sha256(data).hexdigest()


def test_the_database_restarts_while_a_file_is_sent(foreign: str | None, tmp_path: Path) -> None:
    if foreign:
        pytest.skip("needs a server whose database it can stop")
    data = os.urandom(8 * MIB)
    server = EmbeddedServer(tmp_path / "pg")
    server.start()
    try:
        with own_server(tmp_path / "home", server.url) as own:
            with client(own.start()) as tus:
                url = tus.create(len(data))
                with tus.raw(url, Upload_Offset="0", Content_Length=str(len(data))) as raw:
                    raw.send(data[: 4 * MIB])
                    time.sleep(0.5)
                    server.stop()
                    raw.send(data[4 * MIB :])
                    assert raw.status() == 503
                assert tus.head(url).status_code == 503
                server.start()
                wait_until(lambda: tus.head(url).status_code == 200)
                assert tus.offset(url) < len(data)
                resume(tus, url, data)
            assert own.digest(url) == hashlib.sha256(data).hexdigest()
    finally:
        server.stop()


@pytest.mark.parametrize("place", [4 * GIB - 5, 9 * GIB + 1])
def test_places_beyond_32_bits(own_only: Own, tus: Tus, place: int) -> None:
    """A file with a hole in it: what was sent before is not sent here."""
    url = tus.create(place + 10)
    os.truncate(own_only.path(url), place)
    own_only.run(f"update reelbase.uploads set received = {place} where id = '{url.rsplit('/', 1)[1]}'")
    assert tus.offset(url) == place
    assert tus.patch(url, place, b"0123456789").status_code == 204
    assert tus.head(url).headers["upload-offset"] == str(place + 10)
    found = own_only.received(url)
    assert found.bytes == found.path.stat().st_size == place + 10
    with found.path.open("rb") as file:
        file.seek(place)
        assert file.read() == b"0123456789"
    assert tus.ask("DELETE", url).status_code == 204


def test_a_file_that_is_lost_is_said_to_be(own_only: Own, tus: Tus) -> None:
    url = tus.create(10)
    assert tus.patch(url, 0, b"abcd").status_code == 204
    own_only.path(url).unlink()
    assert tus.patch(url, 4, b"efghij").status_code == 410


def test_what_an_import_is_given(own_only: Own, tus: Tus) -> None:
    data = b"movieId,title,genres\n"
    digest = hashlib.sha256(data).hexdigest()
    metadata = f"filename {b64('Films é.csv'.encode())},sha256 {b64(digest.encode())}"
    url = tus.create(len(data), Upload_Metadata=metadata)
    with pytest.raises(UploadUnfinished, match=f"0 of {len(data)} bytes"):
        own_only.received(url)
    assert tus.patch(url, 0, data).status_code == 204
    found = own_only.received(url)
    assert (found.name, found.bytes, found.sha256) == ("Films é.csv", len(data), digest)
    assert tus.ask("DELETE", url).status_code == 204
    for name in (url, "/" + "0" * 32, "/../../etc/passwd", "/x"):
        with pytest.raises(UnknownUpload):
            own_only.received(name)


def test_what_an_import_has_asked_for_outlives_its_time(database: str, tmp_path: Path) -> None:
    with own_server(tmp_path, database) as own, inside(database, tmp_path / "store", lifetime_seconds=1.0) as tus:
        kept, left = tus.create(0), tus.create(0)
        own.received(kept)
        wait_until(lambda: tus.head(left).status_code == 410, 15)
        assert tus.head(kept).status_code == 200
        assert own.received(kept).path.exists()


def test_a_disk_that_is_full_midway_keeps_what_has_come(database: str, tmp_path: Path) -> None:
    data = os.urandom(24 * MIB)
    with small_disk(tmp_path, 32 * MIB) as disk, inside(database, tmp_path) as tus:
        url = tus.create(len(data))
        assert tus.patch(url, 0, data[:MIB]).status_code == 204
        disk.fill(leave=10 * MIB)
        # Announced or not, what does not fit is refused: at once, or when the disk says so.
        assert tus.patch(url, MIB, data[MIB:]).status_code == 507
        disk.empty()
        with tus.raw(url, Upload_Offset=str(MIB), Content_Length=str(len(data) - MIB)) as raw:
            raw.send(data[MIB : 5 * MIB])
            time.sleep(0.3)
            disk.fill(leave=5 * MIB)
            with contextlib.suppress(OSError):
                raw.send(data[5 * MIB :])
            assert raw.status() == 507
        assert MIB <= tus.offset(url) < len(data)
        disk.empty()
        resume(tus, url, data)
        assert next(tmp_path.rglob(url.rsplit("/", 1)[1])).read_bytes() == data
