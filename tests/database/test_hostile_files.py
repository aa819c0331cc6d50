"""Values that no publisher means and that any file may hold: the import completes, and the catalog over it answers."""

from __future__ import annotations

import csv
import io
import random
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reelbase.catalog import browse, export, facets, movies, search
from reelbase.catalog.filters import Filters
from reelbase.database.connect import DictConnection, connect_dicts
from tests.database.test_catalog import AKAS, BASICS, FIFTEEN, METADATA, NAMES, TITLE_RATINGS
from tests.importing import MOVIES, Importer, csv_rows, write

GENOME = "movieId,tagId,relevance"
EVERYTHING = Filters(types=None)


@pytest.fixture
def asked(importer: Importer) -> Iterator[DictConnection]:
    with connect_dicts(importer.url) as connection:
        yield connection


def noise(length: int, letters: str = string.ascii_lowercase) -> str:
    """Letters that no compression makes short."""
    return "".join(random.Random(1).choices(letters, k=length))


def many_words(size: int) -> str:
    return " ".join(f"w{number}" for number in range(size // 7))


def basics(tconst: str, title: str, kind: str = "movie", genres: str = "Drama") -> str:
    return f"{tconst}\t{kind}\t{title}\t{title}\t0\t1999\t\\N\t90\t{genres}"


def metadata(number: int, **given: str) -> list[str]:
    """A record of movies_metadata.csv."""
    facts = {
        "genres": "[]",
        "id": str(number),
        "original_language": "en",
        "title": f"Movie {number}",
        "release_date": "2001-02-03",
        "spoken_languages": "[]",
        "vote_average": "7",
        "vote_count": "10",
        **given,
    }
    return [facts.get(name, "") for name in METADATA.split(",")]


def without_id(**given: str) -> list[str]:
    """A record of the export of fifteen columns."""
    facts = {"release_date": "1999-01-01", "title": "Same", "languages": "[]", **given}
    return [facts.get(name, "") for name in FIFTEEN.split(",")]


def completed(done: dict[str, Any]) -> bool:
    assert done["error"] is None
    return bool(done["state"] == "completed")


# Length


@pytest.mark.parametrize(
    "title",
    [f"Heat {noise(5000)}", f"Heat {noise(5000, 'äßあ𠀀¼㏇㎯')}", f"Heat {many_words(1_600_000)}"],
    ids=["letters", "signs", "words"],
)
def test_a_title_of_any_length_is_shown_whole(
    importer: Importer, tmp_path: Path, asked: DictConnection, title: str
) -> None:
    assert completed(importer(write(tmp_path / "movies.csv", MOVIES, f"1,{title} (1999),Drama", "2,Up (1995),Drama")))
    by_title = browse.browse(asked, EVERYTHING, browse.Order(browse.Sort.TITLE, descending=False)).items
    assert {row["title"] for row in by_title} == {title, "Up"}
    found = search.movies(asked, search.movie_query(asked, "heat"), EVERYTHING)
    assert [row["title"] for row in found] == [title]


def test_a_title_of_any_length_without_an_id_is_one_movie(importer: Importer, tmp_path: Path) -> None:
    record = without_id(title=noise(5000))
    for _ in range(2):
        assert completed(importer(write(tmp_path / "export.csv", FIFTEEN, *csv_rows([record, record]))))
    assert importer.rows("select count(*), count(distinct id) from catalog.movies") == [(2, 2)]
    assert importer.rows("select count(*) from reelbase.movie_ids") == [(2,)]


def test_a_genre_is_cut_where_an_index_ends(importer: Importer, tmp_path: Path) -> None:
    genre = noise(5000)
    assert completed(importer(write(tmp_path / "movies.csv", MOVIES, f"1,Heat (1995),{genre}|Drama")))
    rows = [metadata(1, genres=f"[{{'id': 1, 'name': '{genre}'}}]")]
    assert completed(importer(write(tmp_path / "movies_metadata.csv", METADATA, *csv_rows(rows))))
    found = importer.rows("select genres from catalog.movies order by movielens_id")
    assert found == [([genre[:100], "Drama"],), ([genre[:100]],)]


def test_names_and_genres_of_imdb_are_of_any_length(importer: Importer, tmp_path: Path, asked: DictConnection) -> None:
    name = f"Al {noise(5000)}"
    files = [
        write(tmp_path / "basics.tsv", BASICS, basics("tt0000001", "Heat", genres=noise(5000))),
        write(tmp_path / "names.tsv", NAMES, f"nm0000001\t{name}\t\\N\t\\N\tactor\ttt0000001"),
    ]
    assert completed(importer(*files))
    assert [one["name"] for one in search.people(asked, search.person_query(asked, "al"))] == [name]


def test_a_movie_may_have_a_megabyte_of_other_titles(importer: Importer, tmp_path: Path, asked: DictConnection) -> None:
    akas = [f"tt0000001\t{n}\t{' '.join(f'x{n}y{m}' for m in range(60))}\t\\N\t\\N\t\\N\t\\N\t0" for n in range(4000)]
    files = [
        write(tmp_path / "basics.tsv", BASICS, basics("tt0000001", "Heat")),
        write(tmp_path / "akas.tsv", AKAS, *akas),
    ]
    assert completed(importer(*files))
    assert search.movies(asked, search.movie_query(asked, "x0y5"), EVERYTHING)[0]["title"] == "Heat"


def test_an_id_that_no_index_can_hold_is_a_bad_record(importer: Importer, tmp_path: Path) -> None:
    long = "tt" + noise(5000)
    done = importer(
        write(tmp_path / "basics.tsv", BASICS, basics("tt0000001", "Heat"), basics(long, "Long")),
    )
    assert completed(done)
    assert importer.rows("select tconst from imdb.title_basics") == [("tt0000001",)]
    [(line, _, column, reason, _)] = importer.rejects(done["id"])
    assert (line, column, reason) == (3, "tconst", "out_of_range")


# Numbers


@pytest.mark.parametrize("average", ["12345678901", "1e400", "1e-400", "-1e300"])
def test_an_average_that_is_none_is_no_rating(importer: Importer, tmp_path: Path, average: str) -> None:
    records = csv_rows([metadata(1, vote_average=average), metadata(2)])
    assert completed(importer(write(tmp_path / "movies_metadata.csv", METADATA, *records)))
    nothing = 0.0 if average == "1e-400" else None
    assert importer.rows("select rating from catalog.movies order by tmdb_id") == [(nothing,), (7.0,)]
    assert importer.rows("select vote_average::text from tmdb.movies where id = 1") != [(None,)]


@pytest.mark.parametrize("votes", ["2147483647", "-1", "-2147483648"])
def test_any_number_of_votes_can_be_searched_and_counted(
    importer: Importer, tmp_path: Path, asked: DictConnection, votes: str
) -> None:
    files = [
        write(tmp_path / "basics.tsv", BASICS, basics("tt0000001", "Heat"), basics("tt0000002", "Cold")),
        write(tmp_path / "ratings.tsv", TITLE_RATINGS, f"tt0000001\t7.0\t{votes}"),
        write(tmp_path / "names.tsv", NAMES, "nm0000001\tAl\t\\N\t\\N\tactor\ttt0000001"),
    ]
    assert completed(importer(*files))
    for typed in ("heat", "heatt", "h", "hea"):
        found = search.movies(asked, search.movie_query(asked, typed), EVERYTHING)
        assert [row["title"] for row in found] == ["Heat"], typed
    assert search.people(asked, search.person_query(asked, "al"))
    assert facets.facets(asked, EVERYTHING).counts["rating"] == {"7": 1}


@pytest.mark.parametrize("vectors", [True, False], ids=["vectors", "neighbours"])
@pytest.mark.parametrize("relevance", ["1e-60", "1e-200", "0"])
def test_a_genome_that_says_nothing_makes_nothing_similar(
    importer: Importer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, relevance: str, vectors: bool
) -> None:
    if not vectors:
        monkeypatch.setattr("reelbase.catalog.building.build._vectors", lambda _: None)
    scores = [f"{movie},{tag},{relevance if movie < 3 else 0.5}" for movie in (1, 2, 3, 4) for tag in (1, 2)]
    files = [
        write(tmp_path / "movies.csv", MOVIES, *(f"{number},Movie {number} (1999),Drama" for number in (1, 2, 3, 4))),
        write(tmp_path / "genome-scores.csv", GENOME, *scores),
    ]
    assert completed(importer(*files))
    table = "genome" if vectors else "neighbours"
    assert importer.rows(f"select distinct movie_id from catalog.{table} order by 1") == [(3,), (4,)]


def test_the_greatest_number_is_an_id(importer: Importer, tmp_path: Path, asked: DictConnection) -> None:
    assert completed(importer(write(tmp_path / "movies.csv", MOVIES, "2147483647,Heat (1995),Drama")))
    assert movies.find(asked, "movielens:2147483647") is not None
    assert movies.find(asked, "movielens:2147483648") is None
    assert movies.find(asked, "tmdb:99999999999999999999") is None


# Lists, letters, spreadsheets


def test_what_is_no_name_is_not_in_a_list_of_names(importer: Importer, tmp_path: Path) -> None:
    records = [
        metadata(1, spoken_languages="[None, {'iso_639_1': 'fr', 'name': ''}]", genres="[None, {'id': 3}, 'Odd', [1]]"),
        metadata(2, spoken_languages='[{"id": 5}]', genres='[{"id": 5, "name": null}]'),
    ]
    assert completed(importer(write(tmp_path / "movies_metadata.csv", METADATA, *csv_rows(records))))
    found = importer.rows("select languages, genres from catalog.movies order by tmdb_id")
    assert found == [(["fr"], ["Odd"]), ([], [])]


@pytest.mark.parametrize("title", ["हिन्दी फिल्म", "สวัสดี ประเทศไทย", "தமிழ்", "Ⓐ x", "½ Mensch", "君の名は", "x₂", "Ǆ"])
def test_a_title_in_any_script_is_found_by_its_words(
    importer: Importer, tmp_path: Path, asked: DictConnection, title: str
) -> None:
    records = csv_rows([[1, f"{title} (1999)", ""], [2, f"{title} again, and more (1999)", ""]])
    assert completed(importer(write(tmp_path / "movies.csv", MOVIES, *records)))
    found = search.movies(asked, search.movie_query(asked, title), EVERYTHING)
    assert {row["title"] for row in found} == {title, f"{title} again, and more"}


def test_no_column_of_the_csv_is_a_formula_whatever_the_file_says(
    importer: Importer, tmp_path: Path, asked: DictConnection
) -> None:
    importer(
        write(tmp_path / "basics.tsv", BASICS, basics("=tt1", "=1"), basics("tt0000002", "=2", kind="=a", genres="=b"))
    )
    movie = metadata(1, imdb_id="tt0000002", original_language="=c", spoken_languages="['=d']", overview="@e")
    records = csv_rows([movie])
    importer(write(tmp_path / "movies_metadata.csv", METADATA, *records))
    lines = list(csv.reader(io.StringIO(written(asked, export.Form.CSV))))
    assert len(lines) == 3
    assert not [text for line in lines for text in line if text[:1] in ("=", "@", "+")]


def test_dates_of_the_csv_are_the_same_under_any_datestyle(
    importer: Importer, tmp_path: Path, asked: DictConnection
) -> None:
    importer(write(tmp_path / "movies_metadata.csv", METADATA, *csv_rows([metadata(1)])))
    asked.execute("set datestyle to german")
    [row] = csv.DictReader(io.StringIO(written(asked, export.Form.CSV)))
    assert row["release_date"] == "2001-02-03"


def written(connection: DictConnection, form: export.Form) -> str:
    return b"".join(export.blocks(connection, form, EVERYTHING, browse.Order())).decode()


# Numbers of equals


def test_thousands_of_movies_with_one_title_and_no_id_stay_apart(importer: Importer, tmp_path: Path) -> None:
    """Pair by pair that would be 400 million comparisons: minutes, and gigabytes on disk."""
    records = [without_id(overview=str(number)) for number in range(20_000)]
    assert completed(importer(write(tmp_path / "export.csv", FIFTEEN, *csv_rows(records))))
    done = importer(write(tmp_path / "basics.tsv", BASICS, basics("tt0000001", "Same"), basics("tt0000002", "Other")))
    assert completed(done)
    assert importer.rows("select sources, count(*) from catalog.movies group by 1 order by 2") == [
        (["imdb"], 2),
        (["tmdb"], 20_000),
    ]
    assert [check["count"] for check in done["checks"] if check["name"] == "ambiguous_titles"] == [20_000]


def test_two_titles_of_one_movie_join_nothing_that_has_one_each(importer: Importer, tmp_path: Path) -> None:
    title = "tt0000001\tmovie\tFirst\tSecond\t0\t1999\t\\N\t90\tDrama"
    importer(write(tmp_path / "basics.tsv", BASICS, title))
    records = csv_rows([without_id(title="First"), without_id(title="Second")])
    importer(write(tmp_path / "export.csv", FIFTEEN, *records))
    assert importer.rows("select distinct sources from catalog.movies order by 1") == [(["imdb"],), (["tmdb"],)]


def test_a_movie_with_two_titles_joins_nothing_where_one_is_that_of_several(importer: Importer, tmp_path: Path) -> None:
    titles = [basics("tt0000001", "First"), basics("tt0000002", "Second"), basics("tt0000003", "Second")]
    importer(write(tmp_path / "basics.tsv", BASICS, *titles))
    record = without_id(title="First", original_title="Second")
    done = importer(write(tmp_path / "export.csv", FIFTEEN, *csv_rows([record])))
    assert importer.rows("select distinct sources from catalog.movies order by 1") == [(["imdb"],), (["tmdb"],)]
    assert [check["count"] for check in done["checks"] if check["name"] == "ambiguous_titles"] == [1]
