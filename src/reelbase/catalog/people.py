"""IMDb's people: who they are and what they worked on."""

from __future__ import annotations

import re
from typing import Any

from reelbase.database.connect import DictConnection
from reelbase.database.statements import statements

_SQL = statements("reelbase.catalog", "people.sql")
_NCONST = re.compile(r"nm\d{7,10}")

Row = dict[str, Any]


def person(connection: DictConnection, nconst: str) -> Row | None:
    """A person by their IMDb id; None where there is none."""
    if not _NCONST.fullmatch(nconst):
        return None
    return connection.execute(_SQL["one"], {"nconst": nconst}).fetchone()


def work(connection: DictConnection, nconst: str, limit: int = 200) -> list[Row]:
    """What a person worked on, the best known first."""
    return connection.execute(_SQL["work"], {"nconst": nconst, "limit": limit}).fetchall()
