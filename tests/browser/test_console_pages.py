"""Every page of the console, without barriers in every look; a thousand chunks; the browser's eye is the server's."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from reelbase.database.connect import connect
from reelbase.datasets import DATASETS, Table
from reelbase.errors import EmptyFile, UnknownHeader
from reelbase.imports.lease import IMPORT_SPACE
from reelbase.reading.recognise import header, recognise
from reelbase.web import words
from reelbase.web.assets import assets
from tests.browser.conftest import DESKTOP, PHONE, Visitor
from tests.browser.console import ratings
from tests.browser.test_pages import violations
from tests.importing import MOVIES, RATINGS, Importer, write
from tests.serving import database_from, serving

pytestmark = pytest.mark.slow

CHUNKS = 1000
PAGES = {
    "imports": "/imports",
    "filtered": "/imports?state=failed",
    "nothing": "/imports?state=held",
    "new": "/imports/new",
    "completed": "/imports/2",
    "failed": "/imports/3",
    "waiting": "/imports/4",
    "rejects": "/imports/2/rejects",
    "cancel": "/imports/4/cancel",
    "datasets": "/datasets",
    "dataset": "/datasets/movielens",
    "unloaded": "/datasets/imdb",
    "rollback": "/datasets/movielens/rollback",
    "remove": "/datasets/movielens/remove",
    "table": "/datasets/movielens/tables/ratings?user_id_min=2",
    "wrong": "/datasets/movielens/tables/ratings?user_id=x",
}


@pytest.fixture(scope="module")
def url(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with imports of every kind in it."""
    url = database_from(server_url, "console_pages")
    folder = tmp_path_factory.mktemp("files")
    importer = Importer(url)
    movies = write(folder / "movies.csv", MOVIES, "1,Heat (1995),Crime", "2,Toy Story (1995),Comedy")
    assert importer(movies)["state"] == "completed"
    write(folder / "notes.csv", "date,amount", "1,2")
    odd = ratings(folder / "ratings.csv", 300, "7,1,eleven,99", '8,2,"4.5')
    assert importer(folder)["state"] == "completed"
    assert importer(odd, max_rejects="0")["state"] == "failed"
    importer.queue(odd)
    return url


@pytest.fixture(scope="module")
def pages(url: str) -> Iterator[str]:
    with serving(url) as address:
        yield address


@pytest.fixture
def visitor(chromium: Browser, pages: str) -> Iterator[Visitor]:
    made = Visitor(chromium, pages)
    yield made
    made.end()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_no_page_has_barriers(visitor: Visitor, axe: str, size: tuple[int, int], dark: bool) -> None:
    page = visitor.open("/imports", size=size, dark=dark)
    is_wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    for name, path in PAGES.items():
        page.goto(path)
        assert violations(page, axe) == [], name
        assert not page.evaluate(is_wider), f"{name} scrolls sideways"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_what_opens_has_no_barriers_either(
    visitor: Visitor, axe: str, tmp_path: Path, size: tuple[int, int], dark: bool
) -> None:
    page = visitor.open("/imports/new", size=size, dark=dark)
    files = [ratings(tmp_path / "ratings.csv", 60, "7,x,4,9"), write(tmp_path / "notes.csv", "date,amount", "1,2")]
    page.locator("#file").set_input_files([str(file) for file in files])
    page.get_by_text("First records").click()
    expect(page.locator(".pick")).to_have_count(2)
    assert violations(page, axe) == []
    page.goto("/imports/4")
    page.get_by_role("link", name="Cancel").click()
    assert violations(page, axe) == []


def test_an_empty_console_says_what_to_do(visitor: Visitor, axe: str, bare_site: str) -> None:
    page = visitor.open("/imports", site=bare_site)
    expect(page.get_by_role("link", name="Import your first file")).to_have_attribute("href", "/imports/new")
    assert violations(page, axe) == []
    page.goto("/datasets")
    expect(page.get_by_role("button", name="Fetch movielens/latest-small")).to_be_visible()
    assert violations(page, axe) == []


# A thousand chunks


@contextmanager
def a_large_import(url: str) -> Iterator[int]:
    """An import that runs, as far as anybody can see: its chunks are done one after the other."""
    over = threading.Event()
    with connect(url, "test") as worker:
        found = worker.execute(
            """with worker as (
                   insert into reelbase.workers (host, pid, seen_at) values ('host', 1, now() + interval '1 hour')
                   returning id),
               import as (
                   insert into reelbase.imports (kind, dataset, state, chunk_bytes, started_at, worker_id)
                   select 'import', 'movielens', 'loading', 1000, now(), id from worker
                   returning id),
               file as (
                   insert into reelbase.import_files (import_id, position, name, path, container, fingerprint,
                          source_bytes, table_name, layout, header, raw_header, columns, first_byte,
                          first_line, cut, started_at)
                   select id, 0, 'ratings.csv', '/', 'plain', '', %(chunks)s * 1000,
                          'ratings', 'standard', '', '', '[]', 0, 2, true, now() from import
                   returning id, import_id),
               chunks as (
                   insert into reelbase.chunks (import_id, file_id, first_byte, bytes, source_bytes, first_line,
                          last_line, state)
                   select import_id, id, n * 1000, 1000, 1000, n * 50, n * 50 + 49, 'queued'
                     from file, generate_series(0, %(chunks)s - 1) n)
               select id from import""",
            {"chunks": CHUNKS},
        ).fetchone()
        assert found is not None
        number: int = found[0]
        worker.execute("select pg_advisory_lock(%s, %s::int)", (IMPORT_SPACE, number))

        def work() -> None:
            for place in range(CHUNKS):
                if over.wait(0.008):
                    return
                worker.execute(
                    """update reelbase.chunks set state = case when first_byte = %(now)s then 'running' else 'done' end,
                              rows_loaded = 50, finished_at = clock_timestamp()
                        where import_id = %(import)s and first_byte in (%(now)s, %(now)s - 3000)""",
                    {"import": number, "now": place * 1000},
                )

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield number
        finally:
            over.set()
            thread.join()
            worker.execute("delete from reelbase.imports where id = %s", (number,))


def test_a_thousand_chunks_leave_the_page_fluent(visitor: Visitor, url: str, record_property: Any) -> None:
    with a_large_import(url) as number:
        page = visitor.open(f"/imports/{number}")
        before = strip(page)
        frames = page.evaluate(
            """(seconds) => new Promise((resolve) => {
                const times = [];
                const step = (now) => {
                    times.push(now);
                    if (now - times[0] < seconds * 1000) requestAnimationFrame(step);
                    else resolve(times.slice(1).map((time, at) => time - times[at]));
                };
                requestAnimationFrame(step);
            })""",
            5,
        )
        page.wait_for_timeout(1200)
        after = strip(page)
    rate = len(frames) / sum(frames) * 1000
    figures = {"frames_per_second": round(rate, 1), "slowest_frame_ms": round(max(frames), 1)}
    record_property("frames", json.dumps(figures))
    print(figures)
    assert before != after, "the strip moves"
    assert rate > 20, figures


def strip(page: Page) -> str | None:
    return page.locator(".strip .chunk-done").get_attribute("d")


# The browser's eye

HEADS = {
    "ratings.csv": RATINGS.encode() + b"\n1,2,3,4\n",
    "reordered.csv": b"rating,timestamp,movieId,userId\r\n",
    "bom.csv": b"\xef\xbb\xbf" + RATINGS.encode() + b"\n",
    "quoted.csv": b'"userId","movieId","rating","timestamp"\n1,2,3,4\n',
    "spelled.csv": b"USER ID,movie_id,Rating,TimeStamp\n",
    "more.csv": b"userId,movieId,rating,timestamp,mood,\n",
    "less.csv": b"userId,rating\n1,2\n",
    "twice.csv": b"userId,movieId,rating,timestamp,rating\n",
    "semicolons.csv": RATINGS.replace(",", ";").encode() + b"\n",
    "record.csv": b"1,2,3.5,4\n",
    "utf16.csv": RATINGS.encode("utf-16"),
    "latin.csv": b"userId,movieId,rating,timestamp,caf\xe9\n",
    "mac.csv": b"userId,movieId,rating,timestamp\r1,2,3,4\r",
    "nul.csv": b"userId,movieId,rating\0,timestamp\n",
    "empty.csv": b"",
    "nothing.csv": b"\n",
    "movies.dat": b"1::Toy Story (1995)::Animation|Comedy\n",
    "users.dat.gz": b"1::F::1::10::48067\n",
    "ml/ratings.dat": b"1::1193::5::978300760\n",
    "other.dat": b"1::1193::5::978300760\n",
    "endless.csv": b"x" * (1 << 16),
}


def test_the_browser_recognises_what_the_server_does(visitor: Visitor) -> None:
    page = visitor.open("/imports/new")
    tables = [table for dataset in DATASETS for table in dataset.tables]
    heads = HEADS | {f"{table.full_name}.csv": header(table).encode() + b"\n" for table in tables}
    heads |= {f"{table.full_name}.aliases.csv": aliases(table) for table in tables}
    seen = page.evaluate(
        """async ([url, heads]) => {
            const { recognise } = await import(url);
            const known = JSON.parse(document.getElementById("headers").textContent);
            const look = (name, bytes) => {
                const found = recognise(name, new Uint8Array(bytes), known);
                const { quote, delimiter } = found.layout ?? {};
                return found.why ? null : [found.table, found.columns.length, found.from, delimiter, quote ?? null];
            };
            return heads.map(([name, bytes]) => look(name, bytes));
        }""",
        [assets().url("recognise.js"), [[name, list(head)] for name, head in heads.items()]],
    )
    assert dict(zip(heads, seen, strict=True)) == {name: recognised(name, head) for name, head in heads.items()}


def aliases(table: Table) -> bytes:
    """The header with every alias in place of its column's own."""
    names = [(*column.aliases, column.header)[0] for column in table.written]
    return table.dialect.delimiter.join(name.encode() for name in names) + b"\n"


def recognised(name: str, head: bytes) -> list[Any] | None:
    try:
        found = recognise(name, head, DATASETS)
    except (UnknownHeader, EmptyFile):
        return None
    dialect = found.layout.dialect
    quote = dialect.quote.decode() if dialect.quote else None
    return [found.table.full_name, len(found.columns), found.first_byte, dialect.delimiter.decode(), quote]


def test_words_are_the_same_in_browser_and_server(visitor: Visitor) -> None:
    page = visitor.open("/imports/new")
    sizes = [0, 1, 999, 1000, 1234, 9949, 99_999, 999_499, 999_500, 12_345_678, 5 * 10**12]
    spans = [0, 0.04, 3.25, 9.96, 12, 59.4, 60, 75, 3599, 3600, 7260, 90_000]
    seen = page.evaluate(
        """async ([url, sizes, spans]) => {
            const words = await import(url);
            return [sizes.map(words.size), spans.map(words.seconds)];
        }""",
        [assets().url("console-words.js"), sizes, spans],
    )
    assert seen == [[words.size(one) for one in sizes], [words.seconds(one) for one in spans]]
