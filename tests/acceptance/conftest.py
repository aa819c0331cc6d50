"""The installed command, run as people run it: in a process of its own, with nothing but an environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from reelbase.database.connect import connect
from tests.importing import RATINGS

COMMAND = str(Path(sys.executable).parent / "reelbase")
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Said:
    """What a command has said."""

    stdout: str
    stderr: str

    @property
    def sentence(self) -> str:
        """Its one line on stderr."""
        [line] = self.stderr.splitlines()
        return line


@dataclass
class Reelbase:
    """The command with its settings."""

    settings: dict[str, str]
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.settings["REELBASE_DATABASE_URL"]

    def start(self, *words: object, **settings: str) -> subprocess.Popen[bytes]:
        """Begin a command; it is killed when the test ends."""
        process = subprocess.Popen(
            [COMMAND, *map(str, words)],
            env={"PATH": os.environ["PATH"], **self.settings, **settings},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.running.append(process)
        return process

    def end(self, process: subprocess.Popen[bytes], code: int | None) -> Said:
        """Wait for its end, and for this exit code if there is one; there is never a traceback."""
        said = process.communicate(timeout=PATIENCE_SECONDS)
        stdout, stderr = (stream.decode("utf-8", "surrogateescape") for stream in said)
        assert "Traceback" not in stderr, stderr
        assert code is None or process.returncode == code, (process.returncode, stdout, stderr)
        return Said(stdout, stderr)

    def __call__(self, *words: object, code: int = 0, **settings: str) -> Said:
        return self.end(self.start(*words, **settings), code)

    def json(self, *words: object, code: int = 0, **settings: str) -> Any:
        """The one object that a command prints with --json."""
        said = self(*words, "--json", code=code, **settings)
        [line] = said.stdout.splitlines()
        return json.loads(line)

    def refused(self, *words: object, code: int = 2) -> str:
        """The sentence that a command ends with; it says nothing on stdout."""
        said = self(*words, code=code)
        assert said.stdout == ""
        return said.sentence

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database holds, asked without the command."""
        with connect(self.url, "test") as connection:
            return connection.execute(query.encode()).fetchall()

    def states(self, import_id: int) -> tuple[str, str | None]:
        """State and error code as they stand in the table: looking in this way ends nothing."""
        [(state, code)] = self.rows(f"select state, error_code from reelbase.imports where id = {import_id}")
        return state, code

    def until(self, query: str) -> None:
        """Wait until a query says true."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        with connect(self.url, "test") as connection:
            while connection.execute(query.encode()).fetchone() != (True,):
                assert time.monotonic() < deadline, query
                time.sleep(0.02)

    def until_loading(self, import_id: int) -> None:
        """Wait until an import has loaded some, but not all."""
        self.until(f"select count(*) > 20 from reelbase.chunks where import_id = {import_id} and state = 'done'")
        assert self.states(import_id) == ("loading", None)

    def schemas(self) -> set[str]:
        """The schemas with loaded tables."""
        return {name for (name,) in self.rows("select nspname::text from pg_namespace where nspname like 'movielens%'")}


@contextmanager
def command(**settings: str) -> Iterator[Reelbase]:
    made = Reelbase(settings)
    try:
        yield made
    finally:
        for process in made.running:
            process.kill()
            process.communicate()


@pytest.fixture
def reelbase(database: str, tmp_path: Path) -> Iterator[Reelbase]:
    """The command on a fresh database of the session's server."""
    with command(REELBASE_DATABASE_URL=database, REELBASE_HOME=str(tmp_path / "home")) as made:
        yield made


@dataclass(frozen=True)
class Ratings:
    """A file that is not loaded in an instant, and what must be counted in it."""

    path: Path
    rows: int
    rejected: int


@pytest.fixture(scope="session")
def many_ratings(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Ratings]:
    """Files of ratings by so many users, with a bad record for each of them."""
    folder = tmp_path_factory.mktemp("ratings")

    def make(users: int) -> Ratings:
        path = folder / f"{users}.csv"
        if not path.exists():
            with path.open("w", encoding="utf-8") as file:
                file.write(f"{RATINGS}\n")
                for user in range(1, users + 1):
                    file.write("".join(f"{user},{movie},{(movie % 10 + 1) / 2},1000000000\n" for movie in range(200)))
                    file.write(f"{user},200,9.5,1000000000\n")
        return Ratings(path, users * 200, users)

    return make


SLOW = {"REELBASE_CHUNK_BYTES": "4096", "REELBASE_IMPORT_CONNECTIONS": "1"}
"""Settings for an import that takes some seconds."""
