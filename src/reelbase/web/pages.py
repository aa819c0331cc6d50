"""From an answer of the database to a page: rendered where it was asked, kept as long as it is true.

A page that depends on nothing but the catalog is `kept` (an ETag, a 304 without a question); any other is `fresh`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import cache
from hashlib import blake2b
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.types import Scope

from reelbase.database.connect import DictConnection
from reelbase.imports import read
from reelbase.serving.answers import Answer, Body, found
from reelbase.serving.desk import Desk
from reelbase.web.assets import assets
from reelbase.web.theme import theme_of
from reelbase.web.words import FILTERS

Values = Mapping[str, Any]
Ask = Callable[[DictConnection], Values]

HTML = b"text/html; charset=utf-8"


class Pages:
    """The templates, compiled once, and a digest of all that makes a page look as it does."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=PackageLoader("reelbase.web"),
            autoescape=True,
            auto_reload=False,
            cache_size=-1,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(FILTERS)
        self._environment.globals["asset"] = assets().url
        digest = blake2b(assets().digest.encode(), digest_size=8)
        loader = self._environment.loader
        for name in self._environment.list_templates():
            self._environment.get_template(name)
            digest.update(loader.get_source(self._environment, name)[0].encode() if loader else b"")
        self.digest = digest.digest()

    def body(self, scope: Scope, template: str, values: Values) -> Body:
        """The page for this request; what every page needs besides its own values is put in here."""
        theme = theme_of(scope)
        shown = self._environment.get_template(template).render({"credits": (), "theme": theme, **values})
        return Body(shown.encode("utf-8", "replace"), kind=HTML)

    def variant(self, scope: Scope) -> bytes:
        """What makes two pages of one address differ."""
        return theme_of(scope).encode() + self.digest


@cache
def pages() -> Pages:
    """The templates, once for each process."""
    return Pages()


async def kept(request: Request, template: str, ask: Ask, beside: Ask | None = None) -> Answer:
    """A page of the catalog: all of it is of one version, and it is kept until there is another.

    What takes long of it may be asked `beside` the rest, at the same time.
    """
    desk: Desk = request.app.state.desk
    made = pages()
    variant = made.variant(request.scope)
    if beside is None:
        return await desk.cached(request, _rendered(made, request, template, ask), variant)
    known = await desk.known(request, variant)
    if known is not None:
        return known
    values, more, now = await desk.together(request, _with_credits(ask), beside)
    body = await asyncio.to_thread(made.body, request.scope, template, {**values, **more})
    return desk.keep(request.scope, body, now, variant)


async def fresh(request: Request, template: str, ask: Ask, status: int = 200) -> Answer:
    """A page that may be another one a moment later."""
    desk: Desk = request.app.state.desk
    body = await desk.ask(request, _rendered(pages(), request, template, ask))
    return found(request.scope, body, None, status=status)


def see_other(place: str) -> Answer:
    """What a form is answered with that has done something: go and look (Post/Redirect/Get)."""
    return Answer(303, b"", [(b"location", place.encode()), (b"cache-control", b"no-store"), (b"content-length", b"0")])


def _rendered(made: Pages, request: Request, template: str, ask: Ask) -> Callable[[DictConnection], Body]:
    asked = _with_credits(ask)
    return lambda connection: made.body(request.scope, template, asked(connection))


def _with_credits(ask: Ask) -> Ask:
    return lambda connection: {"credits": _credits(connection), **ask(connection)}


def _credits(connection: DictConnection) -> list[read.KnownDataset]:
    """The datasets whose publishers the foot of every page names."""
    loaded = read.live_datasets(connection)
    return [dataset for dataset in read.known_datasets() if dataset.name in loaded]
