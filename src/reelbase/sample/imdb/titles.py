"""The titles that all of IMDb's files speak of, in blocks: ids, kinds, names, numbers of episodes.

Every block can be made on its own and comes out the same each time, so nothing has to be kept: each file goes through
the blocks anew. A few titles, the ghosts, are missing in title.basics though the other files know them, as it happens
between files that are published one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import add
from random import Random

from reelbase.sample.dice import chances, dealt, deck, draw, pick, quota, stream
from reelbase.sample.films import Film
from reelbase.sample.ids import IdBlock, Ids, Stretch, texts_of
from reelbase.sample.imdb.facts import Facts
from reelbase.sample.imdb.words import FOREIGN_TITLES, HEADS, ODD_TITLES, tails

EPISODE = "tvEpisode"
SERIES = ("tvSeries", "tvMiniSeries")
# Thousands of titles of each kind beside the episodes, about 2026.
KINDS = (
    ("short", 1_150), ("movie", 745), ("video", 325), ("tvSeries", 295), ("tvMovie", 154), ("tvMiniSeries", 70),
    ("tvSpecial", 58), ("videoGame", 48), ("tvShort", 11), ("tvPilot", 1),
)  # fmt: skip

_ALL_TITLES = 12_717_779
_BLOCK = 4_096
_ONE_GHOST_IN = 4_000
_SEASONS = 40
_MOST_EPISODES = 400


@dataclass(frozen=True, slots=True)
class Block:
    """Neighbouring titles. `films` and `ghosts` are places in the lists; `ids` tells what stands before the block."""

    number: int
    ids: IdBlock
    tconsts: list[str]
    kinds: list[str]
    films: dict[int, Film]
    spread: list[int]
    ghosts: frozenset[int]

    def quota(self, total: int, titles: int) -> int:
        """How many of a file's `total` records are this block's, when `titles` titles share them evenly."""
        return quota(total, self.ids.first, self.ids.past, titles)


@dataclass(frozen=True, slots=True)
class Texts:
    """How a block's titles are called; for its episodes in their order the number ("3.17", or "" where not known)."""

    primary: list[str]
    original: list[str]
    numbers: list[str]
    runs: list[int]


class Titles:
    """`basics` titles and a few ghosts, `episodes` of them episodes; the films among them where their ids belong."""

    def __init__(self, *, basics: int, episodes: int, films: Sequence[Film], seed: int) -> None:
        self.ghosts = max(1, basics // _ONE_GHOST_IN)
        self.count = basics + self.ghosts
        self.blocks = -(-self.count // _BLOCK)
        self.seed = seed
        self._films = {film.imdb_id: film for film in films if film.in_imdb}
        self.ids = Ids("title ids", _stretches(self.count), blocks=self.blocks, seed=seed, given=sorted(self._films))
        self.episodes = min(episodes, self.ids.spread)
        other = (self.ids.spread - self.episodes) / sum(share for _, share in KINDS)
        self._kinds = deck([(EPISODE, self.episodes), *((kind, share * other) for kind, share in KINDS)])
        self._others = deck(KINDS)
        self._heads, self._tails = dealt(HEADS), dealt(tails())
        self.facts = Facts(seed)

    def __iter__(self) -> Iterator[Block]:
        return map(self.block, range(self.blocks))

    def block(self, number: int) -> Block:
        """One of the blocks, whichever."""
        ids = self.ids.block(number)
        films = {place: self._films[ids.numbers[place]] for place in ids.given}
        spread = ids.spread()
        kinds = self._kinds_of(stream(self.seed, f"title kinds {number}"), ids)
        for place in ids.given:
            kinds.insert(place, films[place].kind)
        ghosts = quota(self.ghosts, ids.first_spread, ids.past_spread, self.ids.spread)
        return Block(
            number=number,
            ids=ids,
            tconsts=texts_of("tt", ids.numbers),
            kinds=kinds,
            films=films,
            spread=spread,
            ghosts=frozenset(spread[len(spread) - ghosts :]),
        )

    def texts(self, block: Block) -> Texts:
        """The names of a block's titles."""
        rng = stream(self.seed, f"title texts {block.number}")
        count = len(block.tconsts)
        primary = list(map(add, draw(rng, self._heads, count), draw(rng, self._tails, count)))
        numbers, runs = self._numbers(rng, block.kinds.count(EPISODE))
        _name_episodes(rng, block.kinds, primary, numbers)
        others = [place for place in block.spread if block.kinds[place] != EPISODE]
        odd = ODD_TITLES if block.number == 0 else (pick(rng, ODD_TITLES),)
        for place, title in zip(others, odd, strict=False):
            primary[place] = title
        original = list(primary)
        for place in others[len(odd) :: 12]:
            original[place] = pick(rng, FOREIGN_TITLES)
        for place, film in block.films.items():
            primary[place], original[place] = film.title, film.original_title
        return Texts(primary, original, numbers, runs)

    def movies(self) -> Iterator[Film]:
        """What TMDb may know beside the tied films: every movie and TV movie, in the order of the ids."""
        for block in self:
            texts, lines = self.texts(block), self.facts.lines(block.number, block.kinds)
            for place in block.spread:
                if block.kinds[place] in ("movie", "tvMovie") and place not in block.ghosts:
                    yield self.facts.film(
                        block.ids.numbers[place], block.kinds[place], texts.primary[place], texts.original[place],
                        lines[place],
                    )  # fmt: skip

    def _kinds_of(self, rng: Random, ids: IdBlock) -> list[str]:
        """By chance, then one here and there made another until the number of episodes is exact."""
        kinds = draw(rng, self._kinds, ids.past_spread - ids.first_spread)
        wanted = quota(self.episodes, ids.first_spread, ids.past_spread, self.ids.spread)
        rest = wanted - kinds.count(EPISODE)
        for place, kind in enumerate(kinds):
            if rest > 0 and kind != EPISODE:
                kinds[place] = EPISODE
                rest -= 1
            elif rest < 0 and kind == EPISODE:
                kinds[place] = self._others[rng.getrandbits(16)]
                rest += 1
        return kinds

    def _numbers(self, rng: Random, count: int) -> tuple[list[str], list[int]]:
        """Numbers of neighbouring episodes, run after run of one season; every fifth run has none."""
        numbers: list[str] = []
        runs: list[int] = []
        while len(numbers) < count:
            length = min(count - len(numbers), 1 + int(rng.random() * rng.random() * 40))
            season = 1 + int(rng.random() * rng.random() * rng.random() * _SEASONS)
            first = 1 + int(rng.random() * rng.random() * rng.random() * _MOST_EPISODES)
            known = rng.random() < 0.8
            numbers += [f"{season}.{number}" if known else "" for number in range(first, first + length)]
            runs.append(length)
        return numbers, runs


def _name_episodes(rng: Random, kinds: Sequence[str], primary: list[str], numbers: Sequence[str]) -> None:
    """A third of the episodes is only called by its number, as on IMDb, some by the day they were shown."""
    months = ("January", "March", "April", "June", "September", "November")
    number = iter(numbers)
    for place, (kind, chance) in enumerate(zip(kinds, chances(rng, len(kinds)), strict=True)):
        if kind == EPISODE:
            known = next(number)
            if chance < 26_000:
                if known:
                    primary[place] = f"Episode #{known}"
                elif chance < 13_000:
                    primary[place] = f"Episode dated {1 + chance % 28} {months[chance % 6]} {1960 + chance % 66}"


def _stretches(count: int) -> tuple[Stretch, ...]:
    """IMDb's title ids of 2026 in the order of their texts; beyond scale 1 more of eight digits.

    tt0000001 to tt9919999 and tt10000000 to tt38999999, of which about a half and a quarter are given out.
    """
    scale = count / _ALL_TITLES
    share = 0.56 * min(scale, 1.7)
    middle = 1_000_000 + min(9_000_000, int(2_900_000 * max(1.0, scale)))
    end = max(middle, 9_920_000)
    early, late = int(999_999 * share), int((end - middle) * share)
    return (
        Stretch(1, 1_000_000, early),
        Stretch(1_000_000, middle, count - early - late, tens=True),
        Stretch(middle, end, late),
    )
