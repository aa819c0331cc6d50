"""Times what people ask the catalog, and walks it from end to end: run it on a server with a million movies.

    reelbase sample DIR --dataset tmdb --scale 1 && reelbase import DIR --dataset tmdb
    .venv/bin/python bench/ask_catalog.py [--url URL] [--rounds 9] [--no-walk]

Times are wall times of whole calls as the API makes them, on one connection, medians of the rounds. The walks compare
the ids of every page, forwards and backwards, with those of the table.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from uuid import UUID

from reelbase.catalog import browse, facets, search
from reelbase.catalog.filters import Adult, Filters
from reelbase.database.connect import DictConnection, connect_dicts

EVERYTHING = Filters(types=None, adult=Adult.INCLUDE)
GOOD_ACTION = Filters(genres=("Action",), rating_min=8.5)
PAGES = 200


def main() -> None:
    """Print a line for each question."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--url", default=None, help="default: what `reelbase db url` says")
    options.add_argument("--rounds", type=int, default=9)
    options.add_argument("--no-walk", action="store_true")
    given = options.parse_args()
    with connect_dicts(given.url or _own_url(), "reelbase bench") as connection:
        row = connection.execute("select count(*) as movies from catalog.movies").fetchone()
        print(f"{row['movies'] if row else 0:,} movies")
        for name, ask in _questions(connection):
            print(f"{name:<42}{_median(ask, given.rounds):>9.1f} ms")
        _pages(connection)
        if not given.no_walk:
            _walks(connection)


def _own_url() -> str:
    reelbase = Path(__file__).resolve().parent.parent / ".venv" / "bin" / "reelbase"
    said = subprocess.run([str(reelbase), "db", "url"], capture_output=True, text=True, check=True)
    return said.stdout.split()[-1]


def _median(ask: Callable[[], object], rounds: int) -> float:
    ask()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        ask()
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1000


def _questions(connection: DictConnection) -> Iterator[tuple[str, Callable[[], object]]]:
    for kind, typed in _typed(connection):
        yield f"search, {kind}: {typed}", partial(_search, connection, typed)
    yield "facets, no filter", lambda: facets.facets(connection, Filters())
    yield "facets, drama", lambda: facets.facets(connection, Filters(genres=("Drama",)))
    yield "facets, drama since 1990", lambda: facets.facets(connection, Filters(genres=("Drama",), year_min=1990))
    yield "facets, 100 votes and more", lambda: facets.facets(connection, Filters(votes_min=100))
    yield "total, no filter", lambda: browse.total(connection, Filters())
    yield "total, action from 8.5", lambda: browse.total(connection, GOOD_ACTION)


def _search(connection: DictConnection, typed: str) -> object:
    return search.movies(connection, search.movie_query(connection, typed), Filters())


def _typed(connection: DictConnection) -> Iterator[tuple[str, str]]:
    """What somebody might type, taken from the titles that are there."""
    rows = connection.execute(
        "select title from catalog.movies where title ~ '^[A-Z][a-z]{5,} [A-Z][a-z]{5,}$'"
        " order by votes desc nulls last limit 40"
    ).fetchall()
    titles = [row["title"] for row in rows]
    first, second = titles[0].split()
    yield "two words", titles[0]
    yield "prefix", first[:4]
    yield "prefix of the second word", f"{first} {second[:3]}"
    yield "typo", first[:2] + first[3] + first[2] + first[4:]
    yield "typo in two words", f"{first[:3]}{first[4:]} {second[:2]}{second[3:]}"
    accents = connection.execute(
        "select w.word from catalog.words w join catalog.movies m on m.votes = w.votes"
        " where m.title ~* 'é|ü|ñ|ö' and position(w.word in reelbase.words(m.title)) > 0"
        " and position(w.word in lower(m.title)) = 0 order by w.votes desc limit 1"
    ).fetchone()
    yield "accent left out", accents["word"] if accents else "montana"
    yield "one letter", first[0]
    yield "the", "the"


def _pages(connection: DictConnection) -> None:
    """Good action by rating, one page after the other."""
    order = browse.Order(browse.Sort.RATING)
    cursor, times = None, []
    for _ in range(PAGES):
        began = time.perf_counter()
        page = browse.browse(connection, GOOD_ACTION, order, cursor=cursor)
        times.append((time.perf_counter() - began) * 1000)
        cursor = page.next
        if cursor is None:
            break
    name = f"action from 8.5, by rating, {len(times)} pages"
    print(f"{name:<42}{statistics.median(times):>9.1f} ms, the slowest {max(times):.1f} ms")


def _walks(connection: DictConnection) -> None:
    row = connection.execute("select array_agg(id) as ids from catalog.movies").fetchone()
    there: set[UUID] = set(row["ids"]) if row else set()
    for sort in browse.Sort:
        for descending in (True, False):
            began = time.perf_counter()
            order = browse.Order(sort, descending)
            walked, last = _walk(connection, order, None)
            back, _ = _walk(connection, order, last)
            right = len(walked) == len(there) and set(walked) == there and back[::-1] == walked[: len(back)]
            name = f"{sort.value}, {'descending' if descending else 'ascending'}"
            seconds = time.perf_counter() - began
            print(f"walk by {name:<34}{seconds:>9.1f} s, {'every movie once' if right else 'WRONG'}")


def _walk(
    connection: DictConnection, order: browse.Order, cursor: browse.Cursor | None
) -> tuple[list[UUID], browse.Cursor | None]:
    """Every id from a place to the end, and where the last page's own beginning is."""
    ids: list[UUID] = []
    last, is_back = None, cursor is not None
    while True:
        page = browse.browse(connection, EVERYTHING, order, cursor=cursor, limit=1000)
        rows = page.items[::-1] if is_back else page.items
        ids += [movie["id"] for movie in rows]
        last = page.previous or last
        cursor = page.previous if is_back else page.next
        if cursor is None:
            return ids, last


if __name__ == "__main__":
    main()
