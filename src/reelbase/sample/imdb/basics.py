"""title.basics, title.ratings and title.episode: one line for each title, or for some."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from reelbase.sample.dice import dealt, draw, pick, places, quota, stream
from reelbase.sample.films import Film
from reelbase.sample.imdb.facts import line_of
from reelbase.sample.imdb.titles import EPISODE, SERIES, Titles
from reelbase.sample.imdb.words import NULL

BASICS_HEADER = "tconst\ttitleType\tprimaryTitle\toriginalTitle\tisAdult\tstartYear\tendYear\truntimeMinutes\tgenres"
RATINGS_HEADER = "tconst\taverageRating\tnumVotes"
EPISODE_HEADER = "tconst\tparentTconst\tseasonNumber\tepisodeNumber"

_KNOWN_SERIES = 2_000  # series that the next episodes may belong to


def basics(titles: Titles) -> Iterator[tuple[int, str]]:
    """Each block's lines of title.basics, the ghosts left out."""
    for block in titles:
        texts = titles.texts(block)
        ends = titles.facts.lines(block.number, block.kinds)
        for place, film in block.films.items():
            ends[place] = line_of(film)
        count = len(block.tconsts)
        fields = [""] * (6 * count)
        fields[0::6] = block.tconsts
        fields[1::6] = [f"\t{kind}\t" for kind in block.kinds]
        fields[2::6] = texts.primary
        fields[3::6] = ["\t"] * count
        fields[4::6] = texts.original
        fields[5::6] = ends
        for place in block.ghosts:
            fields[6 * place : 6 * place + 6] = [""] * 6
        yield count - len(block.ghosts), "".join(fields)


def ratings(titles: Titles, *, count: int) -> Iterator[tuple[int, str]]:
    """The films and as many others, from all over the ids, as make up the count."""
    seldom, often = _votes(titles.seed)
    tied = min(count, titles.ids.given)
    for block in titles:
        rng = stream(titles.seed, f"title ratings {block.number}")
        ids = block.ids
        given = ids.given[: quota(tied, ids.first_given, ids.past_given, max(1, titles.ids.given))]
        wanted = quota(count - tied, ids.first_spread, ids.past_spread, titles.ids.spread)
        chosen = [block.spread[place] for place in places(rng, wanted, len(block.spread))]
        lines = {place: _line_of(film) for place, film in block.films.items()}
        for place, few, many in zip(chosen, draw(rng, seldom, wanted), draw(rng, often, wanted), strict=True):
            lines[place] = few if block.kinds[place] == EPISODE else many
        rated = sorted([*given, *chosen])
        yield len(rated), "".join([block.tconsts[place] + lines[place] for place in rated])


def episodes(titles: Titles) -> Iterator[tuple[int, str]]:
    """Each episode's line: runs of them belong to one of the series met last, ghosts among these."""
    series: list[str] = []
    for block in titles:
        rng = stream(titles.seed, f"title episodes {block.number}")
        series += [
            tconst
            for place, (tconst, kind) in enumerate(zip(block.tconsts, block.kinds, strict=True))
            if kind in SERIES or place in block.ghosts
        ]
        series = series[-_KNOWN_SERIES:]
        texts = titles.texts(block)
        parents: list[str] = []
        for run in texts.runs:
            parents += [_parent(rng, series)] * run
        numbers = [number.replace(".", "\t") if number else f"{NULL}\t{NULL}" for number in texts.numbers]
        own = [tconst for tconst, kind in zip(block.tconsts, block.kinds, strict=True) if kind == EPISODE]
        fields = [""] * (6 * len(own))
        fields[0::6] = own
        fields[1::6] = ["\t"] * len(own)
        fields[2::6] = parents
        fields[3::6] = ["\t"] * len(own)
        fields[4::6] = numbers
        fields[5::6] = ["\n"] * len(own)
        yield len(own), "".join(fields)


def _parent(rng: Random, series: Sequence[str]) -> str:
    """The ones met last more often; a series that no file knows where there is none yet."""
    if not series:
        return "tt0000000"
    return series[int((1 - rng.random() * rng.random()) * len(series)) - 1]


def _votes(seed: int) -> tuple[list[str], list[str]]:
    """Decks of average and votes for episodes and for others; votes have a heavy tail and begin at 5."""
    rng = stream(seed, "title votes")
    seldom, often = [], []
    for _ in range(16_384):
        chance = rng.random()
        many = 5 + int(18 * chance / (1.00001 - chance))
        seldom.append(f"\t{_average(rng, 62)}\t{5 + int(12 * chance / (1.001 - chance))}\n")
        often.append(f"\t{_average(rng, 52)}\t{many}\n")
    return dealt(seldom), dealt(often)


def _line_of(film: Film) -> str:
    return f"\t{film.average // 10}.{film.average % 10}\t{film.votes}\n"


def _average(rng: Random, usual: int) -> str:
    tenths = usual + int((rng.random() + rng.random() + rng.random() - 1.3) * 30)
    tenths = min(100, max(10, tenths if rng.random() < 0.97 else pick(rng, (10, 100))))
    return f"{tenths // 10}.{tenths % 10}"
