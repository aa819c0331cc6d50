"""How often somebody may ask: a steady rate with room for a burst (GCRA), one number for each address."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.types import Scope

from reelbase.serving.problems import Problem

_MINUTE = 60.0
_MOST_KNOWN = 100_000


class Limiter:
    """Lets so many requests a minute through for each address."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._interval = _MINUTE / per_minute
        self._clock = clock
        self._due: OrderedDict[str, float] = OrderedDict()
        self._policy = f'"default";q={per_minute};w=60'.encode()

    def admit(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        """Headers that say how much is left; raises Problem (429)."""
        client = scope.get("client")
        name = client[0] if client else ""
        now = self._clock()
        due = max(self._due.pop(name, now), now)
        if due - now > _MINUTE - self._interval:
            self._due[name] = due
            seconds = math.ceil(due - now - _MINUTE + self._interval)
            raise Problem(
                429, "too_many_requests", f"There are at most {self._per_minute} requests a minute.",
                headers={"retry-after": str(max(1, seconds)), "ratelimit-policy": self._policy.decode()},
            )  # fmt: skip
        self._due[name] = due + self._interval
        if len(self._due) > _MOST_KNOWN:
            self._due.popitem(last=False)
        left = int((_MINUTE - (due + self._interval - now)) / self._interval)
        rest = math.ceil(due + self._interval - now)
        return [(b"ratelimit-policy", self._policy), (b"ratelimit", f'"default";r={left};t={rest}'.encode())]
