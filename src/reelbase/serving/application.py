"""Everything that is served over HTTP, as one ASGI application: the routes of the rooms behind one door."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from reelbase.serving.answers import Answer
from reelbase.serving.desk import Desk
from reelbase.serving.door import Door, Explain, Rules
from reelbase.serving.limits import Limiter
from reelbase.serving.lines import Limits
from reelbase.serving.metrics import Metrics
from reelbase.serving.protocol import CLOSING

Life = Callable[[Starlette], AbstractAsyncContextManager[None]]
Handler = Callable[[Request], Awaitable[Answer | Response]]


@dataclass(frozen=True, slots=True)
class Options:
    """What the settings say of the API; `requests_per_minute` None: as many as come."""

    limits: Limits = field(default_factory=lambda: Limits(connections=8, query_seconds=15.0))
    rules: Rules = field(default_factory=Rules)
    requests_per_minute: int | None = None
    lease_seconds: float = 30.0


def service(
    url: str,
    options: Options,
    routes: Sequence[BaseRoute],
    lives: Sequence[Life] = (),
    explain: Explain | None = None,
) -> ASGIApp:
    """The application on a database. `lives` are what begins and ends with it, each with its place in `app.state`.

    `explain` may say a problem as something else than JSON.
    """
    desk = Desk(url, options.limits)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, asyncio.Event]]:
        desk.open()
        app.state.closing = asyncio.Event()
        try:
            async with AsyncExitStack() as stack:
                for life in lives:
                    await stack.enter_async_context(life(app))
                yield {CLOSING: app.state.closing}
        finally:
            await desk.close()

    app = _Application(lifespan=lifespan, routes=routes)
    app.router.redirect_slashes = False
    app.state.desk = desk
    app.state.lease_seconds = options.lease_seconds
    app.state.metrics = metrics = Metrics(desk)
    limiter = Limiter(options.requests_per_minute) if options.requests_per_minute else None
    return Door(app, options.rules, limiter, metrics, explain)


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


def route(path: str, handler: Handler, method: str = "GET") -> Route:
    """A path and what answers it."""
    return Route(path, _Handling(handler), methods=[method], name=handler.__name__)


class _Handling:
    """A handler as an ASGI application. Starlette's own way wraps it twice, for errors that the door explains."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = await self._handler(Request(scope, receive, send))
        await answer(scope, receive, send)
