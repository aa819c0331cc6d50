"""What uvicorn sends: answers in one piece, and a problem like all others when a request is no HTTP."""

from __future__ import annotations

import asyncio
import secrets
from http import HTTPStatus
from typing import Any, cast

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from reelbase.serving.problems import MEDIA_TYPE, Problem

CLOSING = "reelbase.closing"
"""The name, in the state of the application's life, of what is set as soon as the server begins to stop."""

_LONG = 1 << 16
_GATHERED = 1 << 20
_LINGER_SECONDS = 2.0


class _Gathering:
    """A transport that sends head and body of an answer with one system call, which wakes the client once."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> None:
        """At the end of the loop's turn, or at once what is long."""
        if not self._parts:
            self._loop.call_soon(self._send)
        self._parts.append(data)
        if len(data) >= _LONG:
            self._send()

    def close(self) -> None:
        self._send()
        self._transport.close()

    def _send(self) -> None:
        if self._parts:
            parts, self._parts = self._parts, []
            self._transport.writelines(parts)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Protocol(HttpToolsProtocol):
    """HTTP/1.1."""

    _lingering: asyncio.TimerHandle | None = None

    def on_body(self, body: bytes) -> None:
        """Gather a body up to a size at which stopping and starting the socket does not show any more."""
        cycle = self.cycle
        if cycle.response_complete:
            return
        cycle.body += body
        if len(cycle.body) > _GATHERED:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_response_complete(self) -> None:
        """What is left of a body that was refused is thrown away for a while, so that its sender sees why.

        A connection that is closed at once is reset, and the answer with it; read to the end, a refused file of 20 GB
        would be sent in vain.
        """
        super().on_response_complete()
        if self.cycle.response_complete and self.cycle.more_body and not self.transport.is_closing():
            self._lingering = self.loop.call_later(_LINGER_SECONDS, self.transport.close)

    def on_message_complete(self) -> None:
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None
        super().on_message_complete()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(cast("asyncio.Transport", _Gathering(transport, self.loop)))

    def shutdown(self) -> None:
        """The server begins to stop: answers without end, which it would wait for, are told so."""
        closing = self.app_state.get(CLOSING)
        if closing is not None:
            closing.set()
        super().shutdown()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # uvicorn's words say no more than ours
        problem = Problem(400, "not_http", "This is not a request of HTTP/1.1.")
        body = orjson.dumps(problem.shown("", secrets.token_hex(8)))
        lines = (
            f"HTTP/1.1 400 {HTTPStatus.BAD_REQUEST.phrase}",
            f"content-type: {MEDIA_TYPE}",
            f"content-length: {len(body)}",
            "connection: close",
        )
        self.transport.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        self.transport.close()
