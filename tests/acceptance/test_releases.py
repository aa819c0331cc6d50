"""`reelbase datasets`, `rollback`, `remove` and `prune`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.conftest import Reelbase
from tests.acceptance.test_import import RESULT
from tests.importing import MOVIES, RATINGS, write

pytestmark = pytest.mark.slow

TITLES = "select title from movielens.movies"


def test_releases_come_and_go(reelbase: Reelbase, tmp_path: Path) -> None:
    said = reelbase("datasets")
    assert said.stdout == ""
    assert "reelbase import FILE" in said.sentence
    assert reelbase.json("datasets") == {"items": []}
    path = tmp_path / "m.csv"
    reelbase("import", write(path, MOVIES, "1,One,x"), write(tmp_path / "r.csv", RATINGS, "1,1,3.5,5"))
    assert "no earlier release of movielens" in reelbase.refused("rollback", "movielens", "--json")
    assert "'imbd'" in reelbase.refused("rollback", "imbd")
    reelbase("import", write(path, MOVIES, "1,Two,x", "2,Two,x"))

    [found] = reelbase.json("datasets")["items"]
    assert {"name", "release", "published_at", "tables"} <= set(found)
    assert [{**table, "bytes": table["bytes"] > 0} for table in found["tables"]] == [
        {"name": "movies", "rows": 2, "bytes": True, "import": 2},
        {"name": "ratings", "rows": 1, "bytes": True, "import": 1},
    ]
    words = [line.split() for line in reelbase("datasets").stdout.splitlines()]
    assert ["movielens.movies", "2", "0.0", "MB", "2"] in words

    assert reelbase("rollback", "movielens").stdout == "movielens is back at its previous release.\n"
    assert reelbase.rows(TITLES) == [("One",)]
    found = reelbase.json("rollback", "movielens")
    assert set(found) == RESULT
    assert (found["dataset"], found["state"], found["files"]) == ("movielens", "completed", [])
    assert reelbase.rows(TITLES) == [("Two",), ("Two",)]
    assert [one["kind"] for one in reelbase.json("imports")["items"]] == ["rollback", "rollback", "import", "import"]


def test_a_removed_dataset_can_be_brought_back_until_it_is_pruned(reelbase: Reelbase, tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    reelbase("import", write(path, MOVIES, "1,One,x"))
    reelbase("import", write(path, MOVIES, "bad"), code=1)
    assert reelbase("prune").stdout == "There was nothing to drop.\n"
    assert "prune --all" in reelbase("remove", "movielens").stdout
    assert [table for found in reelbase.json("datasets")["items"] for table in found["tables"]] == []
    reelbase("rollback", "movielens")
    assert reelbase.rows(TITLES) == [("One",)]
    assert reelbase.json("remove", "movielens")["state"] == "completed"
    found = reelbase.json("prune", "--all")
    assert found["in_use"] == []
    assert {"movielens_import_1", "movielens_import_2"} <= set(found["dropped"])
    assert reelbase.schemas() <= {"movielens"}
    assert "no earlier release" in reelbase.refused("rollback", "movielens")
