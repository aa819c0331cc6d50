"""Charts as numbers: what the templates draw as SVG, with nothing left to reckon there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_STEPS = [step / 2 for step in range(1, 11)]
_WIDTH, _HEIGHT = 640, 150
_LEAST, _MOST = 0.5, 5.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, in units of the drawing."""

    label: str
    votes: int
    x: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often each rating was given, and in one sentence."""

    bars: list[Bar]
    votes: int
    says: str


def histogram(counts: Mapping[float, int]) -> Histogram | None:
    """The ratings from half a star to five; None without any."""
    votes = sum(counts.values())
    if not votes:
        return None
    most = max(counts.values())
    bars = []
    for at, rating in enumerate(_STEPS):
        given = counts.get(rating, 0)
        height = round(100 * given / most, 1)
        bars.append(Bar(f"{rating:g}", given, at * 32 + 4, round(100 - height, 1), height))
    favourite = max(counts, key=lambda rating: (counts[rating], rating))
    says = f"{votes:,} ratings from half a star to five; {favourite:g} was given most often, {most:,} times."
    return Histogram(bars, votes, says)


@dataclass(frozen=True, slots=True)
class Point:
    """One year: its mean as a place in the drawing, its votes as a bar."""

    year: int
    votes: int
    average: float
    x: float
    y: float
    bar: float


@dataclass(frozen=True, slots=True)
class Years:
    """Mean ratings year by year, with a line through them, and in one sentence."""

    points: list[Point]
    line: str
    width: float
    step: float
    labels: list[Point]
    says: str


def years(rows: Sequence[Mapping[str, Any]]) -> Years | None:
    """The means by year; None for less than two years, which make no line."""
    if len(rows) < 2:
        return None
    first, last = rows[0]["year"], rows[-1]["year"]
    step = _WIDTH / (last - first + 1)
    most = max(row["votes"] for row in rows)
    points = [
        Point(
            row["year"],
            row["votes"],
            row["average"],
            round((row["year"] - first + 0.5) * step, 1),
            round(_HEIGHT * (1 - (row["average"] - _LEAST) / (_MOST - _LEAST)), 1),
            round(_HEIGHT * 0.6 * row["votes"] / most, 1),
        )
        for row in rows
    ]
    line = " ".join(f"{point.x:g},{point.y:g}" for point in points)
    best = max(points, key=lambda point: point.average)
    says = (
        f"Mean rating by year from {first} to {last}: {points[0].average:.1f} stars at first, {points[-1].average:.1f} "
        f"in the end, highest in {best.year} with {best.average:.1f}."
    )
    every = max(1, -(-len(points) // 8))
    return Years(points, line, _WIDTH, round(step, 1), points[::every], says)
