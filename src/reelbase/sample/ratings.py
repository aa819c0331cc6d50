"""ratings.csv: who rates how much, which movies, how many stars, when.

Nothing is done for a single rating in Python: draws, stars and times of a user are lists, put into the user's lines by
one `%`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from random import Random

from reelbase.sample.dice import portions, shuffle, stream

HEADER = "userId,movieId,rating,timestamp"

# Ratings of ml-20m by stars, 20,000,263 together.
STARS = {
    "0.5": 239_125,
    "1.0": 680_732,
    "1.5": 279_252,
    "2.0": 1_430_997,
    "2.5": 883_398,
    "3.0": 4_291_193,
    "3.5": 2_200_156,
    "4.0": 5_561_926,
    "4.5": 1_534_824,
    "5.0": 2_898_660,
}
FIRST_SECOND = 789_652_009  # 1995-01-09, the oldest rating of ml-20m
LAST_SECOND = 1_427_784_002  # 2015-03-31, its newest
HALF_STARS_SINCE = 1_045_526_400  # 2003-02-18: before, MovieLens had whole stars only
LEAST_OF_A_USER = 20  # the README's "at least 20 movies"
MOST_OF_A_USER = 9_254  # the most diligent user of ml-20m

_MEAN_STARS = 3.5255
_LEVELS = 9  # kinds of movies, from bad to good
_BAG = 1 << 20
_YEAR = 365 * 86_400


def rated_movies(movies: int) -> int:
    """How many of so many movies have a rating: 26,744 of ml-20m's 27,278."""
    return movies - round(movies * 534 / 27_278)


def most_ratings(movies: int, users: int) -> int:
    """As many as can be given while no user has rated nearly everything (bites below scale 0.009)."""
    return max(1, users * rated_movies(movies) * 3 // 5)


def popularity_bag(rng: Random, rated: list[int]) -> list[int]:
    """The movies in the order given, the first of them the most often: a draw from it is a draw by popularity.

    The share of rank r falls as 1/(r + q)², and to nothing at the last rank; q = ranks / 89. At scale 1 the first
    movie gets 42,638 ratings and the middle one 57 (ml-20m: 67,310 and 18): a little flatter than life. One random
    number is used.
    """
    count = len(rated)
    weights = [(1 - rank / count) / (rank + count / 89) / (rank + count / 89) for rank in range(count)]
    whole = 0.0
    for weight in weights:
        whole += weight
    bag: list[int] = []
    reached = rng.random()
    for movie, weight in zip(rated, weights, strict=True):
        reached += weight / whole * _BAG
        bag.extend([movie] * (int(reached) - len(bag)))
    bag.extend([rated[0]] * (_BAG - len(bag)))
    return bag[:_BAG]


def pieces(movie_ids: Sequence[int], *, ratings: int, users: int, seed: int) -> Iterator[tuple[int, str]]:
    """Each user's lines, in the order of the file: by user, then movie."""
    rng = stream(seed, "ratings")
    taste = _Taste(movie_ids, seed)
    most = min(MOST_OF_A_USER, len(taste.order) * 9 // 10) or 1
    least = min(LEAST_OF_A_USER, ratings // users)
    most = max(most, -(-ratings // users))
    sizes = portions(rng, ratings, users, least=least, most=most)
    for user, size in enumerate(sizes, start=1):
        chosen = taste.choose(rng, user, size, users)
        first, times = _times(rng, size)
        pools = taste.whole_stars if first < HALF_STARS_SINCE else taste.half_stars
        values: list[object] = [None] * (3 * size)
        values[0::3] = [taste.id_texts[movie] for movie in chosen]
        values[1::3] = [pools[movie][chance] for movie, chance in zip(chosen, rng.randbytes(size), strict=True)]
        values[2::3] = times
        yield size, f"{user},%s,%s,%d\r\n" * size % tuple(values)


class _Taste:
    """What is known of the movies: how often they are drawn, how many stars they get. Movies go by their place."""

    def __init__(self, movie_ids: Sequence[int], seed: int) -> None:
        rng = stream(seed, "popularity")
        self.order = popularity_order(len(movie_ids), seed)
        self.popular = popularity_bag(rng, self.order)
        self.id_texts = [str(movie_id) for movie_id in movie_ids]
        levels = _levels(rng, len(movie_ids))
        whole = [_stars(level, halves=False) for level in range(_LEVELS)]
        half = [_stars(level, halves=True) for level in range(_LEVELS)]
        self.whole_stars = [whole[level] for level in levels]
        self.half_stars = [half[level] for level in levels]
        self._deck = list(self.order)
        shuffle(rng, self._deck)

    def choose(self, rng: Random, user: int, size: int, users: int) -> list[int]:
        """So many different movies, sorted: drawn by popularity, at last anything.

        Every few users one begins with a movie of its own, so that none that is to be rated stays without.
        """
        random = rng.random
        popular, deck = self.popular, self._deck
        stride = max(1, users // len(deck))
        own, rest = divmod(user - 1, stride)
        chosen = dict.fromkeys(deck[own : own + 1] if rest == 0 else ())
        draws = size + size // 4
        while len(chosen) < size and draws <= 2 * len(deck):
            chosen.update(dict.fromkeys([popular[int(random() * _BAG)] for _ in range(draws)]))
            draws *= 2
        if len(chosen) < size:
            start = int(random() * len(deck))
            chosen.update(dict.fromkeys(deck[start:] + deck[:start]))
        return sorted(islice(chosen, size))


def popularity_order(movies: int, seed: int) -> list[int]:
    """The places of the rated movies, most popular first; those that nobody rates are missing."""
    order = list(range(movies))
    shuffle(stream(seed, "popularity order"), order)
    return order[: rated_movies(movies)]


def qualities(movies: int, seed: int) -> list[float]:
    """How good each movie is, from 0 to 1: what its ratings lean to."""
    rng = stream(seed, "popularity")
    rng.random()  # the popularity bag's
    return [level / (_LEVELS - 1) for level in _levels(rng, movies)]


def _levels(rng: Random, movies: int) -> list[int]:
    return [int(rng.random() * _LEVELS) for _ in range(movies)]


def _stars(level: int, *, halves: bool) -> list[str]:
    """256 ratings in the shares that a movie of this level gets, to be picked by one random byte.

    About 40 % of the ratings come from users who began before half stars; the later ones give so many halves more
    that the shares over all are those of ml-20m.
    """
    tilt = (level - (_LEVELS - 1) / 2) / (_LEVELS - 1) * 1.1
    shares = {}
    for stars, count in STARS.items():
        era = (1.667 if stars.endswith(".5") else 0.77) if halves else (0.0 if stars.endswith(".5") else 1.346)
        shares[stars] = count * era * max(0.02, 1 + tilt * (float(stars) - _MEAN_STARS))
    whole = 0.0
    for share in shares.values():
        whole += share
    pool: list[str] = []
    reached = 0.0
    for stars, share in shares.items():
        reached += share / whole * 256
        pool.extend([stars] * (round(reached) - len(pool)))
    return pool


def _times(rng: Random, size: int) -> tuple[int, list[int]]:
    """The user's first session, and for each rating a second in one of the sessions."""
    random = rng.random
    sessions = 1 + size // 100
    length = 120 + 15 * min(size, 100)
    spread = min(sessions - 1, 6) * _YEAR // 2
    first = FIRST_SECOND + int(random() * (LAST_SECOND - FIRST_SECOND - spread - length))
    if sessions == 1:
        return first, [first + int(random() * length) for _ in range(size)]
    starts = [first + int(random() * spread) for _ in range(sessions)]
    return first, [starts[int(random() * sessions)] + int(random() * length) for _ in range(size)]
