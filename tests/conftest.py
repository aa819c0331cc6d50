"""A real server for the whole session, and a database of its own, made from a template, for each test that asks."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
import structlog
from psycopg import sql

from reelbase.database.connect import Connection, connect
from reelbase.database.embedded import EmbeddedServer
from reelbase.database.migrate import migrate

_TEMPLATE = "reelbase_template"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--tus-url", help="the tus server that tests/tus looks at (default: one of our own)")


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A command that runs in the test's own process sets logging up for its own streams, which are closed behind it."""
    before, handlers = structlog.get_config(), logging.getLogger().handlers[:]
    yield
    structlog.configure(**before)
    logging.getLogger().handlers[:] = handlers


@pytest.fixture(scope="session")
def server_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home of an embedded server that does not wait for the disk: what it holds is gone after the session."""
    home = tmp_path_factory.mktemp("home")
    server = EmbeddedServer(home)
    server.start()
    with connect(server.url) as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(sql.SQL("alter system set {} = off").format(sql.Identifier(setting)))
        connection.execute("select pg_reload_conf()")
    yield home
    server.stop()


@pytest.fixture(scope="session")
def server_url(server_home: Path) -> str:
    """The session's server, with a migrated template database."""
    url = EmbeddedServer(server_home).url
    with connect(url) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(_TEMPLATE)))
    with connect(_of(url, _TEMPLATE)) as connection:
        migrate(connection)
    return url


@pytest.fixture(scope="session")
def _numbers() -> Iterator[int]:
    return itertools.count(1)


@pytest.fixture(scope="session")
def new_database(server_url: str) -> Callable[[str], str]:
    """Makes a database of that name with our tables in it, which lasts as long as the session."""

    def make(name: str) -> str:
        with connect(server_url) as connection:
            connection.execute(
                sql.SQL("create database {} template {} strategy file_copy").format(
                    sql.Identifier(name), sql.Identifier(_TEMPLATE)
                )
            )
        return _of(server_url, name)

    return make


@pytest.fixture
def database(server_url: str, _numbers: Iterator[int]) -> Iterator[str]:
    """The URL of a fresh database with our tables in it."""
    name = f"test_{next(_numbers)}"
    with connect(server_url) as connection:
        connection.execute(
            sql.SQL("create database {} template {} strategy file_copy").format(
                sql.Identifier(name), sql.Identifier(_TEMPLATE)
            )
        )
    yield _of(server_url, name)
    with connect(server_url) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    """A connection to the test's database."""
    with connect(database, "test") as connected:
        yield connected


def _of(url: str, database: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{database}"))
