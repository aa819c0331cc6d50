"""A tus server to look at: the one behind --tus-url, or `reelbase serve` in a process of its own."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from reelbase.database.connect import connect
from reelbase.receiving import uploads
from tests.acceptance.conftest import COMMAND
from tests.tus.client import Tus, wait_until

IDLE_SECONDS = 2.0


@dataclass
class Own:
    """Our server, which can be killed and started again on the same port."""

    settings: dict[str, str]
    port: int = 0
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, port: int | None = None) -> str:
        """Start one process; gives the address of its uploads."""
        process = subprocess.Popen(
            [COMMAND, "serve", "--no-workers", "--port", str(self.port if port is None else port)],
            env={"PATH": os.environ["PATH"], "REELBASE_LOG_LEVEL": "ERROR", **self.settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        self.started.append(process)
        assert process.stdout is not None
        line = process.stdout.readline().decode()
        address = re.search(r"http://\S+", line)
        assert address, line
        if port is None:
            self.port = int(address[0].rsplit(":", 1)[1])
        wait_until(lambda: _is_ready(address[0]))
        return f"{address[0]}/api/v1/uploads"

    def kill(self) -> None:
        """kill -9 of the one started last."""
        process = self.started.pop()
        process.kill()
        with process:
            process.wait(30)

    def close(self) -> None:
        for process in self.started:
            process.send_signal(signal.SIGTERM)
        for process in self.started:
            with process:
                process.wait(30)

    def path(self, url: str) -> Path:
        return Path(self.settings["REELBASE_HOME"], "store", "uploads", url.rsplit("/", 1)[1])

    def received(self, url: str) -> uploads.Received:
        """What an import is given."""
        with connect(self.settings["REELBASE_DATABASE_URL"], "test") as connection:
            return uploads.received(connection, url.rsplit("/", 1)[1])

    def run(self, statement: str) -> None:
        with connect(self.settings["REELBASE_DATABASE_URL"], "test") as connection:
            connection.execute(statement.encode())

    def digest(self, url: str) -> str:
        """SHA-256 of what has arrived, in full."""
        with self.received(url).path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def _is_ready(address: str) -> bool:
    try:
        return httpx.get(f"{address}/readyz").status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def own_server(home: Path, database_url: str, **settings: str) -> Iterator[Own]:
    """Settings of a server whose store is in `home`; it is started by whoever asks."""
    own = Own(
        {
            "REELBASE_HOME": str(home),
            "REELBASE_DATABASE_URL": database_url,
            "REELBASE_UPLOAD_IDLE_SECONDS": str(IDLE_SECONDS),
            "REELBASE_UPLOAD_FREE_BYTES": "0",
            **settings,
        }
    )
    try:
        yield own
    finally:
        own.close()


@contextmanager
def client(url: str) -> Iterator[Tus]:
    with httpx.Client(timeout=30) as http:
        yield Tus(url, http)


@pytest.fixture(scope="session")
def foreign(request: pytest.FixtureRequest) -> str | None:
    url: str | None = request.config.getoption("--tus-url")
    return url


@pytest.fixture
def own(foreign: str | None, database: str, tmp_path: Path) -> Iterator[Own]:
    """A server of the test's own, not started yet."""
    if foreign:
        pytest.skip("needs a server that it can kill, and look into")
    with own_server(tmp_path, database) as made:
        yield made


@pytest.fixture(scope="session")
def _shared(
    request: pytest.FixtureRequest, foreign: str | None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Own | None]]:
    if foreign:
        yield foreign, None
        return
    make = request.getfixturevalue("new_database")
    with own_server(
        tmp_path_factory.mktemp("tus"), make("tus_shared"), REELBASE_CORS_ORIGINS="https://else.org"
    ) as own:
        yield own.start(), own


@pytest.fixture
def tus(_shared: tuple[str, Own | None]) -> Iterator[Tus]:
    """The server that all tests of behaviour share."""
    with client(_shared[0]) as made:
        yield made


@pytest.fixture
def ours(_shared: tuple[str, Own | None]) -> Own | None:
    """The same, where it can be looked into."""
    return _shared[1]


@pytest.fixture
def own_only(ours: Own | None) -> Own:
    if ours is None:
        pytest.skip("of our server only")
    return ours
