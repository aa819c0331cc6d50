"""Releases: swap, merge, rollback, remove, prune; and what readers notice of them: nothing."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from reelbase.database.connect import Connection, connect
from reelbase.errors import Superseded, UnknownImport
from reelbase.imports import commands, store
from reelbase.publishing import names, prune, release
from reelbase.publishing.catalog import Built, Relations
from reelbase.publishing.release import ReleaseTable
from tests.importing import MOVIES, RATINGS, TAGS, Importer, write


def command(importer: Importer, name: str) -> dict[str, object]:
    with connect(importer.url) as connection:
        create = commands.create_rollback if name == "rollback" else commands.create_removal
        import_id = create(connection, "movielens")
    return importer.run(import_id)


def titles(importer: Importer) -> list[str]:
    return [title for (title,) in importer.rows("select title from movielens.movies order by movie_id")]


def test_tables_that_are_not_given_stay_as_they_are(importer: Importer, tmp_path: Path) -> None:
    importer(write(tmp_path / "m.csv", MOVIES, "1,One,x"))
    importer(write(tmp_path / "r.csv", RATINGS, "1,1,3.5,5"))
    importer(write(tmp_path / "m.csv", MOVIES, "2,Two,x"))
    assert titles(importer) == ["Two"]
    assert importer.rows("select * from movielens.ratings") == [(1, 1, 3.5, 5)]


def test_the_last_release_can_be_brought_back_and_back_again(importer: Importer, tmp_path: Path) -> None:
    for title in ("One", "Two", "Three"):
        importer(write(tmp_path / "m.csv", MOVIES, f"1,{title},x"))
    assert command(importer, "rollback")["state"] == "completed"
    assert titles(importer) == ["Two"]
    assert command(importer, "rollback")["state"] == "completed"
    assert titles(importer) == ["Three"]


def test_a_removed_dataset_is_gone_and_can_be_brought_back(importer: Importer, tmp_path: Path) -> None:
    importer(write(tmp_path / "m.csv", MOVIES, "1,One,x"))
    assert command(importer, "remove")["state"] == "completed"
    with pytest.raises(psycopg.errors.UndefinedTable):
        titles(importer)
    command(importer, "rollback")
    assert titles(importer) == ["One"]


def test_there_is_nothing_to_roll_back_at_first(importer: Importer, tmp_path: Path) -> None:
    importer(write(tmp_path / "m.csv", MOVIES, "1,One,x"))
    with pytest.raises(UnknownImport):
        command(importer, "rollback")


def test_what_no_release_shows_is_dropped(importer: Importer, tmp_path: Path) -> None:
    for title in ("One", "Two", "Three"):
        importer(write(tmp_path / "m.csv", MOVIES, f"1,{title},x"))
    schemas = "select nspname from pg_namespace where nspname like 'movielens%' order by 1"
    assert importer.rows(schemas) == [
        ("movielens",),
        ("movielens_import_2",),
        ("movielens_import_3",),
        ("movielens_release_2",),
    ]
    with connect(importer.url) as connection:
        prune.prune(connection, staging_days=0, keep_previous=False)
    assert importer.rows(schemas) == [("movielens",), ("movielens_import_3",)]


def test_what_a_reader_holds_is_dropped_later(importer: Importer, tmp_path: Path, connection: Connection) -> None:
    importer(write(tmp_path / "m.csv", MOVIES, "1,One,x"))
    importer(write(tmp_path / "m.csv", MOVIES, "1,Two,x"))
    with connection.transaction():
        connection.execute("select * from movielens_release_1.movies")
        importer(write(tmp_path / "m.csv", MOVIES, "1,Three,x"))
        with connect(importer.url) as other:
            assert "movielens_release_1" in prune.prune(other, staging_days=0).in_use
    with connect(importer.url) as other:
        assert "movielens_release_1" in prune.prune(other, staging_days=0).dropped


def test_merge_adds_and_updates_by_key(importer: Importer, tmp_path: Path) -> None:
    importer(write(tmp_path / "r.csv", RATINGS, "1,1,3.5,5", "1,2,3.5,6", "2,1,1.0,7"))
    found = importer(write(tmp_path / "new.csv", RATINGS, "1,2,0.5,8", "3,1,5.0,9", "3,1,4.0,9"), mode="merge")
    assert found["state"] == "completed"
    assert importer.rows("select * from movielens.ratings order by 1, 2") == [
        (1, 1, 3.5, 5),
        (1, 2, 0.5, 8),
        (2, 1, 1.0, 7),
        (3, 1, 4.0, 9),
    ]
    assert importer.rows("select rows from reelbase.release_tables order by release_id desc limit 1") == [(4,)]


def test_merge_keeps_what_the_new_file_does_not_speak_of(importer: Importer, tmp_path: Path) -> None:
    importer(write(tmp_path / "r.csv", f"{RATINGS},note", "1,1,3.5,5,a", "1,2,3.5,6,b"))
    importer(write(tmp_path / "new.csv", "userId,movieId,rating", "1,2,0.5"), mode="merge")
    assert importer.rows("select user_id, movie_id, rating, timestamp, note from movielens.ratings order by 2") == [
        (1, 1, 3.5, 5, "a"),
        (1, 2, 0.5, 6, "b"),
    ]


def test_merging_a_file_twice_doubles_nothing(importer: Importer, tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", TAGS, "1,1,a,5", "1,1,a,5", "1,1,,")
    for _ in range(3):
        importer(path, mode="merge")
    assert importer.rows("select count(*) from movielens.tags") == [(3,)]


def test_an_import_never_publishes_over_a_later_one(importer: Importer, tmp_path: Path) -> None:
    old = importer.queue(write(tmp_path / "old.csv", MOVIES, "1,Old,x"))
    importer(write(tmp_path / "new.csv", MOVIES, "1,New,x"))
    found = importer.run(old)
    assert (found["state"], found["error"]["code"]) == ("failed", Superseded.code)
    assert titles(importer) == ["New"]


def test_whoever_could_read_the_live_tables_still_can(
    importer: Importer, tmp_path: Path, connection: Connection
) -> None:
    importer(write(tmp_path / "m.csv", MOVIES, "1,One,x"))
    connection.execute("create role analyst_of_movies")
    connection.execute("grant usage on schema movielens to analyst_of_movies")
    connection.execute("grant select on movielens.movies to analyst_of_movies")
    importer(write(tmp_path / "m.csv", MOVIES, "1,Two,x"))
    connection.execute("set role analyst_of_movies")
    assert connection.execute("select title from movielens.movies").fetchall() == [("Two",)]
    connection.execute("reset role")
    connection.execute("drop owned by analyst_of_movies")
    connection.execute("drop role analyst_of_movies")


def test_a_schema_that_is_not_ours_is_left_alone(importer: Importer, tmp_path: Path, connection: Connection) -> None:
    connection.execute("create schema movielens")
    connection.execute("create table movielens.movies as select 'mine' as title, 1 as movie_id")
    found = importer(write(tmp_path / "m.csv", MOVIES, "1,One,x"))
    assert (found["state"], found["error"]["code"]) == ("failed", "server_unsuitable")
    assert titles(importer) == ["mine"]


class Reader(threading.Thread):
    """Reads both tables in one statement, again and again."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url = url
        self.over = threading.Event()
        self.reads = 0
        self.mixed = 0
        self.slowest = 0.0
        self.errors: list[str] = []

    def run(self) -> None:
        with connect(self._url) as connection:
            while not self.over.is_set():
                began = time.perf_counter()
                try:
                    rows = connection.execute(
                        "select a.n, b.n from movielens.movies a, movielens.ratings b limit 1"
                    ).fetchall()
                except psycopg.Error as error:
                    self.errors.append(str(error))
                    continue
                self.slowest = max(self.slowest, time.perf_counter() - began)
                self.reads += 1
                self.mixed += rows[0][0] != rows[0][1]


def publish_number(connection: Connection, number: int) -> None:
    """A release whose two tables both hold this number."""
    import_id = store.create(connection, dataset="movielens", chunk_bytes=1)
    schema = f"movielens_import_{import_id}"
    connection.execute(sql.SQL("create schema {}").format(sql.Identifier(schema)))
    for table in ("movies", "ratings"):
        connection.execute(
            sql.SQL("create table {} as select {}::int as n").format(sql.Identifier(schema, table), sql.Literal(number))
        )
    connection.execute("update reelbase.imports set state = 'publishing' where id = %s", (import_id,))
    tables = [ReleaseTable(name, schema, import_id, 1, ("n",)) for name in ("movies", "ratings")]
    release.publish(connection, "movielens", import_id, 1, tables, empty_catalog)


def empty_catalog(connection: Connection, schema: str, _: Relations) -> Built:
    """What publishing itself needs of a catalog, made in a moment."""
    columns = (
        "id uuid, type text, title text, title_sort text, year int, runtime int, genres text[], language text,"
        " languages text[], overview text, adult bool, rating float8, imdb_id text, sources text[]"
    )
    for table, its in (
        ("movies", columns),
        ("search", "id uuid, type text, adult bool, title_key text, document tsvector"),
    ):
        connection.execute(sql.SQL("create table {} ({})").format(sql.Identifier(schema, table), sql.SQL(its)))
    return Built(0, [])


@pytest.mark.slow
def test_readers_notice_nothing_of_a_hundred_swaps(database: str, connection: Connection) -> None:
    publish_number(connection, 0)
    readers = [Reader(database) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(1, 101):
        publish_number(connection, number)
    for reader in readers:
        reader.over.set()
        reader.join()
    assert [error for reader in readers for error in reader.errors] == []
    assert sum(reader.mixed for reader in readers) == 0
    assert min(reader.reads for reader in readers) > 20
    assert connection.execute("select n from movielens.movies").fetchall() == [(100,)]


def test_an_open_transaction_of_a_reader_does_not_hold_up_a_swap(database: str, connection: Connection) -> None:
    publish_number(connection, 1)
    with connect(database) as reader, reader.transaction():
        reader.execute("select * from movielens.movies")
        began = time.perf_counter()
        publish_number(connection, 2)
        assert time.perf_counter() - began < 5
        assert reader.execute("select n from movielens.movies").fetchall() == [(2,)]


def test_nobody_waits_while_a_swap_waits_for_a_movie_of_ones_own(database: str, connection: Connection) -> None:
    publish_number(connection, 1)
    with connect(database) as owner, connect(database) as reader:
        reader.execute("set statement_timeout = '3s'")
        with owner.transaction():
            owner.execute("select live from reelbase.catalog for update")
            publisher = threading.Thread(target=_publish_elsewhere, args=(database, 2))
            publisher.start()
            while not reader.execute(
                "select from pg_stat_activity where application_name = 'publisher' and wait_event_type = 'Lock'"
            ).fetchall():
                time.sleep(0.02)
            assert reader.execute("select n from movielens.movies").fetchall() == [(1,)]
        publisher.join()
        assert reader.execute("select n from movielens.movies").fetchall() == [(2,)]


def test_what_comes_behind_the_lock_of_a_swap_may_wait(database: str, connection: Connection) -> None:
    publish_number(connection, 1)
    connection.execute("set lock_timeout = '7s'")
    with connection.transaction():
        names.quiet(connection, [sql.Identifier("movielens", "movies")])
        assert connection.execute(_HELD).fetchall() == [("movielens.movies",)]
        assert connection.execute("show lock_timeout").fetchall() == [("7s",)]


def _publish_elsewhere(database: str, number: int) -> None:
    with connect(database, "publisher") as connection:
        publish_number(connection, number)


def test_a_reader_of_dataset_and_catalog_never_waits_for_a_swap_that_waits_for_it(
    database: str, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds the catalog's view and comes to the dataset's: both are held off at once, or neither."""
    publish_number(connection, 1)
    monkeypatch.setattr(names, "_QUIET_TRIES", 1)
    held: list[tuple[object, ...]] = []
    rename = names.rename

    def look_and_rename(of: Connection, name: str, new_name: str) -> None:
        if not held:
            held.extend(of.execute(_HELD).fetchall() or [("nothing",)])
        rename(of, name, new_name)

    monkeypatch.setattr(names, "rename", look_and_rename)
    with connect(database) as reader, reader.transaction():
        reader.execute("select from catalog.movies")
        publish_number(connection, 2)
    assert held == [("nothing",)]
    held.clear()
    publish_number(connection, 3)
    assert {name for (name,) in held} >= {"movielens.movies", "movielens.ratings", "catalog.movies", "catalog.search"}


_HELD = """
    select c.oid::regclass::text from pg_locks l join pg_class c on c.oid = l.relation
     where l.pid = pg_backend_pid() and l.mode = 'AccessExclusiveLock' and l.granted
       and c.relnamespace in ('movielens'::regnamespace, 'catalog'::regnamespace)
"""
