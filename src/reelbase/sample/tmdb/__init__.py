"""TMDb-style CSV at any scale, in one of the shapes that are passed around, made, not copied.

Scale 1 is a million movies, about as many as TMDB_movie_dataset_v11 has. MovieLens' links and IMDb's ids lead to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path

from reelbase.errors import UsageError
from reelbase.sample import imdb, movielens
from reelbase.sample.blocks import write_records
from reelbase.sample.films import films, some
from reelbase.sample.scale import scaled
from reelbase.sample.tmdb import credits as lists
from reelbase.sample.tmdb.movies import Credited, Movies
from reelbase.sample.tmdb.shapes import SHAPES, Shape

__all__ = ["SHAPES", "Counts", "counts", "write_tmdb"]

_MOVIES = 1_000_000
_WITH_CREDITS = 45_476  # records of the credits.csv that is passed around


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records each file gets; none where the shape goes without the file."""

    movies: int
    credits: int
    keywords: int

    @property
    def records(self) -> int:
        """All files together: where the progress ends."""
        return sum(astuple(self))


def counts(scale: float, shape: str = "v11") -> Counts:
    """Beside v11 (keywords inside) credits for one movie in 22, beside movies_metadata both files for every movie."""
    if shape not in SHAPES:
        raise UsageError(f"There is no shape {shape!r} of TMDb's files.", f"Known are: {', '.join(SHAPES)}.")
    movies = scaled(_MOVIES, scale)
    if shape == "metadata":
        return Counts(movies, credits=movies, keywords=movies)
    return Counts(movies, credits=scaled(_WITH_CREDITS, scale) if shape == "v11" else 0, keywords=0)


def write_tmdb(
    folder: Path,
    *,
    scale: float,
    seed: int,
    movielens_scale: float | None = None,
    shape: str = "v11",
    progress: Callable[[int], None] | None = None,
) -> list[Path]:
    """Write a file of movies in the shape, and those that go with it, into `folder` (made if missing).

    They answer the links of the MovieLens sample of `movielens_scale` (the same scale, if not said) and the same seed;
    `imdb_id` leads to the IMDb sample of this scale. No id comes twice, and dates are ISO or missing.
    """
    wanted = counts(scale, shape)
    tied = films(movielens.counts(scale if movielens_scale is None else movielens_scale).movies, seed)
    movies = Movies(
        count=wanted.movies,
        films=some(tied, wanted.movies // 2),
        others=imdb.titles(scale=scale, seed=seed, movielens_scale=movielens_scale).movies,
        seed=seed,
    )
    chosen, credited = SHAPES[shape], Credited(movies, wanted.credits)
    contents: dict[str, tuple[str, Iterable[tuple[int, str]]]] = {
        chosen.file: (chosen.header, _records(movies, chosen, credited)),
    }
    if wanted.credits:
        contents["credits.csv"] = (lists.CREDITS_HEADER, lists.people(credited, seed))
    if wanted.keywords:
        contents["keywords.csv"] = (lists.KEYWORDS_HEADER, lists.keywords(movies))
    folder.mkdir(parents=True, exist_ok=True)
    return [
        write_records(folder / name, header, pieces, progress, line_end="\n")
        for name, (header, pieces) in contents.items()
    ]


def _records(movies: Movies, shape: Shape, credited: Credited) -> Iterator[tuple[int, str]]:
    for movie in movies:
        credited.note(movie)
        yield 1, shape.record(movie)
