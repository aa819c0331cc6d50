"""`reelbase import`: what it prints where, and how it ends."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.acceptance.conftest import Reelbase
from tests.importing import MOVIES, RATINGS, write

RESULT = {"id", "dataset", "state", "release", "seconds", "skipped", "error", "files", "checks"}
FILE = {"name", "table", "bytes", "rows_read", "rows_loaded", "rows_rejected", "seconds"}
CHECK = {"name", "table", "count", "detail"}


def folder(path: Path) -> Path:
    path.mkdir()
    write(path / "a.csv", MOVIES, "1,One (2001),Drama", "2,Two (2002),Drama")
    write(path / "b.csv", RATINGS, *(f"1,{movie},3.5,5" for movie in range(200)), "1,200,9,5", "", "1,1,4.0,6")
    write(path / "README.txt", "Read me.")
    return path


def test_a_folder_is_loaded_and_summed_up_on_stdout(reelbase: Reelbase, tmp_path: Path) -> None:
    said = reelbase("import", folder(tmp_path / "f"))
    words = [line.split() for line in said.stdout.splitlines()]
    assert ["file", "read", "loaded", "rejected", "seconds"] in words
    assert [line[:4] for line in words if line[:1] in (["a.csv"], ["b.csv"])] == [
        ["a.csv", "2", "2", "0"],
        ["b.csv", "202", "200", "2"],
    ]
    assert f"skipped, of no known kind or another dataset: {tmp_path}/f/README.txt" in said.stdout
    assert "blank_records: " in said.stdout
    assert "Import 1 completed in " in said.stdout
    assert "movielens is live" in said.stdout
    assert "import 1 loading" not in said.stdout
    assert reelbase.rows("select count(*) from movielens.ratings") == [(200,)]
    assert reelbase.rows("select rating from movielens.ratings where movie_id = 1") == [(4,)]


def test_json_is_one_object_with_the_promised_keys(reelbase: Reelbase, tmp_path: Path) -> None:
    found = reelbase.json("import", folder(tmp_path / "f"), "--max-rejects", "1")
    assert set(found) == RESULT
    assert (found["id"], found["dataset"], found["state"], found["error"]) == (1, "movielens", "completed", None)
    assert found["seconds"] > 0
    assert found["release"] == 1
    assert found["skipped"] == [f"{tmp_path}/f/README.txt"]
    assert [set(file) for file in found["files"]] == [FILE, FILE]
    assert [(file["name"], file["table"], file["bytes"]) for file in found["files"]] == [
        (f"{tmp_path}/f/{name}", table, (tmp_path / "f" / name).stat().st_size)
        for name, table in (("a.csv", "movielens.movies"), ("b.csv", "movielens.ratings"))
    ]
    assert all(file["rows_read"] == file["rows_loaded"] + file["rows_rejected"] for file in found["files"])
    assert all(set(check) == CHECK for check in found["checks"])
    assert {check["name"] for check in found["checks"]} == {
        "blank_records",
        "duplicate_keys",
        "ratings_of_unknown_movies",
    }


def test_too_many_rejects_end_with_1_and_change_nothing(reelbase: Reelbase, tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", RATINGS, "1,1,3.5,5")
    reelbase("import", path)
    write(path, RATINGS, "7,7,0.5,5", "bad", "bad")
    said = reelbase("import", path, code=1)
    assert "--max-rejects (1%)" in said.sentence
    assert "reelbase imports rejects 2" in said.sentence
    found = reelbase.json("import", path, "--max-rejects", "1", code=1)
    assert set(found) == RESULT
    assert (found["state"], found["release"], found["error"]["code"]) == ("failed", None, "too_many_rejects")
    assert set(found["error"]) == {"code", "detail"}
    assert [(file["rows_read"], file["rows_rejected"]) for file in found["files"]] == [(3, 2)]
    assert reelbase.rows("select * from movielens.ratings") == [(1, 1, 3.5, 5)]
    assert len(reelbase("imports", "rejects", found["id"]).stdout.splitlines()) == 3
    assert reelbase.json("imports", "retry", found["id"], "--max-rejects", "2")["state"] == "completed"
    assert reelbase.rows("select * from movielens.ratings") == [(7, 7, 0.5, 5)]


def test_files_that_cannot_be_imported_end_with_1_and_the_object(reelbase: Reelbase, tmp_path: Path) -> None:
    (tmp_path / "zero.csv").touch()
    write(tmp_path / "other.csv", "a;b;c", "1;2;3")
    for name, code in (("zero.csv", "empty_file"), ("other.csv", "unknown_header")):
        found = reelbase.json("import", tmp_path / name, code=1)
        assert set(found) == RESULT
        assert (found["state"], found["error"]["code"]) == ("failed", code)
    assert "zero bytes" in reelbase.refused("import", tmp_path / "zero.csv", code=1)
    unknown = reelbase.refused("import", tmp_path / "other.csv", code=1)
    assert "'a;b;c'" in unknown
    assert f"movielens.ratings ({RATINGS})" in unknown
    assert f"movielens.movies ({MOVIES})" in unknown
    assert reelbase.rows("select count(*) from reelbase.imports") == [(0,)]


def test_wrong_usage_ends_with_2_and_a_sentence(reelbase: Reelbase, tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", RATINGS, "1,1,3.5,5")
    assert str(tmp_path / "nowhere.csv") in reelbase.refused("import", tmp_path / "nowhere.csv", "--json")
    assert "'movielense'" in reelbase.refused("import", path, "--dataset", "movielense", "--json")
    assert "'append'" in reelbase.refused("import", path, "--mode", "append", "--json")
    assert "'101%'" in reelbase.refused("import", path, "--max-rejects", "101%", "--json")
    said = reelbase("import", "--json", code=2)  # without any source
    assert said.stdout == ""
    assert "SOURCE" in said.stderr
    assert reelbase.rows("select count(*) from reelbase.imports") == [(0,)]


def test_a_server_that_does_not_answer_is_said_in_the_object_too(reelbase: Reelbase, tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", RATINGS, "1,1,3.5,5")
    nobody = f"postgresql://reelbase@/reelbase?host={tmp_path}&port=5999"
    found = reelbase.json("import", path, code=1, REELBASE_DATABASE_URL=nobody)
    assert set(found) == RESULT
    assert (found["id"], found["state"], found["error"]["code"]) == (None, "failed", "server_unavailable")


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read every file")
def test_a_file_that_may_not_be_read_ends_with_2(reelbase: Reelbase, tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", RATINGS, "1,1,3.5,5")
    path.chmod(0)
    assert "permission denied" in reelbase.refused("import", path)


def test_names_are_names_whatever_they_look_like(reelbase: Reelbase, tmp_path: Path) -> None:
    inside = tmp_path / "x[/red]"  # Rich would take it for markup
    inside.mkdir(parents=True)
    path = write(
        inside / "[bold]a'; drop table x;-- :smile: %s {0}.csv",
        f'{RATINGS},"""; drop table ""x",naïve %s',
        '1,1,3.5,5,"\'); drop table x;--",%(id)s',
        "bad",
    )
    write(inside / "[bold]readme", "Read me.")
    said = reelbase("import", inside, "--max-rejects", "50%")
    assert path.name in said.stdout
    assert f"{inside}/[bold]readme" in said.stdout
    assert reelbase.rows("select * from movielens.ratings") == [(1, 1, 3.5, 5, "'); drop table x;--", "%(id)s")]
    assert reelbase.json("imports", "show", 1)["files"][0]["name"] == str(path)
    assert path.name in reelbase("imports", "show", 1).stdout
    assert str(path) in reelbase("imports", "rejects", 1).stdout
