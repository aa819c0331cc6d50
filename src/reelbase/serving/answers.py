"""Answers: JSON bytes with their headers, packed where it pays, and known by an ETag."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import orjson
from isal import igzip
from psycopg.types.range import Range
from starlette.types import Receive, Scope, Send

from reelbase import __version__

RawHeaders = list[tuple[bytes, bytes]]

_WORTH_PACKING = 1024
_JSON = b"application/json"
# A number of JavaScript is exact up to here; beyond, orjson writes the digits all the same.


def dumps(value: object) -> bytes:
    """JSON, with numbers as exact as PostgreSQL gave them."""
    try:
        return orjson.dumps(value, _plain, orjson.OPT_UTC_Z)
    except TypeError:
        # Keys that are no text: to be ready for them costs a page 17 of its 26 µs here, and hardly any answer has them.
        return orjson.dumps(value, _plain, orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)


def _plain(value: object) -> Any:
    if isinstance(value, Decimal):
        # NaN and infinities are no numbers in JSON.
        return orjson.Fragment(str(value)) if value.is_finite() else None
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, Range):
        return str(value)
    return str(value)


class Body:
    """What is sent: as it is, or packed once somebody takes it packed. `kind` is its media type."""

    __slots__ = ("_packed", "headers", "kind", "plain")

    def __init__(self, plain: bytes, headers: Iterable[tuple[bytes, bytes]] = (), kind: bytes = _JSON) -> None:
        self.plain = plain
        self.headers = tuple(headers)
        self.kind = kind
        self._packed: bytes | None = None

    def packed(self) -> bytes | None:
        """None where packing does not pay."""
        if self._packed is None and len(self.plain) >= _WORTH_PACKING:
            self._packed = igzip.compress(self.plain, compresslevel=1)
        return self._packed

    @property
    def size(self) -> int:
        """At most."""
        return 2 * len(self.plain)


class Answer:
    """An ASGI response, with nothing left to be worked out when it is sent."""

    __slots__ = ("body", "raw_headers", "status_code")

    def __init__(self, status: int, body: bytes, headers: RawHeaders) -> None:
        self.status_code = status
        self.body = body
        self.raw_headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # as ASGI has it
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body})


def etag(version: str, path: str, query: bytes, variant: bytes = b"") -> bytes:
    """Weak: packed or not, it is the same. Another release of this software may answer differently."""
    digest = blake2b(path.encode() + b"?" + query + _SOFTWARE + variant, digest_size=8).hexdigest()
    return f'W/"{version}-{digest}"'.encode()


_VERSION = re.compile(rb'"([0-9a-f]+\.[0-9a-f]+)-[0-9a-f]{16}"')
_SOFTWARE = b" " + __version__.encode()
_REVALIDATE: RawHeaders = [(b"cache-control", b"no-cache"), (b"vary", b"accept-encoding")]
_REVALIDATE_VARIANT: RawHeaders = [(b"cache-control", b"no-cache"), (b"vary", b"accept-encoding, cookie")]


def _revalidate(variant: bytes) -> RawHeaders:
    return _REVALIDATE_VARIANT if variant else _REVALIDATE


def is_known(scope: Scope, tag: bytes) -> bool:
    """Whether the client has the answer already (If-None-Match)."""
    for name, value in scope["headers"]:
        if name == b"if-none-match":
            return tag in (part.strip() for part in value.split(b",")) or tag.removeprefix(b"W/") in value
    return False


def based_on(scope: Scope) -> frozenset[str] | None:
    """The versions of the catalog that a change may start from, by any of their ETags (If-Match); None: from any."""
    given = [value for name, value in scope["headers"] if name == b"if-match"]
    if not given or any(value.strip() == b"*" for value in given):
        return None
    return frozenset(version.decode() for value in given for version in _VERSION.findall(value))


def unchanged(tag: bytes, variant: bytes = b"") -> Answer:
    """304."""
    return Answer(304, b"", [(b"etag", tag), *_revalidate(variant)])


def found(scope: Scope, body: Body, tag: bytes | None, variant: bytes = b"", status: int = 200) -> Answer:
    """200, packed where the client takes it."""
    headers: RawHeaders = [(b"content-type", body.kind), *body.headers]
    headers += [(b"etag", tag), *_revalidate(variant)] if tag else [(b"cache-control", b"no-store")]
    sent = body.plain
    if takes_gzip(scope) and (packed := body.packed()) is not None:
        sent = packed
        headers.append((b"content-encoding", b"gzip"))
    headers.append((b"content-length", str(len(sent)).encode()))
    return Answer(status, sent, headers)


def takes_gzip(scope: Scope) -> bool:
    """Whether Accept-Encoding names gzip, and does not refuse it."""
    for name, value in scope["headers"]:
        if name == b"accept-encoding":
            for part in value.lower().split(b","):
                coding, _, weight = part.partition(b";")
                if coding.strip() == b"gzip":
                    return weight.replace(b" ", b"") not in (b"q=0", b"q=0.0", b"q=0.00", b"q=0.000")
    return False


def plain(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """JSON that is not kept by anybody."""
    body = dumps(value)
    raw: RawHeaders = [(b"content-type", _JSON), (b"cache-control", b"no-store")]
    raw += [(name.encode(), text.encode("latin-1")) for name, text in (headers or {}).items()]
    raw.append((b"content-length", str(len(body)).encode()))
    return Answer(status, body, raw)


def links(next_: str | None, previous: str | None) -> RawHeaders:
    """The Link header (RFC 8288) of a list."""
    parts = [f'<{path}>; rel="{name}"' for name, path in (("next", next_), ("prev", previous)) if path]
    return [(b"link", ", ".join(parts).encode())] if parts else []
