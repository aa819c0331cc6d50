"""COPY: bytes go to PostgreSQL as they are in the file; it does the parsing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import psycopg
from psycopg import errors, sql

from reelbase.database.connect import Connection
from reelbase.datasets import Column, Dialect

# What PostgreSQL says when the data, not the server, is at fault. COPY aborts as a whole on any of them.
REFUSED = (psycopg.DataError, psycopg.IntegrityError, errors.ProgramLimitExceeded)

# Bytes handed to libpq at a time: larger pieces make it grow a buffer of their size for each connection.
_PIECE = 1 << 18


def statement(schema: str, table: str, columns: Sequence[Column], dialect: Dialect) -> sql.Composed:
    """The COPY that reads a file's records as they are (tried on PostgreSQL 18.6)."""
    options = [
        sql.SQL("format csv"),
        sql.SQL("encoding 'UTF8'"),
        sql.SQL("delimiter {}").format(sql.Literal(dialect.delimiter.decode())),
        sql.SQL("null {}").format(sql.Literal(dialect.null.decode())),
        # Backspace as quote: no quoting at all, without the backslash escapes of the text format.
        sql.SQL("quote {}").format(sql.Literal((dialect.quote or b"\b").decode())),
    ]
    texts = [sql.Identifier(column.name) for column in columns if column.empty_is_text]
    if texts:
        options.append(sql.SQL("force_not_null ({})").format(sql.SQL(", ").join(texts)))
    return sql.SQL("copy {} ({}) from stdin with ({})").format(
        sql.Identifier(schema, table),
        sql.SQL(", ").join(sql.Identifier(column.name) for column in columns),
        sql.SQL(", ").join(options),
    )


def copy(connection: Connection, statement: sql.Composed, pieces: Iterable[bytes | memoryview]) -> int:
    """Send the pieces and return the number of rows PostgreSQL made of them."""
    with connection.cursor() as cursor:
        with cursor.copy(statement) as sink:
            for piece in pieces:
                view = memoryview(piece)
                for start in range(0, len(view), _PIECE):
                    sink.write(view[start : start + _PIECE])
        return cursor.rowcount
