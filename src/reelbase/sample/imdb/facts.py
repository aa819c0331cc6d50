"""What title.basics says of a title beside its names: adult, years, runtime, genres, in shares like the real ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from reelbase.sample.dice import chances, dealt, pick, stream
from reelbase.sample.films import Film
from reelbase.sample.imdb.words import NULL

_GENRES = (
    ("Drama", 300), ("Comedy", 210), ("Talk-Show", 130), ("Short", 115), ("Documentary", 110), ("News", 100),
    ("Romance", 100), ("Family", 80), ("Reality-TV", 65), ("Animation", 55), ("Crime", 47), ("Action", 46),
    ("Adventure", 42), ("Game-Show", 40), ("Music", 40), ("Adult", 38), ("Sport", 26), ("Fantasy", 24), ("Mystery", 24),
    ("Horror", 20), ("History", 16), ("Sci-Fi", 16), ("Thriller", 15), ("Biography", 11), ("Musical", 9), ("War", 4),
    ("Western", 3), ("Film-Noir", 1),
)  # fmt: skip
_DISTINCT = 4_096


@dataclass(frozen=True, slots=True)
class _Habits:
    """Of a kind of title: shares without year, without runtime and adult, usual minutes, first year, its own genre."""

    no_year: float
    no_runtime: float
    adult: float
    minutes: tuple[int, int]
    since: int
    genre: str = ""
    ends: bool = False


_HABITS = {
    "tvEpisode": _Habits(0.08, 0.52, 0.004, (10, 75), 1948),
    "short": _Habits(0.04, 0.34, 0.005, (1, 40), 1894, genre="Short"),
    "movie": _Habits(0.14, 0.37, 0.013, (60, 150), 1906),
    "video": _Habits(0.01, 0.30, 0.30, (30, 180), 1978),
    "tvSeries": _Habits(0.07, 0.62, 0.003, (15, 70), 1946, ends=True),
    "tvMovie": _Habits(0.03, 0.33, 0.001, (45, 120), 1946),
    "tvMiniSeries": _Habits(0.06, 0.68, 0.001, (30, 300), 1960, ends=True),
    "tvSpecial": _Habits(0.03, 0.47, 0.001, (25, 130), 1946),
    "videoGame": _Habits(0.06, 0.99, 0.01, (60, 600), 1975),
    "tvShort": _Habits(0.00, 0.09, 0.0, (2, 30), 1946, genre="Short"),
    "tvPilot": _Habits(0.00, 0.40, 0.0, (20, 60), 1950),
}
_LAST_YEAR = 2026


class Facts:
    """For each kind a deck of what its titles say."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        rng = stream(seed, "title facts")
        genres = [name for name, share in _GENRES for _ in range(share)]
        self._decks = {
            kind: dealt([_line(rng, habits, genres) for _ in range(_DISTINCT)]) for kind, habits in _HABITS.items()
        }

    def lines(self, block: int, kinds: Sequence[str]) -> list[str]:
        """The ends of a block's lines, from the tab after the titles to the line end."""
        drawn = chances(stream(self._seed, f"title facts {block}"), len(kinds))
        decks = self._decks
        return [decks[kind][chance] for kind, chance in zip(kinds, drawn, strict=True)]

    def film(self, number: int, kind: str, title: str, original_title: str, line: str) -> Film:
        """A title with what its line says."""
        _, adult, year, _, runtime, genres = line.rstrip("\n").split("\t")
        return Film(
            imdb_id=number,
            tmdb_id=None,
            kind=kind,
            title=title,
            original_title=original_title,
            year=None if year == NULL else int(year),
            runtime=None if runtime == NULL else int(runtime),
            genres=() if genres == NULL else tuple(genres.split(",")),
            adult=adult == "1",
        )


def line_of(film: Film) -> str:
    """What title.basics says of a film that is known already."""
    year, runtime = (NULL if number is None else str(number) for number in (film.year, film.runtime))
    return f"\t{int(film.adult)}\t{year}\t{NULL}\t{runtime}\t{','.join(film.genres) or NULL}\n"


def _line(rng: Random, habits: _Habits, bag: Sequence[str]) -> str:
    adult = rng.random() < habits.adult
    year = _LAST_YEAR - int((_LAST_YEAR + 1 - habits.since) * rng.random() * rng.random())
    low, high = habits.minutes
    runtime = low + int((rng.random() + rng.random()) / 2 * (high - low))
    genres = {"Adult"} if adult else {habits.genre} - {""}
    for _ in range(int(rng.random() * rng.random() * 4.4) + (0 if genres else int(rng.random() * 1.4))):
        genres |= {pick(rng, bag)} if len(genres) < 3 else set()
    ends = str(min(_LAST_YEAR, year + int(rng.random() * 9))) if habits.ends and rng.random() < 0.55 else NULL
    fields = (
        str(int(adult)),
        NULL if rng.random() < habits.no_year else str(year),
        ends,
        NULL if rng.random() < habits.no_runtime else str(runtime),
        ",".join(sorted(genres)) or NULL,
    )
    return "\t" + "\t".join(fields) + "\n"
