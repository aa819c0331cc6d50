"""Merge: new records are added, those with a known key replace the old ones, the rest of the live table is taken over.

A table without a key has nothing to go by but the whole record: an identical one is not added again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from psycopg import sql

from reelbase.database.connect import Connection
from reelbase.database.statements import statements
from reelbase.datasets import Table
from reelbase.errors import ImportFailure, Superseded

_SQL = statements("reelbase.loading", "merge.sql")


def take_over(
    connection: Connection,
    *,
    new: sql.Identifier,
    old: sql.Identifier,
    key: Sequence[str],
    old_columns: Sequence[str],
    given: Collection[str],
    required: Collection[str],
) -> int:
    """Bring the old rows into the new table and return how many rows it has more with that.

    `old_columns` are the live table's; those that the new one does not have are added to it. `given` are the columns
    that the new files have: of rows that are there in both, the old values of all others are kept. `required`
    are the columns that are never null: by them rows are found, the others are compared then.
    """
    for column in old_columns:
        connection.execute(
            sql.SQL("alter table {} add column if not exists {} text").format(new, sql.Identifier(column))
        )
    if not key:
        found_by = [column for column in old_columns if column in required]
        compared = [column for column in old_columns if column not in required]
        known = connection.execute(_statement("drop_known", new, old, found_by, old_columns, compared)).rowcount
        return connection.execute(_statement("add_all_old", new, old, found_by, old_columns)).rowcount - known
    kept = [column for column in old_columns if column not in given]
    if kept:
        connection.execute(_statement("fill_missing", new, old, key, kept))
    return connection.execute(_statement("add_old", new, old, key, old_columns)).rowcount


def check_key(connection: Connection, table: Table, old: sql.Identifier) -> None:
    """Raise ImportFailure unless the old table has the key by which the new one would be merged, or neither has one."""
    keys = connection.execute(_SQL["keys"], {"relation": old.as_string(connection)}).fetchall()
    if any(sorted(key) == sorted(table.key) for (key,) in keys) or not (keys or table.key):
        return
    of_new = f"go by ({', '.join(table.key)})" if table.key else "have no key"
    of_old = f"goes by ({', '.join(keys[0][0])})" if keys else "has none"
    raise ImportFailure(
        f"The files for {table.full_name} {of_new} and the live table {of_old}, so they cannot be merged.",
        "Import all the files together, without --mode merge.",
    )


def is_done(connection: Connection, import_id: int, table_name: str, base_import: int | None) -> bool:
    """Whether an earlier attempt has taken the live rows over, those that `base_import` loaded.

    Raises Superseded when it took over others.
    """
    row = _base(connection, import_id, table_name)
    if row is not None and row[0] != base_import:
        raise Superseded(
            f"{table_name} was published by another import after this one had taken its rows over.",
            "Import the files again.",
        )
    return row is not None


def mark_done(connection: Connection, import_id: int, table_name: str, base_import: int, rows: int) -> None:
    """Note, in the transaction that takes them over, whose rows they are and how many."""
    connection.execute(
        _SQL["mark"], {"import_id": import_id, "table_name": table_name, "base_import": base_import, "rows": rows}
    )


def rows(connection: Connection, import_id: int, table_name: str) -> int:
    """How many rows were taken over."""
    row = _base(connection, import_id, table_name)
    return row[1] if row else 0


def _base(connection: Connection, import_id: int, table_name: str) -> tuple[int, int] | None:
    parameters = {"import_id": import_id, "table_name": table_name}
    return connection.execute(_SQL["base"], parameters).fetchone()


def _statement(
    name: str,
    new: sql.Identifier,
    old: sql.Identifier,
    equal: Sequence[str],
    columns: Sequence[str],
    alike: Sequence[str] = (),
) -> sql.Composed:
    """Rows are the same when the `equal` columns are, which can be hashed, and the `alike` ones, where null is null."""
    same = [sql.SQL("n.{0} = o.{0}").format(sql.Identifier(column)) for column in equal]
    if not equal:
        # No column is never null, so there is nothing to hash by: every row would be held against every other.
        hashed = sql.SQL("coalesce(n.{0}::text, '') = coalesce(o.{0}::text, '')")
        same += [hashed.format(sql.Identifier(column)) for column in alike]
    same += [sql.SQL("n.{0} is not distinct from o.{0}").format(sql.Identifier(column)) for column in alike]
    return sql.SQL(_SQL[name]).format(
        new=new,
        old=old,
        same=sql.SQL(" and ").join(same),
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
        assignments=sql.SQL(", ").join(sql.SQL("{0} = o.{0}").format(sql.Identifier(column)) for column in columns),
    )
