"""Light, dark, or as the system has it: kept in a cookie, so that the first byte of a page knows it."""

from __future__ import annotations

import enum
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import Scope

from reelbase.serving.answers import Answer
from reelbase.serving.bodies import form
from reelbase.serving.problems import Fault, invalid

_COOKIE = "theme"
_A_YEAR = 31_536_000


class Theme(enum.StrEnum):
    """What a page looks like."""

    AUTO = "auto"
    LIGHT = "light"
    DARK = "dark"

    @property
    def next(self) -> Theme:
        """What the switch changes it to."""
        themes = list(Theme)
        return themes[(themes.index(self) + 1) % len(themes)]


def theme_of(scope: Scope) -> Theme:
    """As the cookie has it."""
    for name, value in scope["headers"]:
        if name == b"cookie":
            for part in value.split(b";"):
                key, _, given = part.strip().partition(b"=")
                if key == _COOKIE.encode() and given in (b"light", b"dark"):
                    return Theme(given.decode())
    return Theme.AUTO


async def switch_theme(request: Request) -> Answer:
    """POST /theme: remember it, and go back to the page."""
    given = dict(await form(request))
    try:
        theme = Theme(given.get("theme", ""))
    except ValueError as error:
        raise invalid([Fault("It is auto, light or dark.", parameter="theme")]) from error
    cookie = f"{_COOKIE}={theme}; Path=/; Max-Age={_A_YEAR}; SameSite=Lax; HttpOnly"
    place = _back(request)
    return Answer(
        303,
        b"",
        [(b"location", place), (b"set-cookie", cookie.encode()), (b"content-length", b"0")],
    )


def _back(request: Request) -> bytes:
    """Where the form was, as far as that is here."""
    parts = urlsplit(request.headers.get("referer", ""))
    if parts.netloc != request.headers.get("host") or not parts.path.startswith("/") or parts.path.startswith("//"):
        return b"/"
    return f"{parts.path}{'?' if parts.query else ''}{parts.query}".encode("latin-1", "replace")
