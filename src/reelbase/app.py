"""Puts the rooms together: one ASGI application for everything that is served over HTTP."""

from __future__ import annotations

import ipaddress

from starlette.types import ASGIApp

from reelbase.api import routes as api
from reelbase.api.requests import Importing
from reelbase.imports.sources import SourceRules
from reelbase.receiving.arriving import Arrivals
from reelbase.receiving.store import Store
from reelbase.serving.application import Options, service
from reelbase.serving.door import Rules
from reelbase.serving.lines import Limits
from reelbase.serving.protocol import Protocol
from reelbase.settings import Settings
from reelbase.web import routes as web
from reelbase.web.errors import explain

_DAY_SECONDS = 86400.0

__all__ = ["Protocol", "application", "is_loopback"]


def application(url: str, settings: Settings, host: str) -> ASGIApp:
    """The application on a database, for whoever reaches `host`."""
    options = Options(
        limits=Limits(settings.api_connections, settings.query_seconds),
        rules=Rules(hosts=(*settings.allowed_hosts, host), origins=settings.cors_origins),
        requests_per_minute=None if is_loopback(host) else settings.requests_per_minute,
        lease_seconds=settings.lease_seconds,
    )
    lives = [api.life(_importing(url, settings)), web.life]
    return service(url, options, [*api.routes(), *web.routes()], lives, explain)


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


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
