"""title.akas: how titles are called elsewhere. Sheets of several lines are made beforehand and filled in."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from reelbase.sample.dice import adjust, chances, dealt, deck, pick, stream
from reelbase.sample.imdb.titles import EPISODE, Titles
from reelbase.sample.imdb.words import AKA_NOTES, EPISODE_IN, NULL, SAME_TITLE_IN, elsewhere

HEADER = "titleId\tordering\ttitle\tregion\tlanguage\ttypes\tattributes\tisOriginalTitle"

_MOST = 60
_SHEETS = 48  # different ones of each kind and length
# What is filled in; no title has these.
_ID, _TITLE, _ORIGINAL, _NUMBER = "\x00", "\x01", "\x03", "\x04"

# How many akas, with shares: numbered episodes have one in each of seven languages, films elsewhere many.
_OF_NUMBERED = ((8, 75), (1, 5), (7, 5), (9, 10), (2, 5))
_OF_EPISODES = ((1, 45), (2, 35), (3, 12), (4, 5), (0, 2), (6, 1))
_OF_OTHERS = ((2, 40), (1, 8), (3, 20), (4, 10), (6, 8), (9, 6), (14, 4), (20, 2), (30, 1.4), (45, 0.4), (60, 0.1))
_OF_FILMS = (6, 9, 12, 16)


def pieces(titles: Titles, *, count: int) -> Iterator[tuple[int, str]]:
    """Each block's lines."""
    sheets = _Sheets(titles.seed)
    numbered, episodes, others = deck(_OF_NUMBERED), deck(_OF_EPISODES), deck(_OF_OTHERS)
    for block in titles:
        rng = stream(titles.seed, f"title akas {block.number}")
        texts = titles.texts(block)
        numbers = iter(texts.numbers)
        known = [next(numbers) if kind == EPISODE else None for kind in block.kinds]
        called = [
            number if title.startswith("Episode #") else None
            for number, title in zip(known, texts.primary, strict=True)
        ]
        sizes = [
            (numbered if number else episodes if kind == EPISODE else others)[chance]
            for number, kind, chance in zip(called, block.kinds, chances(rng, len(called)), strict=True)
        ]
        for place in block.films:
            sizes[place] = pick(rng, _OF_FILMS)
        adjust(sizes, block.quota(count, titles.count), least=0, most=_MOST)
        lines = []
        for tconst, title, original, number, size, chance in zip(
            block.tconsts, texts.primary, texts.original, called, sizes, chances(rng, len(sizes)), strict=True
        ):
            sheet = sheets.sheet(size, chance, numbered=bool(number))
            if number:
                sheet = sheet.replace(_NUMBER, number)
            lines.append(sheet.replace(_ID, tconst).replace(_TITLE, title).replace(_ORIGINAL, original))
        yield sum(sizes), "".join(lines)


class _Sheets:
    """Lines of akas for titles with a number and for others, by how many there are."""

    def __init__(self, seed: int) -> None:
        rng = stream(seed, "title akas")
        notes = [(types, attributes) for times, types, attributes in AKA_NOTES for _ in range(times)]
        self._notes = dealt(notes)
        self._numbered = [[self._made(rng, size, numbered=True) for _ in range(_SHEETS)] for size in range(_MOST + 1)]
        self._others = [[self._made(rng, size, numbered=False) for _ in range(_SHEETS)] for size in range(_MOST + 1)]

    def sheet(self, size: int, chance: int, *, numbered: bool) -> str:
        """One of those with so many lines."""
        return (self._numbered if numbered else self._others)[size][chance % _SHEETS]

    def _made(self, rng: Random, size: int, *, numbered: bool) -> str:
        """The original title first, then the others by chance; of numbered episodes seven languages at once."""
        lines = [f"{_ID}\t1\t{_ORIGINAL}\t\\N\t\\N\toriginal\t\\N\t1\n"][:size]
        start = rng.getrandbits(3)
        for ordering in range(2, size + 1):
            if numbered and ordering <= len(EPISODE_IN) + 1:
                region, language, word = EPISODE_IN[(start + ordering) % len(EPISODE_IN)]
                lines.append(f"{_ID}\t{ordering}\t{word}{_NUMBER}\t{region}\t{language}\t\\N\t\\N\t0\n")
            else:
                lines.append(f"{_ID}\t{ordering}\t{self._elsewhere(rng)}\t0\n")
        return "".join(lines)

    def _elsewhere(self, rng: Random) -> str:
        """Title, region, language, types, attributes; the language is mostly not said."""
        types, attributes = self._notes[rng.getrandbits(16)]
        if rng.random() < 0.45:
            return f"{_TITLE}\t{pick(rng, SAME_TITLE_IN)}\t\\N\t{types}\t{attributes}"
        title, region, language = elsewhere(rng.getrandbits(16), rng.getrandbits(16), rng.getrandbits(16))
        return f"{title}\t{region}\t{language if rng.random() < 0.2 else NULL}\t{types}\t{attributes}"
