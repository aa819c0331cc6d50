"""Where PostgreSQL's extensions are: their functions are called by their schema, whatever the search path is."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.rows import tuple_row

from reelbase.database.statements import statements

_SQL = statements("reelbase.database", "extensions.sql")


def extension_schema(connection: psycopg.Connection[Any], name: str) -> str | None:
    """The schema that an extension is installed in; None where it is not."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(_SQL["schema"], {"name": name}).fetchone()
    return str(row[0]) if row else None
