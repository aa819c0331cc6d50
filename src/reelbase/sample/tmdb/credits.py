"""credits.csv and keywords.csv: one record for each movie that has them, lists as Python literals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

from reelbase.sample.blocks import field
from reelbase.sample.dice import pick, stream
from reelbase.sample.imdb.words import FIRST_NAMES, LAST_NAMES
from reelbase.sample.titles import NOUNS
from reelbase.sample.tmdb.movies import Credited, Movie

CREDITS_HEADER = "cast,crew,id"
KEYWORDS_HEADER = "id,keywords"

_MOST_PLAYERS = 90
_JOBS = (
    ("Directing", "Director"), ("Writing", "Screenplay"), ("Production", "Producer"), ("Editing", "Editor"),
    ("Camera", "Director of Photography"), ("Sound", "Original Music Composer"), ("Art", "Art Direction"),
)  # fmt: skip

Person = dict[str, str | int | None]


def people(credited: Credited, seed: int) -> Iterator[tuple[int, str]]:
    """credits.csv: fields of up to some tens of KB."""
    rng = stream(seed, "tmdb credits")
    known = [f"{pick(rng, FIRST_NAMES)}{pick(rng, LAST_NAMES)}" for _ in range(20_000)]
    for number in credited.numbers:
        players = int(rng.random() * rng.random() * rng.random() * _MOST_PLAYERS) + (5 if number > 0 else 0)
        cast = [_player(rng, known, order) for order in range(players)]
        crew = [_worker(rng, known, place) for place in range(1 + players // 4)]
        yield 1, f"{field(repr(cast))},{field(repr(crew))},{abs(number)}\n"


def keywords(movies: Iterable[Movie]) -> Iterator[tuple[int, str]]:
    """keywords.csv: a list for every movie, often an empty one."""
    for movie in movies:
        listed = [{"id": number, "name": word} for number, word in movie.keywords]
        yield 1, f"{movie.id},{field(repr(listed))}\n"


def _player(rng: Random, known: list[str], order: int) -> Person:
    number = int(rng.random() * rng.random() * len(known))
    played = pick(rng, NOUNS) if rng.random() < 0.3 else pick(rng, FIRST_NAMES)
    return {
        "cast_id": order + 1,
        "character": f"{played} (voice)" if rng.random() < 0.05 else played,
        "credit_id": f"{rng.getrandbits(96):024x}",
        "gender": rng.getrandbits(2) % 3,
        "id": 2 + number,
        "name": known[number],
        "order": order,
        "profile_path": f"/{rng.getrandbits(108):027x}.jpg" if rng.random() < 0.7 else None,
    }


def _worker(rng: Random, known: list[str], place: int) -> Person:
    number = int(rng.random() * len(known))
    department, job = _JOBS[place % len(_JOBS)]
    return {
        "credit_id": f"{rng.getrandbits(96):024x}",
        "department": department,
        "gender": rng.getrandbits(2) % 3,
        "id": 2 + number,
        "job": job,
        "name": known[number],
        "profile_path": None,
    }
