"""The API's latencies while an import and its publish run beside it, and before: 50 questions a second of all kinds.

    .venv/bin/python bench/beside_import.py [--url URL] [--scale 1] [--rate 50] [--idle 30] [--slowest 0]

Questions leave by the clock, whatever becomes of those before them, and each latency counts from the moment at which
its question should have left. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit
from urllib.request import urlopen

from rounds import SEED, reelbase, sample, url_of_reelbase
from served import reelbase_serve

from reelbase.sample import write_movielens

MOVIES = "/api/v1/movies"
FINAL = ("completed", "failed", "cancelled")
_PATIENCE_SECONDS = 30
_KEPT_SECONDS = 2  # the server keeps unused connections for five
_AFTER_SECONDS = 3  # what a publish leaves behind is measured too


def main() -> None:
    """Measure idle, then beside an import, and print both."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--url", help="a database with a catalog (default: what `reelbase db url` says)")
    options.add_argument("--scale", type=float, default=1, help="of the import, 1 is MovieLens 20M (default 1)")
    options.add_argument("--rate", type=float, default=50, help="questions a second (default 50)")
    options.add_argument("--idle", type=float, default=30, help="seconds of the measurement before (default 30)")
    options.add_argument("--data", type=Path, default=Path(tempfile.gettempdir()) / "reelbase-bench")
    options.add_argument("--slowest", type=int, default=0, help="tell so many of the slowest questions beside it")
    given = options.parse_args()
    folder = sample(
        given.data / f"movielens-{given.scale:g}-seed-{SEED}",
        lambda part: write_movielens(part, scale=given.scale, seed=SEED),
    )
    url = given.url or url_of_reelbase()
    with reelbase_serve(url) as (address, _):
        asyncio.run(_measure(address, url, folder, given))


async def _measure(address: str, url: str, folder: Path, given: argparse.Namespace) -> None:
    questions = Questions(address)
    rate: float = given.rate
    await _drive(questions, address, rate, time.monotonic() + 5)  # warms up
    idle = await _drive(questions, address, rate, time.monotonic() + given.idle)
    print(idle.told("idle"), flush=True)
    import_id = await asyncio.to_thread(_begin, url, folder)
    watch = Watch(address, import_id)
    beside = await _drive(questions, address, rate, watch)
    print(beside.told(f"beside {watch.state} in {watch.seconds:.0f} s"))
    for state, times in beside.by_state.items():
        print(f"  {state:10} {len(times):6} questions, p99 {_p99(times):7.1f} ms, at most {max(times):7.1f} ms")
    for kind in sorted({_kind(path) for *_, path in beside.asked}):
        before, now = (_p99([one for one, *_, path in seen.asked if _kind(path) == kind]) for seen in (idle, beside))
        print(f"  {kind:24} p99 {before:7.1f} ms idle, {now:7.1f} ms beside it")
    for words, count in beside.failures.items():
        print(f"  failed {count} times: {words}")
    for milliseconds, at, state, path in sorted(beside.asked, reverse=True)[: given.slowest]:
        print(f"  {milliseconds:7.1f} ms, after {at:5.1f} s, {state:10} {path}")
    allowed = max(3 * idle.p99, 50)
    print(f"p99 {beside.p99:.1f} ms, {allowed:.1f} allowed; {beside.failed} failed")
    if watch.state != "completed":
        sys.exit(f"The import has {watch.state}.")


def _begin(url: str, folder: Path) -> int:
    command = [reelbase(), "import", str(folder), "--no-wait", "--json"]
    done = subprocess.run(
        command, env=os.environ | {"REELBASE_DATABASE_URL": url}, check=True, stdout=subprocess.PIPE, text=True
    )
    return int(json.loads(done.stdout)["id"])


class Watch:
    """How far the import is; asked once a second."""

    def __init__(self, address: str, import_id: int) -> None:
        self._address = f"{address}/api/v1/imports/{import_id}"
        self._began = time.monotonic()
        self._looked = 0.0
        self._ended = 0.0
        self.state = "queued"

    @property
    def seconds(self) -> float:
        return self._ended - self._began

    async def is_over(self) -> bool:
        now = time.monotonic()
        if not self._ended and now - self._looked > 1:
            self._looked = now
            self.state = await asyncio.to_thread(self._look)
            if self.state in FINAL:
                self._ended = now
        return bool(self._ended) and now > self._ended + _AFTER_SECONDS

    def _look(self) -> str:
        with urlopen(self._address, timeout=_PATIENCE_SECONDS) as answer:
            return str(json.load(answer)["state"])


class Questions:
    """Paths of all kinds, hardly any of which is kept: pages by filter and by cursor, movies, searches, counts."""

    def __init__(self, address: str) -> None:
        self._dice = random.Random(SEED)  # no secret
        self._movies: list[str] = []
        self._words: list[str] = []
        self._cursors: list[str] = []
        place: str | None = f"{MOVIES}?limit=100"
        for _ in range(30):
            if place is None:
                break
            with urlopen(f"{address}{place}") as answer:
                page = json.load(answer)
            place = page["next"]
            self._movies += [movie["id"] for movie in page["items"]]
            self._words += [movie["title"].split()[-1] for movie in page["items"]]
            if place:
                self._cursors.append(place)

    def __iter__(self) -> Iterator[str]:
        dice = self._dice
        while True:
            yield f"{MOVIES}/{dice.choice(self._movies)}"
            yield f"{MOVIES}?year_min={dice.randrange(1900, 2020)}&runtime_max={dice.randrange(60, 240)}"
            yield dice.choice(self._cursors)
            yield f"{MOVIES}?q={quote(dice.choice(self._words))}"
            yield f"{MOVIES}/{dice.choice(self._movies)}/similar"
            yield f"{MOVIES}?genre=Drama&rating_min={dice.randrange(40, 90) / 10}&sort=-rating"
            yield f"/api/v1/facets?year_min={dice.randrange(1900, 2020)}"
            yield MOVIES


@dataclass
class Measured:
    """Latencies in milliseconds, and what failed."""

    began: float = 0.0
    times: list[float] = field(default_factory=list)
    by_state: dict[str, list[float]] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[float, float, str, str]] = field(default_factory=list)
    """Each with its milliseconds, its moment in seconds from the beginning, the state, and the path."""

    @property
    def p99(self) -> float:
        return _p99(self.times)

    @property
    def failed(self) -> int:
        return sum(self.failures.values())

    def add(self, state: str, milliseconds: float, failure: str | None) -> None:
        if failure is not None:
            self.failures[failure] = self.failures.get(failure, 0) + 1
        self.times.append(milliseconds)
        self.by_state.setdefault(state, []).append(milliseconds)

    def told(self, what: str) -> str:
        p50 = statistics.median(self.times)
        return (
            f"{what}: {len(self.times)} questions, {self.failed} failed, p50 {p50:.1f} ms, p99 {self.p99:.1f} ms,"
            f" at most {max(self.times):.1f} ms"
        )


def _kind(path: str) -> str:
    """A question without what makes it one of its own: the names of its parameters."""
    place, _, query = path.removeprefix("/api/v1").partition("?")
    names = ",".join(part.partition("=")[0] for part in query.split("&"))
    return re.sub(r"[0-9a-f-]{36}", "ID", place) + (f"?{names}" if names else "")


def _p99(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)]


async def _drive(questions: Questions, address: str, rate: float, until: float | Watch) -> Measured:
    """Ask at a fixed rate until then."""
    measured, asker = Measured(), Asker(address)
    tasks: set[asyncio.Task[None]] = set()
    began = measured.began = time.monotonic()
    for number, path in enumerate(questions):
        due = began + number / rate
        await asyncio.sleep(max(0, due - time.monotonic()))
        if await until.is_over() if isinstance(until, Watch) else time.monotonic() > until:
            break
        state = until.state if isinstance(until, Watch) else "idle"
        task = asyncio.ensure_future(_one(asker, path, due, state, measured))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    asker.close()
    return measured


async def _one(asker: Asker, path: str, due: float, state: str, measured: Measured) -> None:
    failure = None
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            status = await asker.ask(path)
        if status >= 400:
            failure = f"{status} {path.split('?', maxsplit=1)[0].rsplit('/', maxsplit=1)[-1][:12]}"
    except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
        failure = type(error).__name__
    milliseconds = (time.monotonic() - due) * 1000
    measured.add(state, milliseconds, failure)
    measured.asked.append((milliseconds, due - measured.began, state, path))


class Asker:
    """Kept-alive connections, as many as are needed at a time; the server closes those that nobody uses."""

    def __init__(self, address: str) -> None:
        target = urlsplit(address)
        self._host, self._port = target.hostname or "", target.port or 80
        self._free: list[tuple[float, asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, path: str) -> int:
        """The status of the answer, which is read to its end."""
        reader, writer = await self._connection()
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            _, _, rest = head.partition(b"content-length:")
            await reader.readexactly(int(rest.split(b"\r\n", 1)[0]))
        except BaseException:
            writer.close()
            raise
        self._free.append((time.monotonic(), reader, writer))
        return int(head[9:12])

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._free:
            used, reader, writer = self._free.pop()
            if time.monotonic() - used < _KEPT_SECONDS:
                return reader, writer
            writer.close()
        return await asyncio.open_connection(self._host, self._port)

    def close(self) -> None:
        for _, _, writer in self._free:
            writer.close()


if __name__ == "__main__":
    main()
