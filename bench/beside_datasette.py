"""The API beside Datasette on the same movies: filtered pages by rating and by year, and a movie by its id.

    .venv/bin/python bench/beside_datasette.py --datasette PROGRAM [--url URL] [--rounds 3] [--seconds 8]

Datasette is not a dependency: install it in an environment of its own and give the program's path. It reads an SQLite
file (immutable, with an index for each order, as its users make them) that is written from the catalog first. See
README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import psycopg
from load import Load, load
from rounds import url_of_reelbase
from served import reelbase_serve

GENRES = ("Action", "Comedy", "Drama", "Horror", "Thriller", "Romance")
CLIENTS = 16
_COLUMNS = {
    **dict.fromkeys(("id", "type", "title", "original_title"), "text"),
    "year": "integer",
    "release_date": "text",
    "runtime": "integer",
    **dict.fromkeys(("genres", "language", "overview"), "text"),
    "rating": "real",
    "votes": "integer",
    "score": "real",
    "imdb_id": "text",
    "movielens_id": "integer",
    "tmdb_id": "integer",
}
_PATIENCE_SECONDS = 60

Paths = Mapping[str, Path]
"""The file with the paths of each kind of question."""


def main() -> None:
    """Run both in turn and print the ratios."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--datasette", required=True, help="the program")
    options.add_argument("--url", help="a database with a catalog (default: what `reelbase db url` says)")
    options.add_argument("--rounds", type=int, default=3, help="runs of each, in turn (default 3)")
    options.add_argument("--seconds", type=int, default=8, help="of each run (default 8)")
    given = options.parse_args()
    url = given.url or url_of_reelbase()
    with tempfile.TemporaryDirectory(prefix="reelbase-bench-") as folder:
        file = Path(folder) / "catalog.db"
        ids = _copy(url, file)
        ours, theirs = _questions(Path(folder), ids)
        with reelbase_serve(url, "--no-workers") as (address, _), _datasette(given.datasette, file) as other:
            _same(address, other)
            for kind in ours:
                runs = [
                    (_run(address, ours[kind], given.seconds, number), _run(other, theirs[kind], given.seconds, number))
                    for number in range(given.rounds)
                ]
                _told(kind, runs)


def _copy(url: str, file: Path) -> list[str]:
    """Write the movies that lists show to SQLite; some of their ids, in no order."""
    with psycopg.connect(url) as connection, closing(sqlite3.connect(file)) as made:
        columns = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())
        made.execute(f"create table movies ({columns}, primary key (id))")
        rows = connection.cursor("movies")
        rows.itersize = 10_000
        rows.execute(
            "select id::text, type, title, original_title, year, release_date::text, runtime, to_jsonb(genres)::text,"
            " language, overview, rating, votes, score, imdb_id, movielens_id, tmdb_id"
            " from catalog.movies where not adult"
        )
        made.executemany(f"insert into movies values ({', '.join('?' * len(_COLUMNS))})", rows)
        for column in ("rating", "votes", "year"):
            made.execute(f"create index movies_{column} on movies ({column})")
        made.execute("analyze")
        made.commit()
        found = connection.execute(
            "select id::text from catalog.movies where not adult order by md5(id::text) limit 20000"
        ).fetchall()
    return [str(row[0]) for row in found]


def _questions(folder: Path, ids: list[str]) -> tuple[Paths, Paths]:
    """The same questions to both, each asked once before any of them comes again."""
    filters = [(genre, bound / 1000) for bound in range(8500, 5000, -5) for genre in GENRES]
    votes = range(3, 20_000)
    ours = {
        "filtered page": [
            f"/api/v1/movies?{urlencode({'genre': genre, 'rating_min': bound, 'sort': '-rating', 'limit': 20})}"
            for genre, bound in filters
        ],
        "page": [f"/api/v1/movies?votes_min={number}&sort=year&limit=20" for number in votes],
        "movie": [f"/api/v1/movies/{movie_id}" for movie_id in ids],
    }
    base = "/catalog/movies"
    theirs = {
        "filtered page": [
            f"{base}.json?"
            + urlencode(
                {
                    "genres__arraycontains": genre,
                    "rating__gte": bound,
                    "_sort_desc": "rating",
                    "_size": 20,
                    "_shape": "objects",
                }
            )
            for genre, bound in filters
        ],
        "page": [f"{base}.json?votes__gte={number}&_sort=year&_size=20&_shape=objects" for number in votes],
        "movie": [f"{base}/{movie_id}.json?_shape=objects" for movie_id in ids],
    }
    return _written(folder, "reelbase", ours), _written(folder, "datasette", theirs)


def _written(folder: Path, who: str, questions: Mapping[str, list[str]]) -> Paths:
    files = {}
    for number, (kind, paths) in enumerate(questions.items()):
        files[kind] = folder / f"{who}-{number}.txt"
        files[kind].write_text("".join(f"{path}\n" for path in paths), encoding="utf-8")
    return files


@contextmanager
def _datasette(program: str, file: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [program, "serve", "-i", str(file), "--port", str(port), "--setting", "max_returned_rows", "1000"]
    address = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait(f"{address}/-/versions.json")
            yield address
        finally:
            process.terminate()


def _wait(url: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            urlopen(url, timeout=5).close()
        except URLError:
            if time.monotonic() > deadline:
                sys.exit("Datasette does not serve.")
            time.sleep(0.2)
        else:
            return


def _same(ours: str, theirs: str) -> None:
    """Both answer alike, or there is nothing to compare."""
    query = urlencode({"genre": "Action", "rating_min": 8.5, "sort": "-rating", "limit": 20})
    mine = _json(f"{ours}/api/v1/movies?{query}")
    query = urlencode({"genres__arraycontains": "Action", "rating__gte": 8.5, "_sort_desc": "rating", "_size": 20})
    other = _json(f"{theirs}/catalog/movies.json?{query}&_shape=objects")
    if mine["total"] != other["filtered_table_rows_count"] or len(mine["items"]) != len(other["rows"]):
        sys.exit(f"They differ: {mine['total']} movies and {other['filtered_table_rows_count']}.")
    if [one["rating"] for one in mine["items"]] != [one["rating"] for one in other["rows"]]:
        sys.exit("They differ in the ratings of the first page.")


def _json(url: str) -> Any:
    with urlopen(url, timeout=_PATIENCE_SECONDS) as answer:
        return json.load(answer)


def _run(address: str, paths: Path, seconds: int, number: int) -> Load:
    # Each run begins elsewhere in the list: no answer of the last one is kept.
    done = load(address, paths, clients=CLIENTS, seconds=seconds, start=number * 5000)
    if done.wrong:
        sys.exit(f"{done.wrong} answers of {address} are errors")
    return done


def _told(kind: str, runs: list[tuple[Load, Load]]) -> None:
    if not all(other.count for _, other in runs):
        print(f"{kind:14} Datasette has not answered within a run")
        return
    ratios = [mine.rate / other.rate for mine, other in runs]
    for who, own in (("reelbase", [mine for mine, _ in runs]), ("datasette", [other for _, other in runs])):
        rate, p50, p99 = (statistics.median(getattr(one, name) for one in own) for name in ("rate", "p50", "p99"))
        print(f"{kind:14} {who:10}{rate:>10,.0f} req/s{p50:>10.2f} ms p50{p99:>10.2f} ms p99")
    print(f"{'':14} {statistics.median(ratios):.1f} times as many ({', '.join(f'{one:.1f}' for one in ratios)})")


if __name__ == "__main__":
    main()
