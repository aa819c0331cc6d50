"""Whether the process lives, and whether the database answers; without a key."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from reelbase.catalog.version import asking_version
from reelbase.errors import ReelbaseError
from reelbase.serving.answers import Answer, plain
from reelbase.serving.desk import Desk
from reelbase.serving.problems import Problem

_PATIENCE_SECONDS = 3


async def alive(_: Request) -> Answer:
    """GET /livez."""
    return plain({"status": "alive"})


async def ready(request: Request) -> Answer:
    """GET /readyz."""
    desk: Desk = request.app.state.desk
    try:
        await asyncio.wait_for(desk.ask_here(request, asking_version), _PATIENCE_SECONDS)
    except Exception as error:
        if isinstance(error, ReelbaseError | Problem | OSError) or type(error).__module__.startswith("psycopg"):
            raise Problem(503, "not_ready", "The database does not answer.", headers={"retry-after": "1"}) from error
        raise
    return plain({"status": "ready"})
