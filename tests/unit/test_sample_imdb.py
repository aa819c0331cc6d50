"""IMDb's sample: exact formats and counts, files that agree with each other and with the MovieLens sample."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from reelbase.datasets.imdb import IMDB
from reelbase.errors import UsageError
from reelbase.sample import write_imdb, write_movielens
from reelbase.sample.ids import Ids, Stretch, texts_of
from reelbase.sample.imdb import counts, titles

SCALE, MOVIELENS_SCALE, SEED = 0.001, 0.02, 1
HEADERS = {
    "title.basics": "tconst titleType primaryTitle originalTitle isAdult startYear endYear runtimeMinutes genres",
    "title.ratings": "tconst averageRating numVotes",
    "title.akas": "titleId ordering title region language types attributes isOriginalTitle",
    "title.crew": "tconst directors writers",
    "title.episode": "tconst parentTconst seasonNumber episodeNumber",
    "title.principals": "tconst ordering nconst category job characters",
    "name.basics": "nconst primaryName birthYear deathYear primaryProfession knownForTitles",
}
SHA256_OF_THE_FILES = "a02a2b7a0d4a25d9073021982548f52f4284c5191b367c33acada97037f3885f"

Row = list[str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("imdb")
    write_imdb(made, scale=SCALE, seed=SEED, movielens_scale=MOVIELENS_SCALE, plain=True)
    return made


@pytest.fixture(scope="module")
def files(folder: Path) -> dict[str, list[Row]]:
    """The rows of each file, without the header."""
    return {name: rows((folder / f"{name}.tsv").read_text(encoding="utf-8")) for name in HEADERS}


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    """MovieLens' titles and genres by the tconst that links.csv leads to."""
    made = tmp_path_factory.mktemp("movielens")
    write_movielens(made, scale=MOVIELENS_SCALE, seed=SEED)
    with (made / "movies.csv").open(newline="") as movies, (made / "links.csv").open(newline="") as ids:
        known = {row["movieId"]: (row["title"], row["genres"]) for row in csv.DictReader(movies)}
        return {f"tt{row['imdbId']}": known[row["movieId"]] for row in csv.DictReader(ids)}


def rows(text: str) -> list[Row]:
    assert text.endswith("\n")
    return [line.split("\t") for line in text.split("\n")[1:-1]]


def is_sorted(keys: list[str]) -> bool:
    """As the publisher's files are: by bytes, so that tt10000000 stands before tt1000001; no key twice."""
    return all(one.encode() < other.encode() for one, other in pairwise(keys))


def test_scale_one_has_the_counts_of_2026() -> None:
    wanted = counts(1)
    assert wanted.records == 212_702_007
    assert (wanted.basics, wanted.principals, wanted.akas) == (12_717_779, 101_214_175, 58_943_401)


@pytest.mark.parametrize("name", HEADERS)
def test_headers_and_fields_are_the_publishers(folder: Path, files: dict[str, list[Row]], name: str) -> None:
    content = (folder / f"{name}.tsv").read_bytes()
    header = HEADERS[name].split()
    assert content.startswith("\t".join(header).encode() + b"\n")
    assert b"\r" not in content
    assert {len(row) for row in files[name]} == {len(header)}
    assert not [row for row in files[name] if not all(row)]
    declared = next(table for table in IMDB.tables if table.name == name.replace(".", "_"))
    assert header == [column.header for column in declared.columns]


def test_counts_go_with_the_scale(files: dict[str, list[Row]]) -> None:
    wanted = counts(SCALE)
    assert {name: len(found) for name, found in files.items()} == {
        "title.basics": 12_718,
        "title.ratings": 1_705,
        "title.akas": 58_943,
        "title.crew": 12_717,
        "title.episode": 9_831,
        "title.principals": 101_214,
        "name.basics": 15_574,
    }
    assert sum(map(len, files.values())) == wanted.records


def test_files_are_sorted_by_id_and_keys_are_unique(files: dict[str, list[Row]]) -> None:
    for name in ("title.basics", "title.ratings", "title.crew", "title.episode", "name.basics"):
        assert is_sorted([row[0] for row in files[name]]), name
    for name in ("title.akas", "title.principals"):
        keys = [(row[0].encode(), int(row[1])) for row in files[name]]
        assert keys == sorted(set(keys)), name


def test_ids_have_seven_or_eight_digits(files: dict[str, list[Row]]) -> None:
    for name, letters in (("title.basics", "tt"), ("name.basics", "nm")):
        ids = [row[0] for row in files[name]]
        assert all(re.fullmatch(rf"{letters}\d{{7,8}}", one) for one in ids)
        assert 0.2 < sum(len(one) == 10 for one in ids) / len(ids) < 0.8
        assert any(one.startswith(f"{letters}0") for one in ids)


def test_kinds_of_titles_are_mixed_as_on_imdb(files: dict[str, list[Row]]) -> None:
    kinds = Counter(row[1] for row in files["title.basics"])
    assert kinds["tvEpisode"] == pytest.approx(9_831, abs=4)
    assert 500 < kinds["movie"] < 1_600
    assert 900 < kinds["short"] < 1_400
    assert {"video", "tvSeries", "tvMovie", "tvMiniSeries", "tvSpecial", "videoGame", "tvShort"} <= set(kinds)


def test_basics_are_as_basics_are(files: dict[str, list[Row]]) -> None:
    found = files["title.basics"]
    assert {row[4] for row in found} == {"0", "1"}
    for column in (5, 6, 7):
        values = {row[column] for row in found}
        assert "\\N" in values
        assert all(value == "\\N" or 0 < int(value) < 3_000 for value in values)
    genres = Counter(row[8] for row in found)
    assert genres["\\N"] > 100
    assert max(genre.count(",") for genre in genres) == 2
    assert any(row[2] != row[3] for row in found)


@pytest.mark.parametrize(
    "title", ['"Silent Harbor', "None", "NA", "null", "nan", "AC\\DC: Broken Bridge", "100%", "日本の夏", '"']
)
def test_titles_have_the_oddities_of_the_real_ones(files: dict[str, list[Row]], title: str) -> None:
    known = [row for row in files["title.basics"] if row[2] == title]
    assert known
    akas = [row for row in files["title.akas"] if row[0] == known[0][0] and row[1] == "1"]
    assert not akas or akas[0][2] == known[0][3]


def test_ratings_are_as_ratings_are(files: dict[str, list[Row]]) -> None:
    found = files["title.ratings"]
    assert all(re.fullmatch(r"(10|[1-9])\.\d", average) and float(average) <= 10 for _, average, _ in found)
    votes = sorted(int(number) for *_, number in found)
    assert votes[0] >= 5
    assert votes[-1] > 1_000_000
    assert sum(votes[-len(votes) // 100 :]) > sum(votes) / 4, "a hundredth of the titles has much of the votes"


def test_principals_are_as_principals_are(files: dict[str, list[Row]]) -> None:
    found = files["title.principals"]
    written = {row[5] for row in found} - {"\\N"}
    assert all(isinstance(json.loads(characters), list) for characters in written)
    assert any('\\"' in characters for characters in written)
    assert any(characters.count('","') for characters in written)
    assert {"self", "actor", "actress", "director", "writer", "producer"} <= {row[3] for row in found}
    orderings = Counter(row[0] for row in found)
    assert max(orderings.values()) <= 24
    people = Counter(row[2] for row in found)
    assert max(people.values()) > 10 * len(found) / len(people) > 10


def test_crew_agrees_with_principals(files: dict[str, list[Row]]) -> None:
    crew = {tconst: (directors, writers) for tconst, directors, writers in files["title.crew"]}
    for tconst, _, nconst, category, *_ in files["title.principals"]:
        if tconst in crew and category in ("director", "writer"):
            assert nconst in crew[tconst][category == "writer"].split(",")
    assert any("," in writers for _, writers in crew.values())
    assert 0.3 < sum(directors == "\\N" for directors, _ in crew.values()) / len(crew) < 0.7


def test_akas_are_as_akas_are(files: dict[str, list[Row]]) -> None:
    found = files["title.akas"]
    assert any("\x02" in row[5] for row in found)
    assert any("\x02" in row[6] for row in found)
    assert {row[7] for row in found} == {"0", "1"}
    accented, cyrillic, greek = "[\xc0-\xff]", "[\u0430-\u044f]", "[\u03b1-\u03c9]"
    kana, han, devanagari, arabic = "[\u3041-\u3093]", "[\u4e00-\u9fff]", "[\u0900-\u097f]", "[\u0600-\u06ff]"
    for letters in (accented, cyrillic, greek, kana, han, devanagari, arabic):
        assert any(re.search(letters, row[2]) for row in found), letters
    assert all(row[2] != "\\N" for row in found)


def test_people_are_as_people_are(files: dict[str, list[Row]]) -> None:
    found = files["name.basics"]
    known = [row[5] for row in found if row[5] != "\\N"]
    assert len(known) > len(found) / 2
    in_titles = {row[0] for row in files["title.basics"]}
    named = {(row[2], row[0]) for row in files["title.principals"]}
    assert all((row[0], title) in named for row in found if row[5] != "\\N" for title in row[5].split(","))
    assert sum(title in in_titles for row in known for title in row.split(",")) > 0.99 * len(known)
    assert 0.01 < sum(row[2] != "\\N" for row in found) / len(found) < 0.1
    assert any("," in row[4] for row in found)


@pytest.mark.parametrize(
    ("name", "column", "target"),
    [
        ("title.ratings", 0, "title.basics"),
        ("title.akas", 0, "title.basics"),
        ("title.crew", 0, "title.basics"),
        ("title.episode", 0, "title.basics"),
        ("title.episode", 1, "title.basics"),
        ("title.principals", 0, "title.basics"),
        ("title.principals", 2, "name.basics"),
    ],
)
def test_nearly_all_references_lead_somewhere(files: dict[str, list[Row]], name: str, column: int, target: str) -> None:
    known = {row[0] for row in files[target]}
    missing = sum(row[column] not in known for row in files[name])
    assert missing < 0.005 * len(files[name])


def test_some_references_lead_nowhere(files: dict[str, list[Row]]) -> None:
    titles_known = {row[0] for row in files["title.basics"]}
    people_known = {row[0] for row in files["name.basics"]}
    assert any(row[0] not in titles_known for row in files["title.principals"])
    assert any(row[2] not in people_known for row in files["title.principals"])


def test_episodes_belong_to_series(files: dict[str, list[Row]]) -> None:
    kinds = {row[0]: row[1] for row in files["title.basics"]}
    parents = {kinds.get(row[1], "missing") for row in files["title.episode"]}
    assert {"tvSeries", "tvMiniSeries"} <= parents <= {"tvSeries", "tvMiniSeries", "missing"}
    called = {row[0]: row[2] for row in files["title.basics"]}
    numbered = [row for row in files["title.episode"] if called.get(row[0], "").startswith("Episode #")]
    assert numbered
    assert all(called[row[0]] == f"Episode #{row[2]}.{row[3]}" for row in numbered)
    assert any(row[2:] == ["\\N", "\\N"] for row in files["title.episode"])


def test_movielens_links_lead_to_titles_of_the_same_name_and_year(
    files: dict[str, list[Row]], links: dict[str, tuple[str, str]]
) -> None:
    found = {row[0]: row for row in files["title.basics"]}
    resolved = [tconst for tconst in links if tconst in found]
    assert 0.95 < len(resolved) / len(links) < 1
    rated = {row[0] for row in files["title.ratings"]}
    assert set(resolved) <= rated
    agreeing = 0
    for tconst in resolved:
        source, genres = links[tconst]
        _, kind, title, original, _, year, *_ = found[tconst]
        assert kind in ("movie", "tvMovie", "video", "short", "tvSeries")
        words = title.split()
        assert words[-1].strip("?") in source or original.split()[-1] in source
        agreeing += f"({year})" in source
        assert genres != "Comedy" or found[tconst][8] == "Comedy"
    assert agreeing > 0.95 * len(resolved)


def test_packed_files_hold_the_same_as_plain_ones(folder: Path, tmp_path: Path) -> None:
    paths = write_imdb(tmp_path, scale=SCALE, seed=SEED, movielens_scale=MOVIELENS_SCALE)
    assert sorted(path.name for path in paths) == sorted(f"{name}.tsv.gz" for name in HEADERS)
    for path in paths:
        assert gzip.decompress(path.read_bytes()) == (folder / path.name.removesuffix(".gz")).read_bytes()


def test_the_same_scale_and_seed_give_the_same_content(folder: Path, tmp_path: Path) -> None:
    whole = hashlib.sha256()
    for name in sorted(HEADERS):
        whole.update((folder / f"{name}.tsv").read_bytes())
    assert whole.hexdigest() == SHA256_OF_THE_FILES
    write_imdb(tmp_path, scale=SCALE, seed=SEED + 1, movielens_scale=MOVIELENS_SCALE, plain=True)
    assert (tmp_path / "title.basics.tsv").read_bytes() != (folder / "title.basics.tsv").read_bytes()


@pytest.mark.parametrize("scale", [1e-9, 1e-6, 2e-5, 4e-4])
def test_any_small_scale_gives_at_least_one_of_each(tmp_path: Path, scale: float) -> None:
    write_imdb(tmp_path, scale=scale, seed=3, plain=True)
    found = {name: len(rows((tmp_path / f"{name}.tsv").read_text())) for name in HEADERS}
    assert min(found.values()) >= 1
    assert sum(found.values()) == counts(scale).records


@pytest.mark.parametrize(("scale", "movielens_scale"), [(0.02, 0.5), (1.0, 1.0), (3.0, 1.0), (6.0, 2.0)])
def test_ids_are_unique_in_any_block_of_any_scale(scale: float, movielens_scale: float) -> None:
    found = titles(scale=scale, seed=1, movielens_scale=movielens_scale)
    last = ""
    for number in (*range(12), *range(found.blocks // 2, found.blocks // 2 + 3), found.blocks - 1):
        block = found.block(number)
        assert is_sorted([last, *block.tconsts])
        assert block.ids.past - block.ids.first == len(block.tconsts) == len(block.kinds)
        last = block.tconsts[-1]
    assert block.ids.past == found.count


def test_a_scale_beyond_the_ids_of_eight_digits_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not enough title ids"):
        write_imdb(tmp_path / "none", scale=20, seed=1, movielens_scale=0.01)
    assert not (tmp_path / "none").exists()


def test_given_ids_take_the_places_of_others() -> None:
    given = [3, 4, 5, 6, 50, 99, 250]
    ids = Ids("some ids", (Stretch(1, 101, 40),), blocks=3, seed=1, given=given)
    numbers = [number for block in range(3) for number in ids.block(block).numbers]
    assert ids.given == 6
    assert len(numbers) == 40
    assert numbers == sorted(set(numbers))
    assert set(given) - set(numbers) == {250}


def test_ids_of_eight_digits_stand_behind_those_of_seven() -> None:
    ids = Ids("some ids", (Stretch(1_000_000, 1_000_003, 33, tens=True),), blocks=1, seed=1, given=[10_000_010])
    texts = texts_of("tt", ids.block(0).numbers)
    assert texts[:3] == ["tt1000000", "tt10000000", "tt10000001"]
    assert is_sorted(texts)
