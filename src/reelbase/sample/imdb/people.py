"""The people who may be met in a block of titles: some of them only there, some in many."""

from __future__ import annotations

from math import gcd

from reelbase.sample.dice import quota
from reelbase.sample.ids import Ids, Stretch, texts_of

_ALL_NAMES = 15_573_835
_ONE_GHOST_IN = 4_000
_OFTEN = 256
# In how many blocks a circle of people is met (0: in all), how many of 65,536 draws are theirs, and which part of a
# block's people belongs to it: few are met often.
_CIRCLES = ((1, 36_000, 1), (16, 14_000, 1), (_OFTEN, 9_000, 32), (0, 6_536, 1))


class People:
    """`names` people and a few ghosts, whom titles name and name.basics lacks. Each block of titles has its own.

    Neighbouring titles do not share neighbouring people: the blocks of people are handed out in strides.
    """

    def __init__(self, *, names: int, blocks: int, seed: int) -> None:
        self.ghosts = max(1, names // _ONE_GHOST_IN)
        self.blocks = blocks
        self.seed = seed
        self._ids = Ids("name ids", _stretches(names + self.ghosts), blocks=blocks, seed=seed)
        self._stride = max(1, int(blocks * 0.618))
        while gcd(self._stride, blocks) != 1:
            self._stride += 1
        self._often: dict[int, list[str]] = {}

    def of_titles(self, block: int) -> list[str]:
        """A deck of the people whom a block of titles may name."""
        cards: list[str] = []
        for size, share, part in _CIRCLES:
            people = self._met_in(block - block % size if size else 0)[::part]
            cards += (people * (-(-share // len(people))))[:share]
        return cards

    def known(self, block: int) -> tuple[int, list[str]]:
        """The people of name.basics' block, the ghosts left out, and the block of titles that names them."""
        ids = self._ids.block(block)
        ghosts = quota(self.ghosts, ids.first, ids.past, self._ids.count)
        return self._titles_of(block), texts_of("nm", ids.numbers[: len(ids.numbers) - ghosts])

    def _people_of(self, titles: int) -> int:
        return titles * self._stride % self.blocks

    def _titles_of(self, people: int) -> int:
        return people * pow(self._stride, -1, self.blocks) % self.blocks

    def _met_in(self, titles: int) -> list[str]:
        """The people of a block of titles; those who are met most often are kept, for they are asked for again."""
        if titles in self._often:
            return self._often[titles]
        people = texts_of("nm", self._ids.block(self._people_of(titles)).numbers)
        if titles % _OFTEN == 0:
            self._often[titles] = people
        return people


def _stretches(count: int) -> tuple[Stretch, ...]:
    """IMDb's ids of people of 2026 in the order of their texts; beyond scale 1 more of eight digits.

    nm0000001 to nm9993999, hardly one missing, and nm10000000 to nm17999999, of which most are given out.
    """
    share = min(0.97, 0.97 * count / _ALL_NAMES)
    middle = 1_000_000 + min(9_000_000, int(800_000 * max(1.0, 2 * count / _ALL_NAMES - 1)))
    end = max(middle, 9_994_000)
    early, late = int(999_999 * share), int((end - middle) * share)
    return (
        Stretch(1, 1_000_000, early),
        Stretch(1_000_000, middle, count - early - late, tens=True),
        Stretch(middle, end, late),
    )
