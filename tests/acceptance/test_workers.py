"""Imports that go on by themselves: whatever of worker, `serve` and PostgreSQL is killed, and in whatever phase.

The server is one of its own, because PostgreSQL itself is killed too. A phase is held by a lock that
it has to wait for.
"""

from __future__ import annotations

import gzip
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from reelbase.database.connect import Connection
from reelbase.imports import commands
from reelbase.imports.queue import SMALL_BYTES
from tests.crashing import Home, dirty_files, end_of, wait_for
from tests.importing import LINKS, MOVIES, RATINGS, TAGS, Importer, write

pytestmark = pytest.mark.slow

SEED = 20261
WORKER, SERVE, POSTGRESQL, ALL = "worker", "serve", "postgresql", "all of them"
QUEUED, RECEIVING, LOADING, INDEXING, PUBLISHING = "queued", "receiving", "loading", "indexing", "publishing"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    made = Home(tmp_path_factory.mktemp("home"), lease_seconds=5)
    try:
        made.done("db", "start")
        yield made
    finally:
        made.close()


@pytest.fixture(autouse=True)
def _nobody_left(home: Home) -> Iterator[None]:
    """No command of one test runs an import of the next."""
    yield
    for process in home.started:
        if process.poll() is None:
            process.kill()
            process.communicate()
    home.done("db", "start")
    wait_for(lambda: not home.rows("select from reelbase.workers_alive"))


def serve(home: Home) -> subprocess.Popen[str]:
    """`serve` with a worker that waits."""
    serving = home.start("serve", "--port", "0", "--workers", "1")
    wait_for(lambda: worker_pids(home))
    return serving


def worker(home: Home, *words: object) -> subprocess.Popen[str]:
    """A worker that waits."""
    process = home.start("worker", *words)
    wait_for(lambda: process.pid in worker_pids(home))
    return process


def worker_pids(home: Home) -> set[int]:
    return {pid for (pid,) in home.asked("select pid from reelbase.workers_alive where listens")}


def queue(home: Home, *sources: Path, mode: str = "replace", max_rejects: str = "1%") -> int:
    made = Importer(home.server.url, home.chunk_bytes)
    return made.queue(*sources, mode=mode, max_rejects=max_rejects)


def state(home: Home, import_id: int) -> str:
    [(found,)] = home.asked(f"select state from reelbase.imports where id = {import_id}") or [("unknown",)]
    return str(found)


def wait_for_state(home: Home, import_id: int, *states: str) -> None:
    wait_for(lambda: state(home, import_id) in states)


@contextmanager
def held(home: Home, import_id: int, phase: str) -> Iterator[Connection]:
    """An import that has come to this phase and waits there for the connection's transaction to end."""
    with home.connection() as connection:
        connection.execute("begin")
        if phase == RECEIVING:
            connection.execute("lock table reelbase.import_files in access exclusive mode")
        elif phase == PUBLISHING:
            # The catalog is built and the release prepared by then.
            home.rows("insert into reelbase.datasets (name) values ('movielens') on conflict do nothing returning 1")
            connection.execute("select from reelbase.datasets where name = 'movielens' for no key update")
        else:
            staged = f"movielens_import_{import_id}.ratings"
            loaded = f"select 1 from reelbase.chunks where import_id = {import_id} and state = 'done'"
            wait_for(lambda: connection.execute(loaded.encode()).fetchone())
            mode = "share" if phase == LOADING else "row exclusive"
            connection.execute(f"lock table {staged} in {mode} mode".encode())
        wait_for(lambda: has_come_to(home, import_id, phase))
        assert state(home, import_id) == phase, home.show(import_id)
        yield connection
        if not connection.closed:
            connection.execute("rollback")


def has_come_to(home: Home, import_id: int, phase: str) -> bool:
    """Whether it waits in this phase, or never will."""
    found = state(home, import_id)
    return found in ("completed", "failed") or (found == phase and waiting(home, import_id))


def waiting(home: Home, import_id: int) -> bool:
    """Whether a session of the import waits for a lock."""
    session = f"application_name like 'reelbase import {import_id} %'"
    lock = "wait_event in ('relation', 'advisory', 'transactionid')"
    return bool(home.asked(f"select from pg_stat_activity where {session} and {lock}"))


def kill(home: Home, serving: subprocess.Popen[str], victim: str) -> None:
    """Kill -9, and bring back what does not come back by itself."""
    if victim in (WORKER, ALL):
        for pid in worker_pids(home):
            os.kill(pid, signal.SIGKILL)
    if victim in (SERVE, ALL):
        serving.kill()
        serving.wait()
    if victim in (POSTGRESQL, ALL):
        home.kill_postmaster()


QUICK = [(WORKER, LOADING), (ALL, PUBLISHING), (POSTGRESQL, INDEXING)]
CASES = [
    pytest.param(victim, phase, id=f"{victim}-{phase}", marks=() if (victim, phase) in QUICK else pytest.mark.long)
    for victim in (WORKER, SERVE, POSTGRESQL, ALL)
    for phase in (RECEIVING, LOADING, INDEXING, PUBLISHING)
]


@pytest.mark.timeout(90)
@pytest.mark.parametrize(("victim", "phase"), CASES)
def test_an_import_goes_on_by_itself(home: Home, tmp_path: Path, victim: str, phase: str) -> None:
    files = dirty_files(tmp_path, 60_000, SEED)
    serving = serve(home)
    import_id = queue(home, *files.sources)
    try:
        with held(home, import_id, phase):
            kill(home, serving, victim)
    except psycopg.OperationalError:
        assert victim in (POSTGRESQL, ALL)
    if victim == POSTGRESQL:
        home.done("db", "start")
    elif victim in (SERVE, ALL):
        serving = serve(home)
    wait_for_state(home, import_id, "completed", "failed")
    found = home.show(import_id)
    assert (found["state"], found["error"]) == ("completed", None)
    # Without `serve` its worker ends in order, and may have published before it has noticed.
    assert found["attempt"] == 2 or (victim, phase) == (SERVE, PUBLISHING)
    files.check(home, import_id)
    if phase == LOADING and victim == WORKER:  # a PostgreSQL that is killed may forget who had a chunk
        assert home.rows(f"select from reelbase.chunks where import_id = {import_id} and lost > 0")
    wait_for(lambda: not home.rows("select from reelbase.releases where published_at is null"))
    assert home.rows("select from reelbase.catalog_releases where published_at is null") == []
    serving.send_signal(signal.SIGINT)
    assert end_of(serving).code == 0


@pytest.mark.timeout(60)
def test_serve_replaces_a_worker_and_says_who_does_what(home: Home, tmp_path: Path) -> None:
    serving = home.start("serve", "--port", "0", "--workers", "2")
    assert serving.stdout is not None
    found = re.search(r"http://\S+", serving.stdout.readline())
    assert found is not None
    workers = f"{found[0]}/api/v1/workers"
    wait_for(lambda: len(worker_pids(home)) == 2)
    import_id = queue(home, *dirty_files(tmp_path, 60_000, SEED).sources)
    with held(home, import_id, LOADING):
        [busy, idle] = sorted(httpx.get(workers).json()["items"], key=lambda one: one["task"])
        assert (busy["task"], busy["import"]) == (f"import {import_id} of movielens: loading", import_id)
        assert busy["chunks_done"] > 0
        assert (idle["task"], idle["import"], idle["chunks_done"]) == ("waiting", None, 0)
        os.kill(idle["pid"], signal.SIGKILL)
        wait_for(lambda: idle["pid"] not in worker_pids(home) and len(worker_pids(home)) == 2)
        assert idle["pid"] not in {one["pid"] for one in httpx.get(workers).json()["items"]}
        assert home.done("workers", "--json").json()["items"][0].keys() == busy.keys()
    wait_for_state(home, import_id, "completed")

    def done() -> dict[str, Any]:
        found: list[dict[str, Any]] = httpx.get(workers).json()["items"]
        [one] = [one for one in found if one["pid"] == busy["pid"]]
        assert one["id"] == busy["id"]
        return one

    # What a run has done is the worker's a moment after the import's end.
    wait_for(lambda: done()["chunks_done"] >= busy["chunks_done"])
    serving.send_signal(signal.SIGINT)
    said = end_of(serving)
    assert said.code == 0
    assert f'"pid":{idle["pid"]}' in said.err
    assert worker_pids(home) == set()


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_a_worker_that_wakes_up_after_its_lease_writes_nothing(home: Home, tmp_path: Path) -> None:
    files = dirty_files(tmp_path, 60_000, SEED)
    stopped = worker(home)
    import_id = queue(home, *files.sources)
    with held(home, import_id, LOADING):
        stopped.send_signal(signal.SIGSTOP)
    other = worker(home)
    wait_for_state(home, import_id, "completed")
    assert worker_pids(home) >= {other.pid}
    assert {one["pid"] for one in home.done("workers", "--json").json()["items"]} == {other.pid}
    before = home.show(import_id)
    assert before["attempt"] == 2
    stopped.send_signal(signal.SIGCONT)
    wait_for(lambda: len(home.done("workers", "--json").json()["items"]) == 2)
    assert home.show(import_id) == before
    files.check(home, import_id)
    other.kill()
    following = queue(home, write(tmp_path / "links.csv", LINKS, "1,0000001,1"))
    wait_for_state(home, following, "completed")  # by the one that had been stopped


@pytest.fixture(scope="module")
def huge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that is not small."""
    path = tmp_path_factory.mktemp("huge") / "ratings.csv"
    block = "".join(f"{user},{movie},3.5,1000000000\n" for user in range(1, 1001) for movie in range(1, 101)).encode()
    with path.open("wb") as file:
        file.write(f"{RATINGS}\n".encode())
        while file.tell() <= SMALL_BYTES:
            file.write(block)
    return path


@pytest.mark.timeout(90)
def test_a_small_import_does_not_wait_for_huge_ones(home: Home, huge: Path, tmp_path: Path) -> None:
    first, second = queue(home, huge, max_rejects="100%"), queue(home, huge, max_rejects="100%")
    small = queue(home, write(tmp_path / "links.csv", LINKS, "1,0000001,1"))
    worker(home)
    wait_for_state(home, small, "completed")
    assert state(home, first) in (LOADING, INDEXING)
    assert state(home, second) == QUEUED
    cancel(home, second)
    cancel(home, first)
    last = queue(home, write(tmp_path / "links.csv", LINKS, "1,0000001,1", "2,0000002,2"))
    wait_for_state(home, last, "completed")


def cancel(home: Home, import_id: int, *holds: Connection) -> None:
    """Cancel, and see that nothing is left within two seconds; what the import waits for is let go when it does not."""
    with home.connection() as connection:
        began = time.monotonic()
        commands.cancel(connection, import_id, home.lease_seconds)
        for hold in holds:
            wait_for(lambda: not waiting(home, import_id))
            hold.execute("rollback")
        wait_for_state(home, import_id, "cancelled")
        assert time.monotonic() - began < 2
    check_nothing_left(home, import_id)


def check_nothing_left(home: Home, import_id: int) -> None:
    for table in ("chunks", "rejects", "merged_tables", "checks"):
        assert home.rows(f"select from reelbase.{table} where import_id = {import_id}") == [], table
    for table in ("releases", "catalog_releases"):
        found = home.rows(f"select id from reelbase.{table} where import_id = {import_id} and published_at is null")
        assert found == [], table
    assert home.rows(f"select from pg_namespace where nspname = 'movielens_import_{import_id}'") == []
    schemas = home.rows(
        "select count(*) from pg_namespace where nspname ~ '^(catalog|movielens)_release_' and not exists "
        "(select from reelbase.releases r where nspname = r.dataset || '_release_' || r.id) and not exists "
        "(select from reelbase.catalog_releases c where nspname = 'catalog_release_' || c.id)"
    )
    assert schemas == [(0,)]
    wait_for(lambda: not home.rows(f"select from reelbase.procrastinate_jobs where args->>'import_id' = '{import_id}'"))


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "phase", [QUEUED, RECEIVING, LOADING, INDEXING, pytest.param(PUBLISHING, marks=pytest.mark.slow)]
)
def test_a_cancel_takes_effect_at_once_and_leaves_nothing(home: Home, tmp_path: Path, phase: str) -> None:
    files = dirty_files(tmp_path, 60_000, SEED)
    if phase == QUEUED:
        cancel(home, queue(home, *files.sources))
        return
    worker(home)
    import_id = queue(home, *files.sources)
    with held(home, import_id, phase) as connection:
        cancel(home, import_id, connection)


@pytest.mark.timeout(60)
def test_an_import_that_waits_to_publish_can_be_cancelled(home: Home, tmp_path: Path) -> None:
    worker(home)
    with home.connection() as connection:
        connection.execute("select pg_advisory_lock(%s, hashtext('catalog'))", (0x7265656D,))
        import_id = queue(home, write(tmp_path / "links.csv", LINKS, "1,0000001,1"))
        wait_for(lambda: waiting(home, import_id))
        wait_for(lambda: home.show(import_id)["progress"]["step"] == "waiting for another import to be published")
        cancel(home, import_id)


@pytest.mark.timeout(60)
def test_a_cancel_wins_over_the_next_worker(home: Home, tmp_path: Path) -> None:
    """The worker is killed, and nobody has looked since."""
    process = worker(home)
    import_id = queue(home, *dirty_files(tmp_path, 60_000, SEED).sources)
    with held(home, import_id, LOADING):
        process.kill()
        process.wait()
    cancel(home, import_id)
    worker(home)
    home.done("imports", "show", import_id)
    assert state(home, import_id) == "cancelled"


@pytest.mark.timeout(60)
def test_files_of_another_host_are_left_to_it(home: Home, tmp_path: Path) -> None:
    path = write(tmp_path / "links.csv", LINKS, "1,0000001,1")
    import_id = queue(home, path)
    home.rows(f"update reelbase.imports set host = 'elsewhere' where id = {import_id} returning id")
    aside = path.rename(tmp_path / "aside")
    worker(home)
    job = f"from reelbase.procrastinate_jobs where (args->>'import_id')::bigint = {import_id}"
    wait_for(lambda: home.rows(f"select {job} and queue_name like 'small imports@%' and status = 'todo'"))
    assert state(home, import_id) == QUEUED
    # A worker of that host would have them.
    aside.rename(path)
    home.rows(
        f"update reelbase.procrastinate_jobs set queue_name = 'imports' where id in (select id {job}) returning id"
    )
    wait_for_state(home, import_id, "completed")


GOOD = {"movies": (MOVIES, "1,One,x"), "tags": (TAGS, "1,1,good,5"), "links": (LINKS, "1,0000001,1")}
TOO_MANY, TRUNCATED, CHANGED = "too_many_rejects", "broken_archive", "source_changed"


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_twenty_imports_at_once_each_end_as_they_should(home: Home, tmp_path: Path) -> None:
    expected = {}
    tables = {}
    for number in range(20):
        folder = tmp_path / str(number)
        folder.mkdir()
        kind = [None, None, None, TOO_MANY, None, TRUNCATED, None, CHANGED, None, None][number % 10]
        table = list(GOOD)[number % len(GOOD)]
        header, row = GOOD[table]
        if kind == TOO_MANY:
            path = write(folder / f"{table}.csv", header, row, "bad")
        elif kind == TRUNCATED:
            lines = [f"{user},{movie},3.5,{user * movie}" for user in range(1, 101) for movie in range(1, 101)]
            packed = gzip.compress("\n".join([RATINGS, *lines, ""]).encode())
            path = folder / "ratings.csv.gz"
            path.write_bytes(packed[: len(packed) // 2])
        else:
            path = write(folder / f"{table}.csv", header, row)
        import_id = queue(home, path)
        if kind == CHANGED:
            write(path, header, row, row)
        expected[import_id], tables[import_id] = kind, table
    serving = home.start("serve", "--port", "0", "--workers", "2")
    wait_for(lambda: all(state(home, one) in ("completed", "failed") for one in expected), patience=150)
    ended = {import_id: home.show(import_id) for import_id in expected}
    for import_id, kind in expected.items():
        found = ended[import_id]
        code = found["error"] and found["error"]["code"]
        if kind is None and code == "superseded":
            later = [one for one in expected if one > import_id and tables[one] == tables[import_id]]
            assert any(ended[one]["state"] == "completed" for one in later)
            continue
        assert code == kind, found
        if kind is None:
            [file] = found["files"]
            assert (file["rows_read"], file["rows_loaded"], file["rows_rejected"]) == (1, 1, 0)
    for table in GOOD:
        assert home.rows(f"select count(*) from movielens.{table}") == [(1,)]
        newest = max(one for one in expected if expected[one] is None and tables[one] == table)
        assert ended[newest]["state"] == "completed"
    wait_for(lambda: not home.rows("select from reelbase.procrastinate_jobs"))
    serving.send_signal(signal.SIGINT)
    assert end_of(serving).code == 0
