"""Errors as RFC 9457 problems: what was wrong, where, and what to do. No answer above 399 is anything else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
import psycopg
from starlette.responses import Response

from reelbase.errors import (
    BadCursor,
    BadParameter,
    DatabaseError,
    KeyInUse,
    KnownMovie,
    OldCursor,
    ReelbaseError,
    SourceError,
    SourceNotAllowed,
    StoreFull,
    UnknownImport,
    UnknownMovie,
    UnknownUpload,
    UploadTooLarge,
    UploadUnfinished,
    UsageError,
    WrongState,
)

MEDIA_TYPE = "application/problem+json"
_LONGEST_DETAIL = 500
_OTHER_TITLES = {460: "Checksum Mismatch"}  # of tus


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that was wrong, and its place: a `parameter` by name, or a JSON `pointer` into the body."""

    detail: str
    parameter: str | None = None
    pointer: str | None = None

    def shown(self) -> dict[str, str]:
        named = {"parameter": self.parameter, "pointer": self.pointer, "detail": self.detail}
        return {name: value for name, value in named.items() if value is not None}


class Problem(Exception):  # the word of RFC 9457
    """What ends a request: a status, a stable code, a sentence, and each fault with its place."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        remedy: str = "",
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail[:_LONGEST_DETAIL]
        self.remedy = remedy
        self.faults = faults
        self.headers = dict(headers or {})

    def shown(self, instance: str, request_id: str) -> dict[str, Any]:
        """The problem as JSON."""
        body: dict[str, Any] = {
            "type": f"urn:reelbase:problem:{self.code}",
            "title": _title(self.status),
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            "request_id": request_id,
        }
        if self.remedy:
            body["remedy"] = self.remedy
        if self.faults:
            body["errors"] = [fault.shown() for fault in self.faults]
        return body

    def answer(self, instance: str, request_id: str) -> Response:
        body = orjson.dumps(self.shown(instance, request_id))
        headers = {"cache-control": "no-store", **self.headers}
        return Response(body, status_code=self.status, media_type=MEDIA_TYPE, headers=headers)


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return _OTHER_TITLES.get(status, "Error")


def invalid(faults: Sequence[Fault]) -> Problem:
    """Parameters or a body that say something impossible."""
    detail = faults[0].detail if len(faults) == 1 else f"{len(faults)} values cannot be used."
    place = faults[0].parameter or faults[0].pointer
    return Problem(422, "invalid", f"{place}: {detail}" if len(faults) == 1 and place else detail, faults=faults)


def not_found(detail: str, remedy: str = "") -> Problem:
    """Nothing of that name."""
    return Problem(404, "not_found", detail, remedy=remedy)


def too_busy(detail: str, seconds: int = 1) -> Problem:
    """Not now."""
    return Problem(503, "unavailable", detail, headers={"retry-after": str(seconds)})


def problem_of(error: Exception) -> Problem | None:
    """The problem that one of our errors is, or one of the driver's; None for what nobody foresaw."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, ReelbaseError):
        return _of_ours(error)
    if isinstance(error, psycopg.errors.QueryCanceled):
        detail = "The question took longer than an answer may take."
        return Problem(503, "too_slow", detail, remedy="Narrow it down.", headers={"retry-after": "1"})
    if isinstance(error, psycopg.OperationalError):
        return too_busy("The database does not answer.")
    return None


_STATUSES: dict[type[ReelbaseError], int] = {
    OldCursor: 410,
    BadCursor: 400,
    UnknownMovie: 404,
    UnknownImport: 404,
    UnknownUpload: 404,
    UploadUnfinished: 409,
    KnownMovie: 409,
    WrongState: 409,
    KeyInUse: 409,
    SourceNotAllowed: 403,
    SourceError: 422,
    StoreFull: 507,
    UploadTooLarge: 413,
    UsageError: 422,
}


def _of_ours(error: ReelbaseError) -> Problem:
    if isinstance(error, DatabaseError):
        return too_busy("The database does not answer.")
    status = next((status for kind, status in _STATUSES.items() if isinstance(error, kind)), None)
    if status is None:
        return Problem(500, "internal", "Something went wrong here; the log tells more.")
    parameter = error.name if isinstance(error, BadParameter) else "cursor" if isinstance(error, BadCursor) else None
    faults = [Fault(error.detail, parameter=parameter)] if parameter else []
    code = "invalid" if isinstance(error, BadParameter) else error.code
    headers = {"retry-after": "1"} if error.again else None
    return Problem(status, code, error.detail, remedy=error.remedy, faults=faults, headers=headers)
