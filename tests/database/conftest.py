"""Fixtures of tests that import into a real database."""

from __future__ import annotations

import pytest

from tests.importing import Importer


@pytest.fixture
def importer(database: str) -> Importer:
    return Importer(database)
