"""`reelbase serve` as people run it: it answers, imports, and ends without leaving anything behind."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from pathlib import Path

import httpx
import psutil
import pytest

from reelbase.database.embedded import EmbeddedServer
from tests.acceptance.conftest import Reelbase, command
from tests.importing import MOVIES, write


def address(process: subprocess.Popen[bytes]) -> str:
    """Where it serves: the first line it prints."""
    assert process.stdout is not None
    line = process.stdout.readline().decode()
    found = re.search(r"http://\S+", line)
    assert found, (line, process.stderr and process.stderr.read1())  # type: ignore[attr-defined]
    return found[0]


def until_ready(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            assert httpx.get(f"{url}/readyz").status_code == 200
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def test_it_serves_what_is_imported_meanwhile_and_ctrl_c_ends_all_of_it(reelbase: Reelbase, tmp_path: Path) -> None:
    serving = reelbase.start("serve", "--port", "0")
    url = address(serving)
    until_ready(url)
    assert httpx.get(f"{url}/api/v1/movies").json()["total"] == 0
    reelbase.until("select exists (select from reelbase.workers where listens)")
    reelbase("import", write(tmp_path / "movies.csv", MOVIES, "1,Heat (1995),Drama"))
    assert httpx.get(f"{url}/api/v1/movies").json()["items"][0]["title"] == "Heat"
    made = reelbase.json("movies", "add", "Mine", "--year", "2020")
    assert httpx.get(f"{url}/api/v1/movies/{made['id']}").json()["title"] == "Mine"
    asked = httpx.request("DELETE", f"{url}/api/v1/datasets/movielens")
    reelbase.until(f"select state = 'completed' from reelbase.imports where id = {asked.json()['id']}")
    assert [movie["title"] for movie in httpx.get(f"{url}/api/v1/movies").json()["items"]] == ["Mine"]
    children = psutil.Process(serving.pid).children(recursive=True)
    assert children
    serving.send_signal(signal.SIGINT)
    said = reelbase.end(serving, 0)
    assert '"path":"/api/v1/movies"' in said.stderr.replace('": "', '":"')
    assert said.stderr.splitlines()[-1] == "Stopped."
    assert not any(child.is_running() for child in children)


@pytest.mark.parametrize("workers", ["--no-workers", "--workers=3"])
def test_kept_alive_connections_are_quick(reelbase: Reelbase, workers: str) -> None:
    """Small answers are not held back on a connection that is used again (TCP_NODELAY), however many workers wait."""
    serving = reelbase.start("serve", "--port", "0", workers, REELBASE_LOG_LEVEL="ERROR")
    url = address(serving)
    until_ready(url)
    with httpx.Client() as client:
        client.get(f"{url}/livez")
        began = time.monotonic()
        for _ in range(50):
            client.get(f"{url}/livez")
        seconds = (time.monotonic() - began) / 50
    assert seconds < 0.02


def test_off_loopback_it_does_not_listen_unless_it_is_told_to(reelbase: Reelbase) -> None:
    sentence = reelbase.refused("serve", "--host", "0.0.0.0", "--port", "0")
    assert "--insecure" in sentence
    serving = reelbase.start("serve", "--host", "0.0.0.0", "--port", "0", "--no-workers", "--insecure")
    port = address(serving).rsplit(":", 1)[1]
    until_ready(f"http://127.0.0.1:{port}")
    answer = httpx.get(f"http://127.0.0.1:{port}/api/v1/movies")
    assert answer.headers["ratelimit-policy"] == '"default";q=600;w=60'


def test_a_port_that_is_taken_is_named(reelbase: Reelbase) -> None:
    serving = reelbase.start("serve", "--port", "0", "--no-workers")
    port = address(serving).rsplit(":", 1)[1]
    assert port in reelbase.refused("serve", "--port", port, "--no-workers")


@pytest.mark.parametrize("somebody_is_there", [False, True])
def test_the_embedded_server_ends_with_it_only_if_it_was_alone(tmp_path: Path, somebody_is_there: bool) -> None:
    home = tmp_path / "home"
    server = EmbeddedServer(home)
    try:
        with command(REELBASE_HOME=str(home)) as reelbase:
            if somebody_is_there:
                reelbase("db", "start")
            serving = reelbase.start("serve", "--port", "0")
            until_ready(address(serving))
            serving.send_signal(signal.SIGTERM)
            reelbase.end(serving, 0)
            assert server.status().running is somebody_is_there
    finally:
        server.stop()


@pytest.mark.slow
def test_movies_on_the_terminal(reelbase: Reelbase, tmp_path: Path) -> None:
    assert reelbase.json("movies", "list") == {"items": []}
    reelbase("import", write(tmp_path / "movies.csv", MOVIES, "1,Heat (1995),Drama", "2,=1+1 (1999),Comedy"))
    assert "Heat" in reelbase("movies", "list", "-q", "heat").stdout
    assert [one["title"] for one in reelbase.json("movies", "list", "--genre", "Comedy")["items"]] == ["=1+1"]
    assert reelbase.json("movies", "show", "movielens:1")["year"] == 1995
    mine = reelbase("movies", "add", "Mine").stdout.split()[-1]
    reelbase("movies", "edit", mine, "--title", "Ours", "--rating", "8.5")
    assert reelbase.json("movies", "show", mine)["title"] == "Ours"
    for name in ("all.csv", "all.ndjson", "all.parquet"):
        reelbase("export", "movies", "-o", tmp_path / name)
        assert (tmp_path / name).stat().st_size > 100
    assert "'=1+1" in (tmp_path / "all.csv").read_text()
    reelbase("export", "movies", "--raw", "-o", tmp_path / "raw.csv")
    assert "'=1+1" not in (tmp_path / "raw.csv").read_text()
    assert "form" in reelbase.refused("export", "movies", "-o", tmp_path / "all.xlsx")
    reelbase("movies", "remove", mine)
    assert "no movie" in reelbase.refused("movies", "show", mine)
    assert "no id of IMDb" in reelbase.refused("movies", "add", "x", "--imdb-id", "113277")
    assert "not UTF-8" in reelbase.refused("movies", "list", "-q", "\udcff")
    assert "not UTF-8" in reelbase.refused("movies", "add", "\udcff")
    assert "500 is the most" in reelbase.refused("movies", "add", "x" * 501)
    assert "genres" in reelbase.refused("movies", "add", "x", "--genre", "")
