"""Whether there is room for what is announced."""

from __future__ import annotations

from dataclasses import dataclass

from reelbase.receiving.store import Store
from reelbase.receiving.tus_words import Refused


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of one upload, of all that are unfinished or unused together, and what the disk keeps free."""

    max_bytes: int
    quota_bytes: int
    free_bytes: int


class Room:
    """The limits and the disk."""

    def __init__(self, store: Store, limits: Limits) -> None:
        self._store = store
        self._limits = limits

    def check_length(self, length: int | None) -> None:
        """Raises Refused (413) for what one upload can never be."""
        if length is not None and length > self._limits.max_bytes:
            raise Refused(
                413, "too_large", f"An upload has at most {self._limits.max_bytes} bytes.",
                "REELBASE_UPLOAD_MAX_BYTES says how many.", {"tus-max-size": str(self._limits.max_bytes)},
            )  # fmt: skip

    def check(self, wanted: int, kept: int, promised: int, *, of_them_here: int = 0) -> None:
        """Raises Refused (507) unless `wanted` bytes fit beside what is kept of others and promised to them."""
        if wanted > self._limits.quota_bytes - kept:
            raise Refused(
                507, "quota", "All uploads together would be larger than they may be.",
                "Import or remove others first; REELBASE_UPLOAD_QUOTA_BYTES says how much they may have.",
            )  # fmt: skip
        if wanted - of_them_here > self._disk(promised):
            raise Refused(
                507, "disk_full", "The store's disk has no room for it.", "Make room, or give a path instead."
            )

    def end(self, place: int, kept: int, promised: int) -> int:
        """How far an upload of unknown length may go from `place` on."""
        left = min(self._limits.quota_bytes - kept - place, self._disk(promised))
        return max(place, min(self._limits.max_bytes, place + left))

    def _disk(self, promised: int) -> int:
        return self._store.free_bytes() - promised - self._limits.free_bytes
