"""Opening connections: the one place that knows the driver's options and turns its errors into ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, TupleRow, dict_row

from reelbase.database.awaited import AwaitedConnection
from reelbase.errors import ConnectionLost, DatabaseError, DiskFull, ServerUnavailable, SettingError

Connection: TypeAlias = psycopg.Connection[TupleRow]
DictConnection: TypeAlias = psycopg.Connection[DictRow]
AsyncDictConnection: TypeAlias = AwaitedConnection

# Seconds; a server that does not answer within them is named instead of waited for.
_CONNECT_TIMEOUT = 15


def connect(url: str, name: str = "reelbase") -> Connection:
    """Open a connection in autocommit mode; `name` is shown in pg_stat_activity.

    Raises ServerUnavailable with the server's own words.
    """
    with _reached(url):
        return psycopg.connect(url, autocommit=True, application_name=name, connect_timeout=_CONNECT_TIMEOUT)


def connect_dicts(url: str, name: str = "reelbase") -> DictConnection:
    """As `connect`, with rows as dicts."""
    with _reached(url):
        return psycopg.connect(
            url, autocommit=True, application_name=name, connect_timeout=_CONNECT_TIMEOUT, row_factory=dict_row
        )


async def connect_dicts_async(url: str, name: str = "reelbase") -> AsyncDictConnection:
    """As `connect_dicts`, for an event loop."""
    with _reached(url):
        return await AwaitedConnection.connect(
            url, autocommit=True, application_name=name, connect_timeout=_CONNECT_TIMEOUT, row_factory=dict_row
        )


@contextmanager
def _reached(url: str) -> Iterator[None]:
    try:
        yield
    except psycopg.ProgrammingError:
        # The driver repeats the URL, and with it the password: neither its words nor the error itself may go on.
        raise SettingError(
            "The database's URL cannot be read.", "It looks like postgresql://user@host:5432/name."
        ) from None
    except psycopg.OperationalError as error:
        raise ServerUnavailable(
            f"PostgreSQL at {place(url)} cannot be reached: {_sentence(error)}",
            "`reelbase doctor` tells more.",
        ) from error


def without_timeouts(connection: Connection) -> None:
    """Lift the limits that a role of the user's own server may have for queries: an index takes as long as it takes."""
    for setting in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        connection.execute("select set_config(%s, '0', false)", (setting,))


def place(url: str) -> str:
    """Where a URL points to, without its password."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return "the given URL"
    return f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname', '')}"


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into ours: a full disk, a lost connection, anything else PostgreSQL refuses."""
    try:
        yield
    except errors.DiskFull as error:
        raise disk_full(error) from error
    except (errors.AdminShutdown, errors.CrashShutdown, errors.CannotConnectNow) as error:
        raise _lost(error) from error
    except psycopg.OperationalError as error:
        if error.sqlstate is None or error.sqlstate.startswith("08"):
            raise _lost(error) from error
        raise DatabaseError(f"PostgreSQL refused: {_sentence(error)}") from error
    except psycopg.Error as error:
        raise DatabaseError(f"PostgreSQL refused: {_sentence(error)}") from error


def disk_full(error: Exception) -> DiskFull:
    """The error for a server that has no room left."""
    return DiskFull(
        f"The database's disk is full ({_sentence(error)})",
        "Make room (`reelbase prune` drops what is no longer needed) and retry.",
    )


def _lost(error: Exception) -> ConnectionLost:
    return ConnectionLost(f"The connection to PostgreSQL was lost ({_sentence(error)})")


def _sentence(error: Exception) -> str:
    """The first line of the driver's message, which is the server's own sentence."""
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    text = primary or str(error).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(".") + "."
