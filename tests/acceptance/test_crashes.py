"""Imports whose processes die: whatever is killed, and whenever, each record is loaded or rejected exactly once.

The server is one of its own, with fsync on as it comes, because PostgreSQL itself is killed too.
"""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.crashing import Dirty, Ended, Home, Look, SmallDisk, Watcher, dirty_files, end_of, small_disk, wait_for
from tests.importing import LINKS, MOVIES, RATINGS, write

pytestmark = pytest.mark.slow

SEED = 20260
COMMAND, WORKER, POSTMASTER = "command", "worker", "postmaster"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    made = Home(tmp_path_factory.mktemp("home"))
    try:
        made.done("db", "start")
        yield made
    finally:
        made.close()


@dataclass(frozen=True)
class Kill:
    """One death: who dies, and when.

    `share` of the files' bytes are loaded then and `seconds` have passed since; without a share, since the start of the
    attempt, wherever it is.
    """

    victim: str
    share: float | None
    seconds: float


def kills(count: int, dice: random.Random, longest: float) -> list[Kill]:
    """Deaths at random moments from 10 % of the loading to its end, some wherever it is."""
    victims = [[COMMAND, WORKER, POSTMASTER][i % 3] for i in range(count)]
    dice.shuffle(victims)
    shares = sorted(dice.uniform(0.1, 0.98) for _ in range(count))
    return [_kill(victim, share, dice, longest) for victim, share in zip(victims, shares, strict=True)]


def _kill(victim: str, share: float, dice: random.Random, longest: float) -> Kill:
    # A command that has not yet connected would start the server again and complete: PostgreSQL dies while it loads.
    if victim != POSTMASTER and dice.random() < 0.25:
        return Kill(victim, None, dice.uniform(0.3, 0.8))
    return Kill(victim, min(share, 1.0), dice.uniform(0, 0.05 if share < 1 else longest))


class Survivor:
    """An import that is killed again and again; the next one where it was through before a kill came."""

    def __init__(self, home: Home, files: Dirty) -> None:
        self._home = home
        self._files = files
        self._watcher = Watcher(home)
        self._import_id: int | None = None
        self._before: Look | None = None
        self.states: Counter[str] = Counter()

    def kill(self, kill: Kill) -> bool:
        """Let one attempt begin, and die; false when it was through before."""
        if self._import_id is None:
            self._import_id = self._home.done("import", *self._files.sources, "--no-wait", "--json").json()["id"]
        self._before = self._watcher.look(self._import_id) or self._before
        if kill.victim == WORKER:
            runner = self._home.start("worker")
            asking = self._home.start("imports", "retry", self._import_id, "--no-wait")
        else:
            runner, asking = self._home.start("imports", "retry", self._import_id), None
        if kill.share is not None:
            share = kill.share
            wait_for(lambda: self._has_loaded(share, runner))
        time.sleep(kill.seconds)
        died = self._end(kill, runner, self._watcher.look(self._import_id))
        if asking is not None:
            end_of(asking)  # refused where the worker was quicker
        # Mostly the next command starts a server that died. Nobody saw this attempt: the server has to tell its number.
        if self._watcher.look(self._import_id) is None and self._before is None:
            self._home.done("db", "start")
        return died

    def _has_loaded(self, share: float, runner: subprocess.Popen[str]) -> bool:
        if runner.poll() is not None:
            return True
        found = self._watcher.look(self._import_id)
        if found is None or found.state not in ("loading", "indexing", "publishing", "completed"):
            return False
        before = self._before
        is_new = before is None or before.state == "queued" or found.attempt > before.attempt
        return is_new and (found.bytes_loaded >= share * self._files.size or found.state != "loading")

    def _end(self, kill: Kill, runner: subprocess.Popen[str], last: Look | None) -> bool:
        if kill.victim != POSTMASTER:
            runner.kill()
            ended = end_of(runner)
            assert ended.code in (0, -signal.SIGKILL), ended
        else:
            self._watcher.close()
            self._home.kill_postmaster()
            ended = end_of(runner)
            if ended.code:
                check_said_why(ended)
        self._before = last
        state, loaded = (last.state, last.bytes_loaded) if last else ("unknown", 0)
        print(f"{kill.victim} killed while {state}, {loaded / self._files.size:.0%} loaded")
        if ended.code == 0 or state == "completed":
            return False
        self.states[state] += 1
        return True

    def finish(self) -> None:
        """Leave the last attempt alone, and look at what is there."""
        assert self._import_id is not None
        self._watcher.close()
        if self._home.show(self._import_id)["state"] != "completed":
            self._home.done("imports", "retry", self._import_id)
        assert self._home.show(self._import_id)["state"] == "completed"
        self._files.check(self._home, self._import_id)
        self._import_id = self._before = None


def check_said_why(ended: Ended) -> None:
    assert ended.code in (1, 130), ended
    assert len(ended.sentences) == 1, ended
    assert ended.sentences[0].startswith("reelbase: "), ended
    assert "Traceback" not in ended.err


def survive(home: Home, files: Dirty, earlier: Path, count: int, longest: float) -> None:
    """Check that every record is there once after so many kills, over as many imports as that takes on this machine."""
    home.done("import", earlier)
    survivor = Survivor(home, files)
    print(f"seed {SEED}")
    planned = kills(count, random.Random(SEED), longest)
    for kill in planned:
        while not survivor.kill(kill):
            survivor.finish()
    survivor.finish()
    print(survivor.states)
    assert survivor.states.total() == count


@pytest.mark.timeout(60)
def test_six_kills_leave_every_record_there_once(home: Home, tmp_path: Path) -> None:
    files = dirty_files(tmp_path, 100_000, SEED)
    survive(home, files, write(tmp_path / "movies.csv", MOVIES, "1,One,x"), count=6, longest=0.05)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_fifty_kills_leave_every_record_there_once(home: Home, tmp_path: Path) -> None:
    files = dirty_files(tmp_path, 1_500_000, SEED)
    survive(home, files, write(tmp_path / "movies.csv", MOVIES, "1,One,x"), count=50, longest=0.15)


def begin(home: Home, files: Dirty, *words: str) -> tuple[subprocess.Popen[str], int]:
    """Start an import and return when some of its chunks are loaded."""
    import_id = home.done("import", *files.sources, "--no-wait", "--json").json()["id"]
    process = home.start("imports", "retry", import_id, *words)
    wait_until_loading(home, import_id)
    return process, import_id


def wait_until_loading(home: Home, import_id: int | None = None) -> int:
    """Wait until some chunks of an import, or of the newest, are loaded; return its number."""
    with closing(Watcher(home)) as watcher:
        wait_for(lambda: (found := watcher.look(import_id)) and found.state == "loading" and found.bytes_loaded)
        last = watcher.look(import_id)
    assert last is not None
    return last.import_id


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_a_command_that_wakes_up_after_its_lease_changes_nothing(home: Home, tmp_path: Path) -> None:
    files = dirty_files(tmp_path, 100_000, SEED)
    stopped, import_id = begin(home, files, "--json")
    stopped.send_signal(signal.SIGSTOP)
    time.sleep(home.lease_seconds + 0.5)
    assert home.done("imports", "retry", import_id, "--json").json()["state"] == "completed"
    before = home.show(import_id)
    release = home.rows("select live_release from reelbase.datasets where name = 'movielens'")
    stopped.send_signal(signal.SIGCONT)
    ended = end_of(stopped)
    check_said_why(ended)
    assert ended.json()["error"]["code"] == "fenced"
    assert home.show(import_id) == before
    assert home.rows("select live_release from reelbase.datasets where name = 'movielens'") == release
    files.check(home, import_id)


@pytest.mark.timeout(60)
def test_a_kill_in_the_middle_of_publishing_leaves_the_release_before_and_nothing_else(
    home: Home, tmp_path: Path
) -> None:
    files = dirty_files(tmp_path, 10_000, SEED)
    home.done("import", write(tmp_path / "movies.csv", MOVIES, "1,Before,x"))
    with home.connection() as reader, reader.transaction():
        reader.execute("select from movielens.movies")  # for which the swap waits a moment
        command = home.start("import", *files.sources)
        wait_for(lambda: home.rows("select from reelbase.releases where published_at is null"))
        command.kill()
        command.wait()
    [found] = home.done("imports", "list", "--limit", "1", "--json").json()["items"]
    assert (found["state"], found["error"]["code"]) == ("failed", "interrupted")
    assert home.rows("select title from movielens.movies") == [("Before",)]
    home.done("imports", "retry", found["id"])
    files.check(home, found["id"])
    home.done("prune")
    unpublished = "select from reelbase.releases where published_at is null"
    assert home.rows(unpublished) == []
    schemas = "select count(*) from pg_namespace where nspname like 'movielens_release_%'"
    assert home.rows(schemas) == [(1,)]


@pytest.mark.timeout(60)
def test_a_restart_of_postgresql_ends_the_command_and_a_retry_goes_on(home: Home, tmp_path: Path) -> None:
    files = dirty_files(tmp_path, 100_000, SEED)
    command, import_id = begin(home, files, "--json")
    home.kill_postmaster(signal.SIGINT)  # as `reelbase db stop` does
    home.done("db", "start")
    ended = end_of(command)
    check_said_why(ended)
    assert (ended.json()["state"], ended.json()["error"]["code"]) == ("failed", "interrupted")
    kept = sum(file["rows_loaded"] for file in home.show(import_id)["files"])
    assert kept
    home.done("imports", "retry", import_id)
    files.check(home, import_id)


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_a_worker_outlives_a_restart_of_postgresql(home: Home, tmp_path: Path) -> None:
    files = dirty_files(tmp_path, 100_000, SEED)
    worker = home.start("worker")
    wait_for(lambda: home.rows("select from reelbase.workers where listens and seen_at > now() - interval '1 second'"))
    watching = home.start("import", *files.sources, "--json")
    import_id = wait_until_loading(home)
    home.kill_postmaster()
    check_said_why(end_of(watching))
    home.done("db", "start")
    assert worker.poll() is None
    with closing(Watcher(home)) as watcher:
        wait_for(lambda: (found := watcher.look(import_id)) and found.state == "completed")
    assert home.show(import_id)["attempt"] == 2
    files.check(home, import_id)
    worker.send_signal(signal.SIGTERM)
    assert end_of(worker).code == 0


@pytest.mark.timeout(60)
@pytest.mark.parametrize("who_goes_on", ["command", "worker"])
def test_an_import_whose_worker_was_killed_waits_for_whoever_goes_on(
    home: Home, tmp_path: Path, who_goes_on: str
) -> None:
    files = dirty_files(tmp_path, 100_000, SEED)
    import_id = home.done("import", *files.sources, "--no-wait", "--json").json()["id"]
    worker = home.start("worker")
    wait_until_loading(home, import_id)
    worker.kill()
    worker.wait()
    found = home.show(import_id)
    assert (found["state"], found["attempt"], found["error"]) == ("queued", 2, None)
    if who_goes_on == "worker":
        other = home.start("worker")
        wait_for(lambda: home.rows(f"select state from reelbase.imports where id = {import_id}") == [("completed",)])
        other.kill()
    else:
        home.done("imports", "retry", import_id)
    files.check(home, import_id)


@pytest.mark.timeout(60)
def test_ten_workers_lost_in_a_row_are_enough(home: Home, tmp_path: Path) -> None:
    files = dirty_files(tmp_path, 100_000, SEED)
    import_id = home.done("import", *files.sources, "--no-wait", "--json").json()["id"]
    worker = home.start("worker")
    wait_until_loading(home, import_id)
    worker.send_signal(signal.SIGSTOP)
    # As if nine had been lost, and this one had loaded nothing.
    nine = "update reelbase.imports set lost = 9, started_at = now() + interval '1 hour'"
    home.rows(f"{nine} where id = {import_id} returning 1")
    worker.kill()
    worker.wait()
    found = home.show(import_id)
    assert (found["state"], found["error"]["code"]) == ("failed", "interrupted")
    assert "10 workers in a row" in found["error"]["detail"]
    # Somebody asks for it, so the count begins anew.
    home.done("imports", "retry", import_id)
    assert home.rows(f"select lost from reelbase.imports where id = {import_id}") == [(0,)]
    files.check(home, import_id)


@pytest.mark.timeout(60)
def test_an_import_whose_worker_died_before_it_began_is_taken_by_the_next(home: Home, tmp_path: Path) -> None:
    files = dirty_files(tmp_path, 10_000, SEED)
    import_id = home.done("import", *files.sources, "--no-wait", "--json").json()["id"]
    taken = "update reelbase.procrastinate_jobs set status = 'doing' where status = 'todo' returning id"
    assert len(home.rows(taken)) == 1
    worker = home.start("worker")
    wait_for(lambda: home.show(import_id)["state"] == "completed")
    worker.send_signal(signal.SIGTERM)
    assert end_of(worker).code == 0


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallDisk]:
    with small_disk(tmp_path_factory.mktemp("disk"), 400 << 20) as disk:
        yield disk


@pytest.fixture
def cramped(disk: SmallDisk) -> Iterator[Home]:
    """A home on the small disk with one movie in it."""
    home = Home(disk.folder / "home", chunk_bytes=1 << 16)
    try:
        home.done("import", write(disk.folder / "movies.csv", MOVIES, "1,One,x"))
        yield home
    finally:
        disk.empty()
        home.close()
        shutil.rmtree(home.folder)


def many_ratings(folder: Path) -> Path:
    """1.2 million of them: 25 MB that take five times as much in the database, with its log and the indexes."""
    lines = [f"{user},{movie},3.5,1" for user in range(1, 12_001) for movie in range(1, 101)]
    return write(folder / "ratings.csv", RATINGS, *lines)


def check_nothing_is_left(home: Home, ended: Ended) -> None:
    """The error is the disk's, the earlier release is there, and what was loaded is not."""
    check_said_why(ended)
    assert (ended.code, ended.json()["state"], ended.json()["error"]["code"]) == (1, "failed", "disk_full")
    assert home.rows("select title from movielens.movies") == [("One",)]
    staging = f"movielens_import_{ended.json()['id']}"
    assert home.rows(f"select from pg_class where relnamespace = to_regnamespace('{staging}')") == []
    assert home.rows("select pg_database_size(current_database()) < 40 * 1024 * 1024") == [(True,)]


def use_up_the_log(home: Home) -> None:
    """Make PostgreSQL ask for one file of its log after the other."""
    with home.connection() as connection:
        while True:
            connection.execute("update reelbase.datasets set name = name")
            connection.execute("select pg_switch_wal()")


@pytest.mark.timeout(60)
def test_an_import_that_is_too_large_for_the_disk_gives_its_room_back(
    cramped: Home, disk: SmallDisk, tmp_path: Path
) -> None:
    disk.fill(leave=150 << 20)
    ended = cramped.run("import", many_ratings(tmp_path), "--json")
    check_nothing_is_left(cramped, ended)
    assert "nearly full" in ended.err
    # What is missing is PostgreSQL's log, which it uses again and again.
    assert disk.free > 100 << 20
    smaller = cramped.done("import", write(tmp_path / "links.csv", LINKS, "1,0000001,1"), "--json")
    assert smaller.json()["state"] == "completed"


@pytest.mark.timeout(60)
def test_a_disk_that_others_fill_in_the_middle_of_an_import(cramped: Home, disk: SmallDisk, tmp_path: Path) -> None:
    disk.fill(leave=250 << 20)
    command = cramped.start("import", many_ratings(tmp_path), "--json")
    with closing(Watcher(cramped)) as watcher:
        wait_for(lambda: (found := watcher.look()) and found.state == "indexing")
    disk.fill(leave=0)
    ended = end_of(command)
    check_nothing_is_left(cramped, ended)
    assert "No space left on device" in ended.err
    disk.empty()
    retried = cramped.done("imports", "retry", ended.json()["id"], "--json")
    assert retried.json()["files"][0]["rows_loaded"] == 1_200_000


@pytest.mark.timeout(60)
def test_postgresql_that_went_down_without_room_for_its_log_comes_back(
    cramped: Home, disk: SmallDisk, tmp_path: Path
) -> None:
    command = cramped.start("import", many_ratings(tmp_path), "--json")
    import_id = wait_until_loading(cramped)
    disk.fill(leave=0)
    with pytest.raises(psycopg.OperationalError):
        use_up_the_log(cramped)
    ended = end_of(command)
    check_said_why(ended)
    assert ended.json()["error"]["code"] == "disk_full"
    refused = cramped.run("imports", "show", import_id)
    assert (refused.code, len(refused.sentences)) == (1, 1)
    assert "disk space" in refused.err
    disk.empty()
    assert cramped.show(import_id)["state"] == "failed"
    assert cramped.rows("select title from movielens.movies") == [("One",)]
    cramped.done("imports", "retry", import_id)
    assert cramped.rows("select count(*) from movielens.ratings") == [(1_200_000,)]
