"""Movies of one's own: added, changed and taken away at once, and shown by every release of the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

from psycopg import errors, sql

from reelbase.database.connect import Connection
from reelbase.database.statements import statements
from reelbase.errors import KnownMovie, UnknownMovie

_SQL = statements("reelbase.publishing", "own.sql")
_LIVE = sql.Identifier("catalog")


@dataclass(frozen=True, slots=True)
class OwnMovie:
    """What people say of a movie of their own; `runtime` in minutes, `rating` from 0 to 10."""

    title: str
    year: int | None = None
    runtime: int | None = None
    genres: Sequence[str] = ()
    language: str | None = None
    overview: str | None = None
    imdb_id: str | None = None
    rating: float | None = None


def add(connection: Connection, movie: OwnMovie) -> UUID:
    """Add a movie and return its id; raises KnownMovie where one has the IMDb id."""
    with connection.transaction():
        hold(connection)
        _check_unknown(connection, movie.imdb_id, None)
        movie_id = _returned(connection, "add", _values(movie))
        assert movie_id is not None  # noqa: S101  # insert … returning
        _show_one(connection, movie_id, movie.imdb_id)
    return movie_id


def hold(connection: Connection) -> None:
    """Until the end of the transaction nobody else changes what readers see."""
    connection.execute(_SQL["hold"])


def get(connection: Connection, movie_id: UUID) -> OwnMovie | None:
    """The movie as it was given; None when it is not one's own."""
    row = connection.execute(_SQL["one"], {"id": movie_id}).fetchone()
    return OwnMovie(*row) if row else None


def edit(connection: Connection, movie_id: UUID, movie: OwnMovie) -> None:
    """Put other facts in place of a movie's; raises UnknownMovie, KnownMovie."""
    with connection.transaction():
        hold(connection)
        _check_unknown(connection, movie.imdb_id, movie_id)
        if _returned(connection, "edit", {**_values(movie), "id": movie_id}) is None:
            raise UnknownMovie(f"There is no movie of your own with the id {movie_id}.")
        _hide_one(connection, movie_id)
        _show_one(connection, movie_id, movie.imdb_id)


def remove(connection: Connection, movie_id: UUID) -> None:
    """Take a movie away; raises UnknownMovie."""
    with connection.transaction():
        hold(connection)
        if _returned(connection, "remove", {"id": movie_id}) is None:
            raise UnknownMovie(f"There is no movie of your own with the id {movie_id}.")
        _hide_one(connection, movie_id)
        connection.execute(_SQL["changed"])


def show_all(connection: Connection, catalog: sql.Identifier) -> None:
    """Bring a release of the catalog up to date with what people have added; part of the caller's transaction."""
    everyone = sql.SQL("true")
    connection.execute(sql.SQL(_SQL["hide"]).format(catalog=catalog, which=everyone))
    connection.execute(sql.SQL(_SQL["show"]).format(catalog=catalog, which=everyone))


def _show_one(connection: Connection, movie_id: UUID, imdb_id: str | None) -> None:
    connection.execute(_SQL["forget"], {"id": movie_id, "imdb_id": imdb_id})
    if imdb_id is not None:
        connection.execute(_SQL["see"], {"id": movie_id, "imdb_id": imdb_id})
    which = sql.SQL("o.id = {}").format(sql.Literal(movie_id))
    _in_live(connection, sql.SQL(_SQL["show"]).format(catalog=_LIVE, which=which))
    connection.execute(_SQL["changed"])


def _hide_one(connection: Connection, movie_id: UUID) -> None:
    which = sql.SQL("id = {}").format(sql.Literal(movie_id))
    _in_live(connection, sql.SQL(_SQL["hide"]).format(catalog=_LIVE, which=which))


def _in_live(connection: Connection, statement: sql.Composed) -> None:
    """Before anything is loaded there is no catalog; the first release will show the movie."""
    if connection.execute("select from reelbase.catalog where live is not null").fetchone() is not None:
        connection.execute(statement)


def _check_unknown(connection: Connection, imdb_id: str | None, movie_id: UUID | None) -> None:
    if imdb_id is None:
        return
    try:
        with connection.transaction():
            statement = sql.SQL(_SQL["known"]).format(catalog=_LIVE)
            found = connection.execute(statement, {"imdb_id": imdb_id, "id": movie_id}).fetchone()
    except errors.UndefinedTable:
        return
    if found:
        raise KnownMovie(f"The movie {found[0]} has the IMDb id {imdb_id} already.")


def _returned(connection: Connection, name: str, values: dict[str, object]) -> UUID | None:
    try:
        with connection.transaction():
            row = connection.execute(_SQL[name], values).fetchone()
    except errors.UniqueViolation as error:
        raise KnownMovie(f"Another movie of your own has the IMDb id {values['imdb_id']} already.") from error
    return row[0] if row else None


def _values(movie: OwnMovie) -> dict[str, object]:
    return {**asdict(movie), "genres": list(movie.genres)}
