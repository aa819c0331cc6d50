"""The import console from a file on one's disk to its rows in the database, by mouse, by keyboard, without a script."""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import Visitor
from tests.browser.console import LOST, SLOW, NewImport, OneImport, api, console, ratings
from tests.browser.wire import Wire, wire
from tests.importing import MOVIES, RATINGS
from tests.serving import database_from

pytestmark = pytest.mark.slow

ODD = ("7,1,eleven,99", "8,2,9.5,12")


@pytest.fixture(scope="module")
def desk(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with a worker."""
    with console(database_from(server_url, "console"), tmp_path_factory.mktemp("desk")) as address:
        yield address


@pytest.fixture(scope="module")
def idle_desk(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server without: what is asked for waits."""
    url = database_from(server_url, "console_idle")
    with console(url, tmp_path_factory.mktemp("idle"), "--no-workers") as address:
        yield address


@pytest.fixture
def visitor(chromium: Browser, desk: str) -> Iterator[Visitor]:
    made = Visitor(chromium, desk)
    yield made
    made.end()


@pytest.fixture
def line(desk: str) -> Iterator[Wire]:
    """The way to the server, which can be slow, and be cut."""
    with wire(desk) as made:
        yield made


def opened(page: Page) -> tuple[NewImport, OneImport]:
    return NewImport(page), OneImport(page)


def test_what_is_dropped_is_known_before_it_is_sent(visitor: Visitor) -> None:
    new = NewImport(visitor.open("/imports/new"))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ml/movies.csv", f"{MOVIES}\n1,Heat (1995),Crime\n")
        archive.writestr("ml/README.txt", "read me")
    new.drop(
        ratings__csv=f"{RATINGS}\n1,2,4.5,10\n".encode(),
        notes__csv=b"date,amount\n2020,1\n",
        empty__csv=b"",
        basics__gz=gzip.compress(b"tconst\taverageRating\tnumVotes\ntt0000001\t5.7\t100\n"),
        ml__zip=packed.getvalue(),
        semicolons__csv=RATINGS.replace(",", ";").encode() + b"\n",
        old__bz2=b"BZh9" + bytes(40),
    )
    expect(new.chosen("ratings.csv")).to_contain_text("MovieLens: movielens.ratings, 4 columns.")
    expect(new.chosen("notes.csv")).to_contain_text("no header that Reelbase knows")
    expect(new.chosen("empty.csv")).to_contain_text("zero bytes")
    expect(new.chosen("basics.gz")).to_contain_text("IMDb: imdb.title_ratings")
    expect(new.chosen("ml.zip")).to_contain_text("1 file in it: movielens.movies")
    expect(new.chosen("semicolons.csv")).to_contain_text("save it with commas")
    expect(new.chosen("old.bz2")).to_contain_text("packed by bzip2")
    expect(new.page.locator("#summary")).to_contain_text("These are of MovieLens and IMDb")
    expect(new.send).to_be_disabled()
    new.page.get_by_label("Dataset", exact=True).select_option("movielens")
    expect(new.send).to_have_text("Send and import 2 files")
    expect(new.chosen("basics.gz")).to_contain_text("Left out")


def test_the_first_records_are_shown_with_their_types(visitor: Visitor) -> None:
    new = NewImport(visitor.open("/imports/new"))
    lines = [RATINGS + ",mood", *(f"{n},{n},4.5,10,good" for n in range(1, 80)), '1,x,4.5,10,"a, ""b"""']
    new.drop(ratings__csv="\r\n".join([lines[0], lines[-1], *lines[1:-1], ""]).encode())
    pick = new.chosen("ratings.csv")
    expect(pick).to_contain_text("5 columns, 1 of them unknown and kept as text")
    pick.get_by_text("First records").click()
    table = pick.get_by_role("table")
    expect(table.get_by_role("columnheader", name="movie_id integer")).to_be_visible()
    expect(table.get_by_role("columnheader", name="mood text, unknown")).to_be_visible()
    expect(table.locator("tbody tr")).to_have_count(50)
    expect(table.locator("tbody tr").first).to_contain_text('a, "b"')
    expect(table.locator("td.odd")).to_have_text("x")


def test_from_a_file_over_a_pause_and_a_lost_connection_to_its_rejects(
    visitor: Visitor, line: Wire, tmp_path: Path
) -> None:
    visitor.forgiven.append(LOST)
    new, one = opened(visitor.open("/imports/new", site=line.address))
    unknown = tmp_path / "notes.csv"
    unknown.write_text("date,amount\n2020,1\n")
    file = ratings(tmp_path / "ratings.csv", 90_000, *ODD)
    new.choose(file, unknown)
    expect(new.chosen("notes.csv")).to_contain_text("no header that Reelbase knows")
    expect(new.send).to_have_text("Send and import 1 file")
    asked: list[str] = []
    new.page.on("request", lambda request: asked.append(request.method) if "/uploads" in request.url else None)
    line.bytes_per_second = SLOW
    new.send.click()
    new.until_some_has_arrived()
    new.page.get_by_role("button", name="Pause").click()
    expect(new.sent).to_contain_text("paused")
    new.page.get_by_role("button", name="Resume").click()
    expect(new.sent).not_to_contain_text("paused")
    line.cut()
    expect(new.sent).to_contain_text("connection lost, trying again")
    line.bytes_per_second = None
    line.mend()
    one.wait_for()
    one.expect_state("Completed")
    assert asked.count("POST") == 1, "it went on with the upload that it had begun"
    assert asked.count("PATCH") >= 3
    expect(one.value("rows_loaded")).to_have_text("90,000")
    expect(one.value("rows_rejected")).to_have_text("2")
    reject = one.page.locator(".reject").first
    expect(reject).to_contain_text("Wrong type")
    expect(reject).to_contain_text("ratings.csv, line 90,002")
    expect(reject.get_by_role("region")).to_have_text(ODD[0])
    with one.page.expect_download() as download:
        one.page.get_by_role("link", name="CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert lines[0] == "file,line,byte_offset,column,reason,record"
    assert lines[1].startswith("ratings.csv,90002,")
    assert len(lines) == 3


def test_bad_records_are_mended_and_merged(visitor: Visitor, tmp_path: Path) -> None:
    new, one = opened(visitor.open("/imports/new"))
    new.choose(ratings(tmp_path / "ratings.csv", 500, *ODD, first=500))
    new.send.click()
    one.wait_for()
    one.expect_state("Completed")
    before = one.number
    one.page.get_by_role("link", name="Look at all").click()
    with one.page.expect_download() as download:
        one.page.get_by_role("link", name="ratings.csv").click()
    raw = download.value.path().read_text()
    assert raw.splitlines() == [RATINGS, *ODD]
    mended = tmp_path / "mended.csv"
    mended.write_text(raw.replace("eleven", "3.5").replace("9.5", "4.5"))
    one.page.get_by_role("link", name="import the file").click()
    expect(new.page.get_by_role("radio", name="Merge")).to_be_checked()
    new.choose(mended)
    new.send.click()
    one.wait_for()
    one.expect_state("Completed")
    assert one.number > before
    found = api(visitor.site, "/datasets/movielens/tables/ratings?user_id=7&movie_id=1")
    assert [row["rating"] for row in found["items"]] == [3.5]
    assert api(visitor.site, "/datasets/movielens/tables/ratings?user_id=500")["total"] == 100


def test_what_was_chosen_before_the_script_was_there_counts(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.open("/imports")
    held: list[Route] = []
    page.route("**/upload.js", lambda route: held.append(route))  # noqa: PLW0108  # it looks at its signature
    page.goto("/imports/new", wait_until="commit")
    page.locator("#file").set_input_files(str(ratings(tmp_path / "early.csv", 10)))
    page.wait_for_timeout(200)
    [route] = held
    route.continue_()
    expect(NewImport(page).chosen("early.csv")).to_contain_text("movielens.ratings")


def test_who_left_the_page_goes_on_where_it_was(visitor: Visitor, line: Wire, tmp_path: Path) -> None:
    visitor.forgiven.append(LOST)
    new, one = opened(visitor.open("/imports/new", site=line.address))
    file = ratings(tmp_path / "again.csv", 250_000)
    new.choose(file)
    line.bytes_per_second = SLOW
    new.send.click()
    new.until_some_has_arrived()
    new.page.wait_for_timeout(6000)  # the server makes durable what has arrived every five seconds
    line.cut()
    expect(new.sent).to_contain_text("connection lost")
    new.page.goto("about:blank")
    line.mend()
    new.page.goto("/imports/new")
    waiting = new.page.get_by_role("region", name="Begun before")
    expect(waiting).to_contain_text("again.csv")
    expect(waiting).to_contain_text("has arrived")
    offsets: list[int] = []

    def keep(request: object) -> None:
        method, headers = request.method, request.headers  # type: ignore[attr-defined]
        if method == "PATCH":
            offsets.append(int(headers["upload-offset"]))

    new.page.on("request", keep)
    new.choose(file)
    expect(new.chosen("again.csv")).to_contain_text("of it has arrived before")
    expect(waiting).to_be_hidden()
    line.bytes_per_second = None
    new.send.click()
    one.wait_for()
    one.expect_state("Completed")
    assert offsets[0] > 0
    one.page.goto("/imports/new")
    expect(one.page.get_by_role("region", name="Begun before")).to_be_hidden()


def test_a_cancelled_upload_leaves_nothing(visitor: Visitor, line: Wire, tmp_path: Path) -> None:
    new = NewImport(visitor.open("/imports/new", site=line.address))
    new.choose(ratings(tmp_path / "not.csv", 90_000))
    line.bytes_per_second = SLOW
    gone: list[str] = []
    new.page.on("request", lambda request: gone.append(request.url) if request.method == "DELETE" else None)
    new.send.click()
    new.until_some_has_arrived()
    with new.page.expect_response(lambda answer: answer.request.method == "DELETE") as removed:
        new.page.get_by_role("button", name="Cancel").click()
    assert removed.value.status == 204
    expect(new.send).to_be_enabled()
    expect(new.send).to_be_focused()
    line.bytes_per_second = None
    new.page.reload()
    expect(new.page.get_by_role("region", name="Begun before")).to_be_hidden()


def test_too_many_rejects_are_allowed_and_retried(visitor: Visitor, tmp_path: Path) -> None:
    new, one = opened(visitor.open("/imports/new"))
    new.page.get_by_label("Rejects allowed for each file").fill("0")
    new.choose(ratings(tmp_path / "ratings.csv", 300, *ODD, first=900))
    new.send.click()
    one.wait_for()
    one.expect_state("Failed")
    expect(one.page.get_by_text("Nothing that readers see has changed.")).to_be_visible()
    expect(one.page.locator("[data-part=error]")).to_contain_text("2 of 302 records were rejected")
    one.page.get_by_label("Retry and allow up to").fill("5%")
    one.page.get_by_role("button", name="Retry").click()
    one.expect_state("Completed")
    expect(one.page.locator("[data-part=head]")).to_contain_text("attempt 2")


def test_a_waiting_import_is_cancelled_and_the_page_tells(visitor: Visitor, idle_desk: str, tmp_path: Path) -> None:
    new, one = opened(visitor.open("/imports/new", site=idle_desk))
    new.choose(ratings(tmp_path / "ratings.csv", 10))
    new.send.click()
    one.wait_for()
    one.expect_state("Queued")
    other = one.page.context.new_page()
    other.goto(one.page.url)
    one.page.get_by_role("link", name="Cancel").click()
    dialog = one.page.get_by_role("dialog")
    expect(dialog).to_contain_text("cannot be retried")
    dialog.get_by_role("button", name="Keep it").click()
    one.expect_state("Queued")
    one.page.get_by_role("link", name="Cancel").click()
    dialog.get_by_role("button", name="Cancel the import").click()
    one.expect_state("Cancelled")
    OneImport(other).expect_state("Cancelled")
    one.page.goto("/imports")
    expect(one.page.get_by_role("row").nth(1)).to_contain_text("Cancelled")
    expect(one.page.get_by_text("No worker is running")).to_be_visible()


def test_a_lost_connection_is_told_and_found_again(visitor: Visitor, idle_desk: str, tmp_path: Path) -> None:
    visitor.forgiven.append(LOST)
    file = ratings(tmp_path / "ratings.csv", 10)
    with file.open("rb") as opened_file:
        answer = httpx.post(f"{idle_desk}/api/v1/imports", files={"file": opened_file}, timeout=30)
    number = answer.raise_for_status().json()["id"]
    with wire(idle_desk) as line:
        one = OneImport(visitor.open(f"/imports/{number}", site=line.address))
        one.expect_state("Queued")
        line.cut()
        expect(one.page.locator("#lost")).to_contain_text("Connection lost, trying again")
        httpx.post(f"{idle_desk}/api/v1/imports/{number}/cancel", timeout=30).raise_for_status()
        line.mend()
        one.expect_state("Cancelled")
        expect(one.page.locator("#lost")).to_be_hidden()


def test_by_keyboard_alone(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.open("/datasets")
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_url("**/imports")
    tab_to(page, "New import")
    page.keyboard.press("Enter")
    page.wait_for_url("**/imports/new")
    new, one = opened(page)
    tab_to(page, "Choose files")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(str(ratings(tmp_path / "ratings.csv", 200, first=9000)))
    expect(new.chosen("ratings.csv")).to_contain_text("movielens.ratings")
    tab_to(page, "First records")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="First records of ratings.csv")).to_be_visible()
    tab_to(page, "Send and import 1 file")
    page.keyboard.press("Enter")
    one.wait_for()
    one.expect_state("Completed")
    tab_to(page, "Open movielens")
    page.keyboard.press("Enter")
    page.wait_for_url("**/datasets/movielens")
    tab_to(page, "Roll back")
    page.keyboard.press("Enter")
    page.wait_for_url("**/rollback")
    tab_to(page, "Roll back")
    page.keyboard.press("Enter")
    one.wait_for()
    one.expect_state("Completed")
    expect(page.locator(".outcome")).to_contain_text("The release before is live again")
    assert api(visitor.site, "/datasets/movielens/tables/ratings?user_id=9000")["total"] == 0


def tab_to(page: Page, name: str) -> None:
    """Press Tab until that has the focus, and is seen to have it."""
    said = """(() => {
        const focused = document.activeElement;
        return [(focused.ariaLabel || focused.textContent).trim(), focused.matches(":focus-visible")];
    })()"""
    for _ in range(90):
        page.keyboard.press("Tab")
        text, is_seen = page.evaluate(said)
        if text == name:
            assert is_seen
            return
    raise AssertionError(f"{name} is not reached by Tab")


def test_without_a_script(visitor: Visitor, idle_desk: str, tmp_path: Path) -> None:
    visitor.forgiven.append("403 (Forbidden)")
    page = visitor.open("/imports/new", script=False)
    page.get_by_label("Files", exact=True).set_input_files(str(ratings(tmp_path / "ratings.csv", 50, first=3000)))
    page.get_by_role("radio", name="Merge").check()
    page.get_by_role("button", name="Import", exact=True).first.click()
    one = OneImport(page)
    one.wait_for()
    expect(page.locator("[data-part=head] .state")).to_have_text("Completed", timeout=60_000)  # it loads itself again
    expect(one.value("rows_loaded")).to_have_text("50")
    page.goto("/imports/new")
    page.get_by_label("An address").fill("https://example.org/movies.csv")
    page.get_by_role("button", name="Import", exact=True).first.click()
    expect(page.get_by_role("alert")).to_contain_text("example.org")
    expect(page.get_by_label("An address")).to_have_value("https://example.org/movies.csv")
    page = visitor.open("/imports/new", script=False, site=idle_desk)
    page.get_by_label("Files", exact=True).set_input_files(str(tmp_path / "ratings.csv"))
    page.get_by_role("button", name="Import", exact=True).first.click()
    OneImport(page).wait_for()
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("button", name="Cancel the import").click()
    expect(page.locator("[data-part=head] .state")).to_have_text("Cancelled")


def test_a_table_is_browsed(visitor: Visitor, tmp_path: Path) -> None:
    new, one = opened(visitor.open("/imports/new"))
    new.choose(ratings(tmp_path / "ratings.csv", 3000, first=4000))
    new.page.get_by_role("radio", name="Merge").check()
    new.send.click()
    one.wait_for()
    one.expect_state("Completed")
    page = one.page
    page.goto("/datasets")
    page.get_by_role("link", name=re.compile("^ratings")).click()
    page.get_by_label("Column").select_option("user_id")
    page.get_by_label("How").select_option("_min")
    page.get_by_label("Value").fill("4000")
    page.get_by_role("button", name="Filter").click()
    rows = page.locator("table.rows tbody tr")
    expect(rows).to_have_count(50)
    expect(rows.first).to_contain_text("4000")
    page.get_by_role("link", name="Next page").click()
    expect(rows.first.locator("td").nth(1)).to_have_text("51")
    page.go_back()
    page.get_by_label("How").select_option("")
    page.get_by_label("Value").fill("many")
    page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("alert")).to_contain_text("user_id is of the type integer")
    page.get_by_role("link", name="user_id is many").click()
    expect(rows).to_have_count(50)


def test_there_is_a_way_back_only_where_there_was_one(visitor: Visitor, idle_desk: str) -> None:
    page = visitor.open("/datasets/imdb/rollback", site=idle_desk)
    expect(page.get_by_text("There is no earlier release of IMDb")).to_be_visible()
    answer = httpx.post(f"{idle_desk}/datasets/imdb/rollback", timeout=30)
    assert answer.status_code == 409
    assert "There is no earlier release of imdb to go back to." in answer.text


def test_what_is_told_of_headers_is_valid_json(visitor: Visitor) -> None:
    page = visitor.open("/imports/new")
    told = json.loads(page.locator("#headers").text_content() or "")
    assert [dataset["name"] for dataset in told["datasets"]] == ["movielens", "imdb", "tmdb"]
