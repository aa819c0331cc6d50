"""/imports/new: files that are recognised before they are sent, and everything else that can be imported."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from starlette.requests import Request

from reelbase.database.connect import Connection, DictConnection
from reelbase.errors import MixedDatasets, ReelbaseError, SourceError, UsageError
from reelbase.imports import commands, read
from reelbase.imports.headers import known_headers
from reelbase.imports.sources import ImportRequest, SourceRules
from reelbase.serving.answers import Answer
from reelbase.serving.bodies import form
from reelbase.serving.desk import Desk
from reelbase.serving.forms import Arrivals, Form, read_form
from reelbase.serving.problems import Problem, problem_of, too_busy
from reelbase.web.console.published import PUBLISHED
from reelbase.web.pages import fresh, see_other

Row = dict[str, Any]

_FIELDS = ("dataset", "mode", "max_rejects", "source", "url", "path")
_MULTIPART = "multipart/form-data"


class Importing(Protocol):
    """What may be imported over HTTP, and where files of forms go; the API has put it there."""

    rules: SourceRules
    chunk_bytes: int
    arrivals: Arrivals
    idle_seconds: float
    forms_at_a_time: int
    forms: int


@dataclass(frozen=True, slots=True)
class Given:
    """What a form said, to be put into it again where it could not be done."""

    fields: Mapping[str, str] = field(default_factory=dict)
    failure: Problem | None = None


async def new_import(request: Request) -> Answer:
    """GET /imports/new."""
    known = {name: value for name, value in request.query_params.items() if name in _FIELDS}
    return await _page(request, Given(known))


async def _page(request: Request, given: Given) -> Answer:
    importing: Importing = request.app.state.importing

    def ask(connection: DictConnection) -> Row:
        return {
            "datasets": read.known_datasets(),
            "loaded": read.live_datasets(connection),
            "published": PUBLISHED,
            "folders": [str(folder) for folder in importing.rules.import_dirs],
            "headers": known_headers(),
            "given": {**dict.fromkeys(_FIELDS, ""), **given.fields},
            "failure": given.failure,
        }

    return await fresh(request, "console/new.html", ask, given.failure.status if given.failure else 200)


async def create_import(request: Request) -> Answer:
    """POST /imports/new: from a form alone, without a script."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _MULTIPART:
        return await _make(request, dict(await form(request)), ())
    importing: Importing = request.app.state.importing
    if importing.forms >= importing.forms_at_a_time:
        raise too_busy(f"{importing.forms_at_a_time} forms are being read already.", seconds=5)
    importing.forms += 1
    try:
        read_ = await read_form(request, _FIELDS, importing.arrivals, importing.idle_seconds)
        return await _from_files(request, read_)
    finally:
        importing.forms -= 1


async def _from_files(request: Request, read_: Form) -> Answer:
    answer = None
    try:
        answer = await _make(request, read_.fields, [f"upload:{file.id}" for file in read_.files])
        return answer
    finally:
        if answer is None or answer.status_code != 303:
            await asyncio.shield(read_.discard())


async def _make(request: Request, fields: Mapping[str, str], uploads: Sequence[str]) -> Answer:
    importing: Importing = request.app.state.importing
    desk: Desk = request.app.state.desk
    asked = ImportRequest(
        sources=(*uploads, *_sources(fields)),
        dataset=fields.get("dataset") or None,
        mode=fields.get("mode") or "replace",
        max_rejects=fields.get("max_rejects", "").strip() or "1%",
    )

    def create(connection: Connection) -> int:
        return commands.request_import(connection, asked, importing.rules, importing.chunk_bytes)

    try:
        import_id = await desk.change(create)
    except (UsageError, SourceError) as error:
        return await _page(request, Given(fields, _failure(error)))
    return see_other(f"/imports/{import_id}")


def _sources(fields: Mapping[str, str]) -> list[str]:
    """Everything that was named: a published name, an address, a path of the server."""
    path = fields.get("path", "").strip()
    named = [fields.get("source", "").strip(), fields.get("url", "").strip(), f"path:{path}" if path else ""]
    return [one for one in named if one]


def _failure(error: ReelbaseError) -> Problem:
    """What went wrong, in words that fit a page."""
    problem = problem_of(error)
    if problem is None or problem.status >= 500:
        problem = Problem(422, error.code, error.detail, remedy=error.remedy)
    if isinstance(error, MixedDatasets):
        problem.remedy = "Choose one of them below, and the others are left out."
    return problem
