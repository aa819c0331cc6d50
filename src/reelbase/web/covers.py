"""Covers for movies that have none: a colour and a figure by genre, varied by title. The same movie looks the same."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# Genre → the figure of templates/figures.html, and a hue on the colour wheel (24 of them, 15 degrees apart).
_GENRES = {
    "Horror": ("spikes", 1),
    "Sci-Fi": ("planet", 18),
    "Western": ("horizon", 3),
    "War": ("chevrons", 7),
    "Film-Noir": ("blinds", 17),
    "Animation": ("balls", 22),
    "Documentary": ("finder", 12),
    "Fantasy": ("stars", 20),
    "Musical": ("waves", 23),
    "Music": ("waves", 21),
    "Sport": ("lanes", 9),
    "History": ("arches", 5),
    "Biography": ("arches", 4),
    "Mystery": ("keyhole", 19),
    "Crime": ("blinds", 16),
    "Thriller": ("rings", 15),
    "Romance": ("petals", 0),
    "Adventure": ("peaks", 10),
    "Family": ("blocks", 6),
    "Action": ("rays", 2),
    "Comedy": ("smiles", 5),
    "Drama": ("moons", 14),
    "News": ("dots", 13),
    "Talk-Show": ("dots", 11),
    "Reality-TV": ("dots", 8),
    "Game-Show": ("blocks", 8),
    "Short": ("frames", 17),
}
_OTHERS = ("moons", "rings", "dots", "lanes", "frames", "blocks")
_TURNS = ("", "translate(200 0) scale(-1 1)", "rotate(8 100 130)", "translate(200 0) scale(-1 1) rotate(8 100 130)")
_HUES = 24
_LONG_WORD = 9


@dataclass(frozen=True, slots=True)
class Cover:
    """What a cover is made of: names of classes and figures, no more than that."""

    hue: int
    figure: str
    turn: str
    size: str


def cover(title: str, year: int | None, genres: Sequence[str]) -> Cover:
    """The cover of a movie. The rarer genre decides: it says more."""
    chance = zlib.crc32(f"{title} {year}".encode())
    known = [genre for genre in _GENRES if genre in genres]
    figure, hue = _GENRES[known[0]] if known else (_OTHERS[chance % len(_OTHERS)], chance // 7 % _HUES)
    return Cover((hue + chance % 3 - 1) % _HUES, figure, _TURNS[chance // 3 % len(_TURNS)], _size(title))


def with_cover(movie: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the catalog, ready for a card."""
    return {**movie, "cover": cover(movie["title"], movie["year"], movie["genres"])}


def _size(title: str) -> str:
    """How large the title is set, so that it stays within six lines and its words within one."""
    longest = max((len(word) for word in title.split()), default=0)
    for letters, word, size in ((14, _LONG_WORD, "xl"), (28, 11, "l"), (55, 14, "m"), (95, 18, "s")):
        if len(title) <= letters and longest <= word:
            return size
    return "xs"


def initials(name: str) -> str:
    """Fred Astaire → FA."""
    words = [word for word in name.split() if word[0].isalpha()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


def hue_of(name: str) -> int:
    """A colour for somebody."""
    return zlib.crc32(name.encode()) % _HUES
