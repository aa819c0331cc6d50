"""TMDb-style CSV: many spellings of the same columns, one table."""

from __future__ import annotations

import ast
import csv
import datetime as dt
import gzip
import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reelbase.database.connect import connect
from reelbase.imports import rejects
from tests.importing import Importer, write

REAL = Path(__file__).parents[3] / "shared" / "data" / "tmdb"
needs_real_files = pytest.mark.skipif(
    not REAL.is_dir(), reason="needs the real files, which are not part of the project"
)

FIFTEEN = (
    "budget,homepage,original_language,original_title,overview,release_date,revenue,runtime,status,title,vote_average,"
    "vote_count,production_company_id,genre_id,languages"
)
METADATA = (
    "adult,belongs_to_collection,budget,genres,homepage,id,imdb_id,original_language,original_title,overview,popularity,"
    "poster_path,production_companies,production_countries,release_date,revenue,runtime,spoken_languages,status,tagline,"
    "title,video,vote_average,vote_count"
)
V11 = (
    "id,title,vote_average,vote_count,status,release_date,revenue,runtime,adult,backdrop_path,budget,homepage,imdb_id,"
    "original_language,original_title,overview,popularity,poster_path,tagline,genres,production_companies,"
    "production_countries,spoken_languages,keywords"
)
FIVE_THOUSAND = (
    "budget,genres,homepage,id,keywords,original_language,original_title,overview,popularity,production_companies,"
    "production_countries,release_date,revenue,runtime,spoken_languages,status,tagline,title,vote_average,vote_count"
)
SHORT = "id,title,release_date,vote_average,vote_count,genres,runtime,adult,overview"


def row(header: str, **values: object) -> str:
    """A record with these values; the other fields are empty."""
    names = header.split(",")
    assert set(values) <= set(names)
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow([values.get(name, "") for name in names])
    return out.getvalue().removesuffix("\n")


def movie(importer: Importer, number: int, *columns: str) -> tuple[Any, ...]:
    [found] = importer.rows(f"select {', '.join(columns)} from tmdb.movies where id = {number}")
    return found


def checks(found: dict[str, Any]) -> dict[str, int]:
    return {check["name"]: check["count"] for check in found["checks"]}


# The shapes


def test_the_fifteen_columns_have_no_key_and_keep_identical_records(importer: Importer, tmp_path: Path) -> None:
    toys = (
        '30000000.0,http://toystory.disney.com/toy-story,en,Toy Story,"Led by Woody, …",1995-10-30,373554033.0,81,'
        "Released,Toy Story,7.7,5415.0,3,16,['English']"
    )
    other = row(
        FIFTEEN, title="Amélie", languages="['English', 'Français']", release_date="2001-04-25", revenue="2787965087.0"
    )
    found = importer(
        write(tmp_path / "export.csv", FIFTEEN, toys, other, toys, row(FIFTEEN, title="None", languages="[]"))
    )
    assert found["state"] == "completed"
    assert (found["files"][0]["table"], found["files"][0]["rows_loaded"]) == ("tmdb.movies", 4)
    assert checks(found)["identical_records"] == 1
    columns = "budget, revenue, runtime, vote_count, vote_average, release_date, release_year, languages, genre_id, id"
    assert importer.rows(f"select {columns}, genres from tmdb.movies where title = 'Toy Story' limit 1") == [
        (30000000, 373554033, 81, 5415, Decimal("7.7"), dt.date(1995, 10, 30), 1995, ["English"], 16, None, None)
    ]
    assert importer.rows("select revenue, languages from tmdb.movies where title = 'Amélie'") == [
        (2787965087, ["English", "Français"])
    ]
    assert importer.rows("select languages, revenue from tmdb.movies where title = 'None'") == [([], None)]


def test_the_movies_dataset_is_read_as_python_wrote_it(importer: Importer, tmp_path: Path) -> None:
    line = row(
        METADATA,
        id=862,
        adult="False",
        video="False",
        imdb_id="tt0114709",
        title="Toy Story",
        popularity="8.2e-05",
        runtime="81.0",
        genres="[{'id': 10762, 'name': \"Children's\"}, {'id': 1, 'name': 'A\\xa0\"B\"'}]",
        belongs_to_collection="{'id': 10194, 'name': 'Toy Story Collection', 'poster_path': None}",
        production_companies="[]",
    )
    importer(write(tmp_path / "m.csv", METADATA, line, end="\r\n"))
    assert movie(
        importer, 862, "adult", "video", "popularity", "runtime", "release_date", "release_year", "tagline"
    ) == (*(False, False, Decimal("0.000082"), 81, None, None, None),)
    assert movie(importer, 862, "genres", "belongs_to_collection", "production_companies", "keywords") == (
        [{"id": 10762, "name": "Children's"}, {"id": 1, "name": 'A\xa0"B"'}],
        {"id": 10194, "name": "Toy Story Collection", "poster_path": None},
        [],
        None,
    )


def test_words_between_commas_become_a_list(importer: Importer, tmp_path: Path) -> None:
    line = row(
        V11,
        id=27205,
        title="Inception",
        adult="FALSE",
        genres="Action, Science Fiction, Adventure",
        keywords="rescue, mission",
        production_companies="[adult swim]",
        spoken_languages="English",
    )
    found = importer(write(tmp_path / "v11.csv", V11, line))
    assert found["state"] == "completed"
    assert movie(importer, 27205, "genres", "keywords", "production_companies", "spoken_languages", "adult") == (
        *(["Action", "Science Fiction", "Adventure"], ["rescue", "mission"], ["[adult swim]"], ["English"], False),
    )


def test_tmdb_5000_is_read_as_json_with_lone_carriage_returns(importer: Importer, tmp_path: Path) -> None:
    line = row(
        FIVE_THOUSAND, id=19995, title="Avatar", overview="One\rtwo", genres='[{"id": 28, "name": "Act\\"ion\\u00e9"}]'
    )
    write(tmp_path / "tmdb_5000_movies.csv", FIVE_THOUSAND, line)
    cast = '[{"cast_id": 242, "name": "Sam \\"W\\""}]'
    credit = row("movie_id,title,cast,crew", movie_id=19995, title="Avatar", cast=cast, crew="[]")
    write(tmp_path / "tmdb_5000_credits.csv", "movie_id,title,cast,crew", credit)
    found = importer(tmp_path)
    assert (found["state"], [file["rows_rejected"] for file in found["files"]]) == ("completed", [0, 0])
    assert movie(importer, 19995, "overview", "genres") == ("One\rtwo", [{"id": 28, "name": 'Act"ioné'}])
    assert importer.rows('select id, title, "cast", crew from tmdb.credits') == [
        (19995, "Avatar", [{"cast_id": 242, "name": 'Sam "W"'}], [])
    ]


def test_credits_and_keywords_of_the_movies_dataset(importer: Importer, tmp_path: Path) -> None:
    cast = "[{'cast_id': 14, 'character': \"Woody's\", 'profile_path': None}]"
    write(tmp_path / "credits.csv", "cast,crew,id", row("cast,crew,id", cast=cast, crew="[]", id=862))
    keywords = row("id,keywords", id=862, keywords="[{'id': 931, 'name': 'jealousy'}]")
    write(tmp_path / "keywords.csv", "id,keywords", keywords, keywords, "5,[]")
    found = importer(tmp_path)
    assert found["state"] == "completed"
    assert importer.rows('select id, title, "cast" from tmdb.credits') == [
        (862, None, [{"cast_id": 14, "character": "Woody's", "profile_path": None}])
    ]
    assert importer.rows("select * from tmdb.keywords order by id") == [
        (5, []),
        (862, [{"id": 931, "name": "jealousy"}]),
    ]
    assert [reason for *_, reason, _ in importer.rejects(found["id"])] == ["duplicate_key"]


def test_every_import_has_every_declared_column_and_keeps_the_unknown(importer: Importer, tmp_path: Path) -> None:
    header = "title,vote_average,id,vote_count,Release Date,poster,production_companies"
    importer(write(tmp_path / "v.csv", header, "Heat,7.7,949,1886,15/12/1995,007,Warner Bros."))
    columns = "select column_name from information_schema.columns where table_schema = 'tmdb' and table_name = 'movies'"
    assert {"poster", "release_year", "belongs_to_collection", "languages"} <= {
        name for (name,) in importer.rows(columns)
    }
    assert movie(importer, 949, "poster", "release_date", "release_year") == ("007", dt.date(1995, 12, 15), 1995)


# What is odd


def test_only_what_is_certain_of_a_date_is_kept(importer: Importer, tmp_path: Path) -> None:
    dates = ["1995-10-30", "10/30/1995", "30/10/1995", "5/5/1995", "2/10/1995", "1995", ""]
    lines = [row(SHORT, id=number, title="x", release_date=day) for number, day in enumerate(dates)]
    found = importer(write(tmp_path / "m.csv", SHORT, *lines))
    october = dt.date(1995, 10, 30)
    assert importer.rows("select release_date, release_year from tmdb.movies order by id") == [
        *[(october, 1995)] * 3,
        (dt.date(1995, 5, 5), 1995),
        *[(None, 1995)] * 2,
        (None, None),
    ]
    assert checks(found)["dates_without_day"] == 2


def test_rows_of_commas_are_blank(importer: Importer, tmp_path: Path) -> None:
    found = importer(write(tmp_path / "m.csv", FIFTEEN, row(FIFTEEN, title="Heat"), *[row(FIFTEEN)] * 500, end="\r\n"))
    assert (found["files"][0]["rows_read"], checks(found)["blank_records"]) == (1, 500)


BAD: list[tuple[dict[str, object], str | None, str]] = [
    ({"id": 5, "release_date": "1995-02-30"}, "release_date", "wrong_type"),
    ({"id": 5, "release_date": "soon"}, "release_date", "wrong_type"),
    ({"id": 5, "runtime": "81.5"}, "runtime", "wrong_type"),
    ({"id": 5, "runtime": "9999999999.0"}, "runtime", "out_of_range"),
    ({"id": 5, "adult": "maybe"}, "adult", "wrong_type"),
    ({"id": 5, "vote_average": "nan"}, "vote_average", "wrong_type"),
    ({"id": 5, "genres": "[{'id': 16, 'na"}, "genres", "wrong_type"),
    ({"id": 5, "genres": "['\\x00']"}, "genres", "wrong_type"),
    ({"id": 5, "genres": '["\\ud83d"]'}, "genres", "wrong_type"),
    ({"id": 5, "genres": "[" * 20000}, "genres", "wrong_type"),
    ({"id": "tt5"}, "id", "wrong_type"),
    ({"id": ""}, "id", "missing_key"),
]


@pytest.mark.parametrize(("values", "column", "reason"), BAD)
def test_a_bad_line_is_named_and_its_neighbours_kept(
    importer: Importer, tmp_path: Path, values: dict[str, object], column: str | None, reason: str
) -> None:
    good = [
        row(SHORT, id=100 + number, title=f"a\n{number}", genres="[{'id': 1, 'name': \"x's\"}]")
        for number in range(100)
    ]
    bad = row(SHORT, title="bad", **values)
    found = importer(write(tmp_path / "m.csv", SHORT, *good[:50], bad, *good[50:]))
    offset = len("\n".join([SHORT, *good[:50]])) + 1
    assert importer.rejects(found["id"]) == [(102, offset, column, reason, bad.encode())]
    assert importer.rows("select count(*) from tmdb.movies") == [(100,)]


def test_what_only_postgresql_refuses_is_found_by_itself(
    importer: Importer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # jsonb does not take this number; the reader of literals knows, so it has to be blinded.
    monkeypatch.setattr("reelbase.loading.literals._MOST_DIGITS", 10**9)
    good = [row(SHORT, id=number, title=f'"{number}"\n', genres="['x', \"y's\"]") for number in range(1, 60)]
    bad = row(SHORT, id=500, title="a\nb", genres='["x", 1e200000]')
    found = importer(write(tmp_path / "m.csv", SHORT, *good[:30], bad, *good[30:]))
    [(line, offset, _, reason, record)] = importer.rejects(found["id"])
    assert (line, offset) == (62, len("\n".join([SHORT, *good[:30]])) + 1)
    assert (reason, record) == ("refused", bad.encode())
    assert importer.rows("select count(*), count(distinct genres) from tmdb.movies") == [(59, 1)]


def test_the_last_of_several_records_with_one_id_wins(importer: Importer, tmp_path: Path) -> None:
    small = Importer(importer.url, chunk_bytes=4096)
    first = [row(SHORT, id=number, title=f"a\n{number}", release_date="1995") for number in range(1000)]
    second = [row(SHORT, id=f"{number}.0", title="b", genres="A, B") for number in range(500, 1500)]
    found = small(write(tmp_path / "a.csv", SHORT, *first), write(tmp_path / "b.csv.gz", SHORT, *second))
    assert [(file["rows_loaded"], file["rows_rejected"]) for file in found["files"]] == [(500, 500), (1000, 0)]
    counts = "select count(*), count(*) filter (where title = 'b' and genres = '[\"A\", \"B\"]') from tmdb.movies"
    assert importer.rows(counts) == [(1500, 1000)]
    line, offset, column, reason, record = importer.rejects(found["id"])[0]
    assert (line, column, reason, record) == (1002, "id", "duplicate_key", first[500].encode())
    assert (tmp_path / "a.csv").read_bytes()[offset:].startswith(record)


def test_a_second_attempt_ends_as_the_first_would_have(importer: Importer, tmp_path: Path) -> None:
    lines = [row(SHORT, id=number // 2, title=f"a\n{number}", release_date="1995") for number in range(400)]
    bad = row(SHORT, id=1, title="bad", runtime="x")
    small = Importer(importer.url, chunk_bytes=2048)
    failed = small(write(tmp_path / "m.csv", SHORT, *lines, *[bad] * 30), max_rejects="29")
    assert (failed["state"], failed["error"]["code"]) == ("failed", "too_many_rejects")
    found = small.retry(failed["id"], max_rejects="30")
    [file] = found["files"]
    assert (found["state"], file["rows_read"], file["rows_loaded"], file["rows_rejected"]) == (
        "completed",
        430,
        200,
        230,
    )
    assert importer.rows("select count(*), min(title), max(release_year) from tmdb.movies") == [(200, "a\n1", 1995)]


def test_raw_rejects_can_be_mended_and_merged(importer: Importer, tmp_path: Path) -> None:
    bad = row(SHORT, id=1, title='"x"\n', runtime="81.5")
    found = importer(write(tmp_path / "m.csv", SHORT, bad, row(SHORT, id=2, title="y"), end="\r\n"))
    with connect(importer.url) as connection:
        [raw] = rejects.raw_rejects(connection, found["id"], frozenset())
        mended = b"".join(raw.lines())
    assert mended == f"{SHORT}\r\n{bad}\r\n".encode()
    (tmp_path / "mended.csv").write_bytes(mended.replace(b"81.5", b"81.0"))
    assert importer(tmp_path / "mended.csv", mode="merge")["state"] == "completed"
    assert importer.rows("select title, runtime from tmdb.movies order by id") == [('"x"\n', 81), ("y", None)]


# Merging


def test_merging_goes_by_id_and_keeps_what_the_new_file_does_not_have(importer: Importer, tmp_path: Path) -> None:
    importer(
        write(
            tmp_path / "a.csv", SHORT, row(SHORT, id=1, title="a", release_date="1995-10-30", runtime=90, overview="o")
        )
    )
    header = "id,title,vote_average,vote_count,release_date"
    write(tmp_path / "b.csv", header, "1,b,5,1,1996", "2,c,6,2,1997-01-01")
    assert importer(tmp_path / "b.csv", mode="merge")["state"] == "completed"
    assert importer.rows(
        "select id, title, release_date, release_year, runtime, overview from tmdb.movies order by id"
    ) == [
        (1, "b", None, 1996, 90, "o"),
        (2, "c", dt.date(1997, 1, 1), 1997, None, None),
    ]


def test_merging_without_a_key_adds_what_is_not_there(importer: Importer, tmp_path: Path) -> None:
    lines = [row(FIFTEEN, title=f"t{number}", languages="['English']") for number in range(300)]
    importer(write(tmp_path / "a.csv", FIFTEEN, *lines[:200]))
    assert importer(write(tmp_path / "b.csv", FIFTEEN, *lines[100:]), mode="merge")["state"] == "completed"
    assert importer.rows("select count(*), count(distinct title) from tmdb.movies") == [(300, 300)]


@pytest.mark.parametrize("first", [SHORT, FIFTEEN])
def test_files_with_and_without_ids_are_not_merged(importer: Importer, tmp_path: Path, first: str) -> None:
    second = FIFTEEN if first == SHORT else SHORT
    for header in (first, second):
        write(tmp_path / f"{len(header)}.csv", header, row(header, title="x", **{"id": 7} if header == SHORT else {}))
    importer(tmp_path / f"{len(first)}.csv")
    found = importer(tmp_path / f"{len(second)}.csv", mode="merge")
    assert (found["state"], found["error"]["code"]) == ("failed", "import_failed")
    assert "cannot be merged" in found["error"]["detail"]
    assert importer.rows("select count(*) from tmdb.movies") == [(1,)]


def test_files_with_and_without_ids_given_together_have_no_key(importer: Importer, tmp_path: Path) -> None:
    write(tmp_path / "a.csv", FIFTEEN, row(FIFTEEN, title="a"))
    write(tmp_path / "b.csv", SHORT, row(SHORT, id=1, title="b"), row(SHORT, id=1, title="c"), row(SHORT, title="d"))
    found = importer(tmp_path)
    assert (found["state"], importer.rejects(found["id"])) == ("completed", [])
    assert importer.rows("select title, id from tmdb.movies order by title") == [
        ("a", None),
        ("b", 1),
        ("c", 1),
        ("d", None),
    ]


# Real files


TEXTS = (
    *("homepage", "imdb_id", "original_language", "original_title", "overview", "poster_path", "status", "tagline"),
    "title",
)
LITERALS = ("belongs_to_collection", "genres", "production_companies", "production_countries", "spoken_languages")


def independently(record: dict[str, str]) -> dict[str, Any]:
    """A record of movies_metadata.csv as Python reads it, without any of our code."""
    values: dict[str, Any] = {name: record[name] or None for name in TEXTS}
    values |= {name: ast.literal_eval(record[name]) if record[name] else None for name in LITERALS}
    for name in ("id", "budget", "revenue", "runtime", "vote_count"):
        values[name] = int(float(record[name])) if record[name] else None
    values |= {name: Decimal(record[name]) if record[name] else None for name in ("vote_average", "popularity")}
    values |= {name: {"True": True, "False": False, "": None}[record[name]] for name in ("adult", "video")}
    day = dt.date.fromisoformat(record["release_date"]) if record["release_date"] else None
    return values | {"release_date": day, "release_year": day.year if day else None}


def records_of(path: Path) -> Iterator[dict[str, str]]:
    """The records of a real file that have as many fields as its header."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        header = next(reader)
        yield from (dict(zip(header, record, strict=True)) for record in reader if len(record) == len(header))


@needs_real_files
def test_the_real_movies_dataset_arrives_as_python_reads_it(importer: Importer) -> None:
    found = importer(REAL / "movies_metadata.csv.gz", max_rejects="6")
    assert found["state"] == "completed"
    [file] = found["files"]
    assert file["rows_read"] == 45_466
    found_rejects = [(line, column, reason) for line, _, column, reason, _ in importer.rejects(found["id"])]
    halves = [19763, 19764, 29572, 29573, 35671, 35672]
    assert [reject for reject in found_rejects if reject[2] != "duplicate_key"] == [
        (line, None, "too_few_columns") for line in halves
    ]
    expected = {int(record["id"]): independently(record) for record in records_of(REAL / "movies_metadata.csv.gz")}
    names = list(next(iter(expected.values())))
    loaded = importer.rows(f"select {', '.join(names)} from tmdb.movies")
    assert len(loaded) == len(expected) == file["rows_loaded"] == 45_466 - file["rows_rejected"]
    for one in loaded:
        arrived = dict(zip(names, one, strict=True))
        assert arrived == expected[arrived["id"]]


@needs_real_files
def test_all_real_keywords_are_read(importer: Importer) -> None:
    found = importer(REAL / "keywords.csv.gz", max_rejects="0")
    [file] = found["files"]
    assert (found["state"], file["rows_read"]) == ("completed", 46_419)
    assert {reason for _, _, _, reason, _ in importer.rejects(found["id"])} == {"duplicate_key"}
    expected = {
        int(record["id"]): ast.literal_eval(record["keywords"]) for record in records_of(REAL / "keywords.csv.gz")
    }
    assert dict(importer.rows("select id, keywords from tmdb.keywords")) == expected


@needs_real_files
def test_the_links_beside_them_are_movielens(importer: Importer) -> None:
    found = importer(REAL / "links_small.csv.gz", max_rejects="0")
    [file] = found["files"]
    assert (file["table"], file["rows_loaded"]) == ("movielens.links", 9_125)
    assert importer.rows("select imdb_id, tmdb_id from movielens.links where movie_id = 1") == [("0114709", 862)]
