"""A small joined catalog, imported once, and the API on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.api import library
from tests.importing import Importer
from tests.serving import Served, database_from, served
from tests.serving import client as client_of

_LOADED = "api_loaded"
_BARE = "api_bare"


@pytest.fixture(scope="session")
def loaded_url(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with the library in it; read only, by agreement."""
    url = database_from(server_url, _LOADED, "reelbase_template")
    library.load(Importer(url), tmp_path_factory.mktemp("library"))
    return url


@pytest.fixture(scope="session")
def reader(loaded_url: str) -> Iterator[httpx.Client]:
    """The API on the library, for questions."""
    with client_of(loaded_url) as made:
        yield made


@pytest.fixture(scope="session")
def _bare_url(server_url: str) -> str:
    return database_from(server_url, _BARE, "reelbase_template")


@pytest.fixture(scope="session")
def nothing(_bare_url: str) -> Iterator[httpx.Client]:
    """The API before anything is loaded."""
    with client_of(_bare_url) as made:
        yield made


@pytest.fixture
def library_folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def own(database: str, tmp_path: Path) -> Iterator[httpx.Client]:
    """The API on a library of the test's own, to change it."""
    library.load(Importer(database), tmp_path)
    with client_of(database) as made:
        yield made


@pytest.fixture
def server(database: str) -> Iterator[Served]:
    """The API on a database of the test's own."""
    with served(database) as made:
        yield made


@pytest.fixture
def client(server: Served) -> Iterator[httpx.Client]:
    """Asks it."""
    with httpx.Client(base_url=server.address, timeout=30) as made:
        yield made
