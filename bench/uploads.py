"""One upload of 2 GiB beside a handler that throws the body away, with memory and the slowest /readyz meanwhile.

    .venv/bin/python bench/uploads.py [--bytes 2147483648] [--rounds 3] [--url http://127.0.0.1:8000]

See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from rounds import HERE

PIECE = 1 << 20
RATIO, MEMORY_MB, READY_MS = 0.35, 80.0, 50.0
VERSION = {"Tus-Resumable": "1.0.0"}


@dataclass(frozen=True, slots=True)
class Run:
    """One upload: MB a second (of 10^6 bytes), memory above idle in MB, the slowest and the median /readyz in ms."""

    rate: float
    memory: float = 0.0
    slowest: float = 0.0
    median: float = 0.0


def main() -> None:
    """Run the rounds in turn and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bytes", type=int, default=2 << 30)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("reelbase", "discard"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="reelbase-bench-") as home, _ours(home) as ours, _rival() as rival:
        runs: dict[str, list[Run]] = {"discard": [], "reelbase": []}
        for number in range(given.rounds):
            if given.only != "reelbase":
                runs["discard"].append(Run(send(rival[0], "/", given.bytes, "POST", {})))
            if given.only != "discard":
                runs["reelbase"].append(watched(ours, given.bytes))
            for name, done in runs.items():
                if done:
                    print(f"{number + 1} {name:9}", _shown(done[-1]), flush=True)
    if given.only is None:
        _judge(runs)


def _shown(run: Run) -> str:
    text = f"{run.rate:6.0f} MB/s"
    if run.slowest:
        text += f"  {run.memory:5.1f} MB above idle  /readyz slowest {run.slowest:5.1f} ms, median {run.median:.1f} ms"
    return text


def _judge(runs: dict[str, list[Run]]) -> None:
    ratio = statistics.median(a.rate / b.rate for a, b in zip(runs["reelbase"], runs["discard"], strict=True))
    found = {
        "ratio": round(ratio, 3),
        "memory_mb": round(max(run.memory for run in runs["reelbase"]), 1),
        "slowest_ready_ms": round(max(run.slowest for run in runs["reelbase"]), 1),
    }
    print(json.dumps(found), f"aims: >= {RATIO}, <= {MEMORY_MB:.0f}, <= {READY_MS:.0f}")


def watched(server: tuple[str, psutil.Process], size: int) -> Run:
    """One upload, its server looked at meanwhile, and removed again."""
    address, process = server
    location = _create(address, size)
    idle = process.memory_info().rss
    peak, waits, over = [idle], [], threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            peak.append(process.memory_info().rss)

    def ask() -> None:
        connection = HTTPConnection(urlsplit(address).netloc)
        while not over.wait(0.05):
            began = time.perf_counter()
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200
            waits.append((time.perf_counter() - began) * 1000)

    threads = [threading.Thread(target=look), threading.Thread(target=ask)]
    for thread in threads:
        thread.start()
    headers = {**VERSION, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    try:
        rate = send(address, location, size, "PATCH", headers)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    connection = HTTPConnection(urlsplit(address).netloc)
    connection.request("DELETE", location, headers=VERSION)
    connection.getresponse().read()
    return Run(rate, (max(peak) - idle) / 1e6, max(waits), statistics.median(waits))


def _create(address: str, size: int) -> str:
    connection = HTTPConnection(urlsplit(address).netloc)
    connection.request(
        "POST", "/api/v1/uploads", headers={**VERSION, "Upload-Length": str(size), "Content-Length": "0"}
    )
    answer = connection.getresponse()
    location = answer.getheader("Location")
    assert location, answer.read()
    return location


def send(address: str, path: str, size: int, method: str, headers: dict[str, str]) -> float:
    """Send so many bytes from a process of its own, which has no other work; gives MB a second."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {urlsplit(address).netloc}", f"Content-Length: {size}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    command = [sys.executable, __file__, "--send", urlsplit(address).netloc, str(size)]
    head = "\r\n".join([*lines, "", ""])
    done = subprocess.run(command, input=head, capture_output=True, text=True, check=True)
    return float(done.stdout)


def sender() -> None:
    """The process of `send`: a head on standard input, then zeros of no file."""
    host, port = sys.argv[2].split(":")
    size, head = int(sys.argv[3]), sys.stdin.buffer.read()
    piece = memoryview(os.urandom(PIECE))
    with socket.create_connection((host, int(port))) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        began = time.perf_counter()
        connection.sendall(head.replace(b"\n", b"\r\n") if b"\r" not in head else head)
        left = size
        while left:
            left -= connection.send(piece[:left])
        answer = connection.recv(65536)
        seconds = time.perf_counter() - began
    assert answer.startswith(b"HTTP/1.1 204"), answer
    sys.stdout.write(str(size / seconds / 1e6))


@contextmanager
def _ours(home: str) -> Iterator[tuple[str, psutil.Process]]:
    """`reelbase serve` in a home of its own."""
    command = [str(Path(sys.executable).parent / "reelbase"), "serve", "--no-workers", "--port", "0"]
    with _process(command, {"REELBASE_HOME": home, "REELBASE_LOG_LEVEL": "WARNING"}) as found:
        yield found


@contextmanager
def _rival() -> Iterator[tuple[str, psutil.Process]]:
    with _process([sys.executable, str(HERE / "discard_handler.py")], {}) as found:
        yield found


@contextmanager
def _process(command: list[str], settings: dict[str, str]) -> Iterator[tuple[str, psutil.Process]]:
    with subprocess.Popen(command, env={**os.environ, **settings}, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = re.search(r"http://\S+", process.stdout.readline())
            assert address, "it does not serve"
            _until_ready(address[0])
            yield address[0], psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(60)


def _until_ready(address: str) -> None:
    for _ in range(600):
        try:
            connection = HTTPConnection(urlsplit(address).netloc)
            connection.request("GET", "/readyz")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            return


if __name__ == "__main__":
    sender() if "--send" in sys.argv[1:2] else main()
