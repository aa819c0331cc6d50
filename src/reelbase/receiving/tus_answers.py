"""What a tus request is answered with."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import format_datetime

from starlette.types import Send

from reelbase.receiving.tus_words import ALGORITHMS, EXTENSIONS, VERSION, Refused, Words
from reelbase.receiving.uploads import Upload


@dataclass(frozen=True, slots=True)
class Reply:
    """A status and headers: no answer of the protocol has a body, errors apart."""

    status: int
    headers: dict[str, str]

    async def __call__(self, send: Send) -> None:
        headers = {"tus-resumable": VERSION, "cache-control": "no-store", **self.headers}
        if self.status != 204:
            headers["content-length"] = "0"
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": raw})
        await send({"type": "http.response.body", "body": b""})


def options(max_bytes: int) -> Reply:
    """What this server can do."""
    return Reply(
        204,
        {
            "tus-version": VERSION,
            "tus-extension": ",".join(EXTENSIONS),
            "tus-max-size": str(max_bytes),
            "tus-checksum-algorithm": ",".join(ALGORITHMS),
        },
    )


def created(upload: Upload, location: str) -> Reply:
    """201, with a Location without a host: whatever name the sender has for us stays right."""
    return Reply(201, {"location": location, **_place(upload)})


def described(upload: Upload) -> Reply:
    """How far it is."""
    length = {"upload-defer-length": "1"} if upload.length is None else {"upload-length": str(upload.length)}
    metadata = {"upload-metadata": upload.metadata} if upload.metadata else {}
    return Reply(200, {**_place(upload), **length, **metadata})


def patched(upload: Upload) -> Reply:
    """More of it has arrived."""
    return Reply(204, _place(upload))


def removed() -> Reply:
    """It is no more."""
    return Reply(204, {})


def _place(upload: Upload) -> dict[str, str]:
    expires = format_datetime(upload.expires_at, usegmt=True)
    return {"upload-offset": str(upload.received), "upload-expires": expires}


def complete(refused: Refused, words: Words) -> Refused:
    """The refusal with what the protocol wants of every answer."""
    refused.headers = {"tus-resumable": VERSION, **refused.headers}
    if words.waits_to_continue:
        # The sender may leave its body out now, or send it all the same: what comes next could be either.
        refused.headers["connection"] = "close"
    return refused
