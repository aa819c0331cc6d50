"""How many rejects a file may have: a number, or a share of its records."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from reelbase.errors import BadParameter

# Below this many rejects no file is given up before its end: rejecting is cheap, and the whole list is worth having.
_EARLY = 10_000
# A file's end is estimated from what has been read so far; this much room is left for being wrong.
_EARLY_ROOM = 1.5


@dataclass(frozen=True, slots=True)
class RejectLimit:
    """At most `count` rejects, or `percent` of the records read."""

    count: int | None = None
    percent: Decimal | None = None

    def allows(self, *, read: int, rejected: int) -> bool:
        """Whether a file with so many records and rejects is good enough."""
        if self.count is not None:
            return rejected <= self.count
        assert self.percent is not None  # noqa: S101  # one of the two is given
        return rejected * 100 <= self.percent * read

    def is_hopeless(self, *, read: int, rejected: int, share_read: float) -> bool:
        """Whether a file cannot come right any more, so that the rest need not be read.

        `share_read` is the part of its bytes that `read` records took.
        """
        if rejected < _EARLY or share_read <= 0:
            return False
        return not self.allows(read=int(read / share_read * _EARLY_ROOM), rejected=rejected)


def reject_limit(text: str) -> RejectLimit:
    """Read `100` or `1%`; raises BadParameter."""
    word = text.strip()
    try:
        if word.endswith("%"):
            percent = Decimal(word[:-1])
            if 0 <= percent <= 100:
                return RejectLimit(percent=percent)
        elif int(word) >= 0:
            return RejectLimit(count=int(word))
    except (InvalidOperation, ValueError):
        pass
    raise BadParameter(
        "max_rejects", f"--max-rejects is {text!r}.", "It must be a number such as 100, or a share such as 1%."
    )
