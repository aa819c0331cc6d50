"""Places in lists. A cursor is opaque, belongs to one list with its filters, and is checked before it is used."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import orjson

from reelbase.errors import BadCursor, OldCursor
from reelbase.serving.query import Pairs

PAGED = frozenset({"cursor", "page", "limit"})
BEGIN = "Leave the cursor out to begin at the first page."
_LONGEST = 2000
_CHECK_BYTES = 6


def list_key(path: str, given: Pairs) -> bytes:
    """What makes two pages parts of one list: the path and every parameter but the place."""
    facts = orjson.dumps([path, *sorted(pair for pair in given if pair[0] not in PAGED)])
    return blake2b(facts, digest_size=32).digest()


def seal(token: str, key: bytes) -> str:
    """A cursor for this list and no other."""
    return f"{token}.{_check(token, key)}"


def unseal(cursor: str, key: bytes) -> str:
    """What was sealed; raises BadCursor when it was not by us, or for another list."""
    token, _, check = cursor.rpartition(".")
    if len(cursor) > _LONGEST or not token or check != _check(token, key):
        raise BadCursor("This is not a cursor of this list with these filters.", BEGIN)
    return token


def _check(token: str, key: bytes) -> str:
    # Nobody is kept from anything by this: it tells cursors of other lists, and cut ones, from our own.
    return blake2b(token.encode("utf-8", "replace"), key=key, digest_size=_CHECK_BYTES).hexdigest()


def token(parts: Iterable[object]) -> str:
    """Values as text for a cursor."""
    return base64.urlsafe_b64encode(orjson.dumps(list(parts))).decode().rstrip("=")


def parts(text: str) -> list[Any]:
    """The values of `token`; raises BadCursor."""
    try:
        found = orjson.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error) as error:
        raise BadCursor("This is not a cursor of ours.", BEGIN) from error
    if not isinstance(found, list):
        raise BadCursor("This is not a cursor of ours.", BEGIN)
    return found


def of_release(release: object, text: str) -> list[Any]:
    """The values of a cursor that is good for one release only; raises OldCursor."""
    made_for, *values = parts(text) or [None]
    if made_for != release:
        raise OldCursor("This cursor belongs to an earlier release, whose order is no more.", BEGIN)
    return values
