"""The routes of the pages, for the application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.routing import Route

from reelbase.serving.application import route
from reelbase.web.assets import show_asset, show_icon
from reelbase.web.catalog import show_catalog
from reelbase.web.console import routes as console
from reelbase.web.movie import show_movie
from reelbase.web.pages import pages
from reelbase.web.person import show_people, show_person
from reelbase.web.theme import switch_theme


def routes() -> list[Route]:
    """Every page, and what belongs to it."""
    return [
        route("/", show_catalog),
        route("/movies/{id}", show_movie),
        route("/people", show_people),
        route("/people/{nconst}", show_person),
        route("/theme", switch_theme, "POST"),
        *console.routes(),
        route("/favicon.ico", show_icon),
        route("/static/{digest}/{path:path}", show_asset),
    ]


@asynccontextmanager
async def life(_: Starlette) -> AsyncIterator[None]:
    """Templates are compiled and files packed before the first request comes."""
    await asyncio.to_thread(pages)
    yield
