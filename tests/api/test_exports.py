"""The filtered list as a stream in three forms that say the same."""

from __future__ import annotations

import csv
import io
import json

import httpx
import pytest
from arro3.io import read_parquet

from tests.api.library import ODD_TITLES
from tests.api.test_movies import walk

MOVIES = "/api/v1/movies"
QUERY = "type=any&adult=include&sort=title"


def _csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_json_lines_are_the_movies_of_the_list_in_its_order(reader: httpx.Client) -> None:
    answer = reader.get(f"{MOVIES}.ndjson?{QUERY}")
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["content-disposition"] == 'attachment; filename="movies.ndjson"'
    assert [json.loads(line) for line in answer.text.splitlines()] == walk(reader, f"{MOVIES}?{QUERY}&limit=100")


@pytest.mark.parametrize("sort", ["-votes", "rating", "-release_date", "year", "score", "-title"])
def test_csv_has_the_order_of_the_list(reader: httpx.Client, sort: str) -> None:
    query = f"type=any&sort={sort}"
    exported = [row["id"] for row in _csv(reader.get(f"{MOVIES}.csv?{query}").text)]
    assert exported == [movie["id"] for movie in walk(reader, f"{MOVIES}?{query}&limit=100")]


def test_what_a_spreadsheet_takes_for_a_formula_is_guarded_and_raw_is_exact(reader: httpx.Client) -> None:
    guarded = {row["imdb_id"]: row["title"] for row in _csv(reader.get(f"{MOVIES}.csv?{QUERY}").text)}
    raw = {row["imdb_id"]: row["title"] for row in _csv(reader.get(f"{MOVIES}.csv?{QUERY}&raw=true").text)}
    assert {n: raw[f"tt{n:07}"] for n in ODD_TITLES} == ODD_TITLES
    assert guarded["tt0000003"] == "'=1+1"
    assert guarded["tt0000006"] == '\'@SUM("x")'
    assert not any(title[0] in "=+-@\t" for title in guarded.values())
    assert {title.removeprefix("'") for title in guarded.values()} == {
        title.removeprefix("'") for title in raw.values()
    }


def test_parquet_has_the_same_rows_with_their_types(reader: httpx.Client) -> None:
    answer = reader.get(f"{MOVIES}.parquet?{QUERY}")
    table = read_parquet(io.BytesIO(answer.content)).read_all()
    listed = walk(reader, f"{MOVIES}?{QUERY}&limit=100")
    columns = {name: table[name].to_pylist() for name in ("title", "year", "genres", "rating", "release_date", "adult")}
    for name in ("title", "year", "genres", "rating", "adult"):
        assert columns[name] == [movie[name] for movie in listed]
    assert [str(day) if day else None for day in columns["release_date"]] == [movie["release_date"] for movie in listed]


def test_an_export_is_searched_too(reader: httpx.Client) -> None:
    lines = reader.get(f"{MOVIES}.ndjson?q=zurich").text.splitlines()
    assert [json.loads(line)["ids"]["imdb"] for line in lines] == ["tt0000007"]


def test_an_export_without_movies_is_empty(reader: httpx.Client) -> None:
    assert reader.get(f"{MOVIES}.ndjson?genre=nothing").text == ""
    assert len(reader.get(f"{MOVIES}.csv?genre=nothing").text.splitlines()) == 1
    parquet = reader.get(f"{MOVIES}.parquet?genre=nothing").content
    assert read_parquet(io.BytesIO(parquet)).read_all().num_rows == 0
