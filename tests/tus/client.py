"""A tus client that does what it is told, right or wrong: requests one by one, and raw sockets."""

from __future__ import annotations

import base64
import hashlib
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

BODY_TYPE = "application/offset+octet-stream"
VERSION = {"Tus-Resumable": "1.0.0"}


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def checksum(data: bytes, algorithm: str = "sha1") -> str:
    return f"{algorithm} {b64(hashlib.new(algorithm, data).digest())}"


def wait_until(condition: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@dataclass(frozen=True)
class Tus:
    """A server by the address at which uploads are made."""

    url: str
    http: httpx.Client

    def needs(self, extension: str) -> None:
        """Skip where the server says that it does not have it: not every server must."""
        if extension not in self.ask("OPTIONS").headers.get("tus-extension", "").split(","):
            pytest.skip(f"the server has no {extension}")

    def ask(self, method: str, url: str = "", content: Any = None, **headers: Any) -> httpx.Response:
        """A request with Tus-Resumable; names of headers with _ for -, an empty value leaves one out."""
        given = {**VERSION, **{name.replace("_", "-"): value for name, value in headers.items()}}
        sent = {name: value for name, value in given.items() if value}
        return self.http.request(method, urljoin(self.url, url) if url else self.url, content=content, headers=sent)

    def create(self, length: int | None, **headers: str) -> str:
        """Make an upload and say where it is."""
        size = {"Upload_Defer_Length": "1"} if length is None else {"Upload_Length": str(length)}
        answer = self.ask("POST", **size, **headers)
        assert answer.status_code == 201, answer.text
        return urljoin(self.url, answer.headers["location"])

    def patch(self, url: str, offset: int, content: Any, **headers: str) -> httpx.Response:
        sent = {"Content_Type": BODY_TYPE, "Upload_Offset": str(offset)}
        return self.ask("PATCH", url, content, **{**sent, **headers})

    def head(self, url: str) -> httpx.Response:
        return self.ask("HEAD", url)

    def offset(self, url: str) -> int:
        """How far it is."""
        answer = self.head(url)
        assert answer.status_code == 200, answer.status_code
        return int(answer.headers["upload-offset"])

    @contextmanager
    def raw(self, url: str, method: str = "PATCH", **headers: str) -> Iterator[Raw]:
        """A connection that has sent a head, and nothing of the body."""
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=30) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sent = {"Host": parts.netloc, **VERSION, "Content-Type": BODY_TYPE}
            sent |= {name.replace("_", "-"): value for name, value in headers.items()}
            lines = [f"{method} {parts.path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items() if value)]
            raw = Raw(connection)
            raw.send("\r\n".join([*lines, "", ""]).encode())
            yield raw


class Raw:
    """A connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._rest = b""

    def send(self, data: bytes) -> None:
        self._connection.sendall(data)

    def chunk(self, data: bytes) -> None:
        """One piece of a chunked body; none ends it."""
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def status(self, seconds: float = 30) -> int:
        """The status of the next answer, its head read."""
        self._connection.settimeout(seconds)
        while b"\r\n\r\n" not in self._rest:
            more = self._connection.recv(65536)
            if not more:
                raise ConnectionResetError(self._rest)
            self._rest += more
        head, self._rest = self._rest.split(b"\r\n\r\n", 1)
        return int(head.split(b" ", 2)[1])

    def is_silent(self, seconds: float = 0.4) -> bool:
        """Whether nothing comes."""
        self._connection.settimeout(seconds)
        try:
            self._rest += self._connection.recv(65536)
        except TimeoutError:
            return True
        return False
