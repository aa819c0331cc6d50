"""title.principals and title.crew: who does what in which title.

As with the akas, sheets of several lines are made beforehand; a title's sheet is filled in with its id and with people.
Directors and writers of title.crew are those of title.principals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from reelbase.sample.dice import adjust, chances, deck, draw, pick, stream
from reelbase.sample.imdb.people import People
from reelbase.sample.imdb.titles import EPISODE, SERIES, Block, Titles
from reelbase.sample.imdb.words import FIRST_NAMES, JOBS, LAST_NAMES, NULL
from reelbase.sample.titles import ADJECTIVES, NOUNS

PRINCIPALS_HEADER = "tconst\tordering\tnconst\tcategory\tjob\tcharacters"
CREW_HEADER = "tconst\tdirectors\twriters"

_MOST = 24
_SHEETS = 64  # different ones of each kind and length
_ID = "\x00"
# How many people a title names, with shares: eight on average.
_SIZES = (
    (0, 9), (1, 5), (2, 5), (3, 5), (4, 6), (5, 6), (6, 6), (7, 7), (8, 8), (9, 9), (10, 12), (12, 6), (15, 7), (18, 5),
    (20, 4), (22, 1),
)  # fmt: skip
_OF_FILMS = (10, 10, 14, 18, 20)
_BEHIND = (
    "director", "writer", "producer", "writer", "composer", "cinematographer", "editor", "casting_director",
    "production_designer", "producer", "director", "archive_footage",
)  # fmt: skip
_BEHIND_TALK = ("producer", "casting_director", "producer", "writer")


@dataclass(frozen=True, slots=True)
class Sheet:
    """Lines of title.principals without id and people, and which of the people direct and write."""

    text: str
    directors: tuple[int, ...]
    writers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cast:
    """For each title of a block how many people it names and on which sheet, and all of these people in a row."""

    sizes: list[int]
    sheets: list[Sheet]
    people: list[str]


class Casts:
    """`principals` lines for all titles."""

    def __init__(self, titles: Titles, people: People, *, principals: int) -> None:
        self.titles, self._people, self._principals = titles, people, principals
        self._sizes = deck(_SIZES)
        rng = stream(titles.seed, "casts")
        characters = [_characters(rng) for _ in range(4_096)]
        self._sheets = {
            kind: [[_sheet(rng, kind, size, characters) for _ in range(_SHEETS)] for size in range(_MOST + 1)]
            for kind in ("film", "episode", "series")
        }

    def cast(self, block: Block) -> Cast:
        """A block's cast; the same each time."""
        rng = stream(self.titles.seed, f"casts {block.number}")
        sizes = draw(rng, self._sizes, len(block.tconsts))
        for place in block.films:
            sizes[place] = pick(rng, _OF_FILMS)
        adjust(sizes, block.quota(self._principals, self.titles.count), least=0, most=_MOST)
        film, episode, series = (self._sheets[kind] for kind in ("film", "episode", "series"))
        of_kind = dict.fromkeys(block.kinds, film) | {EPISODE: episode} | dict.fromkeys(SERIES, series)
        sheets = [
            of_kind[kind][size][chance % _SHEETS]
            for kind, size, chance in zip(block.kinds, sizes, chances(rng, len(sizes)), strict=True)
        ]
        return Cast(sizes, sheets, draw(rng, self._people.of_titles(block.number), sum(sizes)))

    def known_for(self, number: int, nconsts: Sequence[str]) -> list[str]:
        """For each person the last and the first title of a block, as the end of a line of name.basics."""
        block = self.titles.block(number)
        cast = self.cast(block)
        titles = [tconst for tconst, size in zip(block.tconsts, cast.sizes, strict=True) for _ in range(size)]
        last = dict(zip(cast.people, titles, strict=True))
        first = dict(zip(reversed(cast.people), reversed(titles), strict=True))
        return [
            f"{NULL}\n" if nconst not in last
            else f"{last[nconst]}\n" if first[nconst] == last[nconst]
            else f"{last[nconst]},{first[nconst]}\n"
            for nconst in nconsts
        ]  # fmt: skip


def principals(casts: Casts) -> Iterator[tuple[int, str]]:
    """Each block's lines of title.principals."""
    for block in casts.titles:
        cast = casts.cast(block)
        people = cast.people
        lines = []
        at = 0
        for tconst, sheet, size in zip(block.tconsts, cast.sheets, cast.sizes, strict=True):
            lines.append(sheet.text.replace(_ID, tconst) % tuple(people[at : at + size]))
            at += size
        yield at, "".join(lines)


def crew(casts: Casts, *, count: int) -> Iterator[tuple[int, str]]:
    """Each block's lines of title.crew; a few titles have none."""
    for block in casts.titles:
        cast = casts.cast(block)
        left_out = set(block.spread[: len(block.tconsts) - block.quota(count, casts.titles.count)])
        lines = []
        at = 0
        for place, (tconst, sheet, size) in enumerate(zip(block.tconsts, cast.sheets, cast.sizes, strict=True)):
            if place not in left_out:
                directors = _joined(cast.people, at, sheet.directors)
                lines.append(f"{tconst}\t{directors}\t{_joined(cast.people, at, sheet.writers)}\n")
            at += size
        yield len(lines), "".join(lines)


def _joined(people: Sequence[str], at: int, places: Sequence[int]) -> str:
    if not places:
        return NULL
    return ",".join(dict.fromkeys([people[at + place] for place in places]))


def _sheet(rng: Random, kind: str, size: int, characters: Sequence[str]) -> Sheet:
    """Players first, then those behind the camera; two episodes in five are talk and have nobody but themselves."""
    talk = rng.random() < (0.4 if kind == "episode" else 0.12)
    players = size if kind == "series" else size - int(size * (0.15 if talk else 0.25 + rng.random() * 0.4))
    categories = [_player(rng, talk=talk) for _ in range(players)]
    behind = _BEHIND_TALK if talk and kind == "episode" else _BEHIND
    categories += [behind[place % len(behind)] for place in range(size - players)]
    if kind != "episode" and size == 1 and rng.random() < 0.6:
        categories = ["director"]
    lines = [
        f"{_ID}\t{ordering}\t%s\t{category}\t{_job(rng, category)}\t{_played(rng, category, characters)}\n"
        for ordering, category in enumerate(categories, start=1)
    ]
    directors, writers = (
        tuple(place for place, category in enumerate(categories) if category == wanted)
        for wanted in ("director", "writer")
    )
    return Sheet("".join(lines), directors, writers)


def _player(rng: Random, *, talk: bool) -> str:
    if talk:
        return "self"
    return pick(rng, ("actor", "actor", "actor", "actress", "actress"))


def _job(rng: Random, category: str) -> str:
    return pick(rng, JOBS.get(category, (NULL,)))


def _played(rng: Random, category: str, characters: Sequence[str]) -> str:
    """A JSON array as text; only players have one, and not all of them."""
    if category in ("self", "archive_footage"):
        return pick(rng, ('["Self"]', '["Self"]', '["Self"]', '["Self - Host"]', '["Self - Guest"]', NULL))
    if category in ("actor", "actress") and rng.random() < 0.85:
        return pick(rng, characters)
    return NULL


def _characters(rng: Random) -> str:
    first, other, noun, last = (pick(rng, names) for names in (FIRST_NAMES, FIRST_NAMES, NOUNS, LAST_NAMES))
    forms = (
        f'["{first}"]', f'["{first}"]', f'["{first}{last}"]', f'["{noun}"]', f'["Dr.{last}"]', f'["{first}","{other}"]',
        f'["Young {first}"]', f'["{pick(rng, ADJECTIVES)} {noun}"]',
        f'["{noun} - (segment: \\"{other} and the {noun}\\")"]', f'["{first} \\"{noun}\\" {other}"]',
    )  # fmt: skip
    return forms[min(len(forms) - 1, int(rng.random() * rng.random() * 14))]
