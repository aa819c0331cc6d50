"""Finding a movie: by words with a typo, by facets, by an order and pages; with the mouse, the keyboard, no script."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.catalog import Catalog
from tests.browser.conftest import PHONE, Visitor

pytestmark = pytest.mark.timeout(400)  # seconds: the first test waits for three imports, on a busy machine too


@pytest.fixture(scope="module")
def famous(site: str) -> dict[str, str]:
    """A well known movie with a title of several words, one of them long; `typed` has a letter less."""
    for movie in httpx.get(f"{site}/api/v1/movies?limit=100").json()["items"]:
        words = movie["title"].split()
        long = [word for word in words if len(word) >= 7 and word.isascii() and word.isalpha()]
        if len(words) >= 3 and long:
            typed = movie["title"].replace(long[0], long[0][:3] + long[0][4:])
            return {**movie, "typed": typed}
    raise AssertionError("the sample has no such movie")


def query(page: Page) -> dict[str, str]:
    """What the address says."""
    return dict(parse_qsl(urlsplit(page.url).query))


# By words


def test_words_are_found_while_they_are_typed_and_a_typo_is_forgiven(visitor: Visitor, famous: dict[str, str]) -> None:
    page = visitor.open()
    catalog = Catalog(page)
    before = catalog.count
    catalog.search.press_sequentially(famous["typed"], delay=20)
    expect(catalog.heading).to_contain_text(f"“{famous['typed']}”")
    assert famous["title"] in catalog.titles
    assert query(page) == {"q": famous["typed"]}
    expect(catalog.search).to_be_focused()
    expect(page.locator("#said")).to_have_text(catalog.heading.inner_text())
    # However many letters were typed, the way back is one step.
    page.go_back()
    expect(catalog.heading).to_have_text(re.compile(rf"^{before:,} movies$"))
    expect(catalog.search).to_have_value("")
    page.go_forward()
    expect(catalog.heading).to_contain_text(f"“{famous['typed']}”")
    expect(catalog.search).to_have_value(famous["typed"])


def test_only_the_last_of_many_letters_decides(visitor: Visitor, famous: dict[str, str]) -> None:
    page = visitor.open()
    catalog = Catalog(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    catalog.search.press_sequentially(famous["title"], delay=5)
    expect(catalog.heading).to_contain_text(f"“{famous['title']}”")
    assert len([url for url in asked if "q=" in url]) < len(famous["title"]) / 2


def test_words_go_together_with_what_is_chosen(visitor: Visitor) -> None:
    page = visitor.open()
    catalog = Catalog(page)
    catalog.choose("Genre", "Drama")
    catalog.search.fill("the")
    expect(catalog.chip("“the”")).to_be_visible()
    assert query(page) == {"genre": "Drama", "q": "the"}
    expect(catalog.chip("Drama")).to_be_visible()


# By facets


def test_facets_narrow_chips_take_back_and_the_counts_are_true(visitor: Visitor) -> None:
    page = visitor.open()
    catalog = Catalog(page)
    everything = catalog.count
    drama = page.get_by_role("region", name="Genre", exact=True).get_by_role("link", name=re.compile("^Drama"))
    promised = int(drama.locator(".choice-count").inner_text().strip(", ").replace(",", ""))
    catalog.choose("Genre", "Drama")
    expect(catalog.heading).to_have_text(f"{promised:,} movies")
    decade = page.get_by_role("region", name="Decade").get_by_role("link").first
    label = decade.locator(".choice-label").inner_text()
    promised = int(decade.locator(".choice-count").inner_text().strip(", ").replace(",", ""))
    decade.click()
    expect(catalog.heading).to_have_text(re.compile(rf"^{promised:,} movies?$"))
    assert query(page) == {"genre": "Drama", "year_min": label[:4], "year_max": f"{label[:3]}9"}
    catalog.chip("Drama").click()
    expect(catalog.chip("Drama")).to_have_count(0)
    page.go_back()
    expect(catalog.chip("Drama")).to_be_visible()
    page.get_by_role("link", name="Clear all").click()
    expect(catalog.heading).to_have_text(f"{everything:,} movies")


def test_where_nothing_fits_the_page_says_what_to_let_go(visitor: Visitor) -> None:
    page = visitor.open("/?genre=Drama&year_max=1899")
    expect(page.get_by_role("heading", name="Nothing fits all of this")).to_be_visible()
    link = page.get_by_role("link", name=re.compile("^Without Up to 1899: "))
    promised = re.search(r": ([\d,]+)", link.inner_text())
    link.click()
    assert promised
    expect(page.locator("h1")).to_have_text(re.compile(f"^{promised[1]} movies?$"))


# By order and pages


def test_an_order_and_pages_and_back(visitor: Visitor) -> None:
    page = visitor.open()
    catalog = Catalog(page)
    catalog.sort("Title A to Z")
    expect(page).to_have_url(re.compile("sort=title"))
    first = catalog.titles
    page.get_by_role("link", name="Page by page").click()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_text(re.compile("^Page 2 of "))).to_be_visible()
    assert not set(first) & set(catalog.titles)
    page.go_back()
    expect(page.get_by_text(re.compile("^Page 1 of "))).to_be_visible()
    assert catalog.titles == first


def test_more_comes_below_and_focus_goes_to_it(visitor: Visitor) -> None:
    page = visitor.open()
    catalog = Catalog(page)
    page.get_by_role("link", name="Show more").click()
    expect(catalog.movies).to_have_count(48)
    expect(catalog.movies.nth(24)).to_be_focused()
    page.get_by_role("link", name="Show more").click()
    expect(catalog.movies).to_have_count(72)
    addresses = catalog.movies.evaluate_all("links => links.map(link => link.href)")
    assert len(set(addresses)) == 72
    assert urlsplit(page.url).query == ""


def test_cards_or_a_table(visitor: Visitor) -> None:
    page = visitor.open()
    titles = Catalog(page).titles
    page.get_by_role("link", name="Table", exact=True).click()
    expect(page.get_by_role("table")).to_be_visible()
    assert page.locator("#results th a").all_inner_texts() == titles


def test_what_is_shown_can_be_taken_away(visitor: Visitor, site: str) -> None:
    page = visitor.open("/?genre=Drama&q=the&view=table")
    page.get_by_text("Download").click()
    for label in ("CSV", "JSON lines", "Parquet"):
        with page.expect_download() as download:
            page.get_by_role("link", name=label, exact=True).click()
        assert download.value.path().stat().st_size
    there = page.get_by_role("link", name="JSON of this list, in pages").get_attribute("href")
    assert httpx.get(f"{site}{there}").json()["total"] == Catalog(page).count
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"curl '{site}{there}'"


# From movie to movie


def test_open_a_movie_a_similar_one_a_person_and_come_back(visitor: Visitor, site: str) -> None:
    page = visitor.open("/?source=movielens")
    catalog = Catalog(page)
    known = catalog.count
    movie_title = catalog.titles[0]
    catalog.movies.first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(movie_title)
    expect(page.get_by_role("img", name="Histogram of ratings")).to_be_visible()
    similar = page.get_by_role("region", name="Similar movies").get_by_role("link").first
    name = similar.locator(".cover-title").inner_text()
    similar.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text(movie_title)
    somebody = page.get_by_role("region", name="People").get_by_role("link").first
    who = somebody.inner_text()
    somebody.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(who)
    page.get_by_role("link", name=movie_title).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(movie_title)
    for _ in range(3):
        page.go_back()
    expect(catalog.heading).to_have_text(f"{known:,} movies")
    assert catalog.titles[0] == movie_title


# With the keyboard alone


def test_all_of_it_with_the_keyboard_alone(visitor: Visitor, famous: dict[str, str]) -> None:
    page = visitor.open()
    catalog = Catalog(page)
    keyboard = page.keyboard
    keyboard.press("/")
    expect(catalog.search).to_be_focused()
    keyboard.type(famous["typed"])
    expect(catalog.heading).to_contain_text(f"“{famous['typed']}”")
    keyboard.press("ArrowDown")
    expect(catalog.movies.first).to_be_focused()
    keyboard.press("ArrowUp")
    expect(catalog.search).to_be_focused()
    keyboard.press("Escape")
    expect(catalog.search).not_to_be_focused()
    expect(catalog.search).to_have_value(famous["typed"])
    keyboard.press("j")
    expect(catalog.movies.first).to_be_focused()
    title = catalog.titles[0]
    keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    keyboard.press("g")
    keyboard.press("c")
    expect(page).to_have_url(re.compile("/$"))


def test_letters_can_be_switched_off(visitor: Visitor) -> None:
    page = visitor.open()
    catalog = Catalog(page)
    page.keyboard.press("?")
    help_ = page.get_by_role("dialog", name="Keyboard")
    expect(help_).to_be_visible()
    page.get_by_role("checkbox", name="Letters and signs are shortcuts").press("Space")
    page.keyboard.press("Escape")
    expect(help_).to_be_hidden()
    for key in ("/", "j", "?"):
        page.keyboard.press(key)
    expect(help_).to_be_hidden()
    expect(catalog.search).not_to_be_focused()
    page.reload()
    page.keyboard.press("?")
    expect(help_).to_be_hidden()
    page.get_by_role("button", name="Keyboard").click()
    expect(page.get_by_role("checkbox", name="Letters and signs are shortcuts")).not_to_be_checked()


def test_the_first_tab_leads_past_the_head(visitor: Visitor) -> None:
    page = visitor.open()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


# Without a script


def test_everything_can_be_found_without_a_script(visitor: Visitor, famous: dict[str, str]) -> None:
    page = visitor.open(script=False)
    catalog = Catalog(page)
    catalog.search.fill(famous["typed"])
    catalog.search.press("Enter")
    expect(catalog.heading).to_contain_text(f"“{famous['typed']}”")
    assert famous["title"] in catalog.titles
    catalog.chip(famous["typed"]).click()
    catalog.choose("Genre", "Drama")
    catalog.sort("Title A to Z")
    first = catalog.titles
    page.get_by_role("link", name="Show more").click()
    assert not set(first) & set(catalog.titles)
    page.get_by_role("link", name="Previous").click()
    assert catalog.titles == first
    catalog.movies.first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(first[0])


def test_filters_open_on_a_phone_without_a_script(visitor: Visitor) -> None:
    page = visitor.open(script=False, size=PHONE)
    choice = page.get_by_role("link", name=re.compile("^Drama"))
    expect(choice).to_be_hidden()
    page.get_by_text("Filters", exact=True).click()
    choice.click()
    expect(page.get_by_role("list", name="Chosen")).to_contain_text("Drama")
