"""Eleven questions on the real files and on a sample, compared with SQL written by hand over the sources' tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import httpx
import pytest
from psycopg import sql

from reelbase.database.connect import connect
from reelbase.sample import SAMPLES, Wish
from tests.api.test_movies import walk
from tests.importing import Importer
from tests.serving import client

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

pytestmark = pytest.mark.slow

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
# IMDb's titles with the rating that is shown of them, found from the other two by the ids that these give.
_IMDB = """
    with own as (select movie_id, 2 * avg(rating) as rating, count(*) as votes from movielens.ratings group by 1),
    tmdb_rated as (select distinct on (id) * from tmdb.movies where id is not null and vote_count > 0),
    shown as (
        select b.*, coalesce(r.average_rating, own.rating, t.vote_average) as average_rating,
               case when r.average_rating is not null then r.num_votes
                    when own.rating is not null then own.votes else t.vote_count end as num_votes
          from imdb.title_basics b
          left join imdb.title_ratings r using (tconst)
          left join movielens.links l on 'tt' || l.imdb_id = b.tconst
          left join own on own.movie_id = l.movie_id
          left join tmdb_rated named on named.imdb_id = b.tconst
          left join tmdb_rated linked on linked.id = l.tmdb_id
         cross join lateral (select coalesce(named.vote_average, linked.vote_average) as vote_average,
                                    coalesce(named.vote_count, linked.vote_count) as vote_count) t
    )
    select distinct tconst from shown where
"""
_MOVIES = "title_type in ('movie', 'tvMovie', 'video', 'short')"

QUESTIONS: list[tuple[str, str, str]] = [
    (
        "source=imdb&genre=Action&rating_min=8.5&sort=-rating&type=movie",
        "imdb",
        f"{_IMDB} title_type = 'movie' and genres ~ '(^|,)Action(,|$)' and average_rating >= 8.5 and not is_adult",
    ),
    (
        "source=imdb&genre=Documentary&genre=Biography&year_min=2010&year_max=2017&type=any&adult=include",
        "imdb",
        f"""{_IMDB} {_MOVIES} and string_to_array(genres, ',') @> '{{Documentary,Biography}}'
             and start_year between 2010 and 2017""",
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


# The same order by the values that the API shows: what is equal may come in any order.
_SORTED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "-rating": lambda movie: -movie["rating"],
    "-votes": lambda movie: -movie["votes"],
    "release_date": lambda movie: (movie["release_date"] is None, movie["release_date"]),
}


def _empty(server_url: str, name: str) -> str:
    with connect(server_url) as connection:
        connection.execute(
            sql.SQL("create database {} template reelbase_template strategy file_copy").format(sql.Identifier(name))
        )
    return urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))


@pytest.fixture(scope="module")
def real_url(server_url: str) -> str:
    if not (DATA / "ml-latest-small").is_dir():
        pytest.skip("the real files are not in ../shared/data")
    url = _empty(server_url, "api_real")
    importer = Importer(url, chunk_bytes=8 << 20)
    for given in ("ml-latest-small", "imdb-subset-2017", "tmdb/movies_metadata.csv.gz"):
        assert importer(DATA / given)["state"] == "completed"
    return url


@pytest.fixture(scope="module")
def sample_url(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    url, folder = _empty(server_url, "api_sample"), tmp_path_factory.mktemp("sample")
    importer = Importer(url, chunk_bytes=8 << 20)
    for sample in SAMPLES:
        sample.write(folder / sample.name, Wish(scale=0.005, seed=1, movielens_scale=0.02), lambda _: None)
        assert importer(folder / sample.name)["state"] == "completed"
    return url


@pytest.fixture(scope="module")
def sample(sample_url: str) -> Iterator[httpx.Client]:
    with client(sample_url) as made:
        yield made


@pytest.fixture(scope="module")
def real(real_url: str) -> Iterator[httpx.Client]:
    with client(real_url) as made:
        yield made


each = pytest.mark.parametrize(("query", "source", "statement"), QUESTIONS, ids=[query for query, _, _ in QUESTIONS])


@each
def test_the_answer_is_what_sql_gives(
    real: httpx.Client, real_url: str, query: str, source: str, statement: str
) -> None:
    _compare(real, real_url, query, source, statement)


@each
def test_the_answer_on_a_sample_is_what_sql_gives(
    sample: httpx.Client, sample_url: str, query: str, source: str, statement: str
) -> None:
    _compare(sample, sample_url, query, source, statement)


def _compare(reader: httpx.Client, url: str, query: str, source: str, statement: str) -> None:
    expected = {row[0] for row in Importer(url).rows(statement)}
    found = walk(reader, f"/api/v1/movies?{query}&limit=100")
    assert {movie["ids"][source] for movie in found} == expected
    assert len(found) == len(expected) > 0
    [sort] = parse_qs(query).get("sort", [""])
    if sort in _SORTED:
        places = [_SORTED[sort](movie) for movie in found]
        assert places == sorted(places)
