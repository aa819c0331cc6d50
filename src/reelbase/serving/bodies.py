"""Bodies of requests: JSON and forms, not too long, not too deep."""

from __future__ import annotations

import orjson
from starlette.requests import Request

from reelbase.serving.problems import Fault, Problem
from reelbase.serving.query import Pairs, pairs

LONGEST = 1 << 20
_TYPES = ("application/json", "application/merge-patch+json")
_FORM = "application/x-www-form-urlencoded"


async def json_body(request: Request) -> bytes:
    """The body, known to be JSON; raises Problem (400, 413, 415)."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _TYPES:
        raise Problem(
            415, "not_json", "The body must be JSON.", remedy="Send it with Content-Type: application/json.",
            headers={"accept": ", ".join(_TYPES)},
        )  # fmt: skip
    body = await _read(request)
    try:
        orjson.loads(body)
    except ValueError as error:
        raise Problem(
            400, "broken_json", f"The body is no JSON: {error}.", faults=[Fault(str(error), pointer="")]
        ) from error
    return body


async def form(request: Request) -> Pairs:
    """Names and values of a form without files; raises Problem (413, 414, 415, 422)."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _FORM:
        raise Problem(415, "not_a_form", "The body must be a form.", headers={"accept": _FORM})
    return pairs(await _read(request))


async def _read(request: Request) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > LONGEST:
            raise Problem(413, "too_large", f"A body is at most {LONGEST} bytes long.", headers={"connection": "close"})
        parts.append(part)
    return b"".join(parts)
