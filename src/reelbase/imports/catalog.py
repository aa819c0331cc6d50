"""The catalog's part of an import: built by the room `catalog`, made live by `publishing`."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from psycopg import sql

from reelbase.catalog.building.build import STAGES, build
from reelbase.catalog.version import Change
from reelbase.database.connect import Connection
from reelbase.imports import store
from reelbase.imports.lease import DATASET_SPACE
from reelbase.imports.store import SQL
from reelbase.loading.ledger import Run
from reelbase.publishing import catalog as publishing
from reelbase.publishing import checks
from reelbase.publishing.catalog import Build, Built
from reelbase.publishing.checks import Check
from reelbase.telemetry.timing import timed


def begin(connection: Connection) -> None:
    """Before anything is loaded: an empty catalog, so that a movie of one's own is seen at once.

    While an import builds the first catalog nobody waits for it: it shows the movie when it is done.
    """
    if publishing.is_there(connection) or not _held(connection):
        return
    try:
        if not publishing.is_there(connection):
            with Change(connection) as change:
                publishing.begin(connection, _of_nothing(change))
    finally:
        connection.execute(SQL["release_catalog"], {"space": DATASET_SPACE})


def _held(connection: Connection) -> bool:
    row = connection.execute(SQL["try_catalog"], {"space": DATASET_SPACE}).fetchone()
    return row is not None and row[0] is True


def _of_nothing(change: Change) -> Build:
    def build_nothing(connection: Connection, schema: str, relations: Mapping[str, sql.Identifier]) -> Built:
        change.end()
        built = build(connection, schema, relations)
        change.begin()
        return Built(built.movies, ())

    return build_nothing


def builder(run: Run, change: Change, tell: Callable[[str], None]) -> Build:
    """Build the catalog for a run: it ends when the run has to, and what it finds odd is among the run's checks.

    While it builds, nothing that readers see changes: the `change` begins anew when it is done. `tell` is called with
    what it is busy with.
    """

    def build_for_run(connection: Connection, schema: str, relations: Mapping[str, sql.Identifier]) -> Built:
        def between(stage: str) -> None:
            tell(f"catalog: {stage} ({STAGES.index(stage) + 1} of {len(STAGES)})")
            store.check(connection, run)

        change.end()
        with timed("catalog"):
            built = build(connection, schema, relations, between)
        found = [Check(check.name, check.table, check.count, check.detail) for check in built.checks]
        checks.add(connection, run.import_id, found)
        change.begin()
        return Built(built.movies, found)

    return build_for_run
