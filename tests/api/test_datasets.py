"""What is loaded, and every row of it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from reelbase.imports.run import run_import
from tests.api.test_movies import walk
from tests.importing import Importer

TABLES = "/api/v1/datasets"


def test_datasets_say_what_is_loaded(reader: httpx.Client) -> None:
    found = {one["name"]: one for one in reader.get(TABLES).json()["items"]}
    assert set(found) == {"movielens", "imdb", "tmdb"}
    tables = {table["name"]: table for table in found["movielens"]["tables"]}
    assert tables["links"]["rows"] == 30
    for table in tables.values():
        assert reader.get(table["path"]).json()["total"] == table["rows"]
    assert reader.get(f"{TABLES}/imdb").json() == found["imdb"]
    [release] = reader.get(f"{TABLES}/imdb/releases").json()["items"]
    assert (release["live"], release["previous"], release["id"]) == (True, False, found["imdb"]["release"])


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("movielens/tables/ratings", ("user_id", "movie_id")),
        ("movielens/tables/tags", ("user_id", "movie_id", "tag", "timestamp")),
        ("imdb/tables/title_principals", ("tconst", "ordering")),
        ("tmdb/tables/movies", ("id",)),
    ],
)
@pytest.mark.parametrize("limit", [1, 7, 100])
def test_a_walk_meets_every_row_once(
    reader: httpx.Client, loaded_url: str, table: str, key: tuple[str, ...], limit: int
) -> None:
    rows = walk(reader, f"{TABLES}/{table}?limit={limit}")
    schema, _, name = table.split("/")
    [(count,)] = Importer(loaded_url).rows(f"select count(*) from {schema}.{name}")
    assert len(rows) == count == len({tuple(row[column] for column in key) for row in rows})


@pytest.mark.parametrize(
    ("table", "query", "condition"),
    [
        ("movielens/tables/ratings", "movie_id=4", "movie_id = 4"),
        ("movielens/tables/ratings", "rating_min=2.5&rating_max=4", "rating between 2.5 and 4"),
        ("movielens/tables/movies", "title=%3D1%2B1%20(1983)", "title = '=1+1 (1983)'"),
        ("movielens/tables/tags", "timestamp_min=1", "timestamp >= 1"),
        ("imdb/tables/title_basics", "is_adult=true", "is_adult"),
        ("imdb/tables/title_basics", "tconst=tt0000008&start_year_max=2000", "tconst = 'tt0000008'"),
        ("imdb/tables/title_ratings", "average_rating=3.2", "average_rating = 3.2"),
        ("tmdb/tables/movies", "release_date_min=1985-01-01", "release_date >= '1985-01-01'"),
    ],
)  # fmt: skip
def test_rows_are_filtered_as_by_sql(
    reader: httpx.Client, loaded_url: str, table: str, query: str, condition: str
) -> None:
    schema, _, name = table.split("/")
    [(count,)] = Importer(loaded_url).rows(f"select count(*) from {schema}.{name} where {condition}")
    page = reader.get(f"{TABLES}/{table}?{query}&limit=100").json()
    assert len(page["items"]) == page["total"] == count


def test_rows_have_their_types(reader: httpx.Client) -> None:
    page = reader.get(f"{TABLES}/imdb/tables/title_basics?tconst=tt0000001").json()
    assert page["columns"][0] == {"name": "tconst", "type": "text"}
    [row] = page["items"]
    assert (row["is_adult"], row["start_year"], row["end_year"]) == (False, 1981, None)
    [rating] = reader.get(f"{TABLES}/imdb/tables/title_ratings?tconst=tt0000002").json()["items"]
    assert rating == {"tconst": "tt0000002", "average_rating": 3.2, "num_votes": 205}
    [movie] = reader.get(f"{TABLES}/tmdb/tables/movies?id=901").json()["items"]
    assert movie["genres"][0]["name"] == "Science Fiction"
    assert movie["release_date"] == "1981-12-15"


def run(own: httpx.Client, database: str, answer: httpx.Response) -> dict[str, Any]:
    """See the import of a 202 to its end."""
    assert answer.status_code == 202, answer.text
    place = answer.headers["location"]
    assert own.get(place).json()["state"] == "queued"
    run_import(database, answer.json()["id"], Importer(database).resources())
    found: dict[str, Any] = own.get(place).json()
    assert found["state"] == "completed"
    return found


def test_a_dataset_is_taken_away_and_brought_back(own: httpx.Client, database: str) -> None:
    movies = own.get("/api/v1/movies?type=any").json()["total"]
    place = own.get("/api/v1/movies?type=any&limit=3").json()["next"]
    assert run(own, database, own.delete(f"{TABLES}/imdb"))["kind"] == "remove"
    assert own.get("/api/v1/movies?type=any").json()["total"] < movies
    assert own.get(place).status_code == 200  # a cursor of a release that is no more goes on by value
    assert own.get(f"{TABLES}/imdb/tables/title_basics").status_code == 404
    assert own.delete(f"{TABLES}/imdb").status_code == 409
    assert run(own, database, own.post(f"{TABLES}/imdb/rollback"))["kind"] == "rollback"
    assert own.get("/api/v1/movies?type=any").json()["total"] == movies
    assert own.get(f"{TABLES}/imdb/tables/title_basics").json()["total"] == 60
    assert own.post(f"{TABLES}/tmdb/rollback").status_code == 409
    assert own.post(f"{TABLES}/nothing/rollback").status_code == 404


def test_a_place_that_holds_for_one_release_says_so_when_it_is_gone(own: httpx.Client, database: str) -> None:
    ranked = own.get("/api/v1/movies?q=number&limit=3").json()["next"]
    rows = own.get(f"{TABLES}/movielens/tables/tags?limit=1").json()["next"]
    assert own.get(ranked).status_code == own.get(rows).status_code == 200
    run(own, database, own.delete(f"{TABLES}/tmdb"))
    gone = own.get(ranked)
    assert gone.status_code == 410
    assert gone.json()["remedy"]
    assert own.get(rows).status_code == 200  # the release of MovieLens is still the same
    run(own, database, own.delete(f"{TABLES}/movielens"))
    run(own, database, own.post(f"{TABLES}/movielens/rollback"))
    assert own.get(rows).status_code == 200


def test_imports_are_listed_page_by_page(reader: httpx.Client) -> None:
    found = walk(reader, "/api/v1/imports?limit=1")
    assert [one["id"] for one in found] == [3, 2, 1]
    assert reader.get("/api/v1/imports?dataset=imdb").json()["total"] == 1
    assert reader.get("/api/v1/imports/2").json() == found[1]
    assert reader.get("/api/v1/imports?state=failed").json()["items"] == []
