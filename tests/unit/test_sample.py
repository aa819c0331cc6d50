"""The sample: exact formats and counts, the same bytes each time, and every oddity of the real files."""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter
from pathlib import Path

import pytest

from reelbase.datasets import DATASETS
from reelbase.datasets.movielens import MOVIELENS
from reelbase.errors import UsageError
from reelbase.sample import SAMPLES, Sample, Wish, counts, write_movielens

HEADERS = {
    "movies.csv": "movieId,title,genres",
    "ratings.csv": "userId,movieId,rating,timestamp",
    "tags.csv": "userId,movieId,tag,timestamp",
    "links.csv": "movieId,imdbId,tmdbId",
    "genome-scores.csv": "movieId,tagId,relevance",
    "genome-tags.csv": "tagId,tag",
}
SHA256_OF_SCALE_THOUSANDTH_SEED_7 = "a7ebb4ee3cc9ca11ceebda84921cf37e7707ba3a30126fd58ae67b5b5462e522"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("sample")
    write_movielens(made, scale=0.01, seed=1)
    return made


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, strict=True))[1:]


def digest(folder: Path) -> str:
    whole = hashlib.sha256()
    for name in sorted(HEADERS):
        whole.update((folder / name).read_bytes())
    return whole.hexdigest()


def test_scale_one_is_movielens_20m() -> None:
    wanted = counts(1)
    assert (wanted.movies, wanted.ratings, wanted.tags, wanted.users) == (27_278, 20_000_263, 465_564, 138_493)
    assert (wanted.genome_tags, wanted.genome_movies, wanted.genome_scores) == (1_128, 10_381, 11_709_768)


@pytest.mark.parametrize("name", sorted(HEADERS))
def test_headers_and_line_ends_are_the_publishers(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    assert content.startswith(HEADERS[name].encode() + b"\r\n")
    assert content.endswith(b"\r\n")
    assert content.count(b"\r\n") == content.count(b"\n") == content.count(b"\r")
    content.decode("utf-8")


def test_headers_are_the_declared_ones() -> None:
    declared = {",".join(column.header for column in table.columns) for table in MOVIELENS.tables}
    assert set(HEADERS.values()) <= declared


def test_counts_go_with_the_scale(folder: Path) -> None:
    found = {name: len(rows(folder / name)) for name in HEADERS}
    assert found == {
        "movies.csv": 273,
        "ratings.csv": 200_003,
        "tags.csv": 4_656,
        "links.csv": 273,
        "genome-scores.csv": 104 * 113,
        "genome-tags.csv": 113,
    }


def test_progress_adds_up_to_the_records(tmp_path: Path) -> None:
    seen: list[int] = []
    paths = write_movielens(tmp_path, scale=0.001, seed=1, progress=seen.append)
    assert sum(seen) == counts(0.001).records
    assert sorted(path.name for path in paths) == sorted(HEADERS)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(HEADERS)


def test_the_same_scale_and_seed_give_the_same_bytes(tmp_path: Path) -> None:
    write_movielens(tmp_path / "known", scale=0.001, seed=7)
    write_movielens(tmp_path / "other", scale=0.001, seed=8)
    assert digest(tmp_path / "known") == SHA256_OF_SCALE_THOUSANDTH_SEED_7
    assert digest(tmp_path / "other") != SHA256_OF_SCALE_THOUSANDTH_SEED_7


@pytest.mark.parametrize("scale", [1e-9, 1e-4, 3e-4, 0.002])
def test_any_small_scale_gives_at_least_one_of_each(tmp_path: Path, scale: float) -> None:
    write_movielens(tmp_path, scale=scale, seed=3)
    assert all(rows(tmp_path / name) for name in HEADERS)
    assert len(rows(tmp_path / "ratings.csv")) == counts(scale).ratings


@pytest.mark.parametrize("scale", [0, -1, float("nan"), float("inf")])
def test_a_scale_that_is_no_number_above_zero_is_refused(tmp_path: Path, scale: float) -> None:
    with pytest.raises(UsageError, match="scale"):
        write_movielens(tmp_path / "none", scale=scale, seed=1)
    assert not (tmp_path / "none").exists()


def test_a_broken_write_leaves_nothing(tmp_path: Path) -> None:
    def stop(records: int) -> None:
        raise KeyboardInterrupt(records)

    with pytest.raises(KeyboardInterrupt):
        write_movielens(tmp_path, scale=0.001, seed=1, progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_ratings_are_sorted_unique_and_look_like_ratings(folder: Path) -> None:
    found = rows(folder / "ratings.csv")
    pairs = [(int(user), int(movie)) for user, movie, _, _ in found]
    assert pairs == sorted(set(pairs))
    users = Counter(user for user, _ in pairs)
    assert sorted(users) == list(range(1, 1386))
    assert min(users.values()) == 20
    stars = Counter(rating for _, _, rating, _ in found)
    assert set(stars) == {f"{half / 2:.1f}" for half in range(1, 11)}
    assert [name for name, _ in stars.most_common(4)] == ["4.0", "3.0", "5.0", "3.5"]
    assert sum(stars[name] for name in stars if name.endswith(".5")) / len(found) == pytest.approx(0.257, abs=0.04)
    times = [int(time) for *_, time in found]
    assert 789_652_009 <= min(times) < max(times) <= 1_427_784_002


def test_some_movies_are_never_rated_and_no_rating_is_of_an_unknown_movie(folder: Path) -> None:
    known = {row[0] for row in rows(folder / "movies.csv")}
    rated = {row[1] for row in rows(folder / "ratings.csv")}
    assert rated < known
    assert len(known - rated) == 5
    assert {row[1] for row in rows(folder / "tags.csv")} <= rated
    assert {row[0] for row in rows(folder / "genome-scores.csv")} <= known
    assert [row[0] for row in rows(folder / "links.csv")] == [row[0] for row in rows(folder / "movies.csv")]


def test_movie_ids_rise_with_gaps(folder: Path) -> None:
    ids = [int(row[0]) for row in rows(folder / "movies.csv")]
    assert ids == sorted(set(ids))
    assert ids[-1] > 3 * len(ids)


@pytest.mark.parametrize(
    "pattern",
    [
        r'^"[^"]+" .+ \(\d{4}\)$',
        r".+, (The|A) \(\d{4}\)$",
        r".+, (L'|Les|La|Le|El|Der|Die|Das|Une|Los|Las|Il) \(\d{4}\)$",
        r"\(a\.k\.a\. [^)]+\) \(\d{4}\)$",
        r"\(a\.k\.a\. [^)]+\) \([^)]+\) \(\d{4}\)$",
        r"\(\d{4}\) $",
        r"^[^()]+$",
        r"^(None|NA|null|nan|N/A) \(",
        r"^2001: A .+ \(\d{4}\)$",
        r"\((\d{4})\) \(\1\)$",
        r"[À-ÿ]",
    ],
)
def test_titles_have_the_oddities_of_the_real_ones(folder: Path, pattern: str) -> None:
    assert any(re.search(pattern, title) for _, title, _ in rows(folder / "movies.csv"))


def test_a_title_comes_twice_and_genres_are_movielens(folder: Path) -> None:
    found = rows(folder / "movies.csv")
    assert max(Counter(title for _, title, _ in found).values()) == 2
    marks = Counter(genres for *_, genres in found)
    assert marks["(no genres listed)"] >= 1
    assert any(genres.count("|") >= 2 for genres in marks)


def test_tags_have_the_oddities_of_the_real_ones(folder: Path) -> None:
    found = rows(folder / "tags.csv")
    texts = {tag for _, _, tag, _ in found}
    assert Counter(tag for _, _, tag, _ in found)[""] == 3
    assert {"6,5-filmaffinity", "1970", "00123", 'the "good" one', "null", "NA", "\\N", "\\.", "日本"} <= texts
    assert len({tuple(row[:3]) for row in found}) == len(found)
    keys = [(int(user), int(movie)) for user, movie, _, _ in found]
    assert keys == sorted(keys)


def test_links_are_padded_unique_and_sometimes_without_tmdb(folder: Path) -> None:
    found = rows(folder / "links.csv")
    assert {len(imdb) for _, imdb, _ in found} == {7, 8}
    assert any(imdb.startswith("0") for _, imdb, _ in found)
    assert len({imdb for _, imdb, _ in found}) == len(found)
    tmdb = Counter(number for *_, number in found)
    assert tmdb.pop("") == 3
    assert max(tmdb.values()) == 2


def test_the_genome_is_dense_sorted_and_between_0_and_1(folder: Path) -> None:
    found = rows(folder / "genome-scores.csv")
    pairs = [(int(movie), int(tag)) for movie, tag, _ in found]
    movies = sorted({movie for movie, _ in pairs})
    assert pairs == [(movie, tag) for movie in movies for tag in range(1, 114)]
    assert all(0 < float(relevance) < 1 for *_, relevance in found)
    assert {len(relevance) > 15 for *_, relevance in found} == {True, False}
    words = [tag for _, tag in rows(folder / "genome-tags.csv")]
    assert words == sorted(set(words))


def test_every_dataset_has_a_sample() -> None:
    assert [one.name for one in SAMPLES] == [dataset.name for dataset in DATASETS]


@pytest.mark.parametrize("one", SAMPLES, ids=lambda one: one.name)
def test_a_sample_writes_as_many_records_as_it_says(tmp_path: Path, one: Sample) -> None:
    wish = Wish(scale=0.0005, seed=2, movielens_scale=0.001)
    seen: list[int] = []
    paths = one.write(tmp_path, wish, seen.append)
    assert sum(seen) == one.records(wish)
    assert sorted(paths) == sorted(tmp_path.iterdir())


def test_every_sample_refuses_a_scale_that_is_no_number_above_zero() -> None:
    for one in SAMPLES:
        with pytest.raises(UsageError, match="scale"):
            one.records(Wish(scale=0, seed=1))
