"""Downloads: whole or not there, gone on with where they broke off, and never two versions in one file."""

from __future__ import annotations

import hashlib
import os
import random
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from reelbase.errors import DiskFull, DownloadFailed, Interrupted, ReelbaseError
from reelbase.outgoing.client import Client, Patience
from reelbase.outgoing.guard import Allowed
from reelbase.receiving import copies
from reelbase.receiving.copies import Copy, Shelf, shelf_of
from reelbase.receiving.downloads import Downloads, Limits
from tests.publisher import DAY, Fault, Publisher, publisher

HERE = Allowed(private=True)
QUICK = Limits(tries=4, pause_seconds=0.01, longest_pause_seconds=0.05)
DATA = random.Random(1).randbytes(1_000_000)
NEWER = random.Random(2).randbytes(900_000)


@pytest.fixture
def server() -> Iterator[Publisher]:
    with publisher() as made:
        yield made


class Fetcher:
    """Downloads into a folder; `reports` is what was said meanwhile."""

    def __init__(self, folder: Path, limits: Limits = QUICK, patience: Patience | None = None) -> None:
        self.folder = folder
        self.client = Client(patience or Patience(silent_seconds=5))
        self.downloads = Downloads(folder, self.client, limits)
        self.reports: list[tuple[int, int | None]] = []
        self.kept: list[Copy] = []

    def __call__(self, url: str, *, has_md5: bool = False) -> bytes:
        copy = self.downloads.fetch(
            url,
            HERE,
            has_md5=has_md5,
            report=lambda done, total: self.reports.append((done, total)),
            keep=self.kept.append,
        )
        data = copy.path.read_bytes()
        assert (copy.bytes, copy.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        return data

    def partial(self, url: str) -> Path:
        return shelf_of(self.folder, url) / "partial"


@pytest.fixture
def fetch(tmp_path: Path) -> Fetcher:
    return Fetcher(tmp_path / "downloads")


def test_a_file_comes_whole_with_what_is_known_of_it(server: Publisher, fetch: Fetcher) -> None:
    url = server.put("a.csv", DATA)
    assert fetch(url) == DATA
    [copy] = fetch.kept
    assert copy.version.modified == DAY
    assert copy.path.stat().st_mtime == int(copy.sha256[:7], 16), "so it is the same wherever it comes again"
    assert copy.path.stat().st_mode & 0o077 == 0
    assert fetch.reports[0] == (0, len(DATA))
    assert fetch.reports[-1] == (len(DATA), len(DATA))
    assert [done for done, _ in fetch.reports] == sorted(done for done, _ in fetch.reports)
    assert server.asked[0].headers["accept-encoding"] == "identity"
    assert server.asked[0].headers["user-agent"].startswith("reelbase/")
    assert server.asked[0].headers["host"] == f"127.0.0.1:{server.port}"


@pytest.mark.parametrize("etag", ["", None, 'W/"weak"'], ids=["etag", "date", "weak etag"])
def test_what_broke_off_is_gone_on_with(server: Publisher, fetch: Fetcher, etag: str | None) -> None:
    url = server.put("a.csv", DATA, etag=etag)
    server.fault("a.csv", Fault(after=300_000), Fault(after=300_000))
    assert fetch(url) == DATA
    assert [asked.status for asked in server.gets("a.csv")] == [200, 206, 206]
    assert server.gets("a.csv")[2].headers["range"] == "bytes=600000-"


def test_another_process_goes_on_too(server: Publisher, fetch: Fetcher) -> None:
    url = server.put("a.csv", DATA)
    server.fault("a.csv", Fault(after=300_000), *[Fault(status=503)] * 9)
    with pytest.raises(DownloadFailed, match="503"):
        fetch(url)
    assert fetch.partial(url).stat().st_size == 300_000
    server.faults.clear()
    again = Fetcher(fetch.folder)
    assert again(url) == DATA
    assert server.gets("a.csv")[-1].status == 206
    assert again.reports[0] == (300_000, len(DATA))


def test_without_a_validator_it_begins_again(server: Publisher, fetch: Fetcher) -> None:
    url = server.put("a.csv", DATA, etag=None, modified=None)
    server.fault("a.csv", Fault(after=300_000))
    assert fetch(url) == DATA
    assert [asked.status for asked in server.gets("a.csv")] == [200, 200]
    assert "range" not in server.gets("a.csv")[1].headers


def test_a_server_that_cannot_send_the_rest_sends_all_of_it(server: Publisher, fetch: Fetcher) -> None:
    url = server.put("a.csv", DATA, ranges=False)
    server.fault("a.csv", Fault(after=300_000))
    assert fetch(url) == DATA


@pytest.mark.parametrize("etag", ["", None], ids=["etag", "date"])
def test_a_file_that_is_changed_midway_begins_again(server: Publisher, fetch: Fetcher, etag: str | None) -> None:
    url = server.put("a.csv", DATA, etag=etag)

    def replace() -> None:
        server.put("a.csv", NEWER, etag=etag, modified=DAY + timedelta(days=1))

    server.fault("a.csv", Fault(after=300_000, then=replace))
    assert fetch(url) == NEWER
    assert [asked.status for asked in server.gets("a.csv")] == [200, 200]


def test_a_part_of_another_version_is_not_put_behind(server: Publisher, fetch: Fetcher) -> None:
    """A server that does not know If-Range."""
    url = server.put("a.csv", DATA)
    server.fault("a.csv", Fault(after=300_000), Fault(headers={"ETag": '"other"'}))
    assert fetch(url) == DATA
    assert [asked.status for asked in server.gets("a.csv")] == [200, 206, 200]


def test_a_body_shorter_than_its_length_is_not_whole(server: Publisher, fetch: Fetcher) -> None:
    url = server.put("a.csv", DATA)
    server.fault("a.csv", *[Fault(length=len(DATA) + 5, after=len(DATA))] * 99)
    with pytest.raises(DownloadFailed, match="cannot be downloaded"):
        fetch(url)
    assert not fetch.kept


def test_a_passing_failure_is_waited_out(server: Publisher, fetch: Fetcher) -> None:
    url = server.put("a.csv", DATA)
    server.fault("a.csv", Fault(status=503, headers={"Retry-After": "0"}), Fault(status=429), Fault(status=500))
    assert fetch(url) == DATA


@pytest.mark.parametrize("status", [403, 404, 410, 501])
def test_a_lasting_failure_is_said_at_once(server: Publisher, fetch: Fetcher, status: int) -> None:
    url = server.put("a.csv", DATA)
    server.fault("a.csv", Fault(status=status))
    with pytest.raises(DownloadFailed, match=str(status)):
        fetch(f"{url}")
    assert len(server.asked) == 1


def test_a_query_may_be_secret_and_is_not_repeated(server: Publisher, fetch: Fetcher) -> None:
    with pytest.raises(DownloadFailed) as caught:
        fetch(f"{server.url}a.csv?token=hunter2")
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in "".join(str(path) for path in fetch.folder.rglob("*"))


def test_an_unchanged_file_is_not_fetched_again(server: Publisher, fetch: Fetcher) -> None:
    url = server.put("a.csv", DATA)
    assert fetch(url) == DATA
    assert Fetcher(fetch.folder)(url) == DATA
    assert [asked.status for asked in server.gets("a.csv")] == [200, 304]
    server.put("a.csv", NEWER, modified=DAY + timedelta(days=1))
    assert Fetcher(fetch.folder)(url) == NEWER
    assert fetch.kept[0].path.read_bytes() == DATA, "an import may still need it"


def test_a_copy_that_was_cut_or_lost_is_fetched_again(server: Publisher, fetch: Fetcher) -> None:
    url = server.put("a.csv", DATA)
    fetch(url)
    os.truncate(fetch.kept[0].path, 10)
    assert fetch(url) == DATA


def test_the_md5_sum_beside_it_is_compared(server: Publisher, fetch: Fetcher) -> None:
    url = server.put("a.zip", DATA, md5=True)
    assert fetch(url, has_md5=True) == DATA
    wrong = server.put("b.zip", DATA, md5=True)
    server.put("b.zip", NEWER)
    with pytest.raises(DownloadFailed, match="MD5"):
        fetch(wrong, has_md5=True)
    assert len(server.gets("b.zip")) == 3
    assert not [path for path in shelf_of(fetch.folder, wrong).iterdir() if path.stat().st_size > 1000]
    assert fetch(server.put("c.zip", DATA), has_md5=True) == DATA, "none is published"


def test_more_than_is_allowed_is_not_kept(server: Publisher, tmp_path: Path) -> None:
    fetch = Fetcher(tmp_path, Limits(max_bytes=500_000))
    for path, headers in (("a.csv", {}), ("b.csv", {"Content-Length": "5000000"})):
        url = server.put(path, DATA)
        server.fault(path, Fault(headers=headers))
        with pytest.raises(DownloadFailed, match="500,000 bytes"):
            fetch(url)
        assert not fetch.partial(url).exists()


def test_a_full_disk_is_said_before_it_is_full(server: Publisher, tmp_path: Path) -> None:
    url = server.put("a.csv", DATA)
    with pytest.raises(DiskFull):
        Fetcher(tmp_path, Limits(free_bytes=1 << 60))(url)


def test_silence_and_slowness_end_in_an_error(server: Publisher, tmp_path: Path) -> None:
    url = server.put("a.csv", DATA)
    server.fault("a.csv", *[Fault(after=1000, stalls=True)] * 9)
    silent = Patience(silent_seconds=0.3)
    with pytest.raises(DownloadFailed, match="cannot be downloaded"):
        Fetcher(tmp_path / "silent", Limits(tries=2, pause_seconds=0.01), silent)(url)
    server.fault("a.csv", *[Fault(pause=0.05, block=10)] * 9)
    slow = Patience(slow_seconds=0.3, slow_bytes=10_000)
    with pytest.raises(DownloadFailed, match="bytes in"):
        Fetcher(tmp_path / "slow", Limits(tries=1), slow)(url)


@pytest.mark.parametrize("fault", [Fault(after=1000, stalls=True), Fault(pause=0.05, block=100), Fault(status=503)])
def test_stopping_takes_no_second_and_keeps_what_is_here(server: Publisher, tmp_path: Path, fault: Fault) -> None:
    url = server.put("a.csv", DATA)
    server.fault("a.csv", *[fault] * 9)
    fetch = Fetcher(tmp_path, Limits(pause_seconds=60, longest_pause_seconds=60))
    failures: list[ReelbaseError] = []

    def run() -> None:
        try:
            fetch(url)
        except ReelbaseError as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while not server.asked or (fault.status is None and not fetch.reports):
        time.sleep(0.01)
    time.sleep(0.1)
    fetch.client.stop()
    thread.join(5)
    assert not thread.is_alive()
    assert [type(failure) for failure in failures] == [Interrupted]
    with pytest.raises(Interrupted):
        fetch(url)


def test_two_at_once_fetch_it_once(server: Publisher, tmp_path: Path) -> None:
    url = server.put("a.csv", DATA)
    server.fault("a.csv", Fault(pause=0.02))
    fetchers = [Fetcher(tmp_path), Fetcher(tmp_path)]
    threads = [threading.Thread(target=fetch, args=(url,)) for fetch in fetchers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert [len(fetch.kept) for fetch in fetchers] == [1, 1]
    assert sorted(asked.status for asked in server.gets("a.csv")) == [200, 304]


def test_what_nobody_needs_is_swept_away(server: Publisher, fetch: Fetcher) -> None:
    first, second = server.put("a.csv", DATA), server.put("b.csv", NEWER)
    fetch(first)
    fetch(second)
    needed = fetch.kept[0].path
    assert copies.sweep(fetch.folder, lambda path: True, copy_seconds=0, partial_seconds=0) == []
    assert copies.sweep(fetch.folder, lambda path: False, copy_seconds=60, partial_seconds=60) == []
    gone = copies.sweep(fetch.folder, lambda path: path == needed, copy_seconds=0, partial_seconds=0)
    assert gone == [fetch.kept[1].path]
    assert sorted(path.name for path in fetch.folder.iterdir()) == [needed.parent.name]
    with Shelf(fetch.folder, first, time.sleep):
        assert copies.sweep(fetch.folder, lambda path: False, copy_seconds=0, partial_seconds=0) == []
    assert fetch(second) == NEWER


def test_all_of_it_was_there_when_somebody_was_killed(server: Publisher, fetch: Fetcher) -> None:
    url = server.put("a.csv", DATA)
    fetch(url)
    copy = fetch.kept[0]
    with Shelf(fetch.folder, url, time.sleep) as shelf:
        shelf.begin(copy.version)
        copy.path.replace(shelf.partial)
    assert fetch(url) == DATA
    assert server.gets("a.csv")[-1].status == 304
