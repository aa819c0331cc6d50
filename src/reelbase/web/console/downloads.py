"""Files that a page hands out."""

from __future__ import annotations

from urllib.parse import quote

from reelbase.serving.answers import Answer


def attachment(name: str, data: bytes, kind: str = "application/octet-stream") -> Answer:
    """Bytes to be saved under a name (RFC 6266)."""
    plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._- ") else "_" for letter in name)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    return Answer(
        200,
        data,
        [
            (b"content-type", kind.encode()),
            (b"content-disposition", disposition.encode()),
            (b"cache-control", b"no-store"),
            (b"content-length", str(len(data)).encode()),
        ],
    )
