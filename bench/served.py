"""Programs that serve HTTP, started for a bench."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from urllib.request import urlopen

import psutil


@contextmanager
def started(
    command: Sequence[str], path: str, env: Mapping[str, str] | None = None
) -> Iterator[tuple[str, psutil.Process]]:
    """A program that prints its address first, then answers at `path`; gives the address and the process."""
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            found = re.search(r"http://\S+", said)
            if not found:
                sys.exit(f"{' '.join(command)} does not serve: {said}")
            # It listens before it says so: the first answer comes when it is ready.
            urlopen(f"{found[0]}{path}", timeout=30).close()
            yield found[0], psutil.Process(process.pid)
        finally:
            process.terminate()


@contextmanager
def reelbase_serve(url: str, *options: str, **settings: str) -> Iterator[tuple[str, psutil.Process]]:
    """`reelbase serve` on a database, as people run it: with its log, which goes nowhere."""
    command = [sys.executable, "-m", "reelbase", "serve", "--port", "0", *options]
    with started(command, "/readyz", os.environ | {"REELBASE_DATABASE_URL": url} | settings) as served:
        yield served
