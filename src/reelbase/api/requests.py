"""How imports are asked for: sources in JSON, or the files themselves in a form; sent twice, made once."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import orjson
from pydantic import ValidationError
from starlette.requests import Request

from reelbase.api.imports import accepted
from reelbase.api.schemas import ImportGiven, ImportOptions
from reelbase.database.connect import Connection, connect_dicts
from reelbase.errors import BadParameter, MixedDatasets, ReelbaseError, SourceError, UsageError
from reelbase.imports import commands, read
from reelbase.imports.idempotency import Turn
from reelbase.imports.sources import ImportRequest, SourceRules
from reelbase.serving.answers import Answer, RawHeaders, dumps
from reelbase.serving.bodies import json_body
from reelbase.serving.desk import Desk
from reelbase.serving.forms import Arrivals, Form, boundary_of, read_form
from reelbase.serving.problems import Fault, Problem, invalid, problem_of, too_busy
from reelbase.serving.query import Nothing, faults_of, pairs, parse

_FORM = "multipart/form-data"
_FIELDS = ("dataset", "mode", "max_rejects")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(slots=True)
class Importing:
    """What may be imported over HTTP, and where files of forms go; `forms_at_a_time` are read at once."""

    rules: SourceRules
    chunk_bytes: int
    arrivals: Arrivals
    idle_seconds: float = 60.0
    forms_at_a_time: int = 8
    forms: int = 0


async def create_import(request: Request) -> Answer:
    """POST /imports."""
    parse(Nothing, pairs(request.scope["query_string"]))
    key = _key(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return await (_from_form(request, key) if kind == _FORM else _from_json(request, key))


async def _from_json(request: Request, key: str | None) -> Answer:
    importing: Importing = request.app.state.importing
    desk: Desk = request.app.state.desk
    try:
        given = ImportGiven.model_validate(orjson.loads(await json_body(request)))
    except ValidationError as error:
        raise invalid(list(faults_of(error, body=True))) from error
    asked = ImportRequest(tuple(given.sources), given.dataset, given.mode, str(given.max_rejects))

    def make() -> Answer:
        with Turn(desk.url, key) as turn:
            return _made(turn, desk.url, importing, asked, _digest(asdict(asked)))

    try:
        return await asyncio.to_thread(make)
    except (UsageError, SourceError) as error:
        raise _placed(error, given.sources) from error


async def _from_form(request: Request, key: str | None) -> Answer:
    importing: Importing = request.app.state.importing
    desk: Desk = request.app.state.desk
    boundary_of(request.headers["content-type"])
    if importing.forms >= importing.forms_at_a_time:
        raise too_busy(f"{importing.forms_at_a_time} forms are being read already.", seconds=5)
    importing.forms += 1
    turn: Turn | None = None
    try:
        await asyncio.to_thread(importing.arrivals.check, _announced(request))
        # With a key the turn is taken before the body, which takes its time; nobody else reads the same meanwhile.
        turn = await asyncio.to_thread(Turn, desk.url, key) if key else None
        form = await read_form(request, _FIELDS, importing.arrivals, importing.idle_seconds)
        if turn is None:
            turn = await asyncio.to_thread(Turn, desk.url, None)
        return await _from_files(turn, desk.url, importing, form)
    finally:
        importing.forms -= 1
        if turn is not None:
            await asyncio.shield(asyncio.to_thread(turn.close))


async def _from_files(turn: Turn, url: str, importing: Importing, form: Form) -> Answer:
    used: list[int] = []
    try:
        if not form.files:
            raise invalid([Fault("There is no file: curl -F file=@NAME.", parameter="file")])
        try:
            options = ImportOptions.model_validate(form.fields)
        except ValidationError as error:
            raise invalid(list(faults_of(error))) from error
        sources = tuple(f"upload:{file.id}" for file in form.files)
        asked = ImportRequest(sources, options.dataset, options.mode, str(options.max_rejects))
        told = {**asdict(asked), "sources": [[file.name, file.sha256] for file in form.files]}
        return await asyncio.to_thread(_made, turn, url, importing, asked, _digest(told), used)
    except MixedDatasets as error:
        raise _problem(error) from error
    finally:
        if not used:
            await asyncio.shield(form.discard())


def _made(
    turn: Turn, url: str, importing: Importing, asked: ImportRequest, digest: bytes, made: list[int] | None = None
) -> Answer:
    """The answer to a request, made now (and added to `made`), or as it was when it was made. In a thread."""

    def create(connection: Connection) -> int:
        return commands.request_import(connection, asked, importing.rules, importing.chunk_bytes)

    kept = turn.kept(digest)
    import_id = turn.make(digest, create) if kept is None else kept.import_id
    if made is not None and kept is None:
        made.append(import_id)
    body = kept.answer if kept else None
    if body is None:
        with connect_dicts(url, "reelbase api") as connection:
            body = dumps(read.one_import(connection, import_id))
        turn.keep_answer(body)
    return _answer(import_id, body, is_replayed=kept is not None)


def _answer(import_id: int, body: bytes, *, is_replayed: bool) -> Answer:
    headers: RawHeaders = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    headers += [(name.encode(), value.encode()) for name, value in accepted(import_id).items()]
    headers.append((b"content-length", str(len(body)).encode()))
    if is_replayed:
        headers.append((b"idempotency-replayed", b"true"))
    return Answer(202, body, headers)


def _key(request: Request) -> str | None:
    """The Idempotency-Key; raises Problem (400)."""
    given = request.headers.getlist("idempotency-key")
    if not given:
        return None
    if len(given) > 1 or not _KEY.fullmatch(given[0]):
        raise Problem(400, "bad_key", "An Idempotency-Key is 1 to 255 visible ASCII characters, given once.")
    return given[0]


def _digest(asked: Mapping[str, object]) -> bytes:
    return hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).digest()


def _announced(request: Request) -> int:
    word = request.headers.get("content-length", "0")
    return int(word) if word.isascii() and word.isdigit() else 0


# Errors, with their places


def _placed(error: ReelbaseError, sources: Sequence[str]) -> Problem:
    """The problem with the place in the body that is to blame."""
    problem = _problem(error)
    if isinstance(error, BadParameter):
        pointer = f"/{error.name}"
    else:
        blamed = [number for number, word in enumerate(sources) if _tail(word) in error.detail]
        pointer = f"/sources/{blamed[0]}" if len(blamed) == 1 else "/sources/0" if len(sources) == 1 else "/sources"
    is_about_body = problem.status in (403, 404, 422) and error.code != "key_of_another"
    problem.faults = [Fault(problem.detail, pointer=pointer)] if is_about_body else []
    return problem


def _tail(word: str) -> str:
    """What errors call a source by."""
    return word.removeprefix("path:").removeprefix("upload:")


def _problem(error: ReelbaseError) -> Problem:
    problem = problem_of(error) or Problem(422, error.code, error.detail, remedy=error.remedy)
    if isinstance(error, MixedDatasets):
        problem.remedy = "Name one of them as `dataset`; an import is of one dataset."
    return problem
