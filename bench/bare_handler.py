"""The rival of the API: uvicorn, an asynchronous psycopg pool, orjson, and nothing else.

It knows beforehand which statements each path stands for, reads no parameter, checks nothing, logs nothing: what is
left is what any handler in Python pays for these statements and this JSON.
"""

from __future__ import annotations

import pickle
import socket
import sys
from pathlib import Path
from typing import Any

import orjson
import uvicorn
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import set_json_loads
from psycopg_pool import AsyncConnectionPool
from starlette.types import ASGIApp, Receive, Scope, Send

Asked = list[tuple[str, Any, bool]]
"""Statements with their parameters, and whether their rows come in binary."""


def handler(url: str, asked: dict[str, Asked], connections: int) -> ASGIApp:
    """The ASGI application."""
    pool = AsyncConnectionPool[AsyncConnection[DictRow]](
        url,
        min_size=connections,
        open=False,
        configure=_configure,
        kwargs={"autocommit": True, "row_factory": dict_row},
    )

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await pool.open(wait=True)
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await pool.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
        statements = asked.get(f"{scope['path']}?{scope['query_string'].decode()}", [])
        async with pool.connection() as connection:
            found = [
                await (await connection.execute(text, values, binary=binary)).fetchall()
                for text, values, binary in statements
            ]
        body = orjson.dumps(found, str)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


async def _configure(connection: AsyncConnection[DictRow]) -> None:
    """As the API's connections: no parallel workers for a page, JSON passed on as it is."""
    set_json_loads(orjson.Fragment, connection)
    await connection.execute("set max_parallel_workers_per_gather = 0")


def main() -> None:
    """Serve what the pickle in argv[2] says, on the database in argv[1], and print the address."""
    url, file, connections = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen(512)
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        app = handler(url, pickle.loads(file.read_bytes()), connections)
        config = uvicorn.Config(app, http="httptools", lifespan="on", access_log=False, log_config=None)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
