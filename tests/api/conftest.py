"""A small joined catalog, imported once, and the API on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest
from psycopg import sql

from reelbase.database.connect import connect
from tests.api import library
from tests.importing import Importer
from tests.serving import client

_LOADED = "api_loaded"
_BARE = "api_bare"


def _database(server_url: str, name: str, template: str) -> str:
    with connect(server_url) as connection:
        connection.execute(
            sql.SQL("create database {} template {} strategy file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


@pytest.fixture(scope="session")
def loaded_url(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with the library in it; read only, by agreement."""
    url = _database(server_url, _LOADED, "reelbase_template")
    library.load(Importer(url), tmp_path_factory.mktemp("library"))
    return url


@pytest.fixture(scope="session")
def reader(loaded_url: str) -> Iterator[httpx.Client]:
    """The API on the library, for questions."""
    with client(loaded_url) as made:
        yield made


@pytest.fixture(scope="session")
def _bare_url(server_url: str) -> str:
    return _database(server_url, _BARE, "reelbase_template")


@pytest.fixture(scope="session")
def nothing(_bare_url: str) -> Iterator[httpx.Client]:
    """The API before anything is loaded."""
    with client(_bare_url) as made:
        yield made


@pytest.fixture
def library_folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def own(database: str, tmp_path: Path) -> Iterator[httpx.Client]:
    """The API on a library of the test's own, to change it."""
    library.load(Importer(database), tmp_path)
    with client(database) as made:
        yield made
