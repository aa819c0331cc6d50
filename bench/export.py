"""Exports over HTTP beside psql's copy of the same query, and what memory the serving process takes for them.

    .venv/bin/python bench/export.py [--url URL] [--rounds 3]

See README.md beside this file.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import threading
import time
from urllib.request import Request, urlopen

import psutil
import psycopg
from rounds import url_of_reelbase
from served import reelbase_serve

from reelbase.catalog.browse import Order
from reelbase.catalog.export import Form, statement
from reelbase.catalog.filters import Adult, Filters

EVERYTHING = Filters(types=None, adult=Adult.INCLUDE)
# The file's ending, what is asked besides, and the copy that psql makes of the same rows; it knows no Parquet.
EXPORTS = {"csv": Form.CSV, "ndjson": Form.JSON, "parquet": Form.FLAT}
TARGET = 0.5  # of the speed of psql, for CSV
_LOOK_SECONDS = 0.02


def main() -> None:
    """Run each export, then psql, in turn, and print seconds, ratios and memory."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--url", help="the database (default: what `reelbase db url` says)")
    options.add_argument("--rounds", type=int, default=3, help="runs of each, in turn (default 3)")
    given = options.parse_args()
    url = given.url or url_of_reelbase()
    with psycopg.connect(url) as connection:
        row = connection.execute("select count(*) from catalog.movies").fetchone()
        copies = {name: statement(form, EVERYTHING, Order()).as_string(connection) for name, form in EXPORTS.items()}
    print(f"{row[0] if row else 0:,} movies")
    with reelbase_serve(url, "--no-workers") as (address, process):
        for name, copy in copies.items():
            _compare(f"{address}/api/v1/movies.{name}?type=any&adult=include", process, url, name, copy, given.rounds)


def _compare(address: str, process: psutil.Process, url: str, name: str, copy: str, rounds: int) -> None:
    ours, theirs, grown, size = [], [], [], 0
    for number in range(rounds + 1):
        before = process.memory_info().rss
        with _Peak(process) as peak:
            seconds, size = _downloaded(address)
        copied = _copied(url, copy)
        if number:  # round 0 warms up
            ours.append(seconds)
            theirs.append(copied)
            grown.append((peak.rss - before) / 2**20)
    ratio = statistics.median(their / our for our, their in zip(ours, theirs, strict=True))
    told = f"; target {TARGET}" if name == "csv" else ""
    print(
        f"{name:8} {size / 1e6:7.0f} MB {statistics.median(ours):7.2f} s, psql {statistics.median(theirs):7.2f} s,"
        f" {ratio:.2f} of its speed{told}; the process at most {peak.rss / 2**20:.0f} MiB, {max(grown):+.0f} MiB"
    )


def _downloaded(address: str) -> tuple[float, int]:
    """Seconds and bytes."""
    size, began = 0, time.perf_counter()
    with urlopen(Request(address, headers={"accept-encoding": "identity"}), timeout=600) as answer:
        while part := answer.read(1 << 20):
            size += len(part)
    return time.perf_counter() - began, size


def _copied(url: str, copy: str) -> float:
    r"""Seconds of `\copy (query) to file`, which is this COPY by psql."""
    began = time.perf_counter()
    subprocess.run(["psql", "-qX", url, "-c", copy], check=True, stdout=subprocess.DEVNULL, timeout=600)
    return time.perf_counter() - began


class _Peak:
    """The most resident memory of a process while it is looked at."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.rss = 0

    def __enter__(self) -> _Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(_LOOK_SECONDS):
            self.rss = max(self.rss, self._process.memory_info().rss)


if __name__ == "__main__":
    main()
