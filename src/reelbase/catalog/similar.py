"""Movies like another one: by MovieLens' tag genome where it knows both, else by what its raters liked."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from psycopg import sql

from reelbase.database.connect import DictConnection
from reelbase.database.extensions import extension_schema
from reelbase.database.statements import statements

_SQL = statements("reelbase.catalog", "similar.sql")
_FANS = 500  # a sample of the raters: more cost more and hardly change the order

Row = dict[str, Any]


class By(enum.StrEnum):
    """What the likeness is taken from."""

    GENOME = "genome"
    RATERS = "raters"


@dataclass(frozen=True, slots=True)
class Similar:
    """The nearest movies first, and what they are near by; each row has a `distance` (0: the same)."""

    by: By
    movies: list[Row]


def similar(connection: DictConnection, movielens_id: int, limit: int = 12) -> Similar:
    """What is like a movie of MovieLens."""
    found = _by_genome(connection, movielens_id, limit)
    if found:
        return Similar(By.GENOME, found)
    return Similar(By.RATERS, _ask(connection, "by_raters", movielens_id, limit, fans=sql.Literal(_FANS)))


def _by_genome(connection: DictConnection, movielens_id: int, limit: int) -> list[Row]:
    row = connection.execute(_SQL["has_genome"]).fetchone()
    if not (row and row["there"]):
        return _ask(connection, "by_neighbours", movielens_id, limit)
    vectors = sql.Identifier(extension_schema(connection, "vector") or "public")
    return _ask(connection, "by_genome", movielens_id, limit, vectors=vectors)


def _ask(connection: DictConnection, name: str, movielens_id: int, limit: int, **parts: sql.Composable) -> list[Row]:
    statement = sql.SQL(_SQL[name]).format(movie_id=sql.Literal(movielens_id), limit=sql.Literal(limit), **parts)
    return connection.execute(statement).fetchall()
