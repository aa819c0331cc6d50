"""Movies on the terminal: `movies list`, `show`, `add`, `edit`, `remove`, and `export movies`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, BinaryIO
from uuid import UUID

import psycopg
import typer

from reelbase.catalog import browse, export, movies, parquet, search
from reelbase.cli.context import JsonFlag, context, err, out, print_json
from reelbase.cli.listing import Asked, Genres, Language, listing, text
from reelbase.cli.tables import table
from reelbase.database.connect import DictConnection, translated
from reelbase.database.stream import Blocks
from reelbase.errors import UnknownMovie, UsageError
from reelbase.imports import own
from reelbase.imports.own import OwnMovie

app = typer.Typer(help="Look at movies, and keep some of your own.", no_args_is_help=True)
exports = typer.Typer(help="Write lists to files.", no_args_is_help=True)

MovieId = Annotated[
    str, typer.Argument(metavar="ID", help="A UUID, tt0113277, movielens:6 or tmdb:949.", callback=text)
]
OwnId = Annotated[UUID, typer.Argument(metavar="ID", help="The id that `movies add` printed.")]


@app.command("list")
@listing
def list_(
    asked: Asked,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 20,
    as_json: JsonFlag = False,
) -> None:
    """List movies, the best known first."""
    with context().dicts() as connection:
        found = _listed(connection, asked, limit)
    if as_json:
        print_json({"items": found})
        return
    shown = table("id", "title", "year", "rating", "votes", right=("year", "rating", "votes"))
    for movie in found:
        rating = "" if movie["rating"] is None else f"{movie['rating']:.1f}"
        shown.add_row(_word(movie), movie["title"], str(movie["year"] or ""), rating, f"{movie['votes'] or 0:,}")
    out().print(shown)


def _listed(connection: DictConnection, asked: Asked, limit: int) -> list[dict[str, Any]]:
    try:
        if asked.query is not None:
            return search.movies(connection, search.movie_query(connection, asked.query), asked.filters, limit=limit)
        return browse.browse(connection, asked.filters, asked.order, limit=limit).items
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        return []  # nothing is loaded yet


@app.command()
def show(movie_id: MovieId, as_json: JsonFlag = False) -> None:
    """Show a movie with all that the datasets say of it."""
    with context().dicts() as connection:
        try:
            found = movies.find(connection, movie_id, what="detail")
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            found = None
    if found is None:
        raise UnknownMovie(f"There is no movie {movie_id!r}.", "`reelbase movies list -q WORDS` finds one.")
    if as_json:
        print_json(found.movie)
        return
    for name, value in found.movie.items():
        if value not in (None, [], "") and name not in ("title_sort", "imdb", "movielens", "tmdb"):
            out().print(f"{name}: {_line(value)}", highlight=False, soft_wrap=True)


def _line(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_line(one) for one in value)
    if isinstance(value, dict):
        return " ".join(str(part) for part in value.values() if part is not None)
    return str(value)


Year = Annotated[int | None, typer.Option(min=1800, max=2200, help="The year of release.")]
Runtime = Annotated[int | None, typer.Option(min=0, max=100_000, help="Minutes.")]
Overview = Annotated[str | None, typer.Option(help="What it is about.", callback=text)]
ImdbId = Annotated[str | None, typer.Option(help="Such as tt0113277.", callback=text)]
Rating = Annotated[float | None, typer.Option(min=0, max=10, help="From 0 to 10.")]


@app.command()
def add(
    title: Annotated[str, typer.Argument(help="What it is called.", callback=text)],
    year: Year = None,
    runtime: Runtime = None,
    genre: Genres = None,
    language: Language = None,
    overview: Overview = None,
    imdb_id: ImdbId = None,
    rating: Rating = None,
    as_json: JsonFlag = False,
) -> None:
    """Add a movie of your own; its id is the last word printed."""
    movie = OwnMovie(title.strip(), year, runtime, tuple(genre or ()), language, overview, imdb_id, rating)
    _check(movie)
    with context().connection() as connection:
        movie_id = own.add(connection, movie)
    if as_json:
        print_json({"id": str(movie_id)})
    else:
        out().print(f"Added {movie.title}: {movie_id}", highlight=False, soft_wrap=True)


@app.command()
def edit(
    movie_id: OwnId,
    title: Annotated[str | None, typer.Option(help="What it is called.", callback=text)] = None,
    year: Year = None,
    runtime: Runtime = None,
    genre: Genres = None,
    language: Language = None,
    overview: Overview = None,
    imdb_id: ImdbId = None,
    rating: Rating = None,
) -> None:
    """Change what is given of a movie of your own."""
    given: dict[str, Any] = {
        "title": title.strip() if title is not None else None, "year": year, "runtime": runtime,
        "genres": tuple(genre) if genre else None, "language": language, "overview": overview, "imdb_id": imdb_id,
        "rating": rating,
    }  # fmt: skip
    with context().connection() as connection:
        movie = own.get(connection, movie_id)
        if movie is None:
            raise UnknownMovie(f"There is no movie of your own with the id {movie_id}.")
        movie = replace(movie, **{name: value for name, value in given.items() if value is not None})
        _check(movie)
        own.edit(connection, movie_id, movie)
    err().print(f"Changed {movie.title}.", highlight=False)


@app.command()
def remove(movie_id: OwnId) -> None:
    """Take a movie of your own away."""
    with context().connection() as connection:
        own.remove(connection, movie_id)
    err().print("Removed.")


@exports.command("movies")
@listing
def export_movies(
    output: Annotated[Path, typer.Option("-o", "--output", help="A file: .csv, .ndjson or .parquet.")],
    asked: Asked,
    raw: Annotated[
        bool, typer.Option("--raw", help="CSV with every text as it is, also what a spreadsheet takes for a formula.")
    ] = False,
) -> None:
    """Write a list of movies to a file, CSV, JSON lines or Parquet by its name."""
    form = _form(output, raw=raw)
    source = export.stream(context().url, form, asked.filters, asked.order, asked.query)
    with translated(), _file(output) as file, closing(source), closing(_encoded(source.blocks(), form)) as blocks:
        for block in blocks:
            file.write(block)


def _encoded(blocks: Blocks, form: export.Form) -> Blocks:
    return parquet.written(blocks) if form is export.Form.FLAT else blocks


def _form(output: Path, *, raw: bool) -> export.Form:
    forms = {
        ".csv": export.Form.RAW_CSV if raw else export.Form.CSV,
        ".ndjson": export.Form.JSON,
        ".parquet": export.Form.FLAT,
    }
    if output.suffix not in forms:
        raise UsageError(f"{output.name} tells of no form.", f"Name it with one of {', '.join(forms)}.")
    return forms[output.suffix]


@contextmanager
def _file(output: Path) -> Iterator[BinaryIO]:
    """The file gets its name when it is complete."""
    partial = output.with_name(f"{output.name}.partial")
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(output)
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}.") from error
    finally:
        partial.unlink(missing_ok=True)


def _check(movie: OwnMovie) -> None:
    """What the API refuses too."""
    if not movie.title:
        raise UsageError("A movie needs a title.")
    for name, words, most in (
        ("title", movie.title, 500),
        ("overview", movie.overview or "", 20_000),
        *(("genre", genre, 100) for genre in movie.genres),
    ):
        if len(words) > most:
            raise UsageError(f"The {name} has {len(words):,} letters, {most:,} is the most.")
    if "" in movie.genres or len(movie.genres) > 50:
        raise UsageError("A movie has up to 50 genres, each of a letter at least.")
    if any("\0" in text for text in (movie.title, movie.overview or "", *movie.genres)):
        raise UsageError("The character NUL cannot be in a text.")
    if movie.imdb_id is not None and not movies.is_imdb_id(movie.imdb_id):
        raise UsageError(f"{movie.imdb_id!r} is no id of IMDb.", "It looks like tt0113277.")


def _word(movie: dict[str, Any]) -> str:
    return str(movie["imdb_id"] or movie["id"])
