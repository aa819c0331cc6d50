"""Ids in the order of their texts, spread over the numbers that a publisher has given out, any block of them at once.

IMDb's files are sorted as texts are: tt1000000, tt10000000, tt10000001, …, tt1000001. So up to ten ids of eight digits
stand behind one of seven. The ids of a sample are spread over all of that, whatever its scale.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from operator import add

from reelbase.errors import UsageError
from reelbase.sample.dice import dealt, draw, stream

_EIGHT_DIGITS = 10_000_000


@dataclass(frozen=True, slots=True)
class Stretch:
    """Numbers from `first` to before `past`, `count` of which are ids; `tens` stand behind each where they exist."""

    first: int
    past: int
    count: int
    tens: bool = False

    @property
    def slots(self) -> int:
        """How many ids there could be."""
        return (self.past - self.first) * (11 if self.tens else 1)

    def slot(self, number: int) -> int:
        """Where the number stands in this stretch; outside of it when it does not."""
        if number < _EIGHT_DIGITS or not self.tens:
            return (number - self.first) * (11 if self.tens else 1)
        return (number // 10 - self.first) * 11 + number % 10 + 1

    def numbers(self, slots: Iterable[int]) -> list[int]:
        """The numbers at these slots."""
        if not self.tens:
            first = self.first
            return [first + slot for slot in slots]
        start = self.first * 11
        return [(at // 11) * 10 + at % 11 - 1 if at % 11 else at // 11 for at in map(start.__add__, slots)]


@dataclass(frozen=True, slots=True)
class IdBlock:
    """Neighbouring ids: how many stand before them, those spread by chance apart; `given` has places in `numbers`."""

    first: int
    first_spread: int
    numbers: list[int]
    given: list[int]

    @property
    def past(self) -> int:
        """Where the next block begins."""
        return self.first + len(self.numbers)

    @property
    def past_spread(self) -> int:
        """The same, of those spread by chance."""
        return self.first_spread + len(self.numbers) - len(self.given)

    @property
    def first_given(self) -> int:
        """How many given ones stand before the block."""
        return self.first - self.first_spread

    @property
    def past_given(self) -> int:
        """The same, the block's own counted."""
        return self.first_given + len(self.given)

    def spread(self) -> list[int]:
        """The places of those that were not given."""
        given = set(self.given)
        return [place for place in range(len(self.numbers)) if place not in given]


class Ids:
    """All ids of a kind. Each cell of a stretch holds one at a place by chance; a given one takes the cell's place.

    Where several are given in one cell, other cells stay empty for them, so that the count is exact.
    """

    def __init__(
        self, name: str, stretches: Sequence[Stretch], *, blocks: int, seed: int, given: Iterable[int] = ()
    ) -> None:
        for stretch in stretches:
            if stretch.count > stretch.slots:
                raise UsageError(f"There are not enough {name} for this scale.", "Take a smaller one.")
        self.count = sum(stretch.count for stretch in stretches)
        self.blocks = blocks
        self._name, self._seed = name, seed
        self._stretches = [stretch for stretch in stretches if stretch.count]
        self._given: dict[int, list[int]] = {}
        for cell, _, number in sorted(self._cells_of(given)):
            self._given.setdefault(cell, []).append(number)
        self._given_cells = list(self._given)
        self._given_until = list(accumulate(map(len, self._given.values()), initial=0))
        self.given = self._given_until[-1]
        surplus = self.given - len(self._given)
        self._empty = frozenset(islice((cell for cell in range(self.count) if cell not in self._given), surplus))
        self._taken = sorted([*self._given, *self._empty])

    @property
    def spread(self) -> int:
        """How many are spread by chance."""
        return self.count - self.given

    def block(self, number: int) -> IdBlock:
        """One of the blocks, whichever: none needs another."""
        low, high = (cell * self.count // self.blocks for cell in (number, number + 1))
        spread_before = low - bisect_left(self._taken, low)
        given_before = self._given_until[bisect_left(self._given_cells, low)]
        numbers = self._by_chance(number, low, high)
        given: list[int] = []
        if bisect_left(self._taken, high) > bisect_left(self._taken, low):
            numbers, given = self._with_given(numbers, low)
        return IdBlock(spread_before + given_before, spread_before, numbers, given)

    def _cells_of(self, given: Iterable[int]) -> Iterator[tuple[int, int, int]]:
        for number in given:
            before = 0
            for stretch in self._stretches:
                slot = stretch.slot(number)
                if 0 <= slot < stretch.slots:
                    yield before + ((slot + 1) * stretch.count - 1) // stretch.slots, slot, number
                    break
                before += stretch.count

    def _by_chance(self, block: int, low: int, high: int) -> list[int]:
        rng = stream(self._seed, f"{self._name} {block}")
        found: list[int] = []
        before = 0
        for stretch in self._stretches:
            count, slots = stretch.count, stretch.slots
            cells = range(max(0, low - before), min(count, high - before))
            if cells:
                room = slots // count
                jitter = draw(rng, dealt(range(min(room, 1 << 16))), len(cells)) if room > 1 else [0] * len(cells)
                found += stretch.numbers(map(add, [cell * slots // count for cell in cells], jitter))
            before += count
        return found

    def _with_given(self, numbers: list[int], low: int) -> tuple[list[int], list[int]]:
        listed: list[int] = []
        given: list[int] = []
        for cell, number in enumerate(numbers, start=low):
            if cell in self._given:
                given += range(len(listed), len(listed) + len(self._given[cell]))
                listed += self._given[cell]
            elif cell not in self._empty:
                listed.append(number)
        return listed, given


def texts_of(letters: str, numbers: Sequence[int]) -> list[str]:
    """Ids as they are written: with at least seven digits."""
    return (f"{letters}%07d\n" * len(numbers) % tuple(numbers)).splitlines()
