"""An import at a glance, for pages: thousands of chunks as one word, rejects by reason, what was asked for."""

from __future__ import annotations

from dataclasses import dataclass

from reelbase.database.connect import Connection, DictConnection
from reelbase.database.statements import statements
from reelbase.imports import rejects

_SQL = statements("reelbase.imports", "overview.sql")
# Merged, a record whose key came again later would replace the later one.
_NOT_TO_BE_MENDED = frozenset({"duplicate_key"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for: sources (uploads are known by their files), rejects allowed, and whether it is to end."""

    sources: tuple[str, ...]
    max_rejects: str
    cancel_asked: bool


def asked(connection: DictConnection, import_id: int) -> Asked | None:
    """What was asked for; None where there is no such import."""
    row = connection.execute(_SQL["asked"], {"import_id": import_id}).fetchone()
    return Asked(tuple(row["sources"]), row["max_rejects"], row["cancel_asked"]) if row else None


def states(connection: DictConnection) -> dict[str, int]:
    """How many imports are in each state."""
    return {row["state"]: row["imports"] for row in connection.execute(_SQL["states"])}


def chunk_states(connection: DictConnection, import_id: int) -> dict[int, str]:
    """The chunks of each file by its position: one letter for each chunk, in order, of q, r, d and f."""
    return {row["position"]: row["states"] for row in connection.execute(_SQL["chunk_runs"], {"import_id": import_id})}


def reject_reasons(connection: DictConnection, import_id: int) -> dict[str, int]:
    """How many rejects there are for each reason, most first."""
    rows = connection.execute(_SQL["reject_reasons"], {"import_id": import_id})
    return {row["reason"]: row["rejects"] for row in rows}


def mendable(connection: Connection, import_id: int) -> list[rejects.RawRejects]:
    """The bad records of each file, byte for byte, without those that need no mending."""
    return rejects.raw_rejects(connection, import_id, _NOT_TO_BE_MENDED)


def mendable_files(connection: DictConnection, import_id: int) -> list[str]:
    """The names of the files that `mendable` has, in its order."""
    asked_ = {"import_id": import_id, "left_out": sorted(_NOT_TO_BE_MENDED)}
    return [row["name"] for row in connection.execute(_SQL["mendable_files"], asked_)]
