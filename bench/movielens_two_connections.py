"""The parallel limit: two connections, raw halves of the big files into logged tables, then indexes two at a time.

    python bench/movielens_two_connections.py FOLDER URL

The end state is that of movielens_psql.sh, in schema bench_two. No checks, no counts, no ledger: only the load.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue

import psycopg
from psycopg import sql

CONNECTIONS = 2
BLOCK_BYTES = 1 << 20
HALVED_FROM_BYTES = 64 << 20  # smaller files go whole: a cut would save less than it costs

Task = Callable[[psycopg.Connection], None]

# File, table, columns, text columns in which an empty field is text.
TABLES = (
    ("ratings.csv", "ratings", "user_id int!, movie_id int!, rating double precision!, timestamp bigint", ()),
    ("genome-scores.csv", "genome_scores", "movie_id int!, tag_id int!, relevance double precision!", ()),
    ("tags.csv", "tags", "user_id int!, movie_id int!, tag text!, timestamp bigint", ("tag",)),
    ("movies.csv", "movies", "movie_id int!, title text!, genres text", ("title", "genres")),
    ("links.csv", "links", "movie_id int!, imdb_id text, tmdb_id int", ()),
    ("genome-tags.csv", "genome_tags", "tag_id int!, tag text!", ("tag",)),
)
# Longest first: two at a time they end together, which saves 1.5 s of 17.
INDEXES = (
    "CREATE UNIQUE INDEX ON bench_two.ratings (user_id, movie_id)",
    "CREATE INDEX ON bench_two.ratings (movie_id)",
    "CREATE UNIQUE INDEX ON bench_two.genome_scores (movie_id, tag_id)",
    "CREATE INDEX ON bench_two.tags (movie_id)",
    "CREATE UNIQUE INDEX ON bench_two.movies (movie_id)",
    "CREATE UNIQUE INDEX ON bench_two.links (movie_id)",
    "CREATE UNIQUE INDEX ON bench_two.genome_tags (tag_id)",
)


def load(folder: Path, url: str) -> None:
    """Drop what an earlier run left, make the tables, copy, index, analyze."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS bench_two CASCADE")
        connection.execute("CREATE SCHEMA bench_two")
        for _, table, columns, _ in TABLES:
            _make_table(connection, table, columns)
    in_parallel(url, _copies(folder))
    in_parallel(url, [partial(_execute, statement) for statement in INDEXES])
    in_parallel(url, [partial(_execute, f"ANALYZE bench_two.{table}") for _, table, _, _ in TABLES])


def in_parallel(url: str, tasks: Sequence[Task]) -> None:
    """Each connection takes the next task until there is none."""
    waiting: SimpleQueue[Task] = SimpleQueue()
    for task in tasks:
        waiting.put(task)
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for done in [pool.submit(_work, url, waiting) for _ in range(CONNECTIONS)]:
            done.result()


def cut(path: Path) -> list[tuple[int, int]]:
    """The parts of a file as (first byte, past the last), without its header line; cuts lie after a line end.

    A quoted line break would be cut in two, but only files without text columns are large enough to be cut.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        file.readline()
        start = file.tell()
        if size < HALVED_FROM_BYTES:
            return [(start, size)]
        file.seek((start + size) // 2)
        file.readline()
        middle = file.tell()
    return [(start, middle), (middle, size)]


def _copies(folder: Path) -> list[Task]:
    tasks: list[Task] = []
    for name, table, _, empty_is_text in TABLES:
        for start, end in cut(folder / name):
            tasks.append(partial(_copy, folder / name, start, end, table, empty_is_text))
    return tasks


def _work(url: str, waiting: SimpleQueue[Task]) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET client_encoding = 'UTF8'")
        while True:
            try:
                task = waiting.get_nowait()
            except Empty:
                return
            task(connection)


def _copy(
    path: Path, start: int, end: int, table: str, empty_is_text: Sequence[str], connection: psycopg.Connection
) -> None:
    columns = sql.SQL(", ").join(map(sql.Identifier, empty_is_text))
    options = sql.SQL(", FORCE_NOT_NULL ({})").format(columns) if empty_is_text else sql.SQL("")
    statement = sql.SQL("COPY {} FROM STDIN (FORMAT csv{})").format(sql.Identifier("bench_two", table), options)
    with path.open("rb") as file, connection.cursor() as cursor, cursor.copy(statement) as copy:
        file.seek(start)
        left = end - start
        while left:
            block = file.read(min(BLOCK_BYTES, left))
            copy.write(block)
            left -= len(block)


def _make_table(connection: psycopg.Connection, table: str, columns: str) -> None:
    _execute(f"CREATE TABLE bench_two.{table} ({columns.replace('!', ' NOT NULL')})", connection)


def _execute(statement: str, connection: psycopg.Connection) -> None:
    connection.execute(statement.encode())


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} FOLDER URL")
    load(Path(sys.argv[1]), sys.argv[2])
