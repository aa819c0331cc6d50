"""Rows of a table as they are asked for in a URL, in the order of its key: the same for the API and the pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import Field

from reelbase.catalog import tables
from reelbase.catalog.browse import Total
from reelbase.database.connect import DictConnection
from reelbase.serving import paging
from reelbase.serving.query import Pairs, Query, Words, parse, path_with

_OWN = ("limit", "cursor")


class RowsQuery(Query):
    """How much, and from where; every other parameter is a column."""

    limit: int = Field(default=20, ge=1, le=100, examples=[3])
    cursor: Words | None = Field(default=None, min_length=1, description="As `next` has it")


@dataclass(frozen=True, slots=True)
class Rows:
    """A page of a table; `next` is the path of the one behind it."""

    table: tables.LiveTable
    items: list[dict[str, Any]]
    total: Total
    next: str | None


class TableRows:
    """A question for rows of a table, read out of a URL; raises Problem (422)."""

    def __init__(self, path: str, given: Pairs) -> None:
        self._path = path
        self._given = given
        self._query = parse(RowsQuery, [pair for pair in given if pair[0] in _OWN])
        self._asked = [pair for pair in given if pair[0] not in _OWN]

    def ask(self, connection: DictConnection, table: tables.LiveTable) -> Rows:
        """The page; raises BadParameter, BadCursor, OldCursor."""
        where = tables.conditions(table, self._asked)
        key = paging.list_key(self._path, self._given)
        after = None
        if self._query.cursor is not None:
            release, *values = paging.parts(paging.unseal(self._query.cursor, key)) or [None]
            after = tables.check_place(table, release, values)
        page = tables.rows(connection, table, where, after=after, limit=self._query.limit)
        next_ = None
        if page.next is not None:
            cursor = paging.seal(paging.token([table.release, *map(_plain, page.next)]), key)
            next_ = f"{path_with(self._path, self._given)}cursor={cursor}"
        return Rows(table, page.items, tables.total(connection, table, where), next_)


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | str) else str(value)
