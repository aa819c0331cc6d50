"""Swagger UI, out of the package: nothing is loaded from anywhere else."""

from __future__ import annotations

from functools import cache
from importlib import resources

from starlette.requests import Request

from reelbase.serving.answers import Answer, Body, RawHeaders, takes_gzip
from reelbase.serving.problems import not_found

_UI = "vendor/swagger-ui-5.35.0"
_FILES = {
    "": ("docs.html", b"text/html; charset=utf-8"),
    "start.js": ("start.js", b"text/javascript; charset=utf-8"),
    "swagger-ui.css": (f"{_UI}/swagger-ui.css", b"text/css; charset=utf-8"),
    "swagger-ui-bundle.js": (f"{_UI}/swagger-ui-bundle.js", b"text/javascript; charset=utf-8"),
}


async def show_docs(request: Request) -> Answer:
    """GET /docs, /docs/{file}."""
    known = _FILES.get(request.path_params.get("file", ""))
    if known is None:
        raise not_found("There is no such page.", "/docs is the documentation.")
    path, kind = known
    body = _read(path)
    headers: RawHeaders = [(b"content-type", kind), (b"cache-control", b"no-cache"), (b"vary", b"accept-encoding")]
    sent = body.plain
    if takes_gzip(request.scope) and (packed := body.packed()) is not None:
        sent = packed
        headers.append((b"content-encoding", b"gzip"))
    headers.append((b"content-length", str(len(sent)).encode()))
    return Answer(200, sent, headers)


@cache
def _read(path: str) -> Body:
    return Body((resources.files("reelbase.api") / "static").joinpath(*path.split("/")).read_bytes())
