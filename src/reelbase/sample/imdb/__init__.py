"""IMDb at any scale: the seven files of datasets.imdbws.com, made, not copied.

Scale 1 has the counts of 2026-08-15 exactly: 212.7 million records. Files are sorted by id as the publisher's are. The
movies of the MovieLens sample that is named are among the titles, under the ids that its links.csv has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass
from pathlib import Path

from reelbase.sample import movielens
from reelbase.sample.blocks import write_records
from reelbase.sample.films import films, some
from reelbase.sample.imdb import akas, basics, casts, names
from reelbase.sample.imdb.people import People
from reelbase.sample.imdb.titles import Titles
from reelbase.sample.scale import scaled

__all__ = ["Counts", "counts", "titles", "write_imdb"]

_MOST_FILMS = 10  # at most a tenth of the titles is tied to MovieLens, however large its sample


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records each file gets."""

    basics: int
    ratings: int
    akas: int
    crew: int
    episode: int
    principals: int
    names: int

    @property
    def records(self) -> int:
        """All files together: where the progress ends."""
        return sum(astuple(self))


def counts(scale: float) -> Counts:
    """Everything in proportion to the files of 2026-08-15, at least one record of each."""
    return Counts(
        basics=scaled(12_717_779, scale),
        ratings=scaled(1_705_427, scale),
        akas=scaled(58_943_401, scale),
        crew=scaled(12_716_620, scale),
        episode=scaled(9_830_770, scale),
        principals=scaled(101_214_175, scale),
        names=scaled(15_573_835, scale),
    )


def titles(*, scale: float, seed: int, movielens_scale: float | None) -> Titles:
    """The titles of the sample, with the movies of the MovieLens sample of that scale (or the same) among them."""
    wanted = counts(scale)
    tied = films(movielens.counts(scale if movielens_scale is None else movielens_scale).movies, seed)
    return Titles(
        basics=wanted.basics, episodes=wanted.episode, films=some(tied, wanted.basics // _MOST_FILMS), seed=seed
    )


def write_imdb(
    folder: Path,
    *,
    scale: float,
    seed: int,
    movielens_scale: float | None = None,
    plain: bool = False,
    progress: Callable[[int], None] | None = None,
) -> list[Path]:
    """Write the seven files into `folder` (made if missing): packed as they are published, or plain.

    They answer the links of the MovieLens sample of `movielens_scale` (the same scale, if not said) and the same seed.
    The same scales and seed give the same content everywhere; how it is packed is isal's matter.
    """
    wanted = counts(scale)
    all_titles = titles(scale=scale, seed=seed, movielens_scale=movielens_scale)
    people = People(names=wanted.names, blocks=all_titles.blocks, seed=seed)
    all_casts = casts.Casts(all_titles, people, principals=wanted.principals)
    contents: dict[str, tuple[str, Iterable[tuple[int, str]]]] = {
        "title.basics": (basics.BASICS_HEADER, basics.basics(all_titles)),
        "title.ratings": (basics.RATINGS_HEADER, basics.ratings(all_titles, count=wanted.ratings)),
        "title.akas": (akas.HEADER, akas.pieces(all_titles, count=wanted.akas)),
        "title.crew": (casts.CREW_HEADER, casts.crew(all_casts, count=wanted.crew)),
        "title.episode": (basics.EPISODE_HEADER, basics.episodes(all_titles)),
        "title.principals": (casts.PRINCIPALS_HEADER, casts.principals(all_casts)),
        "name.basics": (names.HEADER, names.pieces(people, all_casts)),
    }
    folder.mkdir(parents=True, exist_ok=True)
    ending = ".tsv" if plain else ".tsv.gz"
    return [
        write_records(folder / f"{name}{ending}", header, pieces, progress, line_end="\n")
        for name, (header, pieces) in contents.items()
    ]
