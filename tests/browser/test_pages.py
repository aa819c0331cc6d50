"""Every page: without barriers, by day and by night, small and wide; light to load; its theme; its errors."""

from __future__ import annotations

import json
import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import DESKTOP, PHONE, Visitor

pytestmark = pytest.mark.timeout(400)  # seconds: the first test waits for three imports, on a busy machine too

PAGES = {
    "catalog": "/",
    "found": "/?q=the&genre=Drama",
    "table": "/?view=table",
    "numbers": "/?page=2",
    "nothing": "/?q=qqqqqq",
    "movie": "/movies/{movie}",
    "person": "/people/{person}",
    "people": "/people?q=a",
    "nobody": "/people?q=qqqqqq",
    "missing": "/movies/nothing",
    "wrong": "/?year=x&limit=0",
}
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_MOST_BYTES = 100_000


@pytest.fixture(scope="module")
def places(site: str) -> dict[str, str]:
    """Ids of a movie and a person of whom much is known."""
    [movie] = httpx.get(f"{site}/api/v1/movies?source=tmdb&limit=1").json()["items"]
    people = httpx.get(f"{site}/api/v1/movies/{movie['id']}").json()["people"]
    return {"movie": movie["id"], "person": people[0]["nconst"]}


def violations(page: Page, axe: str) -> list[str]:
    """What axe-core finds, each in a line."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe)
    found = page.evaluate(f"axe.run(document, {{runOnly: {json.dumps(_TAGS)}}})")
    return [
        f"{one['id']}: {node['target']} {node['html'][:120]}" for one in found["violations"] for node in one["nodes"]
    ]


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.slow
def test_no_page_has_barriers(visitor: Visitor, axe: str, places: dict[str, str], name: str) -> None:
    visitor.forgiven += ["404 (Not Found)", "422 (Unprocessable"]
    page = visitor.open(PAGES[name].format(**places))
    is_wider = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    for width, height in (DESKTOP, PHONE):
        page.set_viewport_size({"width": width, "height": height})
        assert not page.evaluate(is_wider), f"at {width} it scrolls sideways"
        for look in ("light", "dark"):
            page.emulate_media(color_scheme=look)
            assert violations(page, axe) == [], f"{look}, {width} wide"


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.slow
def test_what_opens_has_no_barriers_either(visitor: Visitor, axe: str, dark: bool) -> None:
    page = visitor.open(dark=dark)
    for menu in page.locator("details > summary:visible").all():
        menu.click()
        assert violations(page, axe) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Keyboard").click()
    assert violations(page, axe) == []


def test_an_empty_catalog_says_what_to_do(visitor: Visitor, axe: str, bare_site: str) -> None:
    page = visitor.open(site=bare_site)
    expect(page.get_by_role("heading", name="No movies yet")).to_be_visible()
    expect(page.get_by_role("link", name="Import files")).to_have_attribute("href", "/imports/new")
    assert violations(page, axe) == []


def test_the_first_load_is_light(visitor: Visitor) -> None:
    page = visitor.open("/livez")
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    sent: list[int] = []
    client.on("Network.loadingFinished", lambda event: sent.append(event["encodedDataLength"]))
    page.goto("/", wait_until="networkidle")
    assert len(sent) >= 6
    assert sum(sent) <= _MOST_BYTES


def test_the_theme_is_kept_and_known_to_the_server(visitor: Visitor) -> None:
    page = visitor.open("/?genre=Drama")
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("button", name="Theme: auto. Change to light").click()
    with page.expect_response("**/theme"):
        page.get_by_role("button", name="Theme: light. Change to dark").click()
    assert page.evaluate(ground) != light
    response = page.reload()
    assert response
    assert 'data-theme="dark"' in response.text()
    assert page.evaluate(ground) != light


def test_the_theme_changes_without_a_script(visitor: Visitor) -> None:
    page = visitor.open("/?genre=Drama", script=False)
    page.get_by_role("button", name="Theme: auto").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    expect(page).to_have_url(re.compile(r"/\?genre=Drama$"))


def test_an_address_of_nothing_leads_on(visitor: Visitor) -> None:
    visitor.forgiven += ["404 (Not Found)"]
    page = visitor.open("/movies/nothing")
    expect(page.get_by_role("heading", level=1)).to_have_text("There is nothing here")
    page.get_by_role("link", name="Open the catalog").click()
    expect(page).to_have_url(re.compile("/$"))


def test_nothing_moves_while_a_page_loads(visitor: Visitor) -> None:
    page = visitor.open("/livez")
    page.add_init_script(
        "window.moved = 0; new PerformanceObserver(list => list.getEntries().forEach(one => window.moved += one.value))"
        ".observe({type: 'layout-shift', buffered: true})"
    )
    for path in ("/", "/?view=table"):
        page.goto(path, wait_until="networkidle")
        assert page.evaluate("window.moved") == 0
