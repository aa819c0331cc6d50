"""`import --server`: files of this machine are imported by another server, also when the line drops on the way."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import SHUT_RDWR, create_connection, create_server, socket

import httpx
import pytest

from tests.acceptance.conftest import Reelbase
from tests.acceptance.test_serve import address, until_ready
from tests.importing import MOVIES, RATINGS, write

pytestmark = pytest.mark.slow

_RECORDS = 150_000


@pytest.fixture
def server(reelbase: Reelbase) -> str:
    """The address of a server with a worker."""
    url = address(reelbase.start("serve", "--port", "0", REELBASE_LOG_LEVEL="ERROR"))
    until_ready(url)
    return url


@pytest.fixture
def ratings(tmp_path: Path) -> Path:
    """Some megabytes."""
    return write(tmp_path / "ratings.csv", RATINGS, *(f"{n},{n % 100},3.5,{n}" for n in range(1, _RECORDS)))


def test_a_folder_is_sent_and_imported_there(reelbase: Reelbase, server: str, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    write(folder / "movies.csv", MOVIES, "1,Heat (1995),Drama", "x,Bad (1990),Drama")
    write(folder / "ratings.csv", RATINGS, "1,1,4.5,1")
    write(folder / "notes.csv", "something,else", "1,2")
    home = str(tmp_path / "home")
    found = reelbase.json("import", folder, "--server", server, "--max-rejects", "1", REELBASE_HOME=home)
    assert found["state"] == "completed"
    assert {file["name"]: (file["rows_loaded"], file["rows_rejected"]) for file in found["files"]} == {
        "movies.csv": (1, 1),
        "ratings.csv": (1, 0),
    }
    assert httpx.get(f"{server}/api/v1/movies").json()["items"][0]["title"] == "Heat"
    assert not list((tmp_path / "home" / "sending").iterdir())


def test_who_is_stopped_goes_on_with_the_same_command(
    reelbase: Reelbase, server: str, ratings: Path, tmp_path: Path
) -> None:
    home = str(tmp_path / "home")
    with line_to(server) as line:
        line.holds_after = 1_500_000
        sending = reelbase.start("import", ratings, "--server", line.url, REELBASE_HOME=home)
        assert line.is_held.wait(30)
        sending.send_signal(signal.SIGINT)
        said = reelbase.end(sending, 130)
        assert "The same command again goes on with it." in said.stderr
        line.holds_after = None
        found = reelbase.json("import", ratings, "--server", line.url, REELBASE_HOME=home)
    assert found["files"][0]["rows_loaded"] == _RECORDS - 1
    # Announced once: the second command has found the upload of the first.
    assert reelbase.rows("select count(*) from reelbase.uploads") == [(1,)]


def test_a_line_that_drops_again_and_again_costs_nothing_but_time(
    reelbase: Reelbase, server: str, ratings: Path, tmp_path: Path
) -> None:
    with line_to(server) as line:
        line.drops_after = 1_200_000
        found = reelbase.json("import", ratings, "--server", line.url, REELBASE_HOME=str(tmp_path / "home"))
        assert line.dropped >= 2
    assert found["state"] == "completed"
    assert found["files"][0]["rows_loaded"] == _RECORDS - 1


def test_what_cannot_be_imported_is_told_before_anything_is_sent(
    reelbase: Reelbase, server: str, tmp_path: Path
) -> None:
    unknown = write(tmp_path / "unknown.csv", "something,else", "1,2")
    assert reelbase.refused("import", unknown, "--server", server, code=1)
    assert reelbase.rows("select count(*) from reelbase.uploads") == [(0,)]
    movies = write(tmp_path / "movies.csv", MOVIES, "1,Heat (1995),Drama")
    assert "is not the URL of a server" in reelbase.refused("import", movies, "--server", "localhost")
    assert "does not answer" in reelbase.refused("import", movies, "--server", "http://127.0.0.1:9", code=1)


# A line between the two that can be cut


class Line:
    """Passes bytes on; `drops_after` so many in one connection it is cut, `holds_after` so many it stands still."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listener = create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.drops_after: int | None = None
        self.holds_after: int | None = None
        self.is_held = threading.Event()
        self.dropped = 0

    def run(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = create_connection(self._target)
            threading.Thread(target=self._pass, args=(near, far, True), daemon=True).start()
            threading.Thread(target=self._pass, args=(far, near, False), daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(SHUT_RDWR)
        self._listener.close()

    def _pass(self, source: socket, target: socket, is_there: bool) -> None:
        passed = 0
        try:
            while block := source.recv(65536):
                target.sendall(block)
                passed += len(block)
                if is_there and self.drops_after is not None and passed > self.drops_after:
                    self.dropped += 1
                    break
                if is_there and self.holds_after is not None and passed > self.holds_after:
                    self.is_held.set()
                    return  # neither read nor closed any more
        except OSError:
            pass  # the other direction has ended it
        for end in (source, target):
            end.close()


@contextmanager
def line_to(url: str) -> Iterator[Line]:
    """A line to a server."""
    host, port = url.removeprefix("http://").split(":")
    line = Line((host, int(port)))
    threading.Thread(target=line.run, daemon=True).start()
    try:
        yield line
    finally:
        line.close()
