"""Files that come in one piece, in a form: written as they come, and finished uploads once all of each is there.

What is not finished leaves nothing behind; where the process dies meanwhile, the row expires like every other upload's.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reelbase.database.asking import answer
from reelbase.database.connect import DictConnection, connect_dicts
from reelbase.errors import StoreFull, UploadTooLarge
from reelbase.receiving import uploads
from reelbase.receiving.store import Store, Writing, new_id, remove

_LOOK_BYTES = 64 << 20  # how often it is seen whether the disk still has room


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Where such files go, and how much of them there may be: bytes, and seconds until an unused one is removed."""

    url: str
    store: Store
    max_bytes: int
    quota_bytes: int
    free_bytes: int
    lifetime_seconds: float

    def check(self, announced: int) -> None:
        """Raise UploadTooLarge or StoreFull for so many bytes before any of them is read."""
        if announced > self.max_bytes:
            raise UploadTooLarge(
                f"A file may have {self.max_bytes:,} bytes.", "REELBASE_UPLOAD_MAX_BYTES says how many."
            )
        with connect_dicts(self.url, "reelbase upload") as connection:
            kept, promised = answer(connection, uploads.outstanding())
        if announced > self.quota_bytes - kept:
            raise StoreFull(
                "All uploads together would be larger than they may be.",
                "Import or remove others first; REELBASE_UPLOAD_QUOTA_BYTES says how much they may have.",
            )
        if announced > self.store.free_bytes() - promised - self.free_bytes:
            raise _no_room()

    def begin(self, name: str) -> Arriving:
        """A new file that its sender calls so."""
        return Arriving(self, name)


class Arriving:
    """One file on its way. Every method may wait for the disk: call them in a thread."""

    def __init__(self, arrivals: Arrivals, name: str) -> None:
        self._arrivals = arrivals
        self.id = new_id()
        self.name = name
        self.bytes = 0
        self._digest = hashlib.sha256()
        self._looked_at = 0
        self._path = arrivals.store.create(self.id)
        try:
            new = uploads.Created(
                id=self.id, path=self._path, owner=None, length=None, metadata="", name=name, sha256=None
            )
            with self._asking() as connection:
                answer(connection, uploads.create(new, arrivals.lifetime_seconds))
            self._writing: Writing | None = Writing(self._path, 0)
        except BaseException:
            remove(self._path)
            raise

    @property
    def sha256(self) -> str:
        """Of what has come so far, in hex."""
        return self._digest.hexdigest()

    def write(self, pieces: Sequence[bytes]) -> None:
        """Write them behind what is there; raises UploadTooLarge, StoreFull."""
        assert self._writing is not None  # noqa: S101  # not after its end
        size = sum(map(len, pieces))
        if self.bytes + size > self._arrivals.max_bytes:
            raise UploadTooLarge(
                f"A file may have {self._arrivals.max_bytes:,} bytes.", "REELBASE_UPLOAD_MAX_BYTES says how many."
            )
        if self.bytes - self._looked_at >= _LOOK_BYTES:
            self._looked_at = self.bytes
            if self._arrivals.store.free_bytes() < self._arrivals.free_bytes:
                raise _no_room()
        try:
            self._writing.write(pieces, self.bytes)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise _no_room() from error
            raise
        for piece in pieces:
            self._digest.update(piece)
        self.bytes += size

    def finish(self) -> None:
        """All of it is there, and on disk for good: from now on it is an upload like any other."""
        assert self._writing is not None  # noqa: S101  # not after its end
        self._writing.sync()
        with self._asking() as connection:
            answer(connection, uploads.set_length(self.id, self.bytes))
            answer(connection, uploads.checkpoint(self.id, 0, self.bytes, self._arrivals.lifetime_seconds))
        self._close()

    def discard(self) -> None:
        """Nothing of it is left."""
        self._close()
        with self._asking() as connection:
            path: Path | None = answer(connection, uploads.end(self.id, "terminated"))
        remove(path or self._path)

    def _close(self) -> None:
        if self._writing is not None:
            self._writing.close()
            self._writing = None

    def _asking(self) -> DictConnection:
        return connect_dicts(self._arrivals.url, "reelbase upload")


def _no_room() -> StoreFull:
    return StoreFull("The store's disk has no room for it.", "Make room, or import a path instead.")
