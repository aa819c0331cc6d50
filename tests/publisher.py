"""A web server like those that publish datasets, and one whose faults can be chosen."""

from __future__ import annotations

import contextlib
import hashlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

DAY = datetime(2026, 8, 15, 13, 20, tzinfo=UTC)


@dataclass
class Served:
    """A file as it is served; without `ranges` the whole of it is sent whatever is asked for."""

    data: bytes
    modified: datetime | None = DAY
    etag: str | None = ""
    ranges: bool = True

    @property
    def tag(self) -> str | None:
        if self.etag is None:
            return None
        return self.etag or f'"{hashlib.sha256(self.data).hexdigest()[:16]}"'

    @property
    def last_modified(self) -> str | None:
        return None if self.modified is None else format_datetime(self.modified, usegmt=True)


@dataclass
class Fault:
    """What goes wrong with one answer: `after` so many bytes of the body the line is cut, or nothing more comes.

    `then` is called at that point. A `status` is sent instead of the file, with these headers.
    """

    after: int | None = None
    stalls: bool = False
    then: Callable[[], object] | None = None
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    pause: float = 0.0
    block: int = 1 << 16


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    status: int = 0


class Publisher:
    """The server: `files` by path, `faults` by path (one for each GET, in turn), and what it was `asked`."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.files: dict[str, Served] = {}
        self.faults: dict[str, list[Fault]] = {}
        self.asked: list[Asked] = []
        self.over = threading.Event()
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"publisher": self}))
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.scheme = "http" if context is None else "https"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/"

    def put(self, path: str, data: bytes | Path, *, md5: bool = False, **served: Any) -> str:
        """Publish a file; returns its URL."""
        content = data.read_bytes() if isinstance(data, Path) else data
        self.files[f"/{path}"] = Served(content, **served)
        if md5:
            digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
            self.files[f"/{path}.md5"] = Served(f"MD5 ({path}) = {digest}\n".encode())
        return self.url + path

    def fault(self, path: str, *faults: Fault) -> None:
        self.faults[f"/{path}"] = list(faults)

    def gets(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == f"/{path}" and asked.method == "GET"]

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()


@contextlib.contextmanager
def publisher(context: ssl.SSLContext | None = None) -> Iterator[Publisher]:
    made = Publisher(context)
    try:
        yield made
    finally:
        made.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are what is tested."""


class _Handler(BaseHTTPRequestHandler):
    publisher: Publisher
    protocol_version = "HTTP/1.1"

    def log_message(self, _: str, *args: object) -> None:
        """Nobody reads it."""

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        asked = Asked(self.command, self.path, {name.lower(): value for name, value in self.headers.items()})
        self.publisher.asked.append(asked)
        faults = self.publisher.faults.get(self.path, [])
        fault = faults.pop(0) if faults and body else Fault()
        file = self.publisher.files.get(self.path)
        if fault.status or file is None:
            asked.status = fault.status or 404
            self._head(asked.status, fault.headers | {"Content-Length": "0"})
            return
        asked.status, first = _status(file, asked.headers)
        headers = _headers(file)
        data = b"" if asked.status == 304 else file.data[first:]
        if asked.status == 206:
            headers["Content-Range"] = f"bytes {first}-{len(file.data) - 1}/{len(file.data)}"
        if asked.status == 416:
            data = b""
        length = len(data) if fault.length is None else fault.length
        self._head(asked.status, headers | {"Content-Length": str(length)} | fault.headers)
        if body:
            self._body(data, fault)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _body(self, data: bytes, fault: Fault) -> None:
        end = len(data) if fault.after is None else fault.after
        for place in range(0, end, fault.block):
            self.wfile.write(data[place : min(place + fault.block, end)])
            if fault.pause and self.publisher.over.wait(fault.pause):
                return
        if fault.after is None:
            return
        if fault.then:
            fault.then()
        if fault.stalls:
            self.publisher.over.wait()
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True


def _headers(file: Served) -> dict[str, str]:
    found = {"Content-Type": "application/octet-stream"}
    if file.tag:
        found["ETag"] = file.tag
    if file.last_modified:
        found["Last-Modified"] = file.last_modified
    return found


def _status(file: Served, asked: dict[str, str]) -> tuple[int, int]:
    """The status, and the first byte that is sent."""
    if _is_unchanged(file, asked):
        return 304, 0
    match = re.fullmatch(r"bytes=(\d+)-", asked.get("range", ""))
    if match and file.ranges and asked.get("if-range") in (None, file.tag, file.last_modified):
        first = int(match[1])
        return (206, first) if first < len(file.data) else (416, 0)
    return 200, 0


def _is_unchanged(file: Served, asked: dict[str, str]) -> bool:
    if "if-none-match" in asked:
        return asked["if-none-match"] == file.tag
    if "if-modified-since" not in asked:
        return False
    return file.modified is not None and parsedate_to_datetime(asked["if-modified-since"]) >= file.modified
