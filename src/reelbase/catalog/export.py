"""The filtered list as a stream of bytes, made by PostgreSQL: CSV, JSON lines, or JSON lines of flat rows."""

from __future__ import annotations

import enum

import psycopg
from psycopg import sql

from reelbase.catalog import search
from reelbase.catalog.browse import Order
from reelbase.catalog.filters import Filters, conditions
from reelbase.database.connect import DictConnection, connect_dicts
from reelbase.database.statements import statements
from reelbase.database.stream import Blocks, Stream

_SQL = statements("reelbase.catalog", "export.sql")
_BLOCK_BYTES = 128 << 10

CSV_HEADER = (
    b"id,type,title,original_title,year,release_date,runtime,genres,language,languages,overview,adult,rating,votes,score,"
    b"imdb_average,imdb_votes,movielens_average,movielens_votes,tmdb_average,tmdb_votes,imdb_id,movielens_id,tmdb_id,"
    b"sources\n"
)


class Form(enum.StrEnum):
    """How rows are written. `csv` is safe to open in a spreadsheet, `raw_csv` has every text exactly as it is."""

    CSV = "csv"
    RAW_CSV = "raw_csv"
    JSON = "json"
    FLAT = "flat"


# What comes out of a file as it is.
_TEXTS = ("type", "title", "original_title", "language", "overview", "imdb_id")


def blocks(connection: DictConnection, form: Form, filters: Filters, order: Order, typed: str | None = None) -> Blocks:
    """Whole lines in blocks; one statement, so all of one release. Before anything is loaded there are none."""
    if not _is_loaded(connection):
        if form in (Form.CSV, Form.RAW_CSV):
            yield CSV_HEADER
        return
    also = search.movie_query(connection, typed).condition if typed is not None else None
    with connection.cursor() as cursor, cursor.copy(statement(form, filters, order, also)) as copy:
        yield from _joined(copy)


def _joined(copy: psycopg.Copy) -> Blocks:
    parts: list[bytes] = []
    size = 0
    for part in copy:
        parts.append(bytes(part))
        size += len(part)
        if size >= _BLOCK_BYTES:
            yield b"".join(parts)
            parts, size = [], 0
    if parts:
        yield b"".join(parts)


def stream(url: str, form: Form, filters: Filters, order: Order, typed: str | None = None) -> Stream[DictConnection]:
    """The same on a connection of its own."""
    return Stream(
        lambda: connect_dicts(url, "reelbase export"),
        lambda connection: blocks(connection, form, filters, order, typed),
    )


def statement(form: Form, filters: Filters, order: Order, also: sql.Composable | None = None) -> sql.Composed:
    """The COPY of a list."""
    where: sql.Composable = conditions(filters)
    if also is not None:
        where = sql.SQL("{} and {}").format(where, also)
    movies = sql.SQL(_SQL["movies"]).format(
        where=where,
        key=sql.Identifier("m", order.sort.column),
        direction=sql.SQL("desc" if order.descending else "asc"),
    )
    if form in (Form.JSON, Form.FLAT):
        return sql.SQL(_SQL[form.value]).format(movies=movies)
    columns = {name: sql.Identifier("m", name) for name in _TEXTS}
    lists = {
        name: sql.SQL("array_to_string(m.{}, '|')").format(sql.Identifier(name)) for name in ("genres", "languages")
    }
    texts = {name: text if form is Form.RAW_CSV else _guarded(text) for name, text in {**columns, **lists}.items()}
    return sql.SQL(_SQL["csv"]).format(movies=movies, **texts)


def _guarded(text: sql.Composable) -> sql.Composed:
    return sql.SQL(_SQL["guarded"]).format(text=text)


def _is_loaded(connection: DictConnection) -> bool:
    row = connection.execute("select to_regclass('catalog.movies') is not null as there").fetchone()
    return bool(row and row["there"])
