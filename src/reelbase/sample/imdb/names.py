"""name.basics: one line for each person."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from reelbase.sample.dice import dealt, draw, pick, stream
from reelbase.sample.imdb.casts import Casts
from reelbase.sample.imdb.people import People
from reelbase.sample.imdb.words import FIRST_NAMES, INITIALS, LAST_NAMES, NULL, PROFESSIONS

HEADER = "nconst\tprimaryName\tbirthYear\tdeathYear\tprimaryProfession\tknownForTitles"


def pieces(people: People, casts: Casts) -> Iterator[tuple[int, str]]:
    """Each block's lines. Whoever is named in the block's titles is known for the first and the last of these."""
    rng = stream(people.seed, "name decks")
    firsts = dealt([f"\t{name}{pick(rng, INITIALS)}" for name in FIRST_NAMES for _ in range(24)])
    lasts = dealt([*LAST_NAMES, *(f"{name}-{pick(rng, LAST_NAMES)[1:]}" for name in LAST_NAMES[::16])])
    facts = dealt([_facts(rng) for _ in range(8_192)])
    for block in range(people.blocks):
        rng = stream(people.seed, f"names {block}")
        titles, nconsts = people.known(block)
        count = len(nconsts)
        fields = [""] * (5 * count)
        fields[0::5] = nconsts
        fields[1::5] = draw(rng, firsts, count)
        fields[2::5] = draw(rng, lasts, count)
        fields[3::5] = draw(rng, facts, count)
        fields[4::5] = casts.known_for(titles, nconsts)
        yield count, "".join(fields)


def _facts(rng: Random) -> str:
    """Years of birth and death (known of one in 25) and professions, from the tab before to the tab behind."""
    birth = death = NULL
    if rng.random() < 0.04:
        year = 1850 + int(rng.random() * 160)
        birth = str(year)
        if rng.random() < (0.8 if year < 1930 else 0.1):
            death = str(min(2026, year + 20 + int((rng.random() + rng.random()) * 40)))
    bag = [name for name, share in PROFESSIONS for _ in range(share // 10)]
    count = 0 if rng.random() < 0.19 else 1 + int(rng.random() * rng.random() * 3.7)
    known = dict.fromkeys(pick(rng, bag) for _ in range(count))
    return f"\t{birth}\t{death}\t{','.join(known) or NULL}\t"
