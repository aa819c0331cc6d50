"""API and pages on a port of this machine, in a thread of the test's process."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import httpx
import uvicorn
from psycopg import sql

from reelbase.api import routes as api
from reelbase.database.connect import connect
from reelbase.serving.application import Options, service
from reelbase.serving.protocol import Protocol
from reelbase.web import routes as web
from reelbase.web.errors import explain


@contextmanager
def serving(url: str, options: Options | None = None) -> Iterator[str]:
    """Serve a database's API and pages; gives the address."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen(512)
        app = service(url, options or Options(), [*api.routes(), *web.routes()], [api.life, web.life], explain)
        config = uvicorn.Config(app, http=Protocol, access_log=False, log_config=None)
        config.timeout_graceful_shutdown = 2
        server = _Server(config)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(timeout=20)
            assert not thread.is_alive()


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
