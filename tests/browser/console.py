"""The import console as somebody uses it, on a server as people start it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Locator, Page, expect

from tests.importing import RATINGS

COMMAND = str(Path(sys.executable).parent / "reelbase")
SLOW = 400_000  # bytes a second
# What Chromium writes into its console when the network is away: that is what some tests are about.
LOST = "net::ERR_"
_PATIENCE_MS = 60_000


@contextmanager
def console(url: str, home: Path, *options: str) -> Iterator[str]:
    """`reelbase serve` on a database; gives the address."""
    settings = {"REELBASE_HOME": str(home), "REELBASE_DATABASE_URL": url, "REELBASE_LOG_FORMAT": "json"}
    environment = {"PATH": os.environ["PATH"], **settings}
    command = [COMMAND, "serve", "--port", "0", *options]
    with (
        (home / "serve.log").open("wb") as log,
        subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
        ) as process,
    ):
        try:
            assert process.stdout is not None
            found = re.search(rb"http://\S+", process.stdout.readline())
            assert found, (home / "serve.log").read_text()
            yield found[0].decode()
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=40)


def api(site: str, path: str) -> Any:
    """What the API says."""
    return httpx.get(f"{site}/api/v1{path}", timeout=30).raise_for_status().json()


def ratings(path: Path, rows: int, *odd: str, first: int = 1) -> Path:
    """A file of ratings: records that are good, then odd ones."""
    good = [f"{first + n // 100},{n % 100 + 1},{n % 10 / 2 + 0.5},{1_000_000_000 + n}" for n in range(rows)]
    path.write_text("\n".join([RATINGS, *good, *odd, ""]), encoding="utf-8")
    return path


class NewImport:
    """The page on which an import is asked for."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def choose(self, *files: Path) -> None:
        with self.page.expect_file_chooser() as chooser:
            self.page.get_by_role("button", name="Choose files").click()
        chooser.value.set_files([str(file) for file in files])

    def drop(self, **files: bytes) -> None:
        """Drop files with these names and bytes."""
        given = [[name.replace("__", "."), list(data)] for name, data in files.items()]
        transfer = self.page.evaluate_handle(
            """(files) => {
                const transfer = new DataTransfer();
                for (const [name, bytes] of files) transfer.items.add(new File([new Uint8Array(bytes)], name));
                return transfer;
            }""",
            given,
        )
        self.page.dispatch_event("#drop", "dragover", {"dataTransfer": transfer})
        self.page.dispatch_event("#drop", "drop", {"dataTransfer": transfer})

    def chosen(self, name: str) -> Locator:
        """What the list says of a file."""
        return self.page.locator(".pick", has=self.page.get_by_text(name, exact=True))

    @property
    def send(self) -> Locator:
        return self.page.locator("#send")

    @property
    def sent(self) -> Locator:
        return self.page.locator("#sent-text")

    def until_some_has_arrived(self) -> None:
        expect(self.page.locator("#sent")).not_to_have_attribute("value", "0", timeout=_PATIENCE_MS)
        self.page.wait_for_function("document.getElementById('sent').value > 5", timeout=_PATIENCE_MS)


class OneImport:
    """The page of an import."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def wait_for(self) -> None:
        """Be on it."""
        self.page.wait_for_url(re.compile(r"/imports/\d+$"), timeout=_PATIENCE_MS)

    @property
    def number(self) -> int:
        return int(self.page.url.rpartition("/")[2])

    def expect_state(self, state: str) -> None:
        """The page comes to say so by itself."""
        expect(self.page.locator("[data-part=head] .state")).to_have_text(state, timeout=_PATIENCE_MS)

    def value(self, name: str) -> Locator:
        return self.page.locator(f".meter [data-value={name}]")
