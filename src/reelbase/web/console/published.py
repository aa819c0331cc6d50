"""What publishers offer under a name, with about how much is to be fetched: a page says so before it begins."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Offer:
    """Something published. The size is that of the download when this was written, in megabytes."""

    name: str
    dataset: str
    megabytes: int
    what: str


PUBLISHED = (
    Offer("movielens/latest-small", "movielens", 1, "100,000 ratings of 9,700 movies: good to begin with"),
    Offer("movielens/1m", "movielens", 6, "1 million ratings, with the age and sex of those who gave them"),
    Offer("movielens/10m", "movielens", 66, "10 million ratings"),
    Offer("movielens/20m", "movielens", 199, "20 million ratings and the tag genome"),
    Offer("movielens/25m", "movielens", 262, "25 million ratings and the tag genome"),
    Offer("movielens/32m", "movielens", 239, "32 million ratings, the newest that stays as it is"),
    Offer("movielens/latest", "movielens", 350, "33 million ratings and the tag genome; changes from time to time"),
    Offer("imdb", "imdb", 2000, "all titles, people, ratings and other titles, as of today"),
)
