"""Pages on a small joined catalog, asked without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.api import library
from tests.importing import MOVIES, Importer, write
from tests.serving import client, database_from


@pytest.fixture(scope="session")
def pages(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The pages of the library, for questions."""
    url = database_from(server_url, "web_loaded")
    library.load(Importer(url), tmp_path_factory.mktemp("library"))
    with client(url) as made:
        yield made


@pytest.fixture
def bare(database: str) -> Iterator[httpx.Client]:
    """Pages and API before anything is loaded."""
    with client(database) as made:
        yield made


@pytest.fixture
def mine(database: str, tmp_path: Path) -> Iterator[httpx.Client]:
    """Pages and API of a database of the test's own, with one movie in it."""
    Importer(database)(write(tmp_path / "movies.csv", MOVIES, "1,Heat (1995),Crime"))
    with client(database) as made:
        yield made
