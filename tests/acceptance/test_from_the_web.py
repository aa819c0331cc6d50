"""`reelbase import` of what is published: by name, by URL, through kill -9 and Ctrl-C."""

from __future__ import annotations

import signal
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reelbase.sample import write_imdb
from tests.acceptance.conftest import Reelbase
from tests.importing import MOVIES, RATINGS
from tests.publisher import Fault, Publisher, publisher

DATA = f"{RATINGS}\n{''.join(f'{user},{movie},3.5,5' + chr(10) for user in range(500) for movie in range(40))}".encode()
ROWS = 500 * 40


@pytest.fixture
def server() -> Iterator[Publisher]:
    with publisher() as made:
        yield made


@pytest.fixture
def web(reelbase: Reelbase, server: Publisher) -> Reelbase:
    """The command, with the publishers on this machine."""
    reelbase.settings |= {
        "REELBASE_IMDB_URL": f"{server.url}imdb",
        "REELBASE_MOVIELENS_URL": f"{server.url}movielens/",
        "REELBASE_ALLOW_PRIVATE_DOWNLOADS": "true",
    }
    return reelbase


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def partials(web: Reelbase) -> list[Path]:
    return list(Path(web.settings["REELBASE_HOME"], "store", "downloads").glob("*/partial"))


def test_imdb_by_its_name(web: Reelbase, server: Publisher, tmp_path: Path) -> None:
    for path in write_imdb(tmp_path / "imdb", scale=0.0005, seed=1, movielens_scale=0.0005):
        server.put(f"imdb/{path.name}", path)
    found = web.json("import", "imdb")
    assert (found["dataset"], found["state"], len(found["files"])) == ("imdb", "completed", 7)
    assert {file["name"] for file in found["files"]} >= {"title.basics.tsv.gz", "name.basics.tsv.gz"}


def test_movielens_by_its_name_with_its_md5_sum(web: Reelbase, server: Publisher, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("ml-latest-small/ratings.csv", DATA)
        archive.writestr("ml-latest-small/movies.csv", f"{MOVIES}\n1,One (2001),Drama\n")
        archive.writestr("ml-latest-small/README.txt", "Read me.")
    server.put("movielens/ml-latest-small.zip", tmp_path / "a.zip", md5=True)
    said = web("import", "movielens/latest-small")
    assert "movielens is live" in said.stdout
    assert "ml-latest-small/README.txt" in said.stdout
    assert web.rows("select count(*) from movielens.ratings") == [(ROWS,)]


@pytest.mark.slow
def test_a_url_with_progress_of_its_bytes(web: Reelbase, server: Publisher) -> None:
    url = server.put("ratings.csv", DATA)
    server.fault("ratings.csv", Fault(pause=1.0, block=len(DATA) // 7))
    said = web("import", url)
    assert f" of {len(DATA) / 1e6:,.1f} MB" in said.stderr
    assert "import 1 receiving: " in said.stderr
    assert web.json("imports", "show", 1)["files"][0]["name"] == url


def test_what_fails_ends_with_1_and_the_object(web: Reelbase, server: Publisher) -> None:
    found = web.json("import", f"{server.url}nothing.csv", code=1)
    assert (found["id"], found["dataset"], found["state"]) == (1, None, "failed")
    assert found["error"]["code"] == "download_failed"
    assert "404" in web.refused("import", f"{server.url}nothing.csv", code=1)
    assert "-" in web("imports").stdout
    assert "files not yet known" in web("imports", "show", 1).stdout


def test_what_may_not_be_asked_for_ends_with_2(web: Reelbase, server: Publisher) -> None:
    url = server.put("ratings.csv", DATA)
    del web.settings["REELBASE_ALLOW_PRIVATE_DOWNLOADS"]
    for word in (url, "https://127.0.0.1/a.csv", "https://user@example.org/a.csv", "file:///etc/passwd", "imdb"):
        web.refused("import", word, "--json")
    assert not server.asked
    assert web.rows("select count(*) from reelbase.imports") == [(0,)]


def test_kill_9_during_a_download_and_a_retry_goes_on_from_there(web: Reelbase, server: Publisher) -> None:
    url = server.put("ratings.csv", DATA)
    server.fault("ratings.csv", Fault(after=100_000, stalls=True))
    killed = web.start("import", url)
    until(lambda: [path.stat().st_size for path in partials(web)] == [100_000])
    killed.kill()
    killed.wait()
    assert web.json("imports", "show", 1)["error"]["code"] == "interrupted"
    found = web.json("imports", "retry", 1)
    assert (found["state"], found["files"][0]["rows_loaded"]) == ("completed", ROWS)
    assert server.gets("ratings.csv")[-1].headers["range"] == "bytes=100000-"
    assert not partials(web)


def test_ctrl_c_during_a_download_ends_at_once(web: Reelbase, server: Publisher) -> None:
    url = server.put("ratings.csv", DATA)
    server.fault("ratings.csv", Fault(after=100_000, stalls=True))
    running = web.start("import", url)
    until(lambda: partials(web))
    running.send_signal(signal.SIGINT)
    web.end(running, 130)
    assert web.json("imports", "retry", 1)["state"] == "completed"


def test_cancelled_by_somebody_else_during_a_download(web: Reelbase, server: Publisher) -> None:
    url = server.put("ratings.csv", DATA)
    server.fault("ratings.csv", Fault(after=100_000, stalls=True))
    running = web.start("import", url)
    until(lambda: partials(web))
    assert web.json("imports", "cancel", 1)["state"] == "cancelled"
    web.end(running, 1)
    assert not partials(web)


def test_prune_takes_copies_that_nobody_needs(web: Reelbase, server: Publisher) -> None:
    web("import", server.put("ratings.csv", DATA))
    assert any("store/downloads/" in name for name in web.json("prune")["dropped"])
    assert web.json("prune")["dropped"] == []
