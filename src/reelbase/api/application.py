"""The API as an ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from reelbase.api.answers import Answer, Body, dumps, found
from reelbase.api.desk import Desk
from reelbase.api.docs import show_docs
from reelbase.api.door import Door, Rules
from reelbase.api.endpoints import ENDPOINTS, Endpoint, Handler
from reelbase.api.exports import Exports
from reelbase.api.limits import Limiter
from reelbase.api.lines import Limits
from reelbase.api.metrics import Metrics
from reelbase.api.openapi import document


@dataclass(frozen=True, slots=True)
class Options:
    """What the settings say of the API; `requests_per_minute` None: as many as come."""

    limits: Limits = field(default_factory=lambda: Limits(connections=8, query_seconds=15.0))
    rules: Rules = field(default_factory=Rules)
    requests_per_minute: int | None = None
    lease_seconds: float = 30.0


def api(url: str, options: Options) -> ASGIApp:
    """The API on a database."""
    desk = Desk(url, options.limits)
    exports = Exports()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        desk.open()
        try:
            yield
        finally:
            exports.close()
            await desk.close()

    app = _Application(lifespan=lifespan, routes=[*_routes(), *_described_elsewhere()])
    app.router.redirect_slashes = False
    app.state.desk = desk
    app.state.exports = exports
    app.state.lease_seconds = options.lease_seconds
    app.state.metrics = metrics = Metrics(desk)
    limiter = Limiter(options.requests_per_minute) if options.requests_per_minute else None
    return Door(app, options.rules, limiter, metrics)


class _Application(Starlette):
    """Starlette without its own layers: what goes wrong is explained at the door."""

    def build_middleware_stack(self) -> ASGIApp:
        return _Allowing(self.router, self)


class _Allowing:
    """Names every method of a path where one is refused; a router knows only those of its first route."""

    def __init__(self, app: ASGIApp, application: Starlette) -> None:
        self._app = app
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except HTTPException as error:
            if error.status_code != 405:
                raise
            allowed = sorted(_methods(self._application.routes, scope))
            raise HTTPException(
                405, f"The method is not allowed here: {', '.join(allowed)}.", {"allow": ", ".join(allowed)}
            ) from error


def _methods(routes: Sequence[object], scope: Scope) -> set[str]:
    found_: set[str] = set()
    for route in routes:
        if isinstance(route, Route) and route.matches(scope)[0] is not Match.NONE:
            found_ |= route.methods or set()
    return found_


def _routes() -> list[Route]:
    return [_route(endpoint) for endpoint in ENDPOINTS]


def _route(endpoint: Endpoint) -> Route:
    return Route(endpoint.path, _Handling(endpoint.handler), methods=[endpoint.method], name=endpoint.handler.__name__)


class _Handling:
    """A handler as an ASGI application. Starlette's own way wraps it twice, for errors that the door explains."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._handler(Request(scope, receive, send))
        await answer(scope, receive, send)


def _described_elsewhere() -> list[Route]:
    body = Body(dumps(document()))

    async def show_openapi(request: Request) -> Answer | Response:
        return found(request.scope, body, None)

    return [
        Route("/openapi.json", show_openapi),
        Route("/docs", show_docs),
        Route("/docs/{file}", show_docs),
    ]
