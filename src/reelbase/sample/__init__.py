"""Samples: files in the publishers' exact formats, at any scale, made of words and chance.

Nothing of a publisher's data is in them, so they may be shipped, and the same seed makes the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from reelbase.sample.movielens import Counts, counts, write_movielens

__all__ = ["SAMPLES", "Counts", "Writer", "counts", "write_movielens"]


class Writer(Protocol):
    """Writes one dataset's files into a folder and returns their paths."""

    def __call__(
        self, folder: Path, *, scale: float, seed: int, progress: Callable[[int], None] | None = None
    ) -> list[Path]: ...


SAMPLES: tuple[tuple[str, Writer], ...] = (("movielens", write_movielens),)
