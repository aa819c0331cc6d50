"""Puts the rooms together: one ASGI application for everything that is served over HTTP."""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from reelbase.api import routes as api
from reelbase.api.requests import Importing
from reelbase.imports.sources import SourceRules
from reelbase.receiving import tus
from reelbase.receiving.arriving import Arrivals
from reelbase.receiving.store import Store
from reelbase.receiving.tus_body import Pace
from reelbase.receiving.tus_room import Limits as UploadLimits
from reelbase.receiving.tus_words import CORS_EXPOSED, CORS_HEADERS, CORS_METHODS, Refused, SenderGone
from reelbase.serving.application import Options, service
from reelbase.serving.door import Leave, Rules
from reelbase.serving.lines import GoneAway, Limits
from reelbase.serving.problems import Problem
from reelbase.serving.protocol import Protocol
from reelbase.settings import Settings
from reelbase.web import routes as web
from reelbase.web.errors import explain

__all__ = ["Protocol", "Uploads", "application", "is_loopback"]

_DAY_SECONDS = 86400.0


def application(url: str, settings: Settings, host: str) -> ASGIApp:
    """The application on a database, for whoever reaches `host`."""
    options = Options(
        limits=Limits(settings.api_connections, settings.query_seconds),
        rules=Rules(
            hosts=(*settings.allowed_hosts, host),
            origins=settings.cors_origins,
            leaves=(Leave(tus.BASE, CORS_METHODS, CORS_HEADERS, CORS_EXPOSED),),
        ),
        requests_per_minute=None if is_loopback(host) else settings.requests_per_minute,
        lease_seconds=settings.lease_seconds,
    )
    uploads = Uploads(tus.Tus(url, Store(settings.store_url), _terms(settings)))
    lives = [api.life(_importing(url, settings)), uploads.life, web.life]
    return service(url, options, [*api.routes(), *uploads.routes(), *web.routes()], lives, explain)


def _importing(url: str, settings: Settings) -> Importing:
    arrivals = Arrivals(
        url=url,
        store=Store(settings.store_url),
        max_bytes=settings.upload_max_bytes,
        quota_bytes=settings.upload_quota_bytes,
        free_bytes=settings.upload_free_bytes,
        lifetime_seconds=settings.upload_days * _DAY_SECONDS,
    )
    return Importing(
        rules=SourceRules.of(settings, is_local=False),
        chunk_bytes=settings.chunk_bytes,
        arrivals=arrivals,
        idle_seconds=settings.upload_idle_seconds,
        forms_at_a_time=settings.uploads_at_a_time,
    )


class Uploads:
    """The tus server behind the door: what it refuses is a problem like all others."""

    def __init__(self, server: tus.Tus) -> None:
        self._server = server

    def routes(self) -> list[Route]:
        return [Route(path, self) for path in (tus.BASE, f"{tus.BASE}/", f"{tus.BASE}/{{id}}")]

    @asynccontextmanager
    async def life(self, app: Starlette) -> AsyncIterator[None]:
        """What it needs while it is served."""
        self._server.counted = app.state.metrics.count_upload
        async with self._server.life():
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or raise Problem."""
        try:
            await self._server(scope, receive, send)
        except Refused as refused:
            raise Problem(
                refused.status, refused.code, refused.detail, remedy=refused.remedy, headers=refused.headers
            ) from refused
        except SenderGone:
            raise GoneAway from None


def _terms(settings: Settings) -> tus.Terms:
    return tus.Terms(
        UploadLimits(settings.upload_max_bytes, settings.upload_quota_bytes, settings.upload_free_bytes),
        Pace(idle_seconds=settings.upload_idle_seconds),
        lifetime_seconds=settings.upload_days * _DAY_SECONDS,
        at_a_time=settings.uploads_at_a_time,
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
