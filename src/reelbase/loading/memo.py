"""What was worked out before, for values that come again and again: genres, countries, days."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")

# 8192 entries of 256 bytes and what is made of them: some megabytes for each column at most.
_ENTRIES = 8192
_KEY_BYTES = 256


class Memo(dict[bytes, Value]):
    """Looks a value up, at the price of a dict, or works it out; begins anew when it is full. Errors are not kept."""

    def __init__(self, work_out: Callable[[bytes], Value], entries: int = _ENTRIES) -> None:
        super().__init__()
        self._work_out = work_out
        self._entries = entries

    def __missing__(self, key: bytes) -> Value:
        value = self._work_out(key)
        if len(key) <= _KEY_BYTES:
            if len(self) >= self._entries:
                self.clear()
            self[key] = value
        return value
