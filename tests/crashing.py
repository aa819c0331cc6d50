"""Reelbase as processes that can be killed: commands, workers and the embedded server of a home of their own."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from reelbase.database.connect import Connection, connect
from reelbase.database.embedded import EmbeddedServer
from reelbase.errors import ServerUnavailable
from tests.importing import RATINGS, write

PATIENCE = 60.0


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def sentences(self) -> list[str]:
        """What it said on stderr, without the lines that tell how far it is."""
        return [line for line in self.err.splitlines() if line.strip() and not line.startswith("import ")]

    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Home:
    """A home folder with its own embedded server, used by commands in processes of their own."""

    folder: Path
    chunk_bytes: int = 1 << 14
    lease_seconds: float = 1.0
    started: list[subprocess.Popen[str]] = field(default_factory=list)
    _asking: Connection | None = None

    @property
    def server(self) -> EmbeddedServer:
        return EmbeddedServer(self.folder)

    @property
    def environment(self) -> Mapping[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("REELBASE_")}
        return ours | {
            "REELBASE_HOME": str(self.folder),
            "REELBASE_CHUNK_BYTES": str(self.chunk_bytes),
            "REELBASE_LEASE_SECONDS": str(self.lease_seconds),
            "REELBASE_IMPORT_CONNECTIONS": "2",
        }

    def start(self, *words: object) -> subprocess.Popen[str]:
        """Start a command and return at once."""
        process = subprocess.Popen(
            [sys.executable, "-m", "reelbase", *map(str, words)],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def run(self, *words: object) -> Ended:
        """Run a command to its end."""
        return end_of(self.start(*words))

    def done(self, *words: object) -> Ended:
        """Run a command that has to succeed."""
        ended = self.run(*words)
        assert ended.code == 0, ended
        return ended

    def show(self, import_id: int) -> dict[str, Any]:
        found: dict[str, Any] = self.done("imports", "show", import_id, "--json").json()
        return found

    @contextlib.contextmanager
    def connection(self) -> Iterator[Connection]:
        with connect(self.server.url, "test") as connection:
            yield connection

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.connection() as connection:
            return connection.execute(query.encode()).fetchall()

    def asked(self, query: str) -> list[tuple[Any, ...]]:
        """As `rows`, to be asked again and again; nothing while the database cannot be asked."""
        try:
            if self._asking is None or self._asking.closed:
                self._asking = connect(self.server.url, "test asking")
            return self._asking.execute(query.encode()).fetchall()
        except (psycopg.Error, ServerUnavailable):
            if self._asking is not None:
                self._asking.close()
            return []

    def kill_postmaster(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Kill the first process of the server and wait until it is gone; its children notice by themselves."""
        pid = self.server.status().pid
        assert pid is not None
        os.kill(pid, how)
        wait_for(lambda: not self.server.status().running)

    def close(self) -> None:
        """End what is left of our commands, and the server."""
        if self._asking is not None:
            self._asking.close()
        for process in self.started:
            if process.poll() is None:
                process.kill()
            with process:
                pass
        self.server.stop()
        if socket := self.server.status().socket:  # left by a server that was killed and not started again
            shutil.rmtree(socket, ignore_errors=True)


@dataclass(frozen=True)
class SmallDisk:
    """A disk of its own, that can be filled with something else."""

    folder: Path

    @property
    def free(self) -> int:
        return shutil.disk_usage(self.folder).free

    def fill(self, leave: int) -> None:
        """Take all room but so many bytes."""
        with (self.folder / "something else").open("ab") as file, contextlib.suppress(OSError):
            while (more := self.free - leave) > 0:
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), min(more, 1 << 20))

    def empty(self) -> None:
        """Give it back."""
        (self.folder / "something else").unlink(missing_ok=True)


@contextlib.contextmanager
def small_disk(folder: Path, size: int) -> Iterator[SmallDisk]:
    """Mount a disk in memory; skips the test where that is not allowed."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a disk in memory is mounted by root on Linux only")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def end_of(process: subprocess.Popen[str], patience: float = PATIENCE) -> Ended:
    """Wait for a command to end by itself."""
    try:
        out, err = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"{process.args!r} did not end: {out!r} {err!r}") from None
    return Ended(process.returncode, out, err)


def wait_for(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@dataclass(frozen=True)
class Look:
    """An import as somebody beside it sees it: how many bytes of its files are loaded."""

    import_id: int
    state: str
    attempt: int
    bytes_loaded: int


class Watcher:
    """Looks at the newest import, or at one; None while the server cannot be asked."""

    _QUERY = """
        select i.id, i.state, i.attempt,
               (select coalesce(sum(c.bytes), 0)::bigint from reelbase.chunks c
                 where c.import_id = i.id and c.state = 'done')
          from reelbase.imports i where %(id)s::bigint is null or i.id = %(id)s order by i.id desc limit 1
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._connection: Connection | None = None

    def look(self, import_id: int | None = None) -> Look | None:
        try:
            if self._connection is None or self._connection.closed:
                self._connection = connect(self._home.server.url, "test watcher")
            row = self._connection.execute(self._QUERY, {"id": import_id}).fetchone()
        except (psycopg.Error, ServerUnavailable):
            self.close()
            return None
        return Look(*row) if row else None

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


@dataclass(frozen=True)
class Dirty:
    """Files with bad and repeated records among the good ones, and what should become of them."""

    sources: tuple[Path, ...]
    size: int
    records: int
    live: str
    """MD5 over the good records, ordered by key, as PostgreSQL writes them."""
    keys: int
    rejects: frozenset[tuple[str, int, str]]
    """File, line and reason."""

    def check(self, home: Home, import_id: int) -> None:
        """Compare what is in the database with what is in the files: each record once, loaded or rejected."""
        with home.connection() as connection:
            digest = hashlib.md5(usedforsecurity=False)
            ordered = "copy (select * from movielens.ratings order by user_id, movie_id) to stdout with (format csv)"
            with connection.cursor() as cursor, cursor.copy(ordered) as rows:
                for row in rows:
                    digest.update(row)
            counts = "select count(*), count(distinct (user_id, movie_id)) from movielens.ratings"
            assert connection.execute(counts).fetchone() == (self.keys, self.keys)
            assert digest.hexdigest() == self.live
        printed = csv.DictReader(io.StringIO(home.done("imports", "rejects", import_id).out))
        rejects = [(Path(row["file"]).name, int(row["line"]), row["reason"]) for row in printed]
        assert len(rejects) == len(self.rejects)
        assert set(rejects) == self.rejects
        files = home.show(import_id)["files"]
        for file in files:
            assert file["rows_read"] == file["rows_loaded"] + file["rows_rejected"], file
        assert sum(file["rows_read"] for file in files) == self.records
        assert sum(file["rows_loaded"] for file in files) == self.keys


def dirty_files(folder: Path, records: int, seed: int) -> Dirty:
    """Ratings in a plain file and a packed one; about 50 are out of range and 50 repeat an earlier key."""
    dice = random.Random(seed)
    share = 50 / records
    good: dict[tuple[int, int], tuple[str, str, int]] = {}
    keys: list[tuple[int, int]] = []
    rejects: set[tuple[str, int, str]] = set()
    sources = []
    size = 0
    for name, count in (("ratings.csv", records * 3 // 5), ("more.csv.gz", records * 2 // 5)):
        lines = [RATINGS]
        for line in range(2, 2 + count):
            key = (len(keys) // 100 + 1, dice.randrange(100_000))
            rating, chance = dice.randint(1, 10) / 2, dice.random()
            if chance < share:
                lines.append(f"{key[0]},{key[1]},7.5,{line}")
                rejects.add((name, line, "out_of_range"))
                continue
            if chance > 1 - share and keys:
                key = dice.choice(keys)
            if key in good:
                _, earlier, at = good[key]
                rejects.add((earlier, at, "duplicate_key"))
            else:
                keys.append(key)
            good[key] = (f"{key[0]},{key[1]},{rating:g},{line}", name, line)
            lines.append(f"{key[0]},{key[1]},{rating:.1f},{line}")
        sources.append(write(folder / name, *lines))
        size += sum(len(line) + 1 for line in lines)
    ordered = "".join(f"{good[key][0]}\n" for key in sorted(good))
    live = hashlib.md5(ordered.encode(), usedforsecurity=False).hexdigest()
    return Dirty(tuple(sources), size, len(good) + len(rejects), live, len(good), frozenset(rejects))
