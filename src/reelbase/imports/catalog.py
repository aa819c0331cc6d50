"""The catalog's part of an import: built by the room `catalog`, made live by `publishing`."""

from __future__ import annotations

from collections.abc import Mapping

from psycopg import sql

from reelbase.catalog.building.build import build
from reelbase.catalog.version import Change
from reelbase.database.connect import Connection
from reelbase.imports import store
from reelbase.loading.ledger import Run
from reelbase.publishing import checks
from reelbase.publishing.catalog import Build, Built
from reelbase.publishing.checks import Check
from reelbase.telemetry.timing import timed


def builder(run: Run, change: Change) -> Build:
    """Build the catalog for a run: it ends when the run has to, and what it finds odd is among the run's checks.

    While it builds, nothing that readers see changes: the `change` begins anew when it is done.
    """

    def build_for_run(connection: Connection, schema: str, relations: Mapping[str, sql.Identifier]) -> Built:
        change.end()
        with timed("catalog"):
            built = build(connection, schema, relations, lambda _: store.check(connection, run))
        found = [Check(check.name, check.table, check.count, check.detail) for check in built.checks]
        checks.add(connection, run.import_id, found)
        change.begin()
        return Built(built.movies, found)

    return build_for_run
