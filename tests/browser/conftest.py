"""A real browser on a real server with a sample of all three datasets.

Every page is watched: nothing may be asked of another origin, and nothing may be written to its console as an error,
which is where a browser writes violations of the content security policy.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

from reelbase.sample import SAMPLES, Wish
from tests.importing import Importer
from tests.serving import database_from, serving

DESKTOP = (1280, 900)
PHONE = (390, 844)
_PATIENCE_MS = 15_000  # a busy machine is no reason to fail


# A package's fixtures may be made twice where tests of others come between; databases are there once.
@pytest.fixture(scope="session")
def sample_url(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with a sample; read only, by agreement."""
    url = database_from(server_url, "browser_sample")
    folder = tmp_path_factory.mktemp("sample")
    wish = Wish(scale=0.0008, seed=1, movielens_scale=0.004)
    for one in SAMPLES:
        one.write(folder / one.name, wish, lambda _: None)
        result = Importer(url)(folder / one.name)
        assert result["state"] == "completed", result["error"]
    return url


@pytest.fixture(scope="package")
def site(sample_url: str) -> Iterator[str]:
    """The address of a server on the sample."""
    with serving(sample_url) as address:
        yield address


@pytest.fixture(scope="session")
def bare_url(server_url: str) -> str:
    """A database before anything is loaded."""
    return database_from(server_url, "browser_bare")


@pytest.fixture(scope="package")
def bare_site(bare_url: str) -> Iterator[str]:
    """The address of a server on it."""
    with serving(bare_url) as address:
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
    forgiven: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def open(
        self,
        path: str = "/",
        *,
        size: tuple[int, int] = DESKTOP,
        dark: bool = False,
        script: bool = True,
        site: str | None = None,
        **options: Any,
    ) -> Page:
        """A page in a context of its own."""
        context = self.browser.new_context(
            base_url=site or self.site,
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
            reduced_motion="reduce",
            **options,
        )
        context.set_default_timeout(_PATIENCE_MS)
        self.contexts.append(context)
        page = context.new_page()
        origin = urlsplit(site or self.site).netloc
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("request", lambda request: self._asked(request, origin))
        page.goto(path)
        return page

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(f"{message.type}: {message.text}")

    def _asked(self, request: Request, origin: str) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.netloc != origin:
            self.wrong.append(f"asked of another origin: {request.url}")

    def end(self) -> None:
        for context in self.contexts:
            context.close()
        assert not [one for one in self.wrong if not any(part in one for part in self.forgiven)]


@pytest.fixture
def visitor(chromium: Browser, site: str) -> Iterator[Visitor]:
    """Somebody with a browser."""
    made = Visitor(chromium, site)
    yield made
    made.end()


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core's script."""
    [folder] = (Path(__file__).parent / "vendor").glob("axe-core-*")
    return (folder / "axe.min.js").read_text(encoding="utf-8")
