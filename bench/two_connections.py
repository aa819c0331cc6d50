"""The parallel limit: two connections, raw halves of the big files into logged tables, then indexes two at a time.

No checks, no counts, no ledger: only the load.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue

import psycopg

CONNECTIONS = 2
BLOCK_BYTES = 1 << 20
HALVED_FROM_BYTES = 64 << 20  # smaller files go whole: a cut would save less than it costs

Task = Callable[[psycopg.Connection], None]


@dataclass(frozen=True, slots=True)
class Table:
    """A file, its table in bench_two, the columns as SQL (`!` is NOT NULL), and how COPY is to read it."""

    file: str
    name: str
    columns: str
    options: str = "FORMAT csv"


def main(tables: Sequence[Table], indexes: Sequence[str]) -> None:
    """`load` with the two words of the command line."""
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} FOLDER URL")
    load(Path(sys.argv[1]), sys.argv[2], tables, indexes)


def load(folder: Path, url: str, tables: Sequence[Table], indexes: Sequence[str]) -> None:
    """Drop what an earlier run left, make the tables, copy, index, analyze. Indexes: longest first."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS bench_two CASCADE")
        connection.execute("CREATE SCHEMA bench_two")
        for table in tables:
            columns = table.columns.replace("!", " NOT NULL")
            _execute(f"CREATE TABLE bench_two.{table.name} ({columns})", connection)
    in_parallel(url, _copies(folder, tables))
    in_parallel(url, [partial(_execute, statement) for statement in indexes])
    in_parallel(url, [partial(_execute, f"ANALYZE bench_two.{table.name}") for table in tables])


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

    A quoted line break would be cut in two, but no file that is large enough to be cut has any.
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


def _copies(folder: Path, tables: Sequence[Table]) -> list[Task]:
    return [
        partial(_copy, folder / table.file, start, end, f"COPY bench_two.{table.name} FROM STDIN ({table.options})")
        for table in tables
        for start, end in cut(folder / table.file)
    ]


def _work(url: str, waiting: SimpleQueue[Task]) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET client_encoding = 'UTF8'")
        while True:
            try:
                task = waiting.get_nowait()
            except Empty:
                return
            task(connection)


def _copy(path: Path, start: int, end: int, statement: str, connection: psycopg.Connection) -> None:
    with path.open("rb") as file, connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        file.seek(start)
        left = end - start
        while left:
            block = file.read(min(BLOCK_BYTES, left))
            copy.write(block)
            left -= len(block)


def _execute(statement: str, connection: psycopg.Connection) -> None:
    connection.execute(statement.encode())
