"""Pictures of every page, by day, by night and on a phone, of a server that runs.

    python docs/screenshots.py [ADDRESS] [FOLDER]      default: http://127.0.0.1:8000 and docs/screenshots

Needs Chromium and what the tests need. `make run` in another terminal makes a sample to take pictures of.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import Browser, sync_playwright

PAGES = {
    "catalog": "/",
    "search": "/?q=the&genre=Drama",
    "table": "/?view=table&sort=-score",
    "movie": "/movies/{movie}",
    "person": "/people/{person}",
    "nothing": "/?q=zzzzz&genre=Drama",
    "missing": "/movies/nothing",
    "imports": "/imports",
    "new": "/imports/new",
    "import": "/imports/1",
    "datasets": "/datasets",
    "dataset": "/datasets/movielens",
    "rows": "/datasets/movielens/tables/ratings",
}
LOOKS = {
    "light": {"viewport": {"width": 1360, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1360, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light", "device_scale_factor": 2},
}


def main(address: str = "http://127.0.0.1:8000", folder: str = "docs/screenshots") -> None:
    """Take all of them."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        sys.exit("There is no Chromium: install it first.")
    try:
        places = _places(address)
    except URLError:
        sys.exit(f"Nothing answers at {address}: `make run` in another terminal first.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"])
        for look in LOOKS:
            for name, path in PAGES.items():
                _take(browser, address + path.format(**places), Path(folder) / f"{name}-{look}.png", look)
        browser.close()


def _places(address: str) -> dict[str, str]:
    """A movie and a person of whom much is known."""
    with urlopen(f"{address}/api/v1/movies?source=tmdb&limit=1") as answer:
        [movie] = json.load(answer)["items"]
    with urlopen(f"{address}/api/v1/movies/{movie['id']}") as answer:
        person, *_ = json.load(answer)["people"]
    return {"movie": movie["id"], "person": person["nconst"]}


def _take(browser: Browser, url: str, file: Path, look: str) -> None:
    page = browser.new_page(**LOOKS[look], reduced_motion="reduce")  # type: ignore[arg-type]  # as playwright has it
    page.goto(url, wait_until="networkidle")
    file.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=file)
    page.close()
    sys.stdout.write(f"{file}\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
