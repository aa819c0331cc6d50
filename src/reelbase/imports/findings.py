"""The checks of an import: what its files had that is odd without being wrong."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from psycopg import sql

from reelbase.database.connect import Connection
from reelbase.database.statements import statements
from reelbase.datasets import Form, Table
from reelbase.imports.plan import Plan
from reelbase.imports.store import SQL, StoredFile
from reelbase.publishing import checks
from reelbase.publishing.checks import Check

_SQL = statements("reelbase.imports", "findings.sql")


def write(
    connection: Connection, plan: Plan, relations: Mapping[str, sql.Identifier], earlier: Sequence[Check]
) -> None:
    """Look for everything odd and write it down, with what was found `earlier`.

    `relations` are the dataset's tables as they will be published.
    """
    found = [check for file in plan.files.values() for check in _of_file(connection, file)]
    for table, _ in plan.tables.values():
        found.extend(checks.reference_checks(connection, table, relations))
        found.extend(_dates_without_day(connection, table, relations[table.name]))
    checks.write(connection, plan.import_id, [*found, *earlier])


def _of_file(connection: Connection, file: StoredFile) -> Iterator[Check]:
    row = connection.execute(SQL["file_findings"], {"file_id": file.id}).fetchone()
    read, blank, duplicate = row if row else (0, 0, 0)
    name = file.table.full_name
    if not read:
        yield Check("empty_file", name, 1, f"{file.name} has a header and no records.")
    if blank:
        yield Check("blank_records", name, blank, f"{file.name} has {blank} blank records; they do not count.")
    if duplicate:
        sentence = f"{file.name} has {duplicate} records whose key comes again later; the last one of each was kept."
        yield Check("duplicate_keys", name, duplicate, sentence)
    yield from _of_header(file)


def _dates_without_day(connection: Connection, table: Table, relation: sql.Identifier) -> Iterator[Check]:
    """Dates of which only the year is certain."""
    days = {column.header: column.name for column in table.columns if column.form is Form.DAY}
    for column in table.columns:
        if column.form is Form.YEAR:
            day = days[column.header]
            query = sql.SQL(_SQL["dates_without_day"]).format(
                relation=relation, year=sql.Identifier(column.name), day=sql.Identifier(day)
            )
            row = connection.execute(query).fetchone()
            if row and row[0]:
                sentence = (
                    f"{row[0]} rows of {table.full_name} have a {day} of which only the year is certain (a year alone, "
                    f"or an ambiguous order of day and month); it is null, and {column.name} is kept."
                )
                yield Check("dates_without_day", table.full_name, row[0], sentence)


def _of_header(file: StoredFile) -> Iterator[Check]:
    declared = {column.name for column in file.table.columns}
    there = {column.name for column in file.columns}
    missing = [column.header for column in file.table.written if column.name not in there]
    if missing and not file.table.has_shapes:
        sentence = f"{file.name} does not have {', '.join(missing)}; they are null."
        yield Check("missing_columns", file.table.full_name, len(missing), sentence)
    unknown = [column.name for column in file.columns if column.name not in declared]
    if unknown:
        sentence = f"{file.name} has further columns, kept as text: {', '.join(unknown)}."
        yield Check("unknown_columns", file.table.full_name, len(unknown), sentence)
