"""An import as a page shows it: its steps, how far it is, its chunks as a strip, and what can be done about it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import orjson

Row = dict[str, Any]

RUNS = ("receiving", "loading", "indexing", "publishing")
BEFORE_THE_END = ("queued", *RUNS, "held")
STATES = (*BEFORE_THE_END, "completed", "failed", "cancelled")
_STEPS = ("queued", "receiving", "loading", "indexing", "publishing", "completed")
_STEPS_OF_PLAIN_KINDS = ("queued", "publishing", "completed")
# Below this each chunk of a strip stands by itself, above it they touch. The gap is a share of the strip's length.
_APART = 120
_GAP = 0.002


@dataclass(frozen=True, slots=True)
class Step:
    """One phase of an import, and whether it is `done`, `now`, `failed` or still `ahead`."""

    name: str
    state: str


@dataclass(frozen=True, slots=True)
class Strip:
    """The chunks of a file, `total` units wide and one high: an SVG path for each state."""

    total: int
    paths: dict[str, str]


def plain(value: Any) -> Any:
    """What PostgreSQL gave as JSON, as values: the desk passes it on unread."""
    return orjson.loads(orjson.dumps(value)) if isinstance(value, orjson.Fragment) else value


def opened(found: Row) -> Row:
    """An import with all that is JSON in it read."""
    files = [{**file, "chunks": plain(file["chunks"])} for file in found["files"]]
    return {**found, "files": files, "error": plain(found["error"]), "skipped": plain(found["skipped"]) or []}


def steps(found: Row) -> list[Step]:
    """Every phase in its order."""
    names = _STEPS if found["kind"] in ("import", "refresh") else _STEPS_OF_PLAIN_KINDS
    state = found["state"]
    if state == "completed":
        return [Step(name, "done") for name in names]
    ended = state in ("failed", "cancelled")
    at = _where_it_ended(found, names) if ended else "publishing" if state == "held" else state
    here = names.index(at) if at in names else 0
    mark = "failed" if ended else "now"
    return [Step(name, "done" if i < here else mark if i == here else "ahead") for i, name in enumerate(names)]


def _where_it_ended(found: Row, names: tuple[str, ...]) -> str:
    """The phase in which it ended, as far as its files tell."""
    if not found["started_at"]:
        return "queued"
    if names is _STEPS_OF_PLAIN_KINDS:
        return "publishing"
    files = found["files"]
    if files and all(file["state"] == "done" for file in files):
        return "indexing"
    return "loading" if any(file["started_at"] for file in files) else "receiving"


def percent(found: Row) -> int | None:
    """How much of its bytes is loaded; None where nobody knows, or where it is about something else by now."""
    progress = found["progress"]
    if found["state"] == "completed":
        return 100
    if found["state"] in ("indexing", "publishing", "queued") or not progress["bytes_total"]:
        return None
    return int(100 * progress["bytes_done"] / progress["bytes_total"])


def strip(states: str) -> Strip:
    """Chunks as runs of the same state, so that thousands of them are a few strokes."""
    paths: dict[str, list[str]] = {}
    gap = min(0.15, _GAP * len(states)) if 1 < len(states) <= _APART else 0.0
    at = 0
    for letter, run in itertools.groupby(states):
        count = len(list(run))
        if gap:
            width = f"{1 - gap:.4g}"
            drawn = "".join(f"M{at + i} 0h{width}v1h-{width}z" for i in range(count))
        else:
            drawn = f"M{at} 0h{count}v1h-{count}z"
        paths.setdefault(_NAMES[letter], []).append(drawn)
        at += count
    return Strip(at, {name: "".join(drawn) for name, drawn in paths.items()})


_NAMES = {"q": "queued", "r": "running", "d": "done", "f": "failed"}
