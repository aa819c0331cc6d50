"""Counts beside a list: how many of its movies are of each genre, decade, language, type, source and rating."""

from __future__ import annotations

from dataclasses import dataclass, field

from psycopg import sql

from reelbase.catalog import browse
from reelbase.catalog.filters import Filters, conditions
from reelbase.database.asking import answer
from reelbase.database.connect import DictConnection
from reelbase.database.statements import statements

_SQL = statements("reelbase.catalog", "facets.sql")

FACETS = ("genre", "decade", "language", "type", "source", "rating")
MOST_COUNTED = 100_000
"""Lists longer than this have counts only where those are kept with the release."""
_FAR_MORE = 4  # an estimate that is so much above what is counted is not tried: a million movies took 3 to 5 seconds


@dataclass(frozen=True, slots=True)
class Facets:
    """Counts by facet and value, the most frequent first; without `are_counted` the list was too long to count."""

    are_counted: bool
    counts: dict[str, dict[str, int]] = field(default_factory=dict)


def facets(
    connection: DictConnection,
    filters: Filters,
    also: sql.Composable | None = None,
    most: int = MOST_COUNTED,
    far_more: float = _FAR_MORE,
) -> Facets:
    """Count a list's movies; from kept counts where the filters allow it. `also` is a further condition on m.

    Without kept counts at most `most` movies are counted, and none where the estimate is `far_more` times that.
    """
    where = conditions(filters)
    if also is None and filters.is_counted:
        matched = sql.SQL(_SQL["kept"]).format(
            where=where,
            combinations=sql.Identifier("catalog", filters.combinations),
            decade=sql.SQL("m.year / 10 * 10" if filters.has_years else "m.decade"),
        )
    else:
        if also is not None:
            where = sql.SQL("{} and {}").format(where, also)
        if answer(connection, browse.estimating(where)) > far_more * most:
            return Facets(False)
        matched = sql.SQL(_SQL["movies"]).format(where=where, limit=sql.Literal(most))
    rows = connection.execute(sql.SQL("{} {}").format(matched, sql.SQL(_SQL["counts"]))).fetchall()
    counts: dict[str, dict[str, int]] = {facet: {} for facet in FACETS}
    total = None
    for row in sorted(rows, key=lambda row: (-(row["movies"] or 0), row["value"] or "")):
        if row["facet"] == "total":
            total = row["movies"]
        else:
            counts[row["facet"]][row["value"]] = row["movies"]
    return Facets(True, counts) if total is not None or _has_none(connection, where) else Facets(False)


def _has_none(connection: DictConnection, where: sql.Composed) -> bool:
    """Without a total, either nothing matches or too much does."""
    row = connection.execute(sql.SQL(_SQL["any"]).format(where=where)).fetchone()
    return row is None
