"""The bad records of an import: pages of JSON, or all of them as CSV."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from reelbase.api.exports import streamed
from reelbase.api.imports import FilesQuery, ask_files, number_of
from reelbase.errors import BadCursor
from reelbase.imports import read, rejects
from reelbase.serving.answers import Answer
from reelbase.serving.desk import Desk
from reelbase.serving.query import pairs, parse

Reason = Literal[
    "wrong_type",
    "out_of_range",
    "too_few_columns",
    "too_many_columns",
    "missing_key",
    "missing_value",
    "unclosed_quote",
    "malformed_quote",
    "invalid_utf8",
    "nul_byte",
    "record_too_long",
    "duplicate_key",
    "refused",
]
_CSV = "text/csv; charset=utf-8; header=present"


class RejectsQuery(FilesQuery):
    """The parameters of the list of rejects."""

    reason: Reason | None = Field(default=None, examples=["wrong_type"])
    format: Literal["json", "csv"] | None = Field(
        default=None, description="csv: all of them as a stream, as `Accept: text/csv` asks for", examples=["json"]
    )


async def list_rejects(request: Request) -> Answer | Response:
    """GET /imports/{id}/rejects."""
    given = pairs(request.scope["query_string"])
    query = parse(RejectsQuery, given)
    import_id = number_of(request)
    if query.format == "csv" or (query.format is None and _wants_csv(request)):
        return await _csv(request, import_id, query)
    filters = {"reason": query.reason, "file": query.file}
    answer = await ask_files(
        request,
        query,
        lambda connection, after, limit: rejects.page(connection, import_id, after=after, limit=limit, **filters),
        lambda connection: rejects.count(connection, import_id, **filters),
    )
    answer.raw_headers.append((b"vary", b"accept"))
    return answer


async def _csv(request: Request, import_id: int, query: RejectsQuery) -> Response:
    if query.cursor is not None:
        raise BadCursor("CSV has no pages: it is all of them.", "Leave the cursor out.")
    name = f'attachment; filename="rejects-{import_id}.csv"'
    headers = {"content-disposition": name, "cache-control": "no-store", "vary": "accept"}
    desk: Desk = request.app.state.desk
    await desk.ask(request, lambda connection: read.one_import(connection, import_id))
    if request.scope.get("reelbase.is_head"):
        response = Response(headers=headers, media_type=_CSV)
        del response.headers["content-length"]  # it is not known before all is read
        return response
    source = rejects.csv_stream(desk.url, import_id, reason=query.reason, file=query.file)
    return await streamed(request, source, source.blocks(), headers, _CSV)


def _wants_csv(request: Request) -> bool:
    """Whether Accept puts CSV before JSON."""
    accepted = request.headers.get("accept", "")
    return _weight(accepted, "text/csv") > _weight(accepted, "application/json")


def _weight(accepted: str, kind: str) -> float:
    """How much it is wanted where it is named itself: `*/*` wants JSON."""
    for part in accepted.lower().split(","):
        name, *parameters = (word.strip() for word in part.split(";"))
        if name == kind:
            found = [re.fullmatch(r"q=([01](?:\.[0-9]{0,3})?)", word) for word in parameters]
            return next((float(match[1]) for match in found if match), 1.0)
    return 0.0
