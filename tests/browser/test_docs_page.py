"""The API's documentation in a browser, under the content security policy of all pages."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor


def _tried(page: Page, operation: str) -> str:
    """Open an endpoint, try it out as it stands, and give the status that comes back."""
    place = page.locator(f"#operations-{operation}")
    place.locator(".opblock-summary-control").click()
    place.get_by_role("button", name="Try it out").click()
    place.get_by_role("button", name="Execute").click()
    answer = place.locator(".live-responses-table .response-col_status").last
    expect(answer).to_contain_text("200")
    return place.locator(".live-responses-table").inner_text()


def test_it_shows_every_endpoint_and_tries_them_out(visitor: Visitor) -> None:
    page = visitor.open("/docs")
    expect(page.get_by_role("heading", name="Reelbase")).to_be_visible()
    assert page.locator(".opblock").count() == page.evaluate(
        "fetch('/openapi.json').then(answer => answer.json()).then(document =>"
        " Object.values(document.paths).reduce((sum, path) => sum + Object.keys(path).length, 0))"
    )
    assert '"status"' in _tried(page, "health-alive")


def test_a_list_is_tried_out_with_its_examples(visitor: Visitor) -> None:
    assert '"items"' in _tried(visitor.open("/docs"), "facets-list_genres")
