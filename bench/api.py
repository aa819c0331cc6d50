"""The API beside a bare ASGI handler that sends the same statements, and kept answers beside a route that does nothing.

    .venv/bin/python bench/api.py [--url URL] [--rounds 3] [--seconds 2] [--only page ...]

See README.md beside this file.
"""

from __future__ import annotations

import argparse
import itertools
import os
import pickle
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil
import psycopg
from bare_handler import Asked
from load import Load, load
from psycopg import sql
from psycopg.rows import DictRow, dict_row
from rounds import HERE, url_of_reelbase
from served import reelbase_serve, started

from reelbase.catalog import browse, movies
from reelbase.catalog.filters import Filters
from reelbase.serving import paging

MOVIES = "/api/v1/movies"
PAGES = 2500  # more bodies than the API keeps (32 MiB), asked in turn: none is found kept
IDS = 20_000
CONNECTIONS = 4  # the API's default; the rival has as many
RIVALS = {"page": "bare", "new-filter": "bare", "movie": "bare", "kept": "livez", "304": "livez"}
TARGETS = {"page": 0.7, "new-filter": 0.7, "movie": 0.6, "kept": 0.7, "304": 0.7}


class Recording(psycopg.Connection[DictRow]):
    """Remembers what is asked over it."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.asked: Asked = []
        self.cursor_factory = _RecordingCursor


class _RecordingCursor(psycopg.Cursor[Any]):
    def execute(
        self, query: Any, params: Any = None, *, prepare: bool | None = None, binary: bool | None = None
    ) -> _RecordingCursor:
        assert isinstance(self.connection, Recording)
        text = query.as_string(self) if isinstance(query, sql.Composable) else query
        self.connection.asked.append((text, params, bool(binary)))
        super().execute(query, params, prepare=prepare, binary=binary)
        return self


@dataclass(frozen=True, slots=True)
class Case:
    """Requests of one kind, in a file for the load."""

    name: str
    paths: Path
    tag: str = ""


def main() -> None:
    """Run the rounds and print the ratios."""
    given = _options()
    url = given.url or url_of_reelbase()
    names = given.only or list(RIVALS)
    with tempfile.TemporaryDirectory(prefix="reelbase-bench-") as folder:
        asked = record(url, names)
        file = Path(folder) / "asked.pickle"
        file.write_bytes(pickle.dumps({path: one for known in asked.values() for path, one in known.items()}))
        with _serving(url) as ours, _bare(url, file) as bare:
            cases = _cases(Path(folder), asked, names, ours)
            runs = _rounds(cases, {"reelbase": ours, "bare": bare, "livez": ours}, given)
        _report(runs, names, given.clients)
        for name in names:
            if name in asked and not given.no_pgbench:
                _pgbench(url, Path(folder), name, next(iter(asked[name].values())))


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--url", help="the database (default: what `reelbase db url` says)")
    options.add_argument("--rounds", type=int, default=3, help="runs of each, in turn (default 3)")
    options.add_argument("--seconds", type=int, default=2, help="of each run (default 2)")
    options.add_argument("--clients", type=int, action="append", help="kept-alive connections (default 1 and 16)")
    options.add_argument("--only", action="append", choices=list(RIVALS), help="leave the others out; may be repeated")
    options.add_argument("--no-pgbench", action="store_true", help="leave the database's own ceiling out")
    given = options.parse_args()
    given.clients = given.clients or [1, 16]
    return given


# What is asked


def record(url: str, names: Sequence[str]) -> dict[str, dict[str, Asked]]:
    """For each case the statements behind each path, as the catalog itself sends them."""
    connection = Recording.connect(url, autocommit=True, row_factory=dict_row)
    assert isinstance(connection, Recording)
    with connection:
        made = {"page": _pages, "new-filter": _new_filters, "movie": _movies}
        return {name: dict(make(connection)) for name, make in made.items() if name in names}


def _pages(connection: Recording) -> Iterator[tuple[str, Asked]]:
    """Pages of one long list, walked by its cursors: the total is known from the first of them."""
    key = paging.list_key(MOVIES, [])
    cursor = None
    for _ in range(PAGES):
        connection.asked = []
        page = browse.browse(connection, Filters(), browse.Order(), cursor=cursor)
        if cursor is not None:
            yield f"{MOVIES}?cursor={paging.seal(cursor.encode(), key)}", connection.asked
        cursor = page.next
        if cursor is None:
            return


def _new_filters(connection: Recording) -> Iterator[tuple[str, Asked]]:
    """First pages whose filters nobody has asked for yet: with their totals."""
    for votes in range(1, PAGES):
        connection.asked = []
        filters = Filters(year_min=1900, votes_min=votes % 40, runtime_max=40 + votes)
        browse.browse(connection, filters, browse.Order())
        browse.total(connection, filters)
        query = f"year_min=1900&votes_min={votes % 40}&runtime_max={40 + votes}"
        yield f"{MOVIES}?{query}", connection.asked


def _movies(connection: Recording) -> Iterator[tuple[str, Asked]]:
    """One movie after the other, in no order."""
    connection.asked = []
    rows = connection.execute("select id from catalog.movies order by md5(id::text) limit %s", [IDS])
    ids = [row["id"] for row in rows]
    connection.asked = []
    movies.find(connection, str(ids[0]), what="detail")
    [(text, _, binary)] = connection.asked
    for movie_id in ids:
        yield f"{MOVIES}/{movie_id}?", [(text, {"id": movie_id}, binary)]


def _cases(folder: Path, asked: dict[str, dict[str, Asked]], names: Sequence[str], ours: Server) -> list[Case]:
    made = [_case(folder, name, list(paths)) for name, paths in asked.items()]
    with urlopen(f"{ours.address}{MOVIES}") as answer:
        tag = answer.headers["etag"]
    made += [_case(folder, name, [MOVIES], tag if name == "304" else "") for name in ("kept", "304") if name in names]
    return [*made, _case(folder, "livez", ["/livez"])]


def _case(folder: Path, name: str, paths: Sequence[str], tag: str = "") -> Case:
    file = folder / f"{name}.txt"
    file.write_text("".join(f"{path}\n" for path in paths), encoding="utf-8")
    return Case(name, file, tag)


# Who answers


@dataclass(frozen=True, slots=True)
class Run:
    """What a server bore, and its processor time for each request in microseconds."""

    load: Load
    cpu: float


@dataclass(frozen=True, slots=True)
class Server:
    """An address, and the process behind it."""

    address: str
    process: psutil.Process
    asked: dict[str, int] = field(default_factory=dict)

    def cpu_seconds(self) -> float:
        """Processor time so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def bear(self, case: Case, *, clients: int, seconds: int) -> Run:
        """One run of a case; it goes on where the last one ended, or it would find answers that are still kept."""
        before, start = self.cpu_seconds(), self.asked.get(case.name, 0)
        done = load(self.address, case.paths, clients=clients, seconds=seconds, tag=case.tag, start=start)
        self.asked[case.name] = start + done.count + clients
        if done.wrong:
            sys.exit(f"{case.name}: {done.wrong} answers of {self.address} are errors")
        return Run(done, (self.cpu_seconds() - before) / done.count * 1e6)


@contextmanager
def _serving(url: str) -> Iterator[Server]:
    with reelbase_serve(url, "--no-workers", REELBASE_API_CONNECTIONS=str(CONNECTIONS)) as (address, process):
        yield Server(address, process)


@contextmanager
def _bare(url: str, file: Path) -> Iterator[Server]:
    command = [sys.executable, str(HERE / "bare_handler.py"), url, str(file), str(CONNECTIONS)]
    with started(command, "/") as (address, process):
        yield Server(address, process)


# Rounds

Runs = dict[tuple[str, int, str], list[Run]]
"""The runs of each case, number of clients, and who answered."""


def _rounds(cases: Sequence[Case], servers: dict[str, Server], given: argparse.Namespace) -> Runs:
    """Each case by ours, then by its rival: what is compared is measured within seconds."""
    runs: Runs = {}
    known = {case.name: case for case in cases}
    for number, clients in itertools.product(range(given.rounds + 1), given.clients):
        # The round 0 warms up: plans, caches, connections.
        seconds = given.seconds if number else 1
        for case in cases:
            if case.name == "livez":
                continue
            rival = RIVALS[case.name]
            theirs = known.get(rival, case)
            for who, asked in (("reelbase", case), (rival, theirs)):
                done = servers[who].bear(asked, clients=clients, seconds=seconds)
                if number:
                    runs.setdefault((case.name, clients, who), []).append(done)
    return runs


def _report(runs: Runs, names: Sequence[str], clients: Sequence[int]) -> None:
    print(f"{'':12}{'clients':>8} {'':9}{'req/s':>9}{'p50 ms':>9}{'p99 ms':>9}{'CPU µs':>9}   ours/theirs (target)")
    for name, count in itertools.product(names, clients):
        rival = RIVALS[name]
        ours, theirs = runs[name, count, "reelbase"], runs[name, count, rival]
        ratios = [mine.load.rate / other.load.rate for mine, other in zip(ours, theirs, strict=True)]
        told = f"{statistics.median(ratios):.2f} ({', '.join(f'{ratio:.2f}' for ratio in ratios)}; {TARGETS[name]})"
        print(f"{name:12}{count:>8} {_line('reelbase', ours)}   {told}")
        print(f"{'':20} {_line(rival, theirs)}")


def _line(who: str, runs: Sequence[Run]) -> str:
    rate, p50, p99 = (statistics.median(getattr(run.load, name) for run in runs) for name in ("rate", "p50", "p99"))
    return f"{who:9}{rate:>9,.0f}{p50:>9.2f}{p99:>9.2f}{statistics.median(run.cpu for run in runs):>9.0f}"


# The database's own ceiling


def _pgbench(url: str, folder: Path, name: str, asked: Asked) -> None:
    """The same statements by 16 connections, prepared, with the values of one path; where the program is there."""
    program = shutil.which("pgbench")
    if program is None:
        return
    script = folder / f"{name}.sql"
    with psycopg.connect(url) as connection:
        script.write_text("".join(f"{_written(connection, *one)};\n" for one in asked), encoding="utf-8")
    command = [program, "-n", "-M", "prepared", "-c", "16", "-j", "1", "-T", "3", "-f", str(script), url]
    env = os.environ | {"PGOPTIONS": "-c max_parallel_workers_per_gather=0"}
    done = subprocess.run(
        command, env=env, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60
    )
    found = re.search(r"tps = ([0-9.]+)", done.stdout)
    told = f"{float(found[1]):,.0f} a second" if found else done.stdout.strip().splitlines()[-1]
    print(f"pgbench -c 16, the statements of {name}: {told}")


def _written(connection: psycopg.Connection[Any], text: str, values: dict[str, Any] | None, _: bool) -> str:
    """The statement on one line, with its values in it and without its comment."""
    text = re.sub(r"--[^\n]*", "", text)
    known = {key: sql.Literal(value).as_string(connection) for key, value in (values or {}).items()}
    return " ".join((text % known if values else text).split())


if __name__ == "__main__":
    main()
