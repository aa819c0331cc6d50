"""A real browser on a real server.

Every page is watched: nothing may be asked of another origin, and nothing may be written to its console as an error,
which is where a browser writes violations of the content security policy.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from tests.serving import serving

_PATIENCE_MS = 15_000  # a busy machine is no reason to fail


@pytest.fixture(scope="package")
def site(server_url: str) -> Iterator[str]:
    """The address of a server."""
    with serving(urlunsplit(urlsplit(server_url)._replace(path="/reelbase_template"))) as address:
        yield address


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The browser; without one there is a skip that says so, or a failure where all tests must run."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        reason = "there is no Chromium: install the package `chromium`"
        if os.environ.get("REELBASE_TEST_ALL"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


@dataclass
class Visitor:
    """Opens pages, and remembers what should not have happened on them."""

    browser: Browser
    site: str
    wrong: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """A page in a context of its own."""
        context = self.browser.new_context(base_url=self.site)
        context.set_default_timeout(_PATIENCE_MS)
        page = context.new_page()
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("request", self._asked)
        page.goto(path)
        return page

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(f"{message.type}: {message.text}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith(("data:", "blob:", self.site)):
            self.wrong.append(f"asked of another origin: {request.url}")


@pytest.fixture
def visitor(chromium: Browser, site: str) -> Iterator[Visitor]:
    """Somebody with a browser."""
    made = Visitor(chromium, site)
    yield made
    for context in chromium.contexts:
        context.close()
    assert not made.wrong
