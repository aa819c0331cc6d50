"""IMDb's TSVs: no quoting, no escaping, only \\N is null."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from reelbase.database.connect import connect
from reelbase.datasets import IMDB, ColumnType
from reelbase.errors import MixedDatasets
from tests.importing import MOVIES, Importer, write

BASICS = "tconst\ttitleType\tprimaryTitle\toriginalTitle\tisAdult\tstartYear\tendYear\truntimeMinutes\tgenres"
PRINCIPALS = "tconst\tordering\tnconst\tcategory\tjob\tcharacters"
REAL = Path(__file__).parents[3] / "shared" / "data"


def test_quotes_backslashes_and_words_for_nothing_are_text(importer: Importer, tmp_path: Path) -> None:
    write(
        tmp_path / "b.tsv",
        BASICS,
        'tt0000001\tshort\t"Unclosed\tAC\\DC\t0\t1894\t\\N\t1\tDocumentary,Short',
        "tt0000002\tmovie\tNone\tNA\t1\t\\N\t\\N\t\\N\t\\N",
        'tt10000003\tmovie\tnull\t"Closed"\t0\t2001\t\\N\t90\tDrama',
    )
    write(tmp_path / "p.tsv.gz", PRINCIPALS, 'tt0000001\t1\tnm0000001\tactor\t\\N\t["Woman - (\\"Fire Woman\\")"]')
    found = importer(tmp_path)
    assert (found["state"], [file["rows_rejected"] for file in found["files"]]) == ("completed", [0, 0])
    assert importer.rows("select * from imdb.title_basics order by tconst") == [
        ("tt0000001", "short", '"Unclosed', "AC\\DC", False, 1894, None, 1, "Documentary,Short"),
        ("tt0000002", "movie", "None", "NA", True, None, None, None, None),
        ("tt10000003", "movie", "null", '"Closed"', False, 2001, None, 90, "Drama"),
    ]
    assert importer.rows("select characters from imdb.title_principals") == [('["Woman - (\\"Fire Woman\\")"]',)]


BAD = [
    ("tt9\tmovie\tA\tA\t2\t1999\t\\N\t1\tDrama", "is_adult", "wrong_type"),
    ("tt9\tmovie\tA\tA\t0\tx\t\\N\t1\tDrama", "start_year", "wrong_type"),
    ("tt9\tmovie\tA\tA\t0\t\t\\N\t1\tDrama", "start_year", "wrong_type"),
    ("\tmovie\tA\tA\t0\t1999\t\\N\t1\tDrama", "tconst", "missing_key"),
    ("\\N\tmovie\tA\tA\t0\t1999\t\\N\t1\tDrama", "tconst", "missing_key"),
    ("tt9\tmovie\tA", None, "too_few_columns"),
    ("tt9\tmovie\tA\tA\t0\t1999\t\\N\t1\tDrama\tx", None, "too_many_columns"),
]


@pytest.mark.parametrize(("bad", "column", "reason"), BAD)
def test_a_bad_line_is_named_and_its_neighbours_kept(
    importer: Importer, tmp_path: Path, bad: str, column: str | None, reason: str
) -> None:
    good = [f"tt{i:07}\tmovie\tTitle {i}\tTitle {i}\t0\t1999\t\\N\t90\tDrama" for i in range(100)]
    found = importer(write(tmp_path / "b.tsv", BASICS, *good[:50], bad, *good[50:]))
    assert importer.rejects(found["id"]) == [
        (52, len("\n".join([BASICS, *good[:50]])) + 1, column, reason, bad.encode())
    ]
    assert importer.rows("select count(*) from imdb.title_basics") == [(100,)]


def test_a_backspace_is_a_letter(importer: Importer, tmp_path: Path) -> None:
    line = "tt0000001\tmovie\tA\bB\tC\bD\t0\t1999\t\\N\t90\tDrama"
    importer(write(tmp_path / "b.tsv", BASICS, line))
    assert importer.rows("select primary_title, original_title from imdb.title_basics") == [("A\bB", "C\bD")]


def test_files_of_two_datasets_need_a_word(importer: Importer, tmp_path: Path) -> None:
    write(tmp_path / "m.csv", MOVIES, "1,One,x")
    write(tmp_path / "b.tsv", BASICS, "tt0000001\tmovie\tA\tB\t0\t1999\t\\N\t90\tDrama")
    with pytest.raises(MixedDatasets, match="movielens"):
        importer.queue(tmp_path)


@pytest.mark.skipif(not (REAL / "imdb-tiny").is_dir(), reason="needs the real files, which are not part of the project")
@pytest.mark.parametrize("folder", ["imdb-tiny", "imdb-heads", "imdb-subset-2017"])
def test_real_files_arrive_as_they_are(importer: Importer, folder: str) -> None:
    found = importer(REAL / folder)
    assert found["state"] == "completed"
    for file in found["files"]:
        table = IMDB.table(file["table"].removeprefix("imdb."))
        columns = ", ".join(
            f"{column.name}::int" if column.type is ColumnType.BOOL else column.name for column in table.columns
        )
        options = "format csv, delimiter E'\\t', quote E'\\b', null '\\N'"
        query = f"copy (select {columns} from {file['table']}) to stdout ({options})"
        with connect(importer.url) as connection, connection.cursor().copy(query.encode()) as source:
            loaded = sorted(b"".join(bytes(piece) for piece in source).splitlines())
        path = REAL / folder / Path(file["name"]).name
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as read:
            assert loaded == sorted(read.read().splitlines()[1:]), table.name
