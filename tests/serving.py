"""API and pages on a port of this machine, in a thread of the test's process."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import uvicorn
from psycopg import sql
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from reelbase.api import routes as api
from reelbase.api.requests import Importing
from reelbase.database.connect import connect
from reelbase.imports.sources import SourceRules
from reelbase.receiving.arriving import Arrivals
from reelbase.receiving.store import Store
from reelbase.serving.application import Life, Options, service
from reelbase.serving.protocol import Protocol
from reelbase.web import routes as web
from reelbase.web.errors import explain


def importing_from(
    url: str, *folders: Path, store: Path = Path("/nowhere"), max_bytes: int = 1 << 40, free_bytes: int = 0
) -> Importing:
    """What an API on a database may import: files in these folders, and what is sent to it."""
    arrivals = Arrivals(url, Store(store), max_bytes, quota_bytes=1 << 40, free_bytes=free_bytes, lifetime_seconds=60)
    return Importing(SourceRules(import_dirs=folders), chunk_bytes=1 << 16, arrivals=arrivals)


@dataclass
class Served:
    """A running server: where it is, and what its application holds."""

    address: str
    app_state: Any
    _server: uvicorn.Server
    _thread: threading.Thread

    def stop(self) -> None:
        """As a signal does; fails where it takes long."""
        self._server.should_exit = True
        self._thread.join(timeout=20)
        assert not self._thread.is_alive()


@contextmanager
def served(
    url: str,
    options: Options | None = None,
    importing: Importing | None = None,
    grace_seconds: int = 2,
    more: Sequence[BaseRoute] = (),
    lives: Sequence[Life] = (),
) -> Iterator[Served]:
    """Serve a database's API and pages, and what else is given."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen(512)
        states: list[Any] = []

        @asynccontextmanager
        async def remember(app: Starlette) -> AsyncIterator[None]:
            states.append(app.state)
            yield

        routes = [*api.routes(), *web.routes(), *more]
        alive = [api.life(importing or importing_from(url)), web.life, *lives, remember]
        app = service(url, options or Options(), routes, alive, explain)
        config = uvicorn.Config(app, http=Protocol, access_log=False, log_config=None)
        config.timeout_graceful_shutdown = grace_seconds
        server = _Server(config)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
        thread.start()
        deadline = time.monotonic() + 20
        while not states:
            assert thread.is_alive()
            assert time.monotonic() < deadline
            time.sleep(0.005)
        made = Served(f"http://127.0.0.1:{listener.getsockname()[1]}", states[0], server, thread)
        try:
            yield made
        finally:
            made.stop()


@contextmanager
def serving(url: str, options: Options | None = None) -> Iterator[str]:
    """Serve a database's API and pages; gives the address."""
    with served(url, options) as made:
        yield made.address


def database_from(server_url: str, name: str, template: str = "reelbase_template") -> str:
    """A database of that name, made from a template; its URL."""
    with connect(server_url) as connection:
        connection.execute(
            sql.SQL("create database {} template {} strategy file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # signals belong to the main thread


@contextmanager
def client(url: str, options: Options | None = None) -> Iterator[httpx.Client]:
    with serving(url, options) as address, httpx.Client(base_url=address, timeout=30) as made:
        yield made
