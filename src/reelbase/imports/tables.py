"""What happens to a staged table once its files are loaded: merge, duplicates, indexes, statistics, checks."""

from __future__ import annotations

import threading

from psycopg import errors

from reelbase.database.connect import Connection
from reelbase.datasets import Table
from reelbase.errors import ImportFailure
from reelbase.imports import findings, store
from reelbase.imports.board import Job
from reelbase.imports.lease import Lease
from reelbase.imports.plan import Plan
from reelbase.loading import duplicates, ledger, merge
from reelbase.loading.ledger import Run
from reelbase.publishing import checks, indexes, release
from reelbase.publishing.release import ReleaseTable
from reelbase.receiving.paths import check_unchanged


class Tables:
    """The staged tables of one run, and the jobs on them."""

    def __init__(self, plan: Plan, lease: Lease, run: Run, *, merges: bool) -> None:
        self._plan = plan
        self._lease = lease
        self._run = run
        self._merges = merges
        self._findings: list[checks.Check] = []
        self._left: dict[str, int] = {}
        self._left_lock = threading.Lock()

    def jobs(self, name: str) -> list[Job]:
        """What is to be done with a table whose files are all loaded."""
        if self._merges:
            weight = self._plan.weight(name)
            return [Job(weight, f"merge {name}", lambda connection, _: self._merge(connection, name))]
        return self._index_jobs(name)

    def staged(self) -> list[ReleaseTable]:
        """Check what was staged, and count it as a release will show it."""
        connection = self._lease.connection
        store.check(connection, self._run)
        live = release.tables(connection, release.pointer(connection, self._plan.dataset).live)
        relations = {name: table.relation for name, table in live.items()}
        relations |= {name: self._plan.relation(name) for name in self._plan.tables}
        findings.write(connection, self._plan, relations, self._findings)
        return [
            release.staged(connection, self._plan.schema, name, self._run.import_id, self._rows(connection, name))
            for name in self._plan.tables
        ]

    def _rows(self, connection: Connection, name: str) -> int:
        loaded = sum(ledger.counts(connection, file.id).loaded for file in self._plan.files_of(name))
        return loaded + merge.rows(connection, self._run.import_id, name)

    def _index_jobs(self, name: str) -> list[Job]:
        wanted = indexes.indexes(self._plan.schema, self._plan.tables[name][0])
        with self._left_lock:
            self._left[name] = len(wanted)
        if not wanted:
            return [self._last_job(name)]
        return [self._index_job(index, position) for position, index in enumerate(wanted)]

    def _index_job(self, index: indexes.Index, position: int) -> Job:
        weight = self._plan.weight(index.table.name) / (1 + position)
        return Job(weight, index.name, lambda connection, helpers: self._index(connection, index, helpers))

    def _index(self, connection: Connection, index: indexes.Index, helpers: int) -> list[Job]:
        store.check(connection, self._run)
        self._lease.tell(f"index {index.name}")
        try:
            indexes.build(connection, index, helpers)
        except errors.UniqueViolation:
            with connection.transaction():
                self._settle(connection, index.table)
                store.fence(connection, self._run)
            indexes.build(connection, index, helpers)
        with self._left_lock:
            self._left[index.table.name] -= 1
            last = self._left[index.table.name] == 0
        return [self._last_job(index.table.name)] if last else []

    def _last_job(self, name: str) -> Job:
        return Job(0, f"analyze {name}", lambda connection, _: self._finish(connection, name))

    def _finish(self, connection: Connection, name: str) -> list[Job]:
        store.check(connection, self._run)
        table, columns = self._plan.tables[name]
        if not table.key:
            names = [column.name for column in columns]
            self._findings.extend(checks.identical_records(connection, table, self._plan.relation(name), names))
        indexes.analyze(connection, self._plan.schema, name)
        return []

    def _settle(self, connection: Connection, table: Table) -> None:
        """Part of the caller's transaction, which ends with the fence."""
        for file in self._plan.files_of(table.name):
            check_unchanged(file.path, file.fingerprint)
        duplicates.settle(
            connection,
            import_id=self._run.import_id,
            schema=self._plan.schema,
            targets=self._plan.targets_of(table.name),
            columns=[column.name for column in self._plan.tables[table.name][1]],
            read=self._plan.reader(connection),
        )

    def _merge(self, connection: Connection, name: str) -> list[Job]:
        """Take the live table over into the staged one, once, and go on with its indexes."""
        self._lease.hold_dataset(self._plan.dataset)
        store.check(connection, self._run)
        with connection.transaction():
            now = release.pointer(connection, self._plan.dataset)
            release.check_later(connection, self._plan.dataset, now, self._run.import_id, [name])
            live = release.tables(connection, now.live).get(name)
            base = live.import_id if live else None
            if not merge.is_done(connection, self._run.import_id, name, base) and live is not None:
                self._take_over(connection, name, live)
            store.fence(connection, self._run)
        return self._index_jobs(name)

    def _take_over(self, connection: Connection, name: str, live: ReleaseTable) -> None:
        table, _ = self._plan.tables[name]
        given = {frozenset(column.name for column in target.columns) for target in self._plan.targets_of(name)}
        if len(given) > 1:
            raise ImportFailure(
                f"The files for {name} have different columns, so it is not clear which old values to keep.",
                "Merge them one after the other.",
            )
        merge.check_key(connection, table, live.relation)
        relation = self._plan.relation(name)
        if table.key and duplicates.any_left(connection, relation, table.key):
            self._settle(connection, table)
        rows = merge.take_over(
            connection,
            new=relation,
            old=live.relation,
            key=table.key,
            old_columns=live.columns,
            given=next(iter(given)),
            required=[column.name for column in table.columns if not column.nullable],
        )
        merge.mark_done(connection, self._run.import_id, name, live.import_id, rows)
