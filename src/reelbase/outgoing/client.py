"""The HTTP client: one request at a time, to addresses that were checked, and it can be stopped from another thread.

urllib3 speaks HTTP and TLS here; its pools, redirects, retries and proxies are not used, because each of them would
connect to something that nobody has checked. Why not a ready-made downloader: docs/decisions/0016.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import urljoin

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from reelbase import __version__
from reelbase.errors import ConnectionDropped, DownloadFailed, Interrupted
from reelbase.outgoing.guard import Allowed, Place, Resolve, addresses, checked_url, resolved, shown_url

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 5
_BLOCK_BYTES = 1 << 18
_LOOK_SECONDS = 0.2

Translation: TypeAlias = AbstractContextManager[None]


@dataclass(frozen=True, slots=True)
class Patience:
    """When a server is given up, in seconds: to connect, to begin its answer, without a byte, and below a speed.

    `slow_bytes` is the least that must come within each `slow_seconds`.
    """

    connect_seconds: float = 15.0
    answer_seconds: float = 60.0
    silent_seconds: float = 30.0
    slow_seconds: float = 60.0
    slow_bytes: int = 64 << 10


class Answer:
    """An answer whose body is still to be read: its status, its headers, and where it came from at last."""

    def __init__(
        self, response: urllib3.BaseHTTPResponse, place: Place, patience: Patience, errors: Callable[[], Translation]
    ) -> None:
        self.status = response.status
        self.reason = response.reason or http.client.responses.get(response.status, "")
        self.headers: Mapping[str, str] = response.headers
        self.place = place
        self._response = response
        self._patience = patience
        self._errors = errors

    def blocks(self) -> Iterator[bytes]:
        """The body as it comes, not unpacked; raises ConnectionDropped when it ends early or comes too slowly."""
        since, came = time.monotonic(), 0
        while block := self._next():
            yield block
            came += len(block)
            passed = time.monotonic() - since
            if passed >= self._patience.slow_seconds:
                if came < self._patience.slow_bytes:
                    raise ConnectionDropped(f"{self.place.host} sent {came:,} bytes in {passed:.0f} seconds.")
                since, came = time.monotonic(), 0

    def _next(self) -> bytes:
        with self._errors():
            return self._response.read1(_BLOCK_BYTES, decode_content=False)


class Client:
    """Asks for URLs that are allowed. `stop`, from any thread, ends what it is doing with Interrupted."""

    def __init__(self, patience: Patience | None = None, resolve: Resolve = resolved) -> None:
        self._patience = patience or Patience()
        self._resolve = resolve
        self._stopped = threading.Event()
        self._line: socket.socket | None = None
        self._context: ssl.SSLContext | None = None

    def stop(self) -> None:
        """End the request that is on its way, and refuse all others."""
        self._stopped.set()
        self._cut()

    def check(self) -> None:
        """Raise Interrupted when it was stopped."""
        if self._stopped.is_set():
            raise Interrupted("It was stopped.")

    def wait(self, seconds: float) -> None:
        """Wait; raises Interrupted when it is stopped meanwhile."""
        self._stopped.wait(seconds)
        self.check()

    @contextmanager
    def ask(
        self, method: str, url: str, allowed: Allowed, headers: Mapping[str, str] | None = None
    ) -> Iterator[Answer]:
        """The answer to a GET or HEAD, redirects followed as far as they are allowed.

        Raises SourceNotAllowed; ConnectionDropped when the same may succeed when it is tried again; DownloadFailed.
        """
        for _ in range(_MOST_REDIRECTS + 1):
            place = checked_url(url, allowed)
            with self._asked(method, place, allowed, headers or {}) as answer:
                target = answer.headers.get("location")
                if answer.status not in _REDIRECTS or target is None:
                    yield answer
                    return
            url = urljoin(place.url, target)
        raise DownloadFailed(f"{shown_url(url)} comes after more than {_MOST_REDIRECTS} redirects.")

    @contextmanager
    def _asked(self, method: str, place: Place, allowed: Allowed, headers: Mapping[str, str]) -> Iterator[Answer]:
        self.check()
        with closing(self._connected(place, addresses(place, allowed, self._found))) as line:
            # The socket's own object goes to TLS; this one stays ours, to cut the line with.
            self._line = line.dup()
            connection = self._connection(place, line)
            try:
                with self._translated(place):
                    response = self._begun(connection, method, place, headers)
                with closing(response):
                    yield Answer(response, place, self._patience, lambda: self._translated(place))
            finally:
                self._hang_up()
                connection.close()

    def _found(self, host: str, port: int) -> list[str]:
        """What the resolver says; it cannot be interrupted, so it is left alone when somebody wants us to stop."""
        found: list[str] = []
        failure: list[BaseException] = []
        over = threading.Event()

        def ask() -> None:
            try:
                found.extend(self._resolve(host, port))
            except BaseException as error:  # noqa: BLE001  # raised again in the thread that waits
                failure.append(error)
            finally:
                over.set()

        threading.Thread(target=ask, name="resolver", daemon=True).start()
        self._wait_for(over.wait, f"The name {host} was not found")
        if failure:
            raise failure[0]
        return found

    def _wait_for(self, done: Callable[[float], bool], what: str) -> None:
        until = time.monotonic() + self._patience.connect_seconds
        while not done(_LOOK_SECONDS):
            self.check()
            if time.monotonic() > until:
                raise ConnectionDropped(f"{what} within {self._patience.connect_seconds:.0f} seconds.")

    def _connected(self, place: Place, found: list[str]) -> socket.socket:
        """A socket that is connected to the first of these addresses that answers."""
        failure: OSError | ConnectionDropped | None = None
        for address in found:
            try:
                return self._connected_to(place, address)
            except (OSError, ConnectionDropped) as error:
                failure = error
        reason = failure.strerror if isinstance(failure, OSError) else failure
        raise ConnectionDropped(f"{place.host} cannot be reached: {reason or 'no answer'}.") from failure

    def _connected_to(self, place: Place, address: str) -> socket.socket:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        line = socket.socket(family, socket.SOCK_STREAM)
        try:
            line.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                line.connect((address, place.port))
            with selectors.DefaultSelector() as selector:
                selector.register(line, selectors.EVENT_WRITE)
                self._wait_for(lambda seconds: bool(selector.select(seconds)), f"{place.host} did not answer")
            failed = line.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if failed:
                raise OSError(failed, os.strerror(failed))
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:
            line.close()
            raise
        return line

    def _connection(self, place: Place, line: socket.socket) -> HTTPConnection:
        """HTTP on a socket. The name in the certificate and in the Host header is that of the URL."""
        if place.scheme == "http":
            return _Http(place, line, self._patience.silent_seconds)
        if self._context is None:
            self._context = ssl.create_default_context()
        return _Https(place, line, self._patience.silent_seconds, self._context)

    def _begun(
        self, connection: HTTPConnection, method: str, place: Place, headers: Mapping[str, str]
    ) -> urllib3.BaseHTTPResponse:
        late = threading.Timer(self._patience.answer_seconds, self._cut)
        late.daemon = True
        late.start()
        try:
            self.check()
            connection.request(
                method,
                place.path,
                headers={
                    "Host": place.authority,
                    "User-Agent": f"reelbase/{__version__}",
                    "Accept-Encoding": "identity",
                    "Accept": "*/*",
                    **headers,
                },
                preload_content=False,
                decode_content=False,
            )
            return connection.getresponse()
        finally:
            late.cancel()

    @contextmanager
    def _translated(self, place: Place) -> Iterator[None]:
        """What may go wrong on a line, as errors of ours; why we cut it ourselves comes first."""
        try:
            yield
        except ssl.SSLCertVerificationError as error:
            raise DownloadFailed(
                f"The certificate of {place.host} cannot be trusted: {error.verify_message}.",
                "If all of them are refused, this machine lacks its CA certificates.",
            ) from error
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
            self.check()
            cause = error.__cause__ or error.__context__
            if isinstance(cause, ssl.SSLCertVerificationError):
                raise DownloadFailed(f"The certificate of {place.host} cannot be trusted: {cause}.") from error
            raise ConnectionDropped(f"The connection to {place.host} broke off ({type(error).__name__}).") from error

    def _cut(self) -> None:
        line = self._line
        if line is not None:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()


class _Http(HTTPConnection):
    """On a socket that is connected already."""

    def __init__(self, place: Place, line: socket.socket, timeout: float) -> None:
        super().__init__(place.host, place.port, timeout=timeout)
        self._ready = line

    def _new_conn(self) -> socket.socket:
        self._ready.settimeout(self.timeout)
        return self._ready


class _Https(HTTPSConnection):
    """On a socket that is connected already."""

    def __init__(self, place: Place, line: socket.socket, timeout: float, context: ssl.SSLContext) -> None:
        super().__init__(place.host, place.port, timeout=timeout, ssl_context=context)
        self._ready = line

    def _new_conn(self) -> socket.socket:
        self._ready.settimeout(self.timeout)
        return self._ready
