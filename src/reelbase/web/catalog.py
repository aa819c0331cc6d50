"""The catalog: found by words, narrowed down by facets, in any order."""

from __future__ import annotations

from starlette.requests import Request

from reelbase.serving.answers import Answer
from reelbase.web.pages import kept


async def show_catalog(request: Request) -> Answer:
    """GET /."""
    return await kept(request, "catalog.html", lambda _: {})
