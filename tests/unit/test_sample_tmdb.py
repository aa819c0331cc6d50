"""TMDb's sample: three shapes with exact headers, and movies that MovieLens' links and IMDb's ids lead to."""

from __future__ import annotations

import ast
import csv
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from reelbase.errors import UsageError
from reelbase.sample import SHAPES, write_imdb, write_movielens, write_tmdb
from reelbase.sample.tmdb import counts

SCALE, MOVIELENS_SCALE, SEED = 0.001, 0.01, 1
FILES = {
    "v11": ("TMDB_movie_dataset_v11.csv", "credits.csv"),
    "metadata": ("movies_metadata.csv", "credits.csv", "keywords.csv"),
    "fifteen": ("tmdb_movies.csv",),
}
HEADERS = {
    "TMDB_movie_dataset_v11.csv": (
        "id,title,vote_average,vote_count,status,release_date,revenue,runtime,adult,backdrop_path,budget,homepage,"
        "imdb_id,original_language,original_title,overview,popularity,poster_path,tagline,genres,production_companies,"
        "production_countries,spoken_languages,keywords"
    ),
    "movies_metadata.csv": (
        "adult,belongs_to_collection,budget,genres,homepage,id,imdb_id,original_language,original_title,overview,"
        "popularity,poster_path,production_companies,production_countries,release_date,revenue,runtime,"
        "spoken_languages,status,tagline,title,video,vote_average,vote_count"
    ),
    "tmdb_movies.csv": (
        "budget,homepage,original_language,original_title,overview,release_date,revenue,runtime,status,title,"
        "vote_average,vote_count,production_company_id,genre_id,languages"
    ),
    "credits.csv": "cast,crew,id",
    "keywords.csv": "id,keywords",
}
SHA256_OF_THE_FILES = "306ab9292f16944f77730747cb05d7ae200e7553db2d4c2b56177f041ccad8e3"

Row = dict[str, str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample in each shape, and those of MovieLens and IMDb that it belongs to."""
    made = tmp_path_factory.mktemp("tmdb")
    for shape in FILES:
        write_tmdb(made / shape, scale=SCALE, seed=SEED, movielens_scale=MOVIELENS_SCALE, shape=shape)
    write_movielens(made / "movielens", scale=MOVIELENS_SCALE, seed=SEED)
    write_imdb(made / "imdb", scale=SCALE, seed=SEED, movielens_scale=MOVIELENS_SCALE, plain=True)
    return made


@pytest.fixture(autouse=True)
def _large_fields() -> Iterator[None]:
    before = csv.field_size_limit(1 << 24)
    yield
    csv.field_size_limit(before)


def rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


@pytest.fixture
def v11(folder: Path) -> list[Row]:
    return rows(folder / "v11" / "TMDB_movie_dataset_v11.csv")


@pytest.fixture
def metadata(folder: Path) -> list[Row]:
    return rows(folder / "metadata" / "movies_metadata.csv")


@pytest.fixture
def fifteen(folder: Path) -> list[Row]:
    return rows(folder / "fifteen" / "tmdb_movies.csv")


def test_scale_one_is_a_million_movies() -> None:
    assert counts(1).movies == 1_000_000
    assert counts(1).credits == 45_476
    assert counts(0.5, "metadata").records == 1_500_000
    assert counts(0.5, "fifteen").records == 500_000


@pytest.mark.parametrize("shape", FILES)
def test_each_shape_has_its_files_headers_and_counts(folder: Path, shape: str) -> None:
    wanted = counts(SCALE, shape)
    assert tuple(path.name for path in sorted((folder / shape).iterdir())) == tuple(sorted(FILES[shape]))
    for name, count in zip(FILES[shape], (wanted.movies, wanted.credits, wanted.keywords), strict=False):
        content = (folder / shape / name).read_bytes()
        assert content.startswith(HEADERS[name].encode() + b"\n")
        assert content.endswith(b"\n")
        found = rows(folder / shape / name)
        assert len(found) == count
        assert {len(row) for row in found} == {len(HEADERS[name].split(","))}
        assert all(None not in row.values() for row in found), "no record is too short"


def test_every_shape_is_tested() -> None:
    assert set(FILES) == set(SHAPES)


def test_an_unknown_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="sixteen"):
        write_tmdb(tmp_path / "none", scale=0.001, seed=1, shape="sixteen")
    assert not (tmp_path / "none").exists()


def test_ids_rise_and_are_unique(folder: Path, v11: list[Row], metadata: list[Row]) -> None:
    ids = [int(row["id"]) for row in v11]
    assert ids == sorted(set(ids))
    assert ids == [int(row["id"]) for row in metadata]
    assert ids == [int(row["id"]) for row in rows(folder / "metadata" / "credits.csv")]
    some = [int(row["id"]) for row in rows(folder / "v11" / "credits.csv")]
    assert some == sorted(set(some) & set(ids))


def test_overviews_hold_commas_quotes_and_line_breaks(v11: list[Row]) -> None:
    overviews = [row["overview"] for row in v11]
    assert "" in overviews
    for sign in (",", '"', "\n", "\r\n", "\u2028"):
        assert any(sign in text for text in overviews), repr(sign)


def test_values_are_spelled_as_in_v11(v11: list[Row]) -> None:
    assert {row["adult"] for row in v11} == {"True", "False"}
    assert {row["runtime"].isdigit() for row in v11} == {True}
    assert all(row["release_date"] == "" or re.fullmatch(r"\d{4}-\d\d-\d\d", row["release_date"]) for row in v11)
    assert any(row["release_date"] == "" for row in v11)
    assert any(", " in row["genres"] for row in v11)
    assert any(", " in row["keywords"] for row in v11)
    assert max(int(row["revenue"]) for row in v11) > 1 << 31
    assert all(re.fullmatch(r"\d+(\.\d{0,2}[1-9])?", row["vote_average"]) for row in v11)
    assert {"0"} < {row["vote_average"] for row in v11}


def test_values_are_spelled_as_in_movies_metadata(metadata: list[Row]) -> None:
    assert all(row["runtime"] == "" or re.fullmatch(r"\d+\.0", row["runtime"]) for row in metadata)
    assert {row["runtime"] == "" for row in metadata} == {True, False}
    for row in metadata:
        for name, keys in (
            ("genres", {"id", "name"}),
            ("production_companies", {"id", "name"}),
            ("production_countries", {"iso_3166_1", "name"}),
            ("spoken_languages", {"iso_639_1", "name"}),
        ):
            assert all(set(item) == keys for item in ast.literal_eval(row[name]))
    collections = [ast.literal_eval(row["belongs_to_collection"]) for row in metadata if row["belongs_to_collection"]]
    assert collections
    assert all(set(one) == {"id", "name", "poster_path", "backdrop_path"} for one in collections)
    assert any('"' in row["production_companies"] for row in metadata), "a name with an apostrophe"


def test_values_are_spelled_as_in_the_export_of_fifteen_columns(fifteen: list[Row]) -> None:
    assert all(re.fullmatch(r"\d+\.0", row[name]) for row in fifteen for name in ("budget", "revenue", "vote_count"))
    assert all(row["runtime"] == "" or row["runtime"].isdigit() for row in fifteen)
    assert all(isinstance(ast.literal_eval(row["languages"]), list) for row in fifteen)
    assert any("Français" in row["languages"] for row in fifteen)
    assert "1" in {row["genre_id"] for row in fifteen}


def test_credits_and_keywords_are_python_literals(folder: Path) -> None:
    credits_found = rows(folder / "metadata" / "credits.csv")
    for row in credits_found[:200]:
        assert all({"character", "name", "order"} <= set(player) for player in ast.literal_eval(row["cast"]))
        assert all({"job", "department", "name"} <= set(worker) for worker in ast.literal_eval(row["crew"]))
    assert max(len(row["cast"]) for row in credits_found) > 10_000
    keywords = rows(folder / "metadata" / "keywords.csv")
    assert any(row["keywords"] == "[]" for row in keywords)
    assert any(ast.literal_eval(row["keywords"]) for row in keywords)


def test_movielens_links_lead_to_movies_of_the_same_name_and_year(folder: Path, v11: list[Row]) -> None:
    found = {row["id"]: row for row in v11}
    titles = {row["movieId"]: row["title"] for row in rows(folder / "movielens" / "movies.csv")}
    linked = [row for row in rows(folder / "movielens" / "links.csv") if row["tmdbId"]]
    resolved = [row for row in linked if row["tmdbId"] in found]
    assert 0.95 < len(resolved) / len(linked) < 1
    agreeing = 0
    for row in resolved:
        movie, source = found[row["tmdbId"]], titles[row["movieId"]]
        agreeing += (
            movie["title"].split()[-1].strip("?") in source
            and movie["imdb_id"] in ("", f"tt{row['imdbId']}")
            and (not movie["release_date"] or f"({movie['release_date'][:4]}" in source or "(" not in source)
        )
    assert agreeing >= len(resolved) - 1, "two MovieLens movies may share one of TMDb's"
    with_imdb = [row for row in resolved if found[row["tmdbId"]]["imdb_id"]]
    assert 0.9 < len(with_imdb) / len(resolved) < 1
    credited = {row["id"] for row in rows(folder / "v11" / "credits.csv")}
    assert credited <= {row["tmdbId"] for row in resolved}, "the movies that are known best come first"


def test_imdb_ids_lead_to_titles_of_the_same_name_and_year(folder: Path, v11: list[Row]) -> None:
    lines = (folder / "imdb" / "title.basics.tsv").read_text(encoding="utf-8").split("\n")[1:-1]
    titles = {row[0]: row for row in (line.split("\t") for line in lines)}
    named = [row for row in v11 if row["imdb_id"]]
    assert 0.75 < len(named) / len(v11) < 0.95
    resolved = [row for row in named if row["imdb_id"] in titles]
    assert 0.98 < len(resolved) / len(named) < 1
    for row in resolved:
        _, _, title, original, adult, year, _, runtime, _ = titles[row["imdb_id"]]
        assert (row["title"], row["original_title"]) == (title, original)
        assert row["release_date"] == "" or row["release_date"][:4] == year
        assert row["runtime"] == runtime or (row["runtime"], runtime) == ("0", "\\N")
        assert row["adult"] == ("True" if adult == "1" else "False")


def test_the_same_scale_and_seed_give_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    whole = hashlib.sha256()
    for shape, names in FILES.items():
        for name in names:
            whole.update((folder / shape / name).read_bytes())
    assert whole.hexdigest() == SHA256_OF_THE_FILES
    write_tmdb(tmp_path, scale=SCALE, seed=SEED + 1, movielens_scale=MOVIELENS_SCALE)
    name = "TMDB_movie_dataset_v11.csv"
    assert (tmp_path / name).read_bytes() != (folder / "v11" / name).read_bytes()


@pytest.mark.parametrize("scale", [1e-9, 1e-6, 1e-4])
@pytest.mark.parametrize("shape", FILES)
def test_any_small_scale_gives_at_least_one_of_each(tmp_path: Path, scale: float, shape: str) -> None:
    write_tmdb(tmp_path, scale=scale, seed=3, shape=shape)
    assert all(rows(tmp_path / name) for name in FILES[shape])
