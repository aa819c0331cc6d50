"""Completed means that every record is there: whatever happened to ledger, staging or file before."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from reelbase.database.connect import Connection, connect
from reelbase.errors import UnknownImport
from reelbase.imports import commands, lease
from reelbase.publishing import prune
from tests.importing import MOVIES, RATINGS, TAGS, Importer, write

MANY = [f"{user},{movie},3.5,{1000000000 + user}" for user in range(1, 401) for movie in range(1, 26)]


@pytest.fixture
def failed(importer: Importer, tmp_path: Path) -> tuple[Importer, int]:
    """An import of ten thousand ratings in many chunks that failed at its end, everything loaded."""
    small = Importer(importer.url, chunk_bytes=4096)
    found = small(write(tmp_path / "r.csv", RATINGS, *MANY, "bad"), max_rejects="0")
    assert found["state"] == "failed"
    return small, found["id"]


def test_a_gap_in_the_ledger_is_never_passed_over(failed: tuple[Importer, int], connection: Connection) -> None:
    small, import_id = failed
    connection.execute(
        "delete from reelbase.chunks where id = (select id from reelbase.chunks order by id offset 5 limit 1)"
    )
    found = small.retry(import_id, max_rejects="1")
    assert (found["state"], found["error"]["code"]) == ("failed", "count_mismatch")


def test_an_end_that_the_ledger_lacks_is_loaded(failed: tuple[Importer, int], connection: Connection) -> None:
    small, import_id = failed
    connection.execute("update reelbase.import_files set cut = false")
    last = connection.execute("select id, xid::text from reelbase.chunks order by first_byte desc limit 1").fetchone()
    assert last is not None
    connection.execute("delete from movielens_import_1.ratings where xmin::text = %s", (last[1],))
    connection.execute("delete from reelbase.chunks where id = %s", (last[0],))
    assert small.retry(import_id, max_rejects="1")["state"] == "completed"
    assert small.rows("select count(*) from movielens.ratings") == [(10000,)]


def test_a_ledger_without_its_rows_is_not_believed(failed: tuple[Importer, int], connection: Connection) -> None:
    small, import_id = failed
    connection.execute("drop schema movielens_import_1 cascade")
    found = small.retry(import_id, max_rejects="1")
    assert (found["state"], found["files"][0]["rows_read"]) == ("completed", 10001)
    assert small.rows("select count(*) from movielens.ratings") == [(10000,)]
    assert len(small.rejects(import_id)) == 1


def test_staging_that_is_pruned_takes_its_ledger_with_it(failed: tuple[Importer, int], connection: Connection) -> None:
    small, import_id = failed
    prune.prune(connection, staging_days=3)
    assert small.rows("select has_staging from reelbase.imports") == [(True,)]
    prune.prune(connection, staging_days=0)
    assert small.rows("select has_staging from reelbase.imports") == [(False,)]
    assert small.retry(import_id, max_rejects="1")["state"] == "completed"
    assert small.rows("select count(*) from movielens.ratings") == [(10000,)]


def test_a_file_that_changes_is_noticed(failed: tuple[Importer, int], tmp_path: Path) -> None:
    small, import_id = failed
    write(tmp_path / "r.csv", RATINGS, *MANY[1:], "bad")
    found = small.retry(import_id, max_rejects="1")
    assert (found["state"], found["error"]["code"]) == ("failed", "source_changed")


def test_a_file_that_is_given_twice_is_read_once(importer: Importer, tmp_path: Path) -> None:
    write(tmp_path / "t.csv", TAGS, "1,1,a,5", "1,1,a,5")
    with tarfile.open(tmp_path / "t.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "t.csv", "t.csv")
    found = importer(tmp_path / "t.tar.gz", tmp_path / ".." / tmp_path.name / "t.tar.gz")
    assert (found["state"], len(found["files"])) == ("completed", 1)
    assert importer.rows("select count(*) from movielens.tags") == [(2,)]


def test_what_was_removed_does_not_come_back_by_a_merge(importer: Importer, tmp_path: Path) -> None:
    importer(write(tmp_path / "m.csv", MOVIES, "1,Old,x"))
    merging = importer(write(tmp_path / "n.csv", MOVIES, "2,New,x", "bad"), mode="merge", max_rejects="0")
    with connect(importer.url) as connection:
        removal = commands.create_removal(connection, "movielens")
    importer.run(removal)
    assert importer.retry(merging["id"], max_rejects="1")["state"] == "completed"
    assert importer.rows("select title from movielens.movies") == [("New",)]


def test_what_people_put_beside_our_views_is_never_dropped(
    importer: Importer, tmp_path: Path, connection: Connection
) -> None:
    path = write(tmp_path / "m.csv", MOVIES, "1,One,x")
    importer(path)
    connection.execute("create table movielens.notes as select 'mine' as note")
    for _ in range(3):
        importer(path)
    prune.prune(connection, staging_days=0, keep_previous=False)
    assert connection.execute("select note from movielens_release_1.notes").fetchall() == [("mine",)]


def test_a_dataset_is_removed_once(importer: Importer, tmp_path: Path) -> None:
    importer(write(tmp_path / "m.csv", MOVIES, "1,One,x"))
    with connect(importer.url) as connection:
        importer.run(commands.create_removal(connection, "movielens"))
        with pytest.raises(UnknownImport):
            commands.create_removal(connection, "movielens")
        importer.run(commands.create_rollback(connection, "movielens"))
    assert importer.rows("select title from movielens.movies") == [("One",)]


def test_a_cancelled_import_leaves_nothing(failed: tuple[Importer, int], connection: Connection) -> None:
    small, import_id = failed
    commands.cancel(connection, import_id, 30)
    assert small.show(import_id)["state"] == "cancelled"
    assert small.rows("select count(*) from pg_namespace where nspname like 'movielens%'") == [(0,)]


def test_a_cancel_that_its_worker_does_not_live_to_see_is_carried_out(
    importer: Importer, tmp_path: Path, connection: Connection
) -> None:
    import_id = importer.queue(write(tmp_path / "m.csv", MOVIES, "1,One,x"))
    connection.execute("update reelbase.imports set state = 'loading', cancel_asked = true, has_staging = true")
    connection.execute("create schema movielens_import_1")
    assert lease.reap(connection, 30) == [import_id]
    assert importer.show(import_id)["state"] == "cancelled"
    assert importer.rows("select count(*) from pg_namespace where nspname like 'movielens%'") == [(0,)]
