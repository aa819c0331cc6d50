"""The console's pages as a client gets them: what they say, what their forms do, where they lead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from reelbase.database.connect import connect
from reelbase.imports.lease import register
from reelbase.web.console.shown import strip
from tests.importing import MOVIES, Importer, write
from tests.serving import client, importing_from, served

MANY = 2000


@pytest.fixture
def importer(database: str) -> Importer:
    return Importer(database)


@pytest.fixture
def console(database: str, tmp_path: Path) -> Iterator[httpx.Client]:
    """The pages, with a store for what is sent to them."""
    importing = importing_from(database, tmp_path, store=tmp_path / "store")
    with served(database, importing=importing) as made, httpx.Client(base_url=made.address, timeout=30) as asked:
        yield asked


def movies(folder: Path, *more: str) -> Path:
    return write(folder / "movies.csv", MOVIES, "1,Heat (1995),Crime", *more)


def text(answer: httpx.Response) -> str:
    """What is written on a page, in one line."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.text)))


def test_every_page_is_there_before_anything_is_loaded(bare: httpx.Client) -> None:
    for path in ("/imports", "/imports/new", "/datasets", "/datasets/imdb", "/datasets/imdb/rollback"):
        answer = bare.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["cache-control"] == "no-store"
    assert "Nothing has been imported yet" in bare.get("/imports").text


@pytest.mark.parametrize(
    "path", ["/imports/1", "/imports/x", "/imports/1/rejects", "/datasets/nothing", "/imports/1/rejects/0"]
)
def test_what_is_not_there_is_a_page_that_says_so(bare: httpx.Client, path: str) -> None:
    answer = bare.get(path)
    assert answer.status_code == 404
    assert "There is nothing here" in answer.text


def test_a_form_without_a_script_imports_a_file(console: httpx.Client, importer: Importer, tmp_path: Path) -> None:
    file = movies(tmp_path)
    answer = console.post(
        "/imports/new",
        files={"file": ("movies.csv", file.read_bytes())},
        data={"mode": "replace", "url": "", "path": ""},
    )
    assert answer.status_code == 303
    assert answer.headers["location"] == "/imports/1"
    assert "movies.csv" in console.get("/imports/1").text
    assert importer.run(1)["state"] == "completed"
    assert "visible to readers as release 1" in text(console.get("/imports/1"))


def test_what_cannot_be_imported_comes_back_with_its_reason(console: httpx.Client, tmp_path: Path) -> None:
    unknown = write(tmp_path / "notes.csv", "date,amount", "1,2")
    answer = console.post("/imports/new", files={"file": ("notes.csv", unknown.read_bytes())}, data={"mode": "merge"})
    assert answer.status_code == 422
    assert "begins with the header 'date,amount'" in text(answer)
    assert re.search(r'value="merge" checked', answer.text)
    assert not list((tmp_path / "store/uploads").iterdir()), "nothing of it is kept"
    nothing = console.post("/imports/new", data={"mode": "replace", "url": ""})
    assert nothing.status_code == 422
    assert "There is nothing to import" in text(nothing)


def test_a_path_of_the_server_is_taken_only_from_the_folders(console: httpx.Client, tmp_path: Path) -> None:
    movies(tmp_path)
    assert str(tmp_path) in console.get("/imports/new").text
    assert console.post("/imports/new", data={"path": str(tmp_path / "movies.csv")}).status_code == 303
    assert console.post("/imports/new", data={"path": "/etc/passwd"}).status_code in (403, 422)


def test_forms_of_other_sites_change_nothing(bare: httpx.Client) -> None:
    for path in ("/imports/new", "/imports/1/cancel", "/datasets/imdb/rollback", "/datasets/imdb/remove"):
        assert bare.post(path, headers={"origin": "https://example.org"}).status_code == 403


def test_nothing_to_cancel_says_so_on_the_page(bare: httpx.Client, importer: Importer, tmp_path: Path) -> None:
    importer(movies(tmp_path))
    answer = bare.post("/imports/1/cancel")
    assert answer.status_code == 409
    assert "there is nothing to cancel" in text(answer)
    assert "Every record read is loaded" in text(answer)


def test_a_failed_import_is_retried_with_more_rejects(bare: httpx.Client, importer: Importer, tmp_path: Path) -> None:
    assert importer(movies(tmp_path, "x,Broken,None"), max_rejects="0")["state"] == "failed"
    page = text(bare.get("/imports/1"))
    assert "1 of 2 records were rejected" in page
    assert "Wrong type movie_id" in page
    answer = bare.post("/imports/1/retry", data={"max_rejects": "50%"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/imports/1")
    assert importer.run(1)["state"] == "completed"


def test_rejects_are_paged_and_can_be_mended(bare: httpx.Client, importer: Importer, tmp_path: Path) -> None:
    importer(movies(tmp_path, *(f"x{n},Broken,None" for n in range(120)), "2,Two,Few,Columns,More"))
    page = bare.get("/imports/1/rejects")
    assert "121 records that could not be loaded" in text(page)
    seen = re.findall(r"^x\d+|>(x\d+),Broken", page.text)
    link = re.search(r'rel="next" href="([^"]+)"', page.text)
    assert link
    further = bare.get(unescape(link[1]))
    assert not set(seen) & set(re.findall(r">(x\d+),Broken", further.text))
    only = bare.get("/imports/1/rejects?reason=too_many_columns")
    assert "2,Two,Few,Columns,More" in only.text
    raw = bare.get("/imports/1/rejects/0")
    assert 'filename="movies.csv"' in raw.headers["content-disposition"]
    assert raw.text.splitlines()[0] == MOVIES
    assert len(raw.text.splitlines()) == 122


def test_a_record_of_the_file_is_never_markup(bare: httpx.Client, importer: Importer, tmp_path: Path) -> None:
    importer(movies(tmp_path, "<script>alert(1)</script>,Broken,None"))
    for path in ("/imports/1", "/imports/1/rejects"):
        assert "<script>alert" not in bare.get(path).text


def test_a_release_is_rolled_back_after_a_question(bare: httpx.Client, importer: Importer, tmp_path: Path) -> None:
    importer(movies(tmp_path))
    assert "There is no earlier release" in text(bare.get("/datasets/movielens/rollback"))
    refused = bare.post("/datasets/movielens/rollback")
    assert refused.status_code == 409
    assert "There is no earlier release of movielens to go back to." in text(refused)
    importer(movies(tmp_path, "2,Two (1996),Drama"))
    question = text(bare.get("/datasets/movielens/rollback"))
    assert "movies 2 1" in question
    answer = bare.post("/datasets/movielens/rollback")
    assert answer.headers["location"] == "/imports/3"
    assert importer.run(3)["state"] == "completed"
    assert "The release before is live again" in text(bare.get("/imports/3"))


def test_a_table_is_filtered_and_paged(bare: httpx.Client, importer: Importer, tmp_path: Path) -> None:
    importer(movies(tmp_path, *(f"{n},Movie {n},Drama" for n in range(2, 130))))
    page = bare.get("/datasets/movielens/tables/movies?column=movie_id&how=_min&value=10")
    assert "120 rows of 129" in text(page)
    link = re.search(r'rel="next" href="([^"]+)"', page.text)
    assert link
    assert "Movie 60" in bare.get(unescape(link[1])).text
    wrong = bare.get("/datasets/movielens/tables/movies?movie_id=many")
    assert "movie_id is of the type integer" in text(wrong)
    assert bare.get("/datasets/movielens/tables/nothing").status_code == 404


def test_the_list_is_filtered_and_paged(database: str, importer: Importer, tmp_path: Path) -> None:
    file = movies(tmp_path)
    numbers = [importer.queue(file) for _ in range(30)]
    with client(database) as asked:
        first = asked.get("/imports")
        assert "30 imports" in text(first)
        assert f'href="/imports/{numbers[-1]}"' in first.text
        link = re.search(r'rel="next"', first.text)
        assert link
        older = asked.get(f"/imports?before={numbers[5]}")
        assert f'href="/imports/{numbers[0]}"' in older.text
        assert "No import fits" in asked.get("/imports?state=failed&dataset=movielens").text
        assert asked.get("/imports?state=wrong").status_code == 422


def test_thousands_of_chunks_are_a_few_strokes() -> None:
    drawn = strip("d" * MANY + "rr" + "q" * MANY)
    assert drawn.total == 2 * MANY + 2
    assert drawn.paths["done"] == f"M0 0h{MANY}v1h-{MANY}z"
    assert drawn.paths["running"] == f"M{MANY} 0h2v1h-2z"
    assert strip("").paths == {}
    assert strip("dfd").paths["done"].count("M") == 2


def test_workers_are_told_with_what_they_do(console: httpx.Client, importer: Importer, tmp_path: Path) -> None:
    asked = console.post("/imports/new", files={"file": ("movies.csv", movies(tmp_path).read_bytes())}, data={})
    assert asked.status_code == 303
    with connect(importer.url, "test") as connection:
        worker = register(connection, uuid4())
        assert "Ready" in text(console.get("/imports"))
        connection.execute("update reelbase.imports set state = 'loading', worker_id = %s where id = 1", (worker,))
        page = console.get("/imports")
        assert page.status_code == 200
        assert "import 1 of movielens: loading" in text(page)
