"""Chance that comes out the same everywhere.

Only `random()` and `getrandbits` (`randbytes` is the latter) of `random.Random` are used: the methods made of them may
change between Python versions, and so did `sum` of floats (3.12). No libm function but `sqrt`, which IEEE 754 rounds
exactly. So the same seed gives the same bytes on every Python and platform.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")

DECK = 1 << 16  # items of a deck: one for each value of two random bytes


def stream(seed: int, name: str) -> Random:
    """A generator of its own for each file, so that one file's needs do not move the others."""
    return Random(f"reelbase sample {seed} {name}")  # noqa: S311 (a text seed goes through SHA-512)


def pick(rng: Random, items: Sequence[T]) -> T:
    """One of the items, each as likely as the others."""
    return items[int(rng.random() * len(items))]


def shuffle(rng: Random, items: list[T]) -> None:
    """Fisher and Yates, in place."""
    for last in range(len(items) - 1, 0, -1):
        other = int(rng.random() * (last + 1))
        items[last], items[other] = items[other], items[last]


def deck(shares: Iterable[tuple[T, float]]) -> list[T]:
    """65,536 items, each as often as its share of the whole: a card of it is a draw by share."""
    listed = list(shares)
    whole = 0.0
    for _, share in listed:
        whole += share
    cards: list[T] = []
    reached = 0.5
    for item, share in listed:
        reached += share / whole * DECK
        cards.extend([item] * (int(reached) - len(cards)))
    cards.extend([listed[-1][0]] * (DECK - len(cards)))
    return cards[:DECK]


def dealt(items: Sequence[T]) -> list[T]:
    """A deck in which each of the items comes about as often as the others."""
    return (list(items) * (-(-DECK // len(items))))[:DECK]


def draw(rng: Random, cards: Sequence[T], count: int) -> list[T]:
    """So many cards of a deck, each put back: 50 ns a card, a fifth of what `pick` takes."""
    return list(map(cards.__getitem__, chances(rng, count)))


def chances(rng: Random, count: int) -> tuple[int, ...]:
    """So many numbers from 0 to 65,535."""
    return struct.unpack(f"<{count}H", rng.randbytes(2 * count))


def places(rng: Random, count: int, of: int) -> list[int]:
    """So many different places below `of`, rising, spread evenly."""
    random = rng.random
    bounds = [number * of // count for number in range(count)] if count else []
    return [low + int(random() * (high - low)) for low, high in zip(bounds, [*bounds[1:], of], strict=True)]


def quota(total: int, first: int, past: int, of: int) -> int:
    """How many of `total` fall to the places from `first` to before `past`, when `of` places share them evenly."""
    return total * past // of - total * first // of


def adjust(sizes: list[int], total: int, *, least: int, most: int) -> None:
    """Add one here and take one there, in place, until the sum is `total` (or no size can give more)."""
    rest = total - sum(sizes)
    step = 1 if rest > 0 else -1
    end = most if rest > 0 else least
    while rest and any(size != end for size in sizes):
        for place, size in enumerate(sizes):
            if rest and size != end:
                sizes[place] += step
                rest -= step


def portions(rng: Random, total: int, parts: int, *, least: int, most: int) -> list[int]:
    """Cut a total into so many parts of `least` to `most`: most of them small, a few very large.

    The excess over `least` is log-logistic with exponent 11/16: its mean is 2.6 times its median, as with the ratings
    that a user of ml-20m gives beyond 20 (median 48, mean 124).
    """
    if not least * parts <= total <= most * parts:
        raise ValueError(f"{parts} parts of {least} to {most} cannot make {total}")
    weights = [_heavy(rng.random()) for _ in range(parts)]
    low, high = 0.0, float(most) * 65536
    for _ in range(48):
        middle = (low + high) / 2
        if _sum_of(weights, middle, least, most) <= total:
            low = middle
        else:
            high = middle
    sizes = [min(most, least + int(weight * low)) for weight in weights]
    _hand_out(sizes, total - sum(sizes), most)
    return sizes


def _heavy(chance: float) -> float:
    odds = (chance + 1e-9) / (1 - chance)
    half = math.sqrt(odds)
    eighth = math.sqrt(math.sqrt(half))
    return half * eighth * math.sqrt(eighth)


def _sum_of(weights: list[float], factor: float, least: int, most: int) -> int:
    room = most - least
    return least * len(weights) + sum([min(room, int(weight * factor)) for weight in weights])


def _hand_out(sizes: list[int], rest: int, most: int) -> None:
    while rest:
        for number, size in enumerate(sizes):
            if rest and size < most:
                sizes[number] += 1
                rest -= 1
