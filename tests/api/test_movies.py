"""Lists of movies and single ones, over HTTP."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import httpx
import pytest

from tests.importing import Importer

MOVIES = "/api/v1/movies"
SORTS = ["title", "year", "rating", "votes", "release_date", "score"]


def walk(reader: httpx.Client, path: str, step: str = "next") -> list[dict[str, Any]]:
    """Every item from this page on."""
    items: list[dict[str, Any]] = []
    place: str | None = path
    while place:
        page = reader.get(place)
        assert page.status_code == 200, page.text
        items += page.json()["items"]
        place = page.json()[step]
    return items


def test_a_movie_has_just_the_fields_of_the_contract(reader: httpx.Client) -> None:
    [movie] = reader.get(MOVIES, params={"q": "number", "year": 1982, "source": "tmdb"}).json()["items"]
    assert list(movie) == [
        *("id", "type", "title", "original_title", "year", "release_date", "runtime", "genres", "language"),
        *("languages", "overview", "adult", "rating", "votes", "score", "ratings", "ids", "imdb_url", "sources"),
    ]
    assert movie["title"] == "Movie number 2 of 2"
    assert movie["ids"] == {"imdb": "tt0000002", "movielens": 2, "tmdb": 902}
    assert movie["imdb_url"] == "https://www.imdb.com/title/tt0000002/"
    assert movie["sources"] == ["imdb", "movielens", "tmdb"]
    assert (movie["rating"], movie["votes"]) == (3.2, 205)
    assert movie["ratings"]["tmdb"] == {"average": 7.5, "votes": 12}
    assert movie["language"] == "en"


@pytest.mark.parametrize("word", ["tt0000002", "movielens:2", "tmdb:902"])
def test_a_movie_is_found_by_any_of_its_ids(reader: httpx.Client, word: str) -> None:
    movie = reader.get(f"{MOVIES}/{word}").json()
    assert movie == reader.get(f"{MOVIES}/{movie['id']}").json()
    assert movie["titles"][0]["title"] == "Le deuxième"
    assert movie["people"][0]["name"] == "Lauren Bacall"
    assert movie["tmdb"]["budget"] == 1000
    assert movie["keywords"] == ["jealousy", "toy"]
    assert movie["imdb"]["primary_title"] == movie["title"]
    assert movie["movielens"]["genres"] == "Comedy|Drama"


@pytest.mark.parametrize(
    "word", ["tt9999999", "tt1", "movielens:77777", "tmdb:x", "nonsense", "00000000-0000-0000-0000-000000000000", "%00"]
)
def test_a_movie_that_is_not_there_is_a_problem(reader: httpx.Client, word: str) -> None:
    answer = reader.get(f"{MOVIES}/{word}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:reelbase:problem:not_found"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("direction", ["", "-"])
@pytest.mark.parametrize("sort", SORTS)
def test_cursors_and_pages_meet_every_movie_once_in_the_same_order(
    reader: httpx.Client, sort: str, direction: str
) -> None:
    query = f"{MOVIES}?sort={direction}{sort}&type=any&adult=include&limit=7"
    walked = [movie["id"] for movie in walk(reader, query)]
    assert len(walked) == len(set(walked)) == 60
    assert [movie["id"] for movie in walk(reader, f"{query}&page=1")] == walked
    assert reader.get(f"{query}&page=9").json()["pages"] == 9
    place = reader.get(query).json()
    back: list[str] = []
    while place["next"]:
        place = reader.get(place["next"]).json()
    while True:
        back = [movie["id"] for movie in place["items"]] + back
        if not place["previous"]:
            break
        place = reader.get(place["previous"]).json()
    assert back == walked


def test_a_list_tells_where_it_goes_on_in_the_body_and_in_a_header(reader: httpx.Client) -> None:
    answer = reader.get(MOVIES, params={"genre": ["Drama", "Comedy"], "limit": 3})
    page = answer.json()
    assert page["previous"] is None
    assert page["next"].startswith("/api/v1/movies?genre=Drama&genre=Comedy&limit=3&cursor=")
    assert answer.headers["link"] == f'<{page["next"]}>; rel="next"'
    second = reader.get(page["next"])
    assert second.links["prev"]["url"] == second.json()["previous"]
    assert page["total"] == second.json()["total"]
    assert page["total_is_exact"]


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        ("genre=Action&rating_min=5&sort=-rating", "'Action' = any (genres) and rating >= 5"),
        ("genre=Action&genre=Comedy", "genres @> '{Action,Comedy}'"),
        ("year=1985", "year = 1985"),
        ("year_min=1985&year_max=1987&sort=title", "year between 1985 and 1987"),
        ("rating_min=2&rating_max=4.5", "rating between 2 and 4.5"),
        ("votes_min=200&runtime_min=70&runtime_max=100", "votes >= 200 and runtime between 70 and 100"),
        ("language=fr", "language = 'fr'"),
        ("source=tmdb", "'tmdb' = any (sources)"),
        ("year=1985&year_min=1990", "false"),
        ("genre=nothing", "false"),
    ],
)
def test_filters_give_what_sql_gives(reader: httpx.Client, loaded_url: str, query: str, condition: str) -> None:
    expected = Importer(loaded_url).rows(
        f"select id::text from catalog.movies where type in ('movie', 'tvMovie') and not adult and {condition}"
    )
    found = walk(reader, f"{MOVIES}?{query}&limit=9")
    assert {movie["id"] for movie in found} == {movie_id for (movie_id,) in expected}
    assert len(found) == len(expected)
    assert reader.get(f"{MOVIES}?{query}").json()["total"] == len(expected)
    for export in ("ndjson", "csv"):
        lines = reader.get(f"{MOVIES}.{export}?{query.replace('sort=-rating', 'sort=title')}").text.splitlines()
        assert len(lines) == len(expected) + (export == "csv")


def test_a_type_is_asked_for_or_any(reader: httpx.Client) -> None:
    kinds = {movie["type"] for movie in walk(reader, f"{MOVIES}?limit=100")}
    assert kinds <= {"movie", "tvMovie"}
    assert {movie["type"] for movie in walk(reader, f"{MOVIES}?type=short&type=video")} == {"short", "video"}
    assert reader.get(f"{MOVIES}?type=any&adult=include").json()["total"] == 60
    assert reader.get(f"{MOVIES}?adult=only&type=any").json()["total"] == 1


def test_a_search_is_ranked_and_paged(reader: httpx.Client) -> None:
    found = walk(reader, f"{MOVIES}?q=movi+numbr&limit=7&type=any&adult=include")
    assert len(found) == len({movie["id"] for movie in found}) == 53
    best = reader.get(f"{MOVIES}?q=zurich+ete").json()["items"][0]
    assert best["title"] == "Zürich, «été»"
    by_title = walk(reader, f"{MOVIES}?q=number&sort=title&limit=9")
    titles = [movie["title"] for movie in by_title]
    assert all(first <= second for first, second in pairwise(titles))


def test_ratings_and_similar(reader: httpx.Client, loaded_url: str) -> None:
    ratings = reader.get(f"{MOVIES}/movielens:1/ratings").json()
    [(count,)] = Importer(loaded_url).rows("select count(*) from movielens.ratings where movie_id = 1")
    assert sum(bar["votes"] for bar in ratings["histogram"]) == count == sum(year["votes"] for year in ratings["years"])
    near = reader.get(f"{MOVIES}/movielens:1/similar?limit=3").json()
    assert near["by"] == "raters"
    assert all(0 <= movie["distance"] <= 1 for movie in near["items"])
    assert reader.get(f"{MOVIES}/tt0000045/ratings").json() == {"histogram": [], "years": []}


def test_people(reader: httpx.Client) -> None:
    [person] = reader.get("/api/v1/people?q=asteire").json()["items"]
    assert (person["nconst"], person["professions"]) == ("nm0000001", ["actor", "producer"])
    detail = reader.get("/api/v1/people/nm0000001").json()
    assert [work["tconst"] for work in detail["work"]] == ["tt0000001"]
    assert reader.get("/api/v1/people/nm9999999").status_code == 404


def test_facets_agree_with_the_list(reader: httpx.Client) -> None:
    facets = reader.get("/api/v1/facets?type=any").json()
    genres = reader.get("/api/v1/genres?type=any").json()
    assert facets["genre"] == genres["items"]
    for count in genres["items"]:
        total = reader.get(MOVIES, params={"genre": count["value"], "type": "any"}).json()["total"]
        assert total == count["movies"]
    for count in reader.get("/api/v1/languages").json()["items"]:
        assert reader.get(MOVIES, params={"language": count["value"]}).json()["total"] == count["movies"]


def test_before_anything_is_loaded_lists_are_empty_and_single_things_are_not_there(nothing: httpx.Client) -> None:
    for path in ("movies", "movies?q=x", "people?q=x", "imports", "workers"):
        assert nothing.get(f"/api/v1/{path}").json()["items"] == []
    assert nothing.get("/api/v1/facets").json()["genre"] == []
    assert nothing.get("/api/v1/genres").json()["items"] == []
    assert nothing.get("/api/v1/movies.ndjson").text == ""
    assert nothing.get("/api/v1/movies.csv").text.startswith("id,type,title,")
    assert nothing.get("/api/v1/movies.parquet").content[:4] == b"PAR1"
    for path in ("movies/tt0000001", "movies/tmdb:1/similar", "people/nm0000001", "datasets/imdb/tables/title_basics"):
        assert nothing.get(f"/api/v1/{path}").status_code == 404
    assert {one["name"] for one in nothing.get("/api/v1/datasets").json()["items"]} >= {"movielens", "imdb"}
    assert nothing.get("/readyz").json() == {"status": "ready"}
