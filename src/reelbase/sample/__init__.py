"""Samples: files in the publishers' exact formats, at any scale, made of words and chance.

Nothing of a publisher's data is in them, so they may be shipped, and the same seed makes the same content. Samples of
one seed belong together: MovieLens' links lead to IMDb's titles and TMDb's movies, of the same names and years.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from reelbase.sample import imdb, tmdb
from reelbase.sample.imdb import write_imdb
from reelbase.sample.movielens import Counts, counts, write_movielens
from reelbase.sample.tmdb import SHAPES, write_tmdb

__all__ = [
    "SAMPLES",
    "SHAPES",
    "Counts",
    "Sample",
    "Wish",
    "Writer",
    "counts",
    "write_imdb",
    "write_movielens",
    "write_tmdb",
]


@dataclass(frozen=True, slots=True)
class Wish:
    """What the samples shall be like.

    `movielens_scale` is that of the MovieLens sample which the others belong to (None: the same scale); `plain` leaves
    IMDb's files unpacked; `shape` is that of TMDb's.
    """

    scale: float
    seed: int
    movielens_scale: float | None = None
    plain: bool = False
    shape: str = "v11"


class Writer(Protocol):
    """Writes one dataset's files into a folder and returns their paths."""

    def __call__(self, folder: Path, wish: Wish, progress: Callable[[int], None] | None = None) -> list[Path]: ...


@dataclass(frozen=True, slots=True)
class Sample:
    """One dataset's sample: how many records a wish means, and what writes them."""

    name: str
    records: Callable[[Wish], int]
    write: Writer


def _movielens_scale(wish: Wish) -> float:
    return wish.scale if wish.movielens_scale is None else wish.movielens_scale


def _write_movielens(folder: Path, wish: Wish, progress: Callable[[int], None] | None = None) -> list[Path]:
    return write_movielens(folder, scale=_movielens_scale(wish), seed=wish.seed, progress=progress)


def _write_imdb(folder: Path, wish: Wish, progress: Callable[[int], None] | None = None) -> list[Path]:
    return write_imdb(
        folder,
        scale=wish.scale,
        seed=wish.seed,
        movielens_scale=wish.movielens_scale,
        plain=wish.plain,
        progress=progress,
    )


def _write_tmdb(folder: Path, wish: Wish, progress: Callable[[int], None] | None = None) -> list[Path]:
    return write_tmdb(
        folder,
        scale=wish.scale,
        seed=wish.seed,
        movielens_scale=wish.movielens_scale,
        shape=wish.shape,
        progress=progress,
    )


SAMPLES: tuple[Sample, ...] = (
    Sample("movielens", lambda wish: counts(_movielens_scale(wish)).records, _write_movielens),
    Sample("imdb", lambda wish: imdb.counts(wish.scale).records, _write_imdb),
    Sample("tmdb", lambda wish: tmdb.counts(wish.scale, wish.shape).records, _write_tmdb),
)
