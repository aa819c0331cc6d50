"""GET /imports/{id} and what can be done with one import: its live page, its rejects, cancel, retry, confirm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import Field
from starlette.requests import Request

from reelbase.database.connect import Connection, DictConnection
from reelbase.errors import ReelbaseError
from reelbase.imports import commands, overview, read, rejects
from reelbase.serving.answers import Answer, Body, dumps, found
from reelbase.serving.bodies import form
from reelbase.serving.desk import Desk
from reelbase.serving.problems import Problem, not_found, problem_of
from reelbase.serving.query import Query, Words, pairs, parse
from reelbase.web.console import shown, words
from reelbase.web.console.downloads import attachment
from reelbase.web.pages import fresh, see_other

Row = dict[str, Any]

_FIRST_REJECTS = 20
_REJECTS_A_PAGE = 50
_MOST_RAW_BYTES = 64 << 20


async def show_import(request: Request) -> Answer:
    """GET /imports/{id}."""
    return await _page(request, number_of(request))


async def _page(request: Request, import_id: int, failure: Problem | None = None) -> Answer:
    def ask(connection: DictConnection) -> Row:
        one = shown.opened(read.one_import(connection, import_id))
        states = overview.chunk_states(connection, import_id)
        reasons = overview.reject_reasons(connection, import_id)
        return {
            "one": one,
            "asked": overview.asked(connection, import_id),
            "steps": shown.steps(one),
            "percent": shown.percent(one),
            "strips": _strips(one, states),
            "is_live": one["state"] in shown.BEFORE_THE_END,
            "reasons": reasons,
            "rejects": _rejects(connection, import_id, None, None, (0, -1), _FIRST_REJECTS)[0] if reasons else [],
            "words": words,
            "failure": failure,
        }

    return await fresh(request, "console/import.html", ask, failure.status if failure else 200)


def _strips(one: Row, states: dict[int, str]) -> list[shown.Strip]:
    return [shown.strip(states.get(position, "")) for position in range(len(one["files"]))]


async def show_chunks(request: Request) -> Answer:
    """GET /imports/{id}/chunks: the strip of each file, for the script of the page."""
    import_id = number_of(request)

    def ask(connection: DictConnection) -> Body:
        one = shown.opened(read.one_import(connection, import_id))
        strips = _strips(one, overview.chunk_states(connection, import_id))
        return Body(dumps([{"total": strip.total, "paths": strip.paths} for strip in strips]))

    desk: Desk = request.app.state.desk
    return found(request.scope, await desk.ask(request, ask), None)


# Rejects


class RejectsQuery(Query):
    """Which rejects, and behind which of them the page begins."""

    reason: Words | None = Field(default=None, max_length=100)
    file: Words | None = Field(default=None, max_length=5000)
    after: str = Field(default="0.-1", pattern=r"^[0-9]{1,18}\.(-1|[0-9]{1,18})$")


async def list_rejects(request: Request) -> Answer:
    """GET /imports/{id}/rejects."""
    import_id = number_of(request)
    query = parse(RejectsQuery, pairs(request.scope["query_string"]))
    reason, file = query.reason or None, query.file or None
    file_id, byte = query.after.split(".")

    def ask(connection: DictConnection) -> Row:
        one = shown.opened(read.one_import(connection, import_id))
        items, next_ = _rejects(connection, import_id, reason, file, (int(file_id), int(byte)), _REJECTS_A_PAGE)
        return {
            "one": one,
            "items": items,
            "next": next_,
            "total": rejects.count(connection, import_id, reason=reason, file=file),
            "reasons": overview.reject_reasons(connection, import_id),
            "mendable": overview.mendable_files(connection, import_id),
            "query": {"reason": reason, "file": file, "is_first": query.after == "0.-1"},
            "words": words,
        }

    return await fresh(request, "console/rejects.html", ask)


def _rejects(
    connection: DictConnection, import_id: int, reason: str | None, file: str | None, after: tuple[int, int], limit: int
) -> tuple[list[Row], str | None]:
    """Some rejects, and the place behind the last of them where there are more."""
    rows = rejects.page(connection, import_id, reason=reason, file=file, after=after, limit=limit + 1)
    next_ = f"{rows[limit - 1][0][0]}.{rows[limit - 1][0][1]}" if len(rows) > limit else None
    return [row for _, row in rows[:limit]], next_


async def download_raw(request: Request) -> Answer:
    """GET /imports/{id}/rejects/{file}: the bad records of a file as they were, below its header, to be mended."""
    import_id = number_of(request)
    word: str = request.path_params["file"]

    def collect(connection: Connection) -> tuple[str, bytes]:
        rejects.check_known(connection, import_id)
        files = overview.mendable(connection, import_id)
        if not (word.isascii() and word.isdigit() and len(word) < 6 and int(word) < len(files)):
            raise not_found("There is no such file with rejects.", f"/imports/{import_id} lists them.")
        return files[int(word)].name, _bounded(files[int(word)], import_id)

    desk: Desk = request.app.state.desk
    name, data = await desk.change(collect)
    return attachment(_plain_name(name), data)


def _bounded(file: rejects.RawRejects, import_id: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    for line in file.lines():
        parts.append(line)
        size += len(line)
        if size > _MOST_RAW_BYTES:
            raise Problem(
                413, "too_large", "There are too many bad records for a page to hand out.",
                remedy=f"In a terminal: reelbase imports rejects {import_id} --raw -o FOLDER",
            )  # fmt: skip
    return b"".join(parts)


def _plain_name(name: str) -> str:
    """ml-latest.zip/ml-latest/ratings.csv → ratings.csv, which is recognised by its header again."""
    return name.replace("\\", "/").rpartition("/")[2].removesuffix(".gz") or "rejects"


# Changes


async def ask_cancel(request: Request) -> Answer:
    """GET /imports/{id}/cancel: the question, for whoever has no dialog."""
    import_id = number_of(request)

    def ask(connection: DictConnection) -> Row:
        return {"one": shown.opened(read.one_import(connection, import_id))}

    return await fresh(request, "console/cancel.html", ask)


async def cancel_import(request: Request) -> Answer:
    """POST /imports/{id}/cancel."""
    seconds: float = request.app.state.lease_seconds
    return await _changed(request, lambda connection, number: commands.cancel(connection, number, seconds))


async def retry_import(request: Request) -> Answer:
    """POST /imports/{id}/retry, with other max_rejects where they are given."""
    seconds: float = request.app.state.lease_seconds
    given = dict(await form(request)) if request.headers.get("content-length", "0") != "0" else {}
    allowed = given.get("max_rejects", "").strip() or None
    return await _changed(request, lambda connection, number: commands.retry(connection, number, seconds, allowed))


async def confirm_import(request: Request) -> Answer:
    """POST /imports/{id}/confirm."""
    return await _changed(request, commands.confirm)


async def _changed(request: Request, change: Callable[[Connection, int], None]) -> Answer:
    """Do it and go back to the page; where it cannot be done, the page says why."""
    import_id = number_of(request)
    desk: Desk = request.app.state.desk
    try:
        await desk.change(lambda connection: change(connection, import_id))
    except ReelbaseError as error:
        problem = problem_of(error)
        if problem is None or problem.status in (404, 503) or problem.status >= 500:
            raise
        return await _page(request, import_id, problem)
    return see_other(f"/imports/{import_id}")


def number_of(request: Request) -> int:
    """The import of the path; raises Problem (404) for what is no number."""
    word: str = request.path_params["id"]
    if not (word.isascii() and word.isdigit() and len(word) <= 18):
        raise not_found(f"There is no import {word[:80]!r}.", "/imports lists them.")
    return int(word)
