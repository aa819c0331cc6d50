"""What is odd about a dataset's rows without being wrong."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """A finding: how many of what, in which table, in a sentence."""

    name: str
    table: str
    count: int
    detail: str
