"""Keeps a server busy over kept-alive connections and tells requests a second and latencies.

wrk does it where it is installed (about 10 µs of processor time a request); otherwise this file, as a process of its
own: raw asyncio, about 50 µs a request. Paths are asked in turn, one request on its way for each connection.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

_LUA = """
local paths = {}
for line in io.lines(os.getenv("BENCH_PATHS")) do paths[#paths + 1] = line end
local at = tonumber(os.getenv("BENCH_START"))
local headers = {}
if os.getenv("BENCH_TAG") ~= "" then headers["If-None-Match"] = os.getenv("BENCH_TAG") end
request = function() at = at % #paths + 1 return wrk.format("GET", paths[at], headers) end
done = function(summary, latency, requests)
  local wrong = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status
  io.write(string.format('\\n{"count": %d, "rate": %f, "p50": %f, "p99": %f, "wrong": %d}\\n', summary.requests,
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000, wrong))
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What a server bore: requests, how many a second, latencies in milliseconds, answers that were errors."""

    count: int
    rate: float
    p50: float
    p99: float
    wrong: int


def load(address: str, paths: Path, *, clients: int, seconds: int, tag: str = "", start: int = 0) -> Load:
    """Ask the paths of a file in turn, from `start` on, in a process of its own; `tag` is sent as If-None-Match."""
    env = os.environ | {"BENCH_PATHS": str(paths), "BENCH_TAG": tag, "BENCH_START": str(start)}
    wrk = shutil.which("wrk")
    if wrk:
        script = paths.with_name("wrk.lua")
        script.write_text(_LUA, encoding="utf-8")
        command = [wrk, "-t1", f"-c{clients}", f"-d{seconds}s", "--latency", "-s", str(script), address]
    else:
        command = [sys.executable, __file__, address, "--clients", str(clients), "--seconds", str(seconds)]
    done = subprocess.run(command, env=env, check=True, stdout=subprocess.PIPE, text=True, timeout=seconds + 60)
    return Load(**json.loads(done.stdout.splitlines()[-1]))


class _Client(asyncio.Protocol):
    """One connection: the next request goes out when the last answer is complete."""

    def __init__(self, requests: Iterator[bytes], times: list[float], wrong: list[int]) -> None:
        self._requests = requests
        self._times = times
        self._wrong = wrong
        self._left = b""
        self._began = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._left += data
        head, end, body = self._left.partition(b"\r\n\r\n")
        if not end or len(body) < _length(head):
            return
        self._times.append(time.perf_counter() - self._began)
        if int(head[9:12]) >= 400:
            self._wrong[0] += 1
        self._left = b""
        self._ask()

    def _ask(self) -> None:
        self._began = time.perf_counter()
        self._transport.write(next(self._requests))


def _length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0]) if found else 0


async def _drive(address: str, paths: Sequence[str], tag: str, *, clients: int, seconds: float) -> Load:
    target = urlsplit(address)
    more = f"If-None-Match: {tag}\r\n" if tag else ""
    requests = itertools.cycle(
        [f"GET {path} HTTP/1.1\r\nHost: {target.netloc}\r\n{more}\r\n".encode() for path in paths]
    )
    times: list[float] = []
    wrong = [0]
    loop = asyncio.get_running_loop()
    for _ in range(clients):
        await loop.create_connection(lambda: _Client(requests, times, wrong), target.hostname or "", target.port or 80)
    await asyncio.sleep(seconds)
    done = list(times)
    cuts = statistics.quantiles(done, n=100)
    return Load(len(done), len(done) / seconds, cuts[49] * 1000, cuts[98] * 1000, wrong[0])


def main() -> None:
    """Print a load as JSON; what wrk is told by its script comes by the environment here too."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("address")
    options.add_argument("--clients", type=int, default=16)
    options.add_argument("--seconds", type=float, default=2)
    given = options.parse_args()
    paths = Path(os.environ["BENCH_PATHS"]).read_text(encoding="utf-8").split()
    start = int(os.environ["BENCH_START"]) % len(paths)
    paths = paths[start:] + paths[:start]
    drive = _drive(given.address, paths, os.environ.get("BENCH_TAG", ""), clients=given.clients, seconds=given.seconds)
    if sys.platform == "win32":
        done = asyncio.run(drive)
    else:
        import uvloop

        done = uvloop.run(drive)
    print(json.dumps(asdict(done)))


if __name__ == "__main__":
    main()
