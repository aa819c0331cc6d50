"""The board: every piece once, jobs when their table is complete, the longest first, and nobody waits for ever."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelbase.database.connect import Connection
from reelbase.imports.board import Board, Job, OpenFeed
from reelbase.reading.chunks import Chunk
from reelbase.reading.feed import End, Feed, Piece

pytestmark = pytest.mark.timeout(30)
NOBODY = cast("Connection", None)
WAIT = 10


class Files(Feed):
    """A feed of so many pieces for each file; it notices when two threads read it at once."""

    def __init__(self, files: dict[int, int], fails_at: int | None = None) -> None:
        super().__init__(Path("nowhere"), "plain", [], 1)
        self._left: list[Piece | End] = []
        for file, count in files.items():
            self._left += [*_pieces(file, count), End(file, count)]
        self._fails_at = fails_at
        self._reading = threading.Lock()

    def next(self) -> Piece | End | None:
        assert self._reading.acquire(blocking=False), "two threads read a feed at once"
        try:
            time.sleep(0)
            if self._fails_at is not None and len(self._left) <= self._fails_at:
                raise OSError("gone")
            return self._left.pop(0) if self._left else None
        finally:
            self._reading.release()


def _pieces(file: int, count: int) -> list[Piece]:
    return [Piece(file, Chunk(number, 1, b"", 0, 0), 1, None) for number in range(count)]


class Crew:
    """Threads that do what the loading part of an import does with a board, and what came of it."""

    def __init__(
        self,
        feeds: list[tuple[int, dict[int, int]]],
        tables: dict[str, set[int]],
        jobs: Callable[[Crew, str], list[Job]] | None = None,
    ) -> None:
        self.tables = tables
        self.events: list[tuple[str, object]] = []
        self.lock = threading.Lock()
        self._jobs = jobs or (lambda crew, table: [crew.job(1, f"index {table}")])
        self.board = Board(
            [OpenFeed(Files(files), weight) for weight, files in feeds], tables, lambda table: self._jobs(self, table)
        )
        self.on_piece: Callable[[Piece], object] = lambda _: None

    def job(self, weight: float, name: str, run: Callable[[], object] = list, then: Sequence[Job] = ()) -> Job:
        def do(_: Connection, __: int) -> list[Job]:
            self.note("begin", name)
            run()
            self.note("end", name)
            return list(then)

        return Job(weight, name, do)

    def note(self, what: str, of: object) -> None:
        with self.lock:
            self.events.append((what, of))

    def noted(self, what: str) -> list[object]:
        return [of for kind, of in self.events if kind == what]

    def work(self, threads: int) -> None:
        crew = [threading.Thread(target=self._worker, daemon=True) for _ in range(threads)]
        for thread in crew:
            thread.start()
        for thread in crew:
            thread.join(WAIT)
            assert not thread.is_alive(), f"deadlock after {self.events[-5:]}"

    def _worker(self) -> None:
        mine: OpenFeed | None = None
        try:
            while (task := self.board.take(mine)) is not None:
                try:
                    if isinstance(task, OpenFeed):
                        mine = task
                        self._turn(task)
                    else:
                        for job in task.run(NOBODY, self.board.helpers(task, 2)):
                            self.board.add(job)
                finally:
                    self.board.give_back(task)
        except BaseException as error:  # noqa: BLE001  # as in the loading part: whatever it is ends the import
            self.board.fail(error)

    def _turn(self, feed: OpenFeed) -> None:
        part = self.board.pull(feed, lambda _: None)
        if isinstance(part, Piece):
            self.on_piece(part)
            self.note("piece", (part.file, part.chunk.first_byte))
            if self.board.piece_done(part.file):
                self._complete(part.file)
        elif isinstance(part, End) and self.board.file_ended(part.file):
            self._complete(part.file)

    def _complete(self, file: int) -> None:
        self.note("file", file)
        self.board.file_complete(next(name for name, files in self.tables.items() if file in files), file)


SHAPES = st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=3), min_size=1, max_size=5)


@settings(deadline=None, max_examples=60)
@given(shape=SHAPES, threads=st.integers(1, 6), tables=st.integers(1, 3))
def test_every_piece_is_loaded_once_and_jobs_wait_for_all_files_of_their_table(
    shape: list[list[int]], threads: int, tables: int
) -> None:
    numbers = iter(range(100))
    feeds = [(sum(counts), {next(numbers): count for count in counts}) for counts in shape]
    files = {file: count for _, feed in feeds for file, count in feed.items()}
    by_table = {f"table {n}": {file for file in files if file % tables == n} for n in range(tables)}
    by_table = {name: own for name, own in by_table.items() if own}
    crew = Crew(feeds, by_table)
    crew.work(threads)
    assert crew.board.error is None
    assert crew.board.loaded.is_set()
    assert Counter(crew.noted("piece")) == Counter((file, n) for file, count in files.items() for n in range(count))
    assert sorted(cast("list[int]", crew.noted("file"))) == sorted(files)
    assert sorted(map(str, crew.noted("begin"))) == sorted(f"index {name}" for name in by_table)
    for name, own in by_table.items():
        before = crew.events[: crew.events.index(("begin", f"index {name}"))]
        assert {of for kind, of in before if kind == "file"} >= own
        assert len([of for kind, of in before if kind == "piece" and cast("tuple[int, int]", of)[0] in own]) == sum(
            files[file] for file in own
        )


def test_a_table_whose_files_are_empty_still_gets_its_jobs() -> None:
    crew = Crew([(0, {1: 0}), (0, {2: 0})], {"empty": {1, 2}})
    crew.work(3)
    assert crew.noted("begin") == ["index empty"]


def test_a_connection_alone_reads_one_stream_to_its_end_and_the_largest_first() -> None:
    crew = Crew([(1, {1: 3}), (9, {2: 3}), (5, {3: 3})], {"a": {1, 2, 3}})
    crew.work(1)
    assert [cast("tuple[int, int]", of)[0] for of in crew.noted("piece")] == [2, 2, 2, 3, 3, 3, 1, 1, 1]


def test_each_connection_keeps_to_a_stream_of_its_own() -> None:
    readers: dict[int, set[int]] = {}
    crew = Crew([(20, {1: 20}), (20, {2: 20})], {"a": {1, 2}})
    both = threading.Barrier(2, timeout=WAIT)

    def on_piece(piece: Piece) -> None:
        readers.setdefault(piece.file, set()).add(threading.get_ident())
        both.wait()

    crew.on_piece = on_piece
    crew.work(2)
    assert crew.board.error is None
    assert [len(idents) for idents in readers.values()] == [1, 1]


def test_a_single_stream_is_shared_by_all_connections() -> None:
    crew = Crew([(12, {1: 12})], {"a": {1}})
    three = threading.Barrier(3, timeout=WAIT)
    crew.on_piece = lambda _: three.wait()
    crew.work(3)
    assert crew.board.error is None
    assert len(crew.noted("piece")) == 12


def test_jobs_are_taken_the_longest_first_and_those_put_up_meanwhile_too() -> None:
    def jobs(crew: Crew, _: str) -> list[Job]:
        medium = crew.job(3, "medium", then=[crew.job(2, "put up late")])
        return [crew.job(1, "short"), medium, crew.job(9, "long")]

    crew = Crew([(1, {1: 1})], {"a": {1}}, jobs)
    crew.work(1)
    assert crew.noted("begin") == ["long", "medium", "put up late", "short"]


def test_a_connection_without_a_stream_of_its_own_builds_before_it_shares() -> None:
    board = Crew([(9, {1: 5}), (1, {2: 0})], {"a": {1}, "b": {2}}).board
    first = board.take(None)
    second = board.take(None)
    assert isinstance(first, OpenFeed)
    assert isinstance(second, OpenFeed)
    assert isinstance(board.pull(second, lambda _: None), End)
    assert board.file_ended(2)
    board.file_complete("b", 2)
    assert board.pull(second, lambda _: None) is None
    board.give_back(second)
    job = board.take(second)
    assert isinstance(job, Job)
    assert job.name == "index b"
    board.give_back(job)
    assert board.take(second) is first


def test_a_waiting_connection_is_woken_by_a_job() -> None:
    crew = Crew([(1, {1: 1})], {"a": {1}})
    release = threading.Event()
    crew.on_piece = lambda _: release.wait(WAIT)
    threading.Timer(0.2, release.set).start()
    crew.work(4)
    assert crew.noted("end") == ["index a"]


def test_helpers_are_the_idle_cores_and_none_while_files_are_read() -> None:
    crew = Crew([(1, {1: 1})], {"a": {1}})
    board, (long, short, shorter) = crew.board, (crew.job(9, "long"), crew.job(3, "short"), crew.job(2, "shorter"))
    board.add(long)
    feed = board.take(None)
    assert isinstance(feed, OpenFeed)
    assert board.take(feed) is not None
    assert board.helpers(long, 8) == 0
    while board.pull(feed, lambda _: None) is not None:
        pass
    board = Crew([], {}).board
    for job in (long, short, shorter):
        board.add(job)
    assert board.take(None) is long
    assert board.helpers(long, 8) == 5  # eight, less the one that asks and those that the waiting two will need
    assert board.helpers(long, 3) == 1  # none is idle, but long before it ends the others will be
    assert board.helpers(long, 1) == 0
    assert board.take(None) is short
    assert board.helpers(short, 3) == 0
    board.give_back(long)
    assert board.helpers(short, 3) == 1


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("where", ["feed", "piece", "job", "jobs"])
def test_an_error_anywhere_stops_everybody_and_the_first_one_counts(threads: int, where: str) -> None:
    def fail() -> None:
        raise LookupError(where)

    def jobs(crew: Crew, _: str) -> list[Job]:
        if where == "jobs":
            fail()
        return [crew.job(1, "fails", fail if where == "job" else list)]

    crew = Crew([(9, {1: 500}), (9, {2: 500}), (1, {3: 1})], {"a": {1}, "b": {2}, "c": {3}}, jobs)
    if where == "feed":
        crew.board = Board(
            [OpenFeed(Files({1: 500}, fails_at=250), 9), OpenFeed(Files({2: 10**5}), 9)],
            crew.tables,
            lambda _: [],
        )
    elif where == "piece":
        crew.on_piece = lambda piece: fail() if piece.chunk.first_byte == 250 else None
    crew.work(threads)
    assert type(crew.board.error) is (OSError if where == "feed" else LookupError)
    first = crew.board.error
    crew.board.fail(RuntimeError("later"))
    assert crew.board.error is first
    assert crew.board.take(None) is None
    assert len(crew.noted("piece")) < 10**5


def test_an_error_wakes_those_who_wait() -> None:
    board = Crew([], {}).board
    job = Job(1, "long", lambda *_: [])
    board.add(job)
    assert board.take(None) is job
    waiting = threading.Thread(target=lambda: board.take(None), daemon=True)
    waiting.start()
    time.sleep(0.05)
    assert waiting.is_alive()
    board.fail(RuntimeError("stop"))
    waiting.join(WAIT)
    assert not waiting.is_alive()


def test_with_nothing_to_do_everybody_goes_home() -> None:
    Crew([], {}).work(3)
