"""MovieLens at any scale: the six files of ml-20m, made, not copied.

Scale 1 has ml-20m's counts exactly (its README, and notes of the edition): 27,278 movies, 20,000,263 ratings and
465,564 tags by 138,493 users, 1,128 genome tags for 10,381 movies = 11,709,768 scores.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from reelbase.sample import genome, ratings, tags
from reelbase.sample.blocks import field, write_records
from reelbase.sample.dice import shuffle, stream
from reelbase.sample.scale import scaled
from reelbase.sample.titles import genres, titles

MOVIES_HEADER = "movieId,title,genres"
LINKS_HEADER = "movieId,imdbId,tmdbId"

_DENSE_PART = 1 / 3  # of ml-20m's ids, up to about 9,000, hardly any is missing; the others go up to 131,262


@dataclass(frozen=True, slots=True)
class Counts:
    """How many records each file gets."""

    movies: int
    ratings: int
    tags: int
    users: int
    genome_tags: int
    genome_movies: int

    @property
    def genome_scores(self) -> int:
        """Every genome movie has every tag."""
        return self.genome_movies * self.genome_tags

    @property
    def records(self) -> int:
        """All files together: where the progress ends."""
        return self.movies * 2 + self.ratings + self.tags + self.genome_tags + self.genome_scores


def counts(scale: float) -> Counts:
    """Everything in proportion to ml-20m, at least one of each, with two exceptions.

    Genome tags go with the square root of the scale and never above 1,128: a hundredth of them would describe
    nothing. Ratings are limited to three fifths of all pairs of user and movie, which bites below scale 0.009: pairs
    shrink with the square of the scale.
    """
    movies, users = scaled(27_278, scale), scaled(138_493, scale)
    return Counts(
        movies=movies,
        ratings=min(scaled(20_000_263, scale), ratings.most_ratings(movies, users)),
        tags=scaled(465_564, scale),
        users=users,
        genome_tags=min(1_128, scaled(1_128, math.sqrt(scale))),
        genome_movies=min(movies, scaled(10_381, scale)),
    )


def write_movielens(
    folder: Path, *, scale: float, seed: int, progress: Callable[[int], None] | None = None
) -> list[Path]:
    """Write the six files into `folder` (made if missing); `progress` is told how many records were just written.

    The same scale and seed give the same bytes everywhere. Each file appears under its name only when it is whole.
    """
    wanted = counts(scale)
    folder.mkdir(parents=True, exist_ok=True)
    movie_ids = _movie_ids(stream(seed, "movie ids"), wanted.movies)
    movie_genres = genres_of_movies(wanted.movies, seed)
    genome_places = _genome_places(wanted, seed)
    contents = {
        "movies.csv": (MOVIES_HEADER, _movies(movie_ids, movie_genres, seed)),
        "links.csv": (LINKS_HEADER, _links(movie_ids, seed)),
        "genome-tags.csv": (tags.GENOME_HEADER, _genome_tags(wanted.genome_tags, seed)),
        "tags.csv": (tags.HEADER, tags.pieces(movie_ids, tags=wanted.tags, users=wanted.users, seed=seed)),
        "genome-scores.csv": (
            genome.HEADER,
            genome.pieces(
                [movie_ids[place] for place in genome_places],
                [movie_genres[place].partition("|")[0] for place in genome_places],
                tags=wanted.genome_tags,
                seed=seed,
            ),
        ),
        "ratings.csv": (
            ratings.HEADER,
            ratings.pieces(movie_ids, ratings=wanted.ratings, users=wanted.users, seed=seed),
        ),
    }
    return [write_records(folder / name, header, pieces, progress) for name, (header, pieces) in contents.items()]


def movie_titles(count: int, seed: int) -> list[str]:
    """The titles of so many movies, as movies.csv has them."""
    return titles(stream(seed, "titles"), count)


def genres_of_movies(count: int, seed: int) -> list[str]:
    """The genres of so many movies, as movies.csv has them."""
    return genres(stream(seed, "genres"), count)


def _movie_ids(rng: Random, count: int) -> list[int]:
    """Rising, the first third nearly without gaps, then on average every seventh number."""
    ids: list[int] = []
    last = 0
    dense = int(count * _DENSE_PART)
    for number in range(count):
        last += 1 + (int(rng.random() * 1.04) if number < dense else int(rng.random() * 12.4))
        ids.append(last)
    return ids


def _movies(movie_ids: list[int], movie_genres: list[str], seed: int) -> Iterator[tuple[int, str]]:
    for movie_id, title, joined in zip(movie_ids, movie_titles(len(movie_ids), seed), movie_genres, strict=True):
        yield 1, f"{movie_id},{field(title)},{joined}\r\n"


def link_numbers(count: int, seed: int) -> tuple[list[int], list[int | None]]:
    """For each movie IMDb's and TMDb's number.

    Eight digits as often as in ml-25m (130 of 62,316); tmdbId missing (252) and used twice (17) as in ml-20m.
    """
    rng = stream(seed, "links")
    long = max(1, round(count * 130 / 62_316))
    imdb_ids = _different(rng, count - long, 1, 4_500_000) + _different(rng, long, 10_000_000, 14_000_000)
    shuffle(rng, imdb_ids)
    tmdb_ids: list[int | None] = [*_different(rng, count, 2, max(330_000, 12 * count))]
    places = list(range(count))
    shuffle(rng, places)
    for _ in range(min(count // 2, max(1, round(count * 252 / 27_278)))):
        tmdb_ids[places.pop()] = None
    for _ in range(min(len(places) // 2, max(1, round(count * 17 / 27_278)))):
        tmdb_ids[places.pop()] = tmdb_ids[places.pop()]
    return imdb_ids, tmdb_ids


def _links(movie_ids: list[int], seed: int) -> Iterator[tuple[int, str]]:
    for movie_id, imdb_id, tmdb_id in zip(movie_ids, *link_numbers(len(movie_ids), seed), strict=True):
        yield 1, f"{movie_id},{imdb_id:07d},{'' if tmdb_id is None else tmdb_id}\r\n"


def _different(rng: Random, count: int, low: int, high: int) -> list[int]:
    """Different numbers, the small ones more often, as ids given out over the years are."""
    high = max(high, low + 4 * count)
    drawn: dict[int, None] = {}
    while len(drawn) < count:
        drawn[low + int(rng.random() * rng.random() * (high - low))] = None
    return list(drawn)


def _genome_tags(count: int, seed: int) -> Iterator[tuple[int, str]]:
    for number, word in enumerate(tags.genome_words(count, seed), start=1):
        yield 1, f"{number},{field(word)}\r\n"


def _genome_places(wanted: Counts, seed: int) -> list[int]:
    """The movies with a genome: the most popular ones, for the genome was learnt from what people wrote."""
    order = ratings.popularity_order(wanted.movies, seed)
    return sorted(order[: wanted.genome_movies])
