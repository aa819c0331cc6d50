"""What `serve` does: the API and what runs imports, until Ctrl-C."""

from __future__ import annotations

import contextlib
import errno
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from reelbase.app import Protocol, application, is_loopback
from reelbase.cli.context import Context, err, out
from reelbase.cli.crew import crew
from reelbase.database.connect import translated
from reelbase.database.embedded import EmbeddedServer
from reelbase.errors import ReelbaseError, UsageError

_BACKLOG = 2048
_GRACE_SECONDS = 5


def serve(here: Context, host: str | None, port: int | None, workers: int, *, insecure: bool) -> None:
    """Serve until Ctrl-C; raises UsageError where that is not safe."""
    address = host or here.settings.host
    if not is_loopback(address) and not insecure:
        raise UsageError(
            f"Everybody who reaches {address} could change everything.",
            "Leave --host out to serve this machine alone, or add --insecure.",
        )
    with (
        _listening(address, here.settings.port if port is None else port) as listener,
        _server(here) as url,
        crew(workers),
    ):
        out().print(f"Reelbase serves {_url(listener)}  (Ctrl-C stops it)", highlight=False, soft_wrap=True)
        _run(here, url, address, listener)
    err().print("Stopped.")


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """The socket, bound before anything is started.

    uvicorn binds one for several processes without TCP_NODELAY, which costs each request 40 ms on a kept-alive
    connection. Accepted connections inherit it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            remedy = "Choose another one: --port 8001, or 0 for any." if taken else ""
            raise UsageError(f"{host}:{port} cannot be listened on: {error.strerror}.", remedy) from error
        listener.listen(_BACKLOG)
        yield listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


@contextmanager
def _server(here: Context) -> Iterator[str]:
    """PostgreSQL; in the end stopped, if this command has started it and nobody else is connected."""
    with translated():
        opened = here.server
    try:
        yield opened.url
    finally:
        if opened.started and here.settings.database_url is None:
            with contextlib.suppress(ReelbaseError):
                EmbeddedServer(here.settings.home).stop(only_if_alone=True)


def _run(here: Context, url: str, host: str, listener: socket.socket) -> None:
    config = uvicorn.Config(
        application(url, here.settings, host),
        http=Protocol,
        lifespan="on",
        access_log=False,
        log_config=None,  # our own says more
        server_header=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    _Server(config).run(sockets=[listener])


class _Server(uvicorn.Server):
    """A server that a signal stops as it should be: the signal is not raised again behind it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        def stop(number: int, frame: FrameType | None) -> None:
            self.handle_exit(number, frame)

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
