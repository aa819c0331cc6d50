"""What uvicorn answers by itself, when a request is no HTTP: a problem like all others."""

from __future__ import annotations

import secrets
from http import HTTPStatus

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from reelbase.api.problems import MEDIA_TYPE, Problem


class Protocol(HttpToolsProtocol):
    """HTTP/1.1."""

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # uvicorn's words say no more than ours
        problem = Problem(400, "not_http", "This is not a request of HTTP/1.1.")
        body = orjson.dumps(problem.shown("", secrets.token_hex(8)))
        lines = (
            f"HTTP/1.1 400 {HTTPStatus.BAD_REQUEST.phrase}",
            f"content-type: {MEDIA_TYPE}",
            f"content-length: {len(body)}",
            "connection: close",
        )
        self.transport.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        self.transport.close()
