"""Places in a table that a cursor names."""

from __future__ import annotations

import pytest
from psycopg import sql

from reelbase.catalog.tables import Column, LiveTable, check_place
from reelbase.errors import BadCursor, OldCursor

TAGS = LiveTable("tags", 7, 100, sql.Identifier("movielens_import_7", "tags"), (Column("tag", "text", "text"),), ())
MOVIES = LiveTable(
    "movies", 7, 100, sql.Identifier("movielens_import_7", "movies"), (Column("id", "int4", "integer"),), ("id",)
)


def test_a_place_among_rows_without_a_key_is_good_for_one_release() -> None:
    assert check_place(TAGS, 7, ["(12,3)"]) == ["(12,3)"]
    with pytest.raises(OldCursor):
        check_place(TAGS, 6, ["(12,3)"])


def test_a_place_by_key_is_good_for_every_release() -> None:
    assert check_place(MOVIES, 6, [12]) == [12]


@pytest.mark.parametrize("after", [[], ["(1,2)", 3], ["(1,2);"], [12], ["x"], [None]])
def test_what_is_no_place_of_rows_is_refused(after: list[object]) -> None:
    with pytest.raises(BadCursor):
        check_place(TAGS, 7, after)


@pytest.mark.parametrize("after", [[], [1, 2], ["x"], [None], [2**31], [True]])
def test_what_is_no_value_of_the_key_is_refused(after: list[object]) -> None:
    with pytest.raises(BadCursor):
        check_place(MOVIES, 7, after)
