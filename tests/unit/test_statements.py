"""Named statements: each name gives its own SQL, and a name twice is an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from reelbase.database.statements import statements


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An importable package of this test's own."""
    name = f"queries_{tmp_path.name}"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    return name


def write(tmp_path: Path, package: str, text: str) -> None:
    (tmp_path / package / "queries.sql").write_text(text)


def test_each_name_gives_what_stands_under_it(tmp_path: Path, package: str) -> None:
    write(
        tmp_path,
        package,
        "-- For the reader.\n\n-- name: one\nselect 1;\n\n-- name: two and a remark\n-- Why.\nselect ';'\n  from x;\n",
    )
    found = statements(package, "queries.sql")
    assert dict(found) == {"one": "select 1", "two": "-- Why.\nselect ';'\n  from x"}


def test_a_name_twice_is_an_error(tmp_path: Path, package: str) -> None:
    write(tmp_path, package, "-- name: one\nselect 1;\n-- name: one\nselect 2;\n")
    with pytest.raises(ValueError, match="twice"):
        statements(package, "queries.sql")


def test_a_name_that_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        statements("reelbase.imports", "store.sql")["no such name"]


def test_a_file_is_read_once() -> None:
    assert statements("reelbase.imports", "store.sql") is statements("reelbase.imports", "store.sql")
