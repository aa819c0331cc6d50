"""The server that a command works with: the embedded one, started where it is down, or one of the user's own."""

from __future__ import annotations

from dataclasses import dataclass

from reelbase.database.connect import Connection, connect
from reelbase.database.embedded import EmbeddedServer
from reelbase.database.migrate import migrate
from reelbase.errors import ServerUnsuitable
from reelbase.settings import Settings

_OLDEST, _NEWEST = 15, 18
EXTENSIONS = ("pg_trgm", "unaccent")


@dataclass(frozen=True, slots=True)
class Opened:
    """A server that answers and has our tables; `started` tells whether this command has started it."""

    url: str
    started: bool


def open_server(settings: Settings) -> Opened:
    """Start the server where it is ours, check it where it is not, and bring our tables up to date."""
    url, started = settings.database_url, False
    if url is None:
        server = EmbeddedServer(settings.home)
        started = server.start()
        url = server.url
    with connect(url) as connection:
        check_suitable(connection)
        migrate(connection)
    return Opened(url, started)


def check_suitable(connection: Connection) -> None:
    """Raise ServerUnsuitable when version, encoding or extensions do not fit."""
    version = connection.info.server_version // 10000
    if not _OLDEST <= version <= _NEWEST:
        raise ServerUnsuitable(
            f"The server is PostgreSQL {version}.", f"Reelbase works with PostgreSQL {_OLDEST} to {_NEWEST}."
        )
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise ServerUnsuitable(
            f"The database's encoding is {encoding}.", "Make one with `create database … encoding 'UTF8'`."
        )
    missing = missing_extensions(connection)
    if missing:
        raise ServerUnsuitable(
            f"The server lacks the extension{'s' if len(missing) > 1 else ''} {' and '.join(missing)}.",
            "On Debian they are in the package postgresql-contrib.",
        )


def missing_extensions(connection: Connection) -> list[str]:
    """The extensions that the server cannot offer."""
    rows = connection.execute(
        "select name::text from pg_available_extensions where name = any (%s)", (list(EXTENSIONS),)
    )
    there = {name for (name,) in rows}
    return [name for name in EXTENSIONS if name not in there]
