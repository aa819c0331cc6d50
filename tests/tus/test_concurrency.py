"""Several requests for one upload, and connections that have died without a word."""

from __future__ import annotations

import threading
import time

from tests.tus.client import Tus, wait_until
from tests.tus.conftest import IDLE_SECONDS, Own

MIB = 1 << 20


def test_of_two_requests_at_once_one_wins(tus: Tus, ours: Own | None) -> None:
    data = {0: b"a" * 4 * MIB, 1: b"b" * 4 * MIB}
    url = tus.create(4 * MIB)
    statuses: dict[int, int] = {}

    def send(number: int) -> None:
        statuses[number] = tus.patch(url, 0, data[number]).status_code

    threads = [threading.Thread(target=send, args=(number,)) for number in data]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses.values())[0] == 204
    assert sorted(statuses.values())[1] in (409, 413, 423)
    assert tus.offset(url) == 4 * MIB
    if ours:
        winner = next(number for number, status in statuses.items() if status == 204)
        assert ours.received(url).path.read_bytes() == data[winner]


def test_a_sender_that_lives_keeps_its_place(tus: Tus) -> None:
    url = tus.create(1000)
    with tus.raw(url, Upload_Offset="0", Content_Length="1000") as first:
        over = threading.Event()

        def go_on() -> None:
            for _ in range(999):
                if over.wait(0.1):
                    break
                first.send(b"x")

        thread = threading.Thread(target=go_on)
        thread.start()
        time.sleep(0.2)
        began = time.monotonic()
        assert tus.patch(url, 0, b"y" * 1000).status_code in (409, 423)
        assert time.monotonic() - began < 10
        over.set()
        thread.join()


def test_a_dead_connection_gives_way_to_the_sender_who_tries_again(tus: Tus, ours: Own | None) -> None:
    url = tus.create(10)
    with tus.raw(url, Upload_Offset="0", Content_Length="10") as dead:
        dead.send(b"abcd")
        time.sleep(0.3)
        began = time.monotonic()
        while (answer := tus.patch(url, start := tus.offset(url), b"abcdefghij"[start:])).status_code != 204:
            assert answer.status_code in (409, 423)
            assert time.monotonic() - began < 20
        assert tus.offset(url) == 10
        if ours:
            assert ours.received(url).path.read_bytes() == b"abcdefghij"


def test_a_half_open_connection_is_given_up_and_what_has_come_is_kept(tus: Tus, own_only: Own) -> None:
    url = tus.create(10)
    with tus.raw(url, Upload_Offset="0", Content_Length="10") as silent:
        silent.send(b"abcd")
        assert silent.status(IDLE_SECONDS + 20) == 408
    assert tus.offset(url) == 4
    assert tus.patch(url, 4, b"efghij").status_code == 204
    assert own_only.received(url).path.read_bytes() == b"abcdefghij"


def test_a_sender_that_hangs_up_keeps_what_has_come(tus: Tus) -> None:
    url = tus.create(10)
    with tus.raw(url, Upload_Offset="0", Content_Length="10") as first:
        first.send(b"abcd")
        time.sleep(0.3)
    wait_until(lambda: tus.offset(url) == 4)
    assert tus.patch(url, 4, b"efghij").status_code == 204


def test_half_a_body_with_a_checksum_is_not_kept(tus: Tus) -> None:
    tus.needs("checksum")
    url = tus.create(10)
    with tus.raw(url, Upload_Offset="0", Content_Length="10", Upload_Checksum="sha1 " + "A" * 27 + "=") as first:
        first.send(b"abcd")
        time.sleep(0.3)
    time.sleep(0.3)
    assert tus.offset(url) == 0
    assert tus.patch(url, 0, b"abcdefghij").status_code == 204


def test_an_upload_can_be_ended_while_it_is_sent(tus: Tus, ours: Own | None) -> None:
    url = tus.create(1000)
    with tus.raw(url, Upload_Offset="0", Content_Length="1000") as first:
        first.send(b"abcd")
        time.sleep(0.3)
        assert tus.ask("DELETE", url).status_code == 204
        assert first.status() in (404, 409, 410, 423)
    assert tus.head(url).status_code in (404, 410)
    if ours:
        assert not ours.path(url).exists()


def test_how_far_it_is_can_be_asked_while_it_is_sent(tus: Tus) -> None:
    url = tus.create(10)
    with tus.raw(url, Upload_Offset="0", Content_Length="10") as first:
        first.send(b"abcd")
        time.sleep(0.3)
        assert tus.offset(url) in (0, 4)
        first.send(b"efghij")
        assert first.status() == 204
    assert tus.offset(url) == 10


def test_a_refused_body_does_not_have_to_be_sent_to_its_end(tus: Tus, own_only: Own) -> None:  # of our server
    """The answer is there at once, and the connection ends soon after it."""
    url = tus.create(5)
    with tus.raw(url, Upload_Offset="0", Content_Length=str(1 << 40)) as raw:
        raw.send(b"x" * MIB)
        assert raw.status() == 413
        raw.send(b"x" * MIB)
        began = time.monotonic()
        try:
            while time.monotonic() - began < 20:
                raw.send(b"x" * 1000)
                time.sleep(0.05)
        except OSError:
            return
    raise AssertionError("it reads on for ever")
