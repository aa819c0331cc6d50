"""What a tus request says in its headers, read strictly: whatever can be refused is refused before its body is read."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Scope

VERSION = "1.0.0"
EXTENSIONS = ("creation", "creation-with-upload", "creation-defer-length", "checksum", "expiration", "termination")
ALGORITHMS = {"sha1": 20, "sha256": 32}
BODY_TYPE = "application/offset+octet-stream"

CORS_METHODS = "POST, GET, HEAD, PATCH, DELETE, OPTIONS"
CORS_HEADERS = (
    "Authorization, Content-Type, Tus-Resumable, Upload-Length, Upload-Offset, Upload-Metadata, Upload-Defer-Length, "
    "Upload-Checksum, X-HTTP-Method-Override, X-Request-ID"
)
CORS_EXPOSED = (
    "Location, Tus-Resumable, Tus-Version, Tus-Extension, Tus-Max-Size, Upload-Offset, Upload-Length, Upload-Expires, "
    "Upload-Metadata, X-Request-ID"
)

_NUMBER = re.compile(r"[0-9]{1,19}", re.ASCII)
_LARGEST = 2**63 - 1
_KEY = re.compile(r"[!-+\--~]+")  # visible ASCII but the comma
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")
_LONGEST_METADATA = 8192
_LONGEST_NAME = 255


class Refused(Exception):
    """A request that ends here: a status, a stable code, a sentence, a remedy and headers."""

    def __init__(
        self, status: int, code: str, detail: str, remedy: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.remedy = remedy
        self.headers = dict(headers or {})


class SenderGone(Exception):  # a signal, never shown
    """Nobody waits for the answer any more."""


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the body of a request must have as its digest."""

    algorithm: str
    digest: bytes

    def begin(self) -> Any:
        """A hash that is still empty."""
        return hashlib.new(self.algorithm, usedforsecurity=False)


@dataclass(frozen=True, slots=True)
class Metadata:
    """Upload-Metadata as it was sent, the name in it made fit to be shown, and the digest of the whole file."""

    text: str = ""
    name: str = "upload"
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """The headers of a request by their names in lower case; one that comes twice is None."""

    method: str
    values: Mapping[str, str | None] = field(default_factory=dict)

    @classmethod
    def of(cls, scope: Scope) -> Words:
        values: dict[str, str | None] = {}
        for raw_name, raw in scope["headers"]:
            name = raw_name.decode("latin-1").lower()
            values[name] = None if name in values else raw.decode("latin-1").strip()
        method = "HEAD" if scope.get("reelbase.is_head") else scope["method"]
        return cls((values.get("x-http-method-override") or method).upper(), values)

    def get(self, name: str) -> str | None:
        """The value of a header that may come once; raises Refused (400)."""
        value = self.values.get(name, "")
        if value is None:
            raise Refused(400, "repeated_header", f"The header {name} comes more than once.")
        return value if name in self.values else None

    def number(self, name: str) -> int | None:
        """A header that is a whole number; raises Refused (400)."""
        text = self.get(name)
        if text is None:
            return None
        if not _NUMBER.fullmatch(text) or int(text) > _LARGEST:
            raise Refused(400, "bad_number", f"{name} is {text[:40]!r}.", "It must be a whole number of bytes.")
        return int(text)

    @property
    def has_body(self) -> bool:
        return "transfer-encoding" in self.values or (self.number("content-length") or 0) > 0

    @property
    def is_upload(self) -> bool:
        """Whether the body is a piece of a file."""
        return (self.get("content-type") or "").lower() == BODY_TYPE

    @property
    def waits_to_continue(self) -> bool:
        """Whether the body is sent only once it is asked for."""
        return (self.values.get("expect") or "").lower() == "100-continue"

    def check_version(self) -> None:
        """Raise Refused (412) unless the request speaks our version."""
        told = self.get("tus-resumable")
        if told != VERSION:
            said = "says no version" if told is None else f"speaks version {told[:20]!r}"
            raise Refused(
                412, "tus_version", f"The request {said} of the tus protocol.", f"Send Tus-Resumable: {VERSION}.",
                {"tus-version": VERSION},
            )  # fmt: skip

    def length(self) -> int | None:
        """Upload-Length, None where it comes later; raises Refused (400)."""
        length, later = self.number("upload-length"), self.get("upload-defer-length")
        if (length is None) == (later is None):
            both = "Upload-Length and Upload-Defer-Length exclude each other."
            neither = "The request does not say how long the file is."
            remedy = "Send Upload-Length, or Upload-Defer-Length: 1 if it is not known yet."
            raise Refused(400, "upload_length", neither if length is None else both, remedy)
        if later not in (None, "1"):
            raise Refused(400, "upload_length", f"Upload-Defer-Length is {str(later)[:40]!r}.", "It can only be 1.")
        return length

    def checksum(self) -> Checksum | None:
        """Upload-Checksum; raises Refused (400)."""
        text = self.get("upload-checksum")
        if text is None:
            return None
        algorithm, _, encoded = text.partition(" ")
        if algorithm not in ALGORITHMS:
            raise Refused(
                400, "checksum_algorithm", f"The algorithm {algorithm[:20]!r} is not known.",
                f"Known are {' and '.join(ALGORITHMS)}.",
            )  # fmt: skip
        digest = _decoded(encoded)
        if digest is None or len(digest) != ALGORITHMS[algorithm]:
            raise Refused(400, "bad_checksum", "Upload-Checksum is not an algorithm and a digest in Base64.")
        return Checksum(algorithm, digest)

    def metadata(self) -> Metadata:
        """Upload-Metadata; raises Refused (400)."""
        text = self.get("upload-metadata") or ""
        if len(text) > _LONGEST_METADATA:
            raise Refused(400, "bad_metadata", f"Upload-Metadata is longer than {_LONGEST_METADATA} bytes.")
        values: dict[str, bytes] = {}
        for pair in text.split(",") if text else ():
            key, _, encoded = pair.strip().partition(" ")
            value = _decoded(encoded)
            if not _KEY.fullmatch(key) or key in values or value is None:
                raise Refused(
                    400, "bad_metadata", f"Upload-Metadata cannot be read at {pair.strip()[:60]!r}.",
                    "It is a list of keys, each once, each followed by a space and its value in Base64.",
                )  # fmt: skip
            values[key] = value
        return Metadata(text, _name(values), _sha256(values))


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _name(values: Mapping[str, bytes]) -> str:
    """For people to read: nothing in it moves the cursor or turns the line around. It is never the name of a file."""
    told = values.get("filename") or values.get("name") or b""
    shown = "".join(
        character for character in told.decode("utf-8", "replace") if unicodedata.category(character)[0] != "C"
    )
    return shown.strip()[:_LONGEST_NAME] or "upload"


def _sha256(values: Mapping[str, bytes]) -> str | None:
    told = values.get("sha256")
    if not told:
        return None
    text = told.decode("latin-1")
    if not _SHA256.fullmatch(text):
        raise Refused(400, "bad_metadata", "sha256 in Upload-Metadata is not 64 hexadecimal digits.")
    return text.lower()
