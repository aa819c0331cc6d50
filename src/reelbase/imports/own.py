"""Movies of one's own, changed in a way that no kept answer is older than the change."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from uuid import UUID

from reelbase.catalog.version import Change, version
from reelbase.database.connect import Connection
from reelbase.errors import ChangedSince
from reelbase.imports import catalog
from reelbase.publishing import own
from reelbase.publishing.own import OwnMovie

__all__ = ["OwnMovie", "add", "edit", "get", "remove"]

Versions = Collection[str] | None
"""The versions of the catalog that a change may start from; None: any."""


def add(connection: Connection, movie: OwnMovie) -> UUID:
    """Add a movie and return its id; raises KnownMovie where one has the IMDb id."""
    catalog.begin(connection)
    with Change(connection):
        return own.add(connection, movie)


def get(connection: Connection, movie_id: UUID) -> OwnMovie | None:
    """The movie as it was given; None when it is not one's own."""
    return own.get(connection, movie_id)


def edit(connection: Connection, movie_id: UUID, movie: OwnMovie, at: Versions = None) -> None:
    """Put other facts in place of a movie's; raises UnknownMovie, KnownMovie, ChangedSince."""
    with Change(connection), _unchanged(connection, at):
        own.edit(connection, movie_id, movie)


def remove(connection: Connection, movie_id: UUID, at: Versions = None) -> None:
    """Take a movie away; raises UnknownMovie, ChangedSince."""
    with Change(connection), _unchanged(connection, at):
        own.remove(connection, movie_id)


@contextmanager
def _unchanged(connection: Connection, at: Versions) -> Iterator[None]:
    """A transaction that begins at one of these versions of the catalog."""
    with connection.transaction():
        own.hold(connection)
        if at is not None and version(connection) not in at:
            raise ChangedSince("The catalog has changed since this movie was read.", "Read it again, and decide again.")
        yield
