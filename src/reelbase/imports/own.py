"""Movies of one's own, changed in a way that no kept answer is older than the change."""

from __future__ import annotations

from uuid import UUID

from reelbase.catalog.version import Change
from reelbase.database.connect import Connection
from reelbase.imports import catalog
from reelbase.publishing import own
from reelbase.publishing.own import OwnMovie

__all__ = ["OwnMovie", "add", "edit", "get", "remove"]


def add(connection: Connection, movie: OwnMovie) -> UUID:
    """Add a movie and return its id; raises KnownMovie where one has the IMDb id."""
    catalog.begin(connection)
    with Change(connection):
        return own.add(connection, movie)


def get(connection: Connection, movie_id: UUID) -> OwnMovie | None:
    """The movie as it was given; None when it is not one's own."""
    return own.get(connection, movie_id)


def edit(connection: Connection, movie_id: UUID, movie: OwnMovie) -> None:
    """Put other facts in place of a movie's; raises UnknownMovie, KnownMovie."""
    with Change(connection):
        own.edit(connection, movie_id, movie)


def remove(connection: Connection, movie_id: UUID) -> None:
    """Take a movie away; raises UnknownMovie."""
    with Change(connection):
        own.remove(connection, movie_id)
