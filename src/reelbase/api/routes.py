"""The routes of the API, for the application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from reelbase.api.docs import show_docs
from reelbase.api.endpoints import ENDPOINTS
from reelbase.api.exports import Exports
from reelbase.api.openapi import document
from reelbase.api.requests import Importing
from reelbase.imports.events import Events
from reelbase.serving.answers import Answer, Body, dumps, found
from reelbase.serving.application import Life, route


def routes() -> list[Route]:
    """Every endpoint, and what describes them."""
    body = Body(dumps(document()))

    async def show_openapi(request: Request) -> Answer:
        return found(request.scope, body, None)

    return [
        *(route(endpoint.path, endpoint.handler, endpoint.method) for endpoint in ENDPOINTS),
        route("/openapi.json", show_openapi),
        route("/docs", show_docs),
        route("/docs/{file}", show_docs),
    ]


def life(importing: Importing) -> Life:
    """What the API needs while it is served."""

    @asynccontextmanager
    async def lives(app: Starlette) -> AsyncIterator[None]:
        app.state.importing = importing
        app.state.exports = exports = Exports()
        app.state.events = events = Events(app.state.desk.url, app.state.lease_seconds, dumps)
        events.start()
        closing = asyncio.ensure_future(_end_streams(app.state.closing, events))
        try:
            yield
        finally:
            closing.cancel()
            await asyncio.to_thread(events.stop)
            exports.close()

    return lives


async def _end_streams(closing: asyncio.Event, events: Events) -> None:
    """Those who watch imports would do so for ever: the server waits for them."""
    await closing.wait()
    events.close_all()
