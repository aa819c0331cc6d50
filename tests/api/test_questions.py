"""Eleven questions on the real files, compared with SQL written by hand over the source tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx
import pytest
from psycopg import sql

from reelbase.database.connect import connect
from tests.api.test_movies import walk
from tests.importing import Importer
from tests.serving import client

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (DATA / "ml-latest-small").is_dir(), reason="the real files are not in ../shared/data"),
]

# IMDb's rating where it has one, else MovieLens' own, else TMDb's.
_RATED = """
    with own as (select movie_id, 2 * avg(rating) as rating, count(*) as votes from movielens.ratings group by 1)
    select movie_id from movielens.movies
      left join own using (movie_id)
      left join movielens.links l using (movie_id)
      left join imdb.title_ratings i on i.tconst = 'tt' || l.imdb_id
      left join (select distinct on (id) id, vote_average, vote_count from tmdb.movies where vote_count > 0) t
             on t.id = l.tmdb_id
     where coalesce(i.num_votes, own.votes, t.vote_count) >= {votes}
       and coalesce(i.average_rating, own.rating, t.vote_average) >= {rating}
"""
_IMDB = "select b.tconst from imdb.title_basics b left join imdb.title_ratings r using (tconst) where"
_MOVIES = "title_type in ('movie', 'tvMovie', 'video', 'short')"

QUESTIONS: list[tuple[str, str, str]] = [
    (
        "source=imdb&genre=Action&rating_min=8.5&sort=-rating&type=movie",
        "imdb",
        f"{_IMDB} title_type = 'movie' and genres ~ '(^|,)Action(,|$)' and average_rating >= 8.5 and not is_adult",
    ),
    (
        "source=imdb&genre=Documentary&genre=Biography&year=2017&type=any&adult=include",
        "imdb",
        f"{_IMDB} {_MOVIES} and string_to_array(genres, ',') @> '{{Documentary,Biography}}' and start_year = 2017",
    ),
    (
        "source=imdb&votes_min=1000&sort=-votes&type=movie",
        "imdb",
        f"{_IMDB} title_type = 'movie' and num_votes >= 1000 and not is_adult",
    ),
    (
        "source=imdb&type=any&runtime_min=20&runtime_max=25",
        "imdb",
        f"{_IMDB} {_MOVIES} and runtime_minutes between 20 and 25 and not is_adult",
    ),
    ("source=imdb&adult=only&type=any", "imdb", f"{_IMDB} {_MOVIES} and is_adult"),
    (
        "source=imdb&rating_max=4&type=any&sort=title",
        "imdb",
        f"{_IMDB} {_MOVIES} and average_rating <= 4 and not is_adult",
    ),
    (
        "source=tmdb&language=fr&type=any&adult=include",
        "tmdb",
        "select distinct id from tmdb.movies where id is not null and original_language = 'fr'",
    ),
    (
        "source=tmdb&language=ja&type=any&adult=include&sort=release_date",
        "tmdb",
        "select distinct id from tmdb.movies where id is not null and original_language = 'ja'",
    ),
    ("source=movielens&type=any&adult=include", "movielens", "select movie_id from movielens.movies"),
    (
        "source=movielens&votes_min=200&sort=-votes&type=any&adult=include",
        "movielens",
        _RATED.format(votes=200, rating=0),
    ),
    (
        "source=movielens&rating_min=8.5&votes_min=50&sort=-rating&type=any&adult=include",
        "movielens",
        _RATED.format(votes=50, rating=8.5),
    ),
]


@pytest.fixture(scope="module")
def real_url(server_url: str) -> str:
    name = "api_real"
    with connect(server_url) as connection:
        connection.execute(
            sql.SQL("create database {} template reelbase_template strategy file_copy").format(sql.Identifier(name))
        )
    url = urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    importer = Importer(url, chunk_bytes=8 << 20)
    for given in ("ml-latest-small", "imdb-subset-2017", "tmdb/movies_metadata.csv.gz"):
        assert importer(DATA / given)["state"] == "completed"
    return url


@pytest.fixture(scope="module")
def real(real_url: str) -> Iterator[httpx.Client]:
    with client(real_url) as made:
        yield made


@pytest.mark.parametrize(("query", "source", "statement"), QUESTIONS, ids=[query for query, _, _ in QUESTIONS])
def test_the_answer_is_what_sql_gives(
    real: httpx.Client, real_url: str, query: str, source: str, statement: str
) -> None:
    expected = {row[0] for row in Importer(real_url).rows(statement)}
    found = walk(real, f"/api/v1/movies?{query}&limit=100")
    assert {movie["ids"][source] for movie in found} == expected
    assert len(found) == len(expected) > 0
