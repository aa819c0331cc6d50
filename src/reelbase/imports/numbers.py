"""What imports have done and what waits, as numbers for whoever watches over a server."""

from __future__ import annotations

from dataclasses import dataclass, field

from reelbase.database.connect import DictConnection
from reelbase.database.statements import statements

_SQL = statements("reelbase.imports", "numbers.sql")


@dataclass(slots=True)
class Numbers:
    """All of them: by dataset, by state, and seconds."""

    states: dict[str, int] = field(default_factory=dict)
    jobs: dict[str, int] = field(default_factory=dict)
    rows: dict[tuple[str, str], int] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)
    durations: dict[str, tuple[int, float]] = field(default_factory=dict)
    last_success: dict[str, float] = field(default_factory=dict)
    oldest_queued_seconds: float = 0.0


def numbers(connection: DictConnection) -> Numbers:
    """Asked in one statement."""
    found = Numbers()
    for row in connection.execute(_SQL["numbers"]):
        name, of, count, seconds = row["name"], row["of"], row["count"], row["seconds"]
        if name == "state":
            found.states[of] = count
        elif name == "job":
            found.jobs[of] = count
        elif name == "duration":
            found.durations[of] = (count, seconds)
            found.last_success[of] = row["at"]
        elif name == "bytes":
            found.bytes[of] = count
        elif name == "queue":
            found.oldest_queued_seconds = max(0.0, seconds or 0.0)
        else:
            found.rows[of, name] = count
    return found
