"""The catalog as somebody sees it."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect


class Catalog:
    """What is on the page of the catalog."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def heading(self) -> Locator:
        return self.page.locator("h1")

    @property
    def search(self) -> Locator:
        return self.page.get_by_role("searchbox", name="Search movies")

    @property
    def movies(self) -> Locator:
        return self.page.locator("#results [data-item]")

    @property
    def titles(self) -> list[str]:
        return self.page.locator("#results .cover-title").all_inner_texts()

    def chip(self, label: str) -> Locator:
        return self.page.get_by_role("list", name="Chosen").get_by_role("link", name=label)

    def choose(self, facet: str, label: str) -> None:
        """Choose a value of a facet."""
        region = self.page.get_by_role("region", name=facet, exact=True)
        region.get_by_role("link", name=re.compile(rf"^{re.escape(label)}\b")).click()
        expect(self.chip(label)).to_be_visible()

    def sort(self, label: str) -> None:
        """Choose an order."""
        self.page.locator(".tools .menu summary").first.click()
        self.page.locator(".tools .menu").first.get_by_role("link", name=label).click()

    @property
    def count(self) -> int:
        """How many movies the heading speaks of."""
        found = re.search(r"[\d,]+", self.heading.inner_text())
        return int(found[0].replace(",", "")) if found else 0
