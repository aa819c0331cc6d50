"""Migrating: our tables come about once, whoever asks and how many at a time; and every named statement fits them."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from reelbase.catalog.building.build import build
from reelbase.database import migrate as migrating
from reelbase.database.connect import Connection, connect
from reelbase.database.migrate import migrate, migrations
from reelbase.database.statements import statements
from reelbase.errors import ServerUnsuitable

PACKAGE = Path(migrating.__file__).parents[1]
STEPS = [step.name for step in migrations()]


@pytest.fixture
def empty(server_url: str, database: str) -> Iterator[str]:
    """The URL of a database without our tables."""
    parts = urlsplit(database)
    name = f"{parts.path[1:]}_empty"
    with connect(server_url) as connection:
        connection.execute(sql.SQL("create database {} strategy file_copy").format(sql.Identifier(name)))
    yield urlunsplit(parts._replace(path=f"/{name}"))
    with connect(server_url) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def applied(connection: Connection) -> list[str]:
    return [name for (name,) in connection.execute("select name from reelbase.migrations order by applied_at, name")]


def tables(connection: Connection) -> list[tuple[str, str]]:
    return connection.execute(
        "select schemaname::text, tablename::text from pg_tables where schemaname !~ '^(pg_|information_schema)'"
    ).fetchall()


def test_a_fresh_database_gets_every_step_in_order_and_then_nothing_more(empty: str) -> None:
    with connect(empty) as connection:
        assert migrate(connection) == STEPS == sorted(STEPS)
        assert applied(connection) == STEPS
        assert {schema for schema, _ in tables(connection)} == {"reelbase"}
        assert migrate(connection) == []
        assert applied(connection) == STEPS


def test_what_is_missing_is_added_to_what_is_there(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    every = migrations()
    with connect(empty) as connection:
        monkeypatch.setattr(migrating, "migrations", lambda: every[:1])
        assert migrate(connection) == STEPS[:1]
        monkeypatch.undo()
        assert migrate(connection) == STEPS[1:]


def test_several_threads_at_once_apply_each_step_once(empty: str) -> None:
    together = threading.Barrier(6, timeout=20)
    results: list[list[str]] = []

    def run() -> None:
        with connect(empty) as connection:
            together.wait()
            results.append(migrate(connection))

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(results) == [[], [], [], [], [], STEPS]


def test_several_processes_at_once_apply_each_step_once(empty: str) -> None:
    code = (
        "import sys; from reelbase.database.connect import connect; from reelbase.database.migrate import migrate\n"
        "with connect(sys.argv[1]) as connection: print(*migrate(connection))"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code, empty], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    out = [process.communicate(timeout=60)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sorted(out) == [[], [], STEPS]


def test_a_step_that_was_changed_is_refused_with_its_name(connection: Connection) -> None:
    connection.execute("update reelbase.migrations set digest = 'another' where name = %s", (STEPS[0],))
    with pytest.raises(ServerUnsuitable, match=f"step {STEPS[0]} is not the one of this Reelbase"):
        migrate(connection)
    _assert_unlocked(connection)


def test_a_database_of_a_newer_reelbase_is_refused(connection: Connection) -> None:
    connection.execute("insert into reelbase.migrations (name, digest) values ('9999_future', '')")
    with pytest.raises(ServerUnsuitable, match=r"newer Reelbase \(it has 9999_future\)\. Update Reelbase"):
        migrate(connection)
    _assert_unlocked(connection)


def test_a_step_that_fails_leaves_nothing_behind(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = migrating.Migration("0001_broken", "create table reelbase.half (x integer); select no_such_function()")
    monkeypatch.setattr(migrating, "migrations", lambda: (broken,))
    with connect(empty) as connection:
        with pytest.raises(psycopg.errors.UndefinedFunction):
            migrate(connection)
        assert applied(connection) == []
        assert tables(connection) == [("reelbase", "migrations")]
        _assert_unlocked(connection)
        monkeypatch.undo()
        assert migrate(connection) == STEPS


def _assert_unlocked(connection: Connection) -> None:
    locks = connection.execute(
        "select count(*) from pg_locks l join pg_database d on d.oid = l.database"
        " where l.locktype = 'advisory' and d.datname = current_database()"
    ).fetchone()
    assert locks == (0,)


def test_the_queues_tables_are_those_of_the_installed_procrastinate() -> None:
    ours = (resources.files(migrating.MIGRATIONS) / "0002_queue.sql").read_text()
    theirs = (resources.files("procrastinate.sql") / "schema.sql").read_text()
    head = re.match(r"(?:--[^\n]*\n)*\n*", ours)
    assert head
    version = re.search(r"Procrastinate (\d+\.\d+\.\d+)", head[0])
    assert version
    # Its own first line is a comment, too.
    assert ours.endswith(theirs)
    assert re.sub(r"--[^\n]*\n", "", ours.removesuffix(theirs)).strip() == ""


def _named() -> list[tuple[str, str]]:
    files = [file for file in PACKAGE.rglob("*.sql") if "migrations" not in file.parts]
    found = []
    for file in sorted(files):
        package = ".".join(("reelbase", *file.parent.relative_to(PACKAGE).parts))
        found += [(f"{package}/{file.name}:{name}", text) for name, text in statements(package, file.name).items()]
    return found


# Made above already, and a part that is put behind others.
PARTS = ("/duplicates.sql:places", "/facets.sql:counts")
PREPARABLE = [(name, text) for name, text in _named() if not re.search(r"\{\w+\}", text)]


def test_there_are_named_statements_to_prepare() -> None:
    assert len(PREPARABLE) > 40


@pytest.mark.parametrize("package", sorted({name.split("/")[0].removeprefix("reelbase.") for name, _ in PREPARABLE}))
def test_every_named_statement_without_names_to_fill_in_fits_our_tables(connection: Connection, package: str) -> None:
    wrong = []
    if package.startswith("catalog"):
        connection.execute("create schema catalog")
        build(connection, "catalog", {})
    with connection.transaction(force_rollback=True):
        # Temporary tables that some of the statements work on, made by others: those with names to fill in.
        connection.execute(statements("reelbase.loading", "duplicates.sql")["places"])
        connection.execute("create temp table duplicate_winners (reelbase_rank bigint, reelbase_ordinal bigint)")
        connection.execute("create temp table duplicate_keys (x integer)")
        connection.execute("create temp table duplicate_buffer (x integer)")
        for name, text in PREPARABLE:
            if name.startswith(f"reelbase.{package}/") and not name.endswith(PARTS):
                try:
                    with connection.transaction():
                        _prepare(connection, text)
                except psycopg.Error as error:
                    wrong.append(f"{name}: {error}")
    assert wrong == []


def _prepare(connection: Connection, text: str) -> None:
    """Have the server parse and analyse a statement; what it cannot prepare is run."""
    if re.match(r"(--[^\n]*\n)*\s*(create|alter|truncate|analyze|drop|vacuum|listen|notify)\b", text, re.IGNORECASE):
        connection.execute(text.replace("%%", "%").encode())
        return
    numbers: dict[str, str] = {}
    numbered = re.sub(r"%\((\w+)\)s", lambda found: numbers.setdefault(found[1], f"${len(numbers) + 1}"), text)
    connection.execute(f"prepare checked as {numbered.replace('%%', '%')}".encode())
    connection.execute("deallocate checked")


def test_a_statement_with_a_wrong_name_in_it_would_be_found(connection: Connection) -> None:
    with pytest.raises(psycopg.errors.UndefinedColumn):
        _prepare(connection, "select no_such_column from reelbase.imports where id = %(id)s")
