"""An import as it goes on: server-sent events, each with the whole of it."""

from __future__ import annotations

import asyncio
import time

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from reelbase.api.imports import number_of
from reelbase.database.connect import DictConnection
from reelbase.errors import UnknownImport
from reelbase.imports import read
from reelbase.imports.events import Event, Events, Watcher
from reelbase.serving.answers import RawHeaders
from reelbase.serving.desk import Desk
from reelbase.serving.problems import too_busy
from reelbase.serving.query import Nothing, pairs, parse

_BETWEEN_SECONDS = 0.25
PING_SECONDS = 15.0
"""So long nothing is sent before a comment shows that the stream is alive."""
_PATIENCE_SECONDS = 30.0  # with a client that takes nothing
_MOST_STREAMS = 1000
_AGAIN_MS = 2000
_HEADERS: RawHeaders = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]


async def watch_import(request: Request) -> Response:
    """GET /imports/{id}/events."""
    parse(Nothing, pairs(request.scope["query_string"]))
    events: Events = request.app.state.events
    if events.watchers >= _MOST_STREAMS:
        raise too_busy(f"{_MOST_STREAMS} clients are watching imports already.", seconds=5)
    return EventStream(request, number_of(request), last=_last_event(request))


def _last_event(request: Request) -> int | None:
    """The number of the event that the client saw last; what is no number of ours is as good as none."""
    word = request.headers.get("last-event-id", "")
    return int(word) if word.isascii() and word.isdigit() and len(word) <= 18 else None


class EventStream(Response):
    """A snapshot, then what changes, to the end of the import, of the client or of the server."""

    def __init__(self, request: Request, import_id: int, last: int | None) -> None:
        self._request = request
        self._import_id = import_id
        self._last = last

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        events: Events = self._request.app.state.events
        with events.watching(self._import_id) as watcher:
            # From now on every change is told; what came before is in the snapshot.
            snapshot = await self._snapshot(events)
            await send({"type": "http.response.start", "status": 200, "headers": list(_HEADERS)})
            if not scope.get("reelbase.is_head"):
                gone = asyncio.ensure_future(_until_gone(receive, watcher))
                try:
                    await self._send_all(snapshot, watcher, _Line(send))
                except TimeoutError:
                    return  # the answer is not ended: the connection breaks off
                finally:
                    gone.cancel()
        await send({"type": "http.response.body", "body": b""})

    async def _snapshot(self, events: Events) -> Event:
        desk: Desk = self._request.app.state.desk

        def look(connection: DictConnection) -> Event:
            found = read.look(connection, [self._import_id])
            if not found:
                raise UnknownImport(f"There is no import {self._import_id}.")
            return events.event(found[0])

        return await desk.ask(self._request, look)

    async def _send_all(self, snapshot: Event, watcher: Watcher, line: _Line) -> None:
        await line.send(b"retry: %d\n\n" % _AGAIN_MS)
        # Any other number than that which the client knows is older, or of another database.
        is_known = snapshot.sequence == self._last and not snapshot.is_final
        last, event = snapshot.sequence, None if is_known else snapshot
        while not watcher.is_closed:
            if event is not None:
                await line.send(b"event: import\nid: %d\ndata: %b\n\n" % (event.sequence, event.data))
                if event.is_final:
                    return
                await watcher.pause(_BETWEEN_SECONDS)
            event = await watcher.next(line.seconds_to_ping())
            if event is None:
                await line.ping_if_quiet()
            elif event.sequence <= last:
                event = None  # it was told before the snapshot was made
            else:
                last = event.sequence


class _Line:
    """The way to the client; raises TimeoutError where it takes nothing any more."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._sent_at = time.monotonic()

    async def send(self, data: bytes) -> None:
        message: Message = {"type": "http.response.body", "body": data, "more_body": True}
        await asyncio.wait_for(self._send(message), _PATIENCE_SECONDS)
        self._sent_at = time.monotonic()

    def seconds_to_ping(self) -> float:
        return max(0.0, self._sent_at + PING_SECONDS - time.monotonic())

    async def ping_if_quiet(self) -> None:
        """A comment, so that nobody between takes the connection for dead."""
        if self.seconds_to_ping() <= 0:
            await self.send(b": ping\n\n")


async def _until_gone(receive: Receive, watcher: Watcher) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    watcher.close()
