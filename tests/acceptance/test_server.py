"""An embedded server of one's own, and the commands that need none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import typer
from typer.testing import CliRunner

from reelbase import __version__
from reelbase.cli.main import app
from tests.acceptance.conftest import Reelbase, command
from tests.importing import RATINGS, write

pytestmark = pytest.mark.slow


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Reelbase]:
    """The command with nothing but a home folder; its server is stopped in the end."""
    with command(REELBASE_HOME=str(tmp_path / "home")) as made:
        yield made
        made("db", "stop")


def test_the_embedded_server_comes_up_when_it_is_needed(alone: Reelbase, tmp_path: Path) -> None:
    said = alone.json("db", "status")
    assert (said["running"], said["embedded"], said["pid"]) == (False, True, None)
    assert alone.json("import", write(tmp_path / "r.csv", RATINGS, "1,1,3.5,5"))["state"] == "completed"
    assert alone("db", "start").stdout == "PostgreSQL runs already.\n"
    said = alone.json("db", "status")
    assert (said["running"], said["embedded"]) == (True, True)
    with psycopg.connect(alone("db", "url").stdout.splitlines()[-1]) as connection:
        assert connection.execute("select * from movielens.ratings").fetchall() == [(1, 1, 3.5, 5)]
    assert alone("db", "psql", "-At", "-c", "select 6 * 7").stdout == "42\n"
    assert "division by zero" in alone("db", "psql", "-c", "select 1 / 0", code=1).stderr
    found = alone.json("doctor")
    assert all(item["ok"] for item in found["items"])
    assert {"home", "free disk", "server", "extensions"} <= {item["name"] for item in found["items"]}
    assert alone("db", "stop").stdout == "PostgreSQL is stopped.\n"
    assert alone("db", "stop").stdout == "PostgreSQL was not running.\n"


def test_a_server_of_ones_own_is_neither_started_nor_stopped(reelbase: Reelbase) -> None:
    for verb in ("start", "stop"):
        assert "REELBASE_DATABASE_URL" in reelbase.refused("db", verb)
    assert reelbase.json("db", "status")["embedded"] is False
    assert reelbase("db", "url").stdout.splitlines()[-1] == reelbase.url
    found = reelbase.json("doctor", code=1, REELBASE_DATABASE_URL="postgresql://me:secret@127.0.0.1:1/none")
    [server] = [item for item in found["items"] if item["name"] == "server"]
    assert not server["ok"]
    assert "127.0.0.1:1/none" in server["detail"]
    assert "secret" not in str(found)
    said = reelbase("datasets", code=2, REELBASE_LEASE_SECONDS="soon")
    assert said.sentence == "reelbase: REELBASE_LEASE_SECONDS is 'soon'. It must be seconds from 1 to 3600."


def test_the_same_seed_makes_the_same_sample(reelbase: Reelbase, tmp_path: Path) -> None:
    for name in ("a", "b"):
        said = reelbase("sample", tmp_path / name, "--scale", "0.001", "--seed", "3", "--dataset", "movielens")
    found = reelbase.json("import", tmp_path / "a", "--max-rejects", "0")
    assert [file["rows_rejected"] for file in found["files"]] == [0] * len(found["files"])
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert {"movies.csv", "ratings.csv", "tags.csv", "links.csv"} <= set(files)
    assert {line.split(" (")[0] for line in said.stdout.splitlines()} == {str(tmp_path / "b" / name) for name in files}
    assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in files)
    assert "There is no sample of 'imbd'." in reelbase.refused("sample", tmp_path / "c", "--dataset", "imbd")


def test_version_and_help_need_nothing(tmp_path: Path) -> None:
    with command(REELBASE_HOME=str(tmp_path / "none")) as reelbase:
        assert reelbase("--version").stdout == f"reelbase {__version__}\n"
        said = reelbase("--help").stdout
        for word in ("import", "imports", "datasets", "rollback", "worker", "db", "doctor", "sample"):
            assert f" {word} " in said
        assert reelbase("imprt", code=2).stdout == ""
    assert not (tmp_path / "none").exists()


def every_command(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield words
    for name, inside in getattr(group, "commands", {}).items():
        yield from every_command(inside, (*words, name))


COMMANDS = list(every_command(typer.main.get_command(app)))


@pytest.mark.parametrize("words", COMMANDS, ids=[" ".join(words) for words in COMMANDS])
def test_every_command_has_help(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REELBASE_HOME", str(tmp_path))
    said = CliRunner().invoke(app, [*words, "--help"])
    assert said.exit_code == 0
    assert "Usage:" in said.output
