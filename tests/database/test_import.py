"""Imports of MovieLens files into a real server: what is loaded, what is rejected, what is said."""

from __future__ import annotations

import gzip
import tarfile
import zipfile
from pathlib import Path

import pytest

from reelbase.errors import BrokenArchive, EmptyFile, NothingKnown, SourceMissing, UnknownHeader
from tests.importing import LINKS, MOVIES, RATINGS, TAGS, Importer, write

MANY: list[str] = [
    f"{user},{movie},{(movie % 10 + 1) / 2},{1000000000 + user}" for user in range(1, 41) for movie in range(1, 26)
]


def test_every_value_arrives_as_it_is_in_the_file(importer: Importer, tmp_path: Path) -> None:
    write(tmp_path / "r.csv", RATINGS, "1,31,2.5,1260759144", "1,1029,5,1260759179", "2,31,0.5,-5", end="\r\n")
    write(
        tmp_path / "m.csv",
        MOVIES,
        '31,"11\'09""01 - September 11 (2002)",Drama',
        "1029,None,(no genres listed)",
        '7,"Misérables, Les (1995)",Drama|War',
    )
    write(tmp_path / "l.csv", LINKS, "31,0114709,862", "1029,11450932,")
    write(tmp_path / "t.csv", TAGS, "1,31,,1199450867", '1,31,"6,5-""filmaffinity""",1199450868', "1,31,NULL,5")
    found = importer(tmp_path)
    assert found["state"] == "completed"
    assert importer.rows("select * from movielens.ratings order by 1, 2") == [
        (1, 31, 2.5, 1260759144),
        (1, 1029, 5.0, 1260759179),
        (2, 31, 0.5, -5),
    ]
    assert importer.rows("select title, genres from movielens.movies order by movie_id") == [
        ("Misérables, Les (1995)", "Drama|War"),
        ("11'09\"01 - September 11 (2002)", "Drama"),
        ("None", "(no genres listed)"),
    ]
    assert importer.rows("select * from movielens.links order by 1") == [(31, "0114709", 862), (1029, "11450932", None)]
    assert importer.rows("select tag from movielens.tags order by timestamp desc") == [
        ('6,5-"filmaffinity"',),
        ("",),
        ("NULL",),
    ]


def test_columns_are_mapped_by_name_and_unknown_ones_kept_as_text(importer: Importer, tmp_path: Path) -> None:
    write(tmp_path / "r.csv", '\ufeff"rating","Movie Id",userId,deviceType,,timestamp', "4.5,31,1,007,x,5")
    found = importer(tmp_path / "r.csv")
    assert found["state"] == "completed"
    columns = "select column_name from information_schema.columns where table_schema = 'movielens'"
    assert [name for (name,) in importer.rows(f"{columns} order by ordinal_position")] == [
        "rating", "movie_id", "user_id", "device_type", "column_5", "timestamp",
    ]  # fmt: skip
    assert importer.rows("select * from movielens.ratings") == [(4.5, 31, 1, "007", "x", 5)]
    assert [check["name"] for check in found["checks"]] == ["unknown_columns"]


def test_a_missing_optional_column_is_null_and_said(importer: Importer, tmp_path: Path) -> None:
    found = importer(write(tmp_path / "r.csv", "userId,movieId,rating", "1,31,4.5"))
    assert importer.rows("select * from movielens.ratings") == [(1, 31, 4.5, None)]
    assert [(check["name"], check["count"]) for check in found["checks"]] == [("missing_columns", 1)]


BAD_RATINGS: list[tuple[str | bytes, str | None, str]] = [
    ("x,1,3.5,5", "user_id", "wrong_type"),
    ("1,2.0,3.5,5", "movie_id", "wrong_type"),
    ("0x1F,2,3.5,5", "user_id", "wrong_type"),
    ("1_0,2,3.5,5", "user_id", "wrong_type"),
    (" 1,2,3.5,5", "user_id", "wrong_type"),
    ("99999999999,1,3.5,5", "user_id", "out_of_range"),
    ("1,1,6.0,5", "rating", "out_of_range"),
    ("1,1,0.0,5", "rating", "out_of_range"),
    ("1,1,4.55,5", "rating", "out_of_range"),
    ("1,1,nan,5", "rating", "wrong_type"),
    ("1,1,,5", "rating", "missing_value"),
    (",1,3.5,5", "user_id", "missing_key"),
    ("1,1,3.5", None, "too_few_columns"),
    ("1,1,3.5,5,", None, "too_many_columns"),
    ("1,1,3.5,5,6", None, "too_many_columns"),
    ('1,"1,3.5,5', "movie_id", "unclosed_quote"),
    ('1,"1"x,3.5,5', "movie_id", "malformed_quote"),
    (b"1,1\x00,3.5,5", "movie_id", "nul_byte"),
    (b"1,\xff1,3.5,5", "movie_id", "invalid_utf8"),
]


@pytest.mark.parametrize(("bad", "column", "reason"), BAD_RATINGS)
def test_a_bad_line_is_named_and_its_neighbours_kept(
    importer: Importer, tmp_path: Path, bad: str | bytes, column: str | None, reason: str
) -> None:
    before = [RATINGS, *MANY[:500]]
    path = write(tmp_path / "r.csv", *before, bad, *MANY[500:])
    found = importer(path)
    record = bad if isinstance(bad, bytes) else bad.encode()
    offset = sum(len(line) + 1 for line in before)
    assert importer.rejects(found["id"]) == [(502, offset, column, reason, record)]
    assert found["state"] == "completed"
    [file] = found["files"]
    assert (file["rows_read"], file["rows_loaded"], file["rows_rejected"]) == (1001, 1000, 1)
    counts = "select count(*), count(distinct (user_id, movie_id)) from movielens.ratings"
    assert importer.rows(counts) == [(1000, 1000)]


def test_all_kinds_of_dirt_in_one_file(importer: Importer, tmp_path: Path) -> None:
    dirty: list[str | bytes] = []
    for good, (bad, _, _) in zip(MANY, BAD_RATINGS, strict=False):
        dirty += [good, bad]
    path = write(tmp_path / "r.csv", RATINGS, *dirty, *MANY[len(BAD_RATINGS) :], end="\r\n", last=False)
    found = importer(path)
    assert [(column, reason) for _, _, column, reason, _ in importer.rejects(found["id"])] == [
        (column, reason) for _, column, reason in BAD_RATINGS
    ]
    assert importer.rows("select count(*) from movielens.ratings") == [(1000,)]


def test_mixed_line_ends_are_fine(importer: Importer, tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(f"{RATINGS}\r\n1,1,3.5,5\n1,2,3.5,5\r\n1,3,3.5,5\n".encode())
    found = importer(path)
    assert (found["state"], found["files"][0]["rows_loaded"]) == ("completed", 3)


def test_blank_records_are_not_records(importer: Importer, tmp_path: Path) -> None:
    found = importer(write(tmp_path / "r.csv", RATINGS, "", MANY[0], ",,,", "  ", '"",,,""', MANY[1], ""))
    assert (found["files"][0]["rows_read"], found["files"][0]["rows_loaded"]) == (2, 2)
    assert [(check["name"], check["count"]) for check in found["checks"]] == [("blank_records", 5)]


def test_a_lone_header_is_zero_rows(importer: Importer, tmp_path: Path) -> None:
    found = importer(write(tmp_path / "r.csv", RATINGS))
    assert found["state"] == "completed"
    assert [check["name"] for check in found["checks"]] == ["empty_file"]
    assert importer.rows("select count(*) from movielens.ratings") == [(0,)]


def test_the_last_of_several_records_with_one_key_wins(importer: Importer, tmp_path: Path) -> None:
    lines = [*MANY, "7,7,0.5,1", *MANY[:10], "7,7,1.5,2", "7,7,2.5,3"]
    found = importer(write(tmp_path / "r.csv", RATINGS, *lines), max_rejects="0")
    assert found["state"] == "completed"
    last = "select rating, timestamp from movielens.ratings where user_id = 7 and movie_id = 7"
    assert importer.rows(last) == [(2.5, 3)]
    rejects = importer.rejects(found["id"])
    assert [reason for *_, reason, _ in rejects] == ["duplicate_key"] * 13
    seven = MANY.index(next(line for line in MANY if line.startswith("7,7,")))
    assert [line for line, *_ in rejects] == sorted([*range(2, 12), seven + 2, len(MANY) + 2, len(MANY) + 13])
    [file] = found["files"]
    assert (file["rows_read"], file["rows_loaded"], file["rows_rejected"]) == (1013, 1000, 13)


def test_duplicates_are_settled_over_chunks_and_files(importer: Importer, tmp_path: Path) -> None:
    small = Importer(importer.url, chunk_bytes=4096)
    first = write(tmp_path / "a.csv", MOVIES, *(f'{i},"a{i}\n{i}",x' for i in range(1000)))
    second = write(tmp_path / "b.csv.gz", MOVIES, *(f"{i},b{i},x" for i in range(500, 1500)))
    found = small(first, second)
    assert found["state"] == "completed"
    assert [file["rows_rejected"] for file in found["files"]] == [500, 0]
    counts = "select count(*), count(*) filter (where title like 'b%') from movielens.movies"
    assert importer.rows(counts) == [(1500, 1000)]
    line, offset, column, reason, record = importer.rejects(found["id"])[0]
    assert (line, column, reason, record) == (1002, "movie_id", "duplicate_key", b'500,"a500\n500",x')
    assert first.read_bytes()[offset:].startswith(record)


def test_a_table_without_a_key_keeps_identical_records(importer: Importer, tmp_path: Path) -> None:
    found = importer(write(tmp_path / "t.csv", TAGS, "1,1,a,5", "1,1,a,5", "1,1,a,5", "1,1,b,5"))
    assert importer.rows("select count(*) from movielens.tags") == [(4,)]
    assert ("identical_records", 2) in [(check["name"], check["count"]) for check in found["checks"]]


def test_ratings_of_unknown_movies_are_counted_and_kept(importer: Importer, tmp_path: Path) -> None:
    write(tmp_path / "m.csv", MOVIES, "1,One (2001),Drama")
    write(tmp_path / "r.csv", RATINGS, "1,1,3.5,5", "1,2,3.5,5", "2,2,3.5,5")
    found = importer(tmp_path)
    assert ("ratings_of_unknown_movies", 2) in [(check["name"], check["count"]) for check in found["checks"]]
    assert importer.rows("select count(*) from movielens.ratings") == [(3,)]


def test_more_rejects_than_allowed_publish_nothing_and_are_kept(importer: Importer, tmp_path: Path) -> None:
    importer(write(tmp_path / "good.csv", RATINGS, "1,1,3.5,5"))
    found = importer(write(tmp_path / "r.csv", RATINGS, *MANY, *["bad"] * 11), max_rejects="1%")
    assert (found["state"], found["error"]["code"]) == ("failed", "too_many_rejects")
    assert len(importer.rejects(found["id"])) == 11
    assert importer.rows("select count(*) from movielens.ratings") == [(1,)]
    assert importer.retry(found["id"], max_rejects="11")["state"] == "completed"
    assert importer.rows("select count(*) from movielens.ratings") == [(1000,)]


def test_a_line_of_a_hundred_megabytes_costs_only_itself(importer: Importer, tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    with path.open("wb") as file:
        file.write(f"{RATINGS}\n{MANY[0]}\n".encode())
        for _ in range(100):
            file.write(b"9" * (1 << 20))
        file.write(f"\n{MANY[1]}\n".encode())
    found = importer(path)
    [(line, _, _, reason, record)] = importer.rejects(found["id"])
    assert (line, reason, len(record)) == (3, "record_too_long", 64 << 10)
    assert importer.rows("select record_bytes from reelbase.rejects") == [((100 << 20) + 1,)]
    assert importer.rows("select count(*) from movielens.ratings") == [(2,)]


@pytest.mark.parametrize("name", ["all.zip", "all.tar.gz", "all.tar"])
def test_archives_are_read_without_unpacking_them(importer: Importer, tmp_path: Path, name: str) -> None:
    write(tmp_path / "ratings.csv", RATINGS, *MANY)
    write(tmp_path / "movies.csv", MOVIES, "1,One (2001),Drama")
    write(tmp_path / "README.txt", "Read me.")
    archive = tmp_path / name
    inside = ["ml/README.txt", "ml/ratings.csv", "ml/movies.csv"]
    if name.endswith(".zip"):
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            for member in inside:
                packed.write(tmp_path / Path(member).name, member)
    else:
        with tarfile.open(archive, "w:gz" if name.endswith("gz") else "w") as tar:
            for member in inside:
                tar.add(tmp_path / Path(member).name, member)
    found = Importer(importer.url, chunk_bytes=4096)(archive)
    assert (found["state"], found["skipped"]) == ("completed", ["ml/README.txt"])
    files = [(file["name"], file["rows_loaded"]) for file in found["files"]]
    assert files == [("ml/ratings.csv", 1000), ("ml/movies.csv", 1)]
    assert importer.rows("select count(*) from movielens.ratings") == [(1000,)]


def test_a_truncated_gzip_fails_and_says_where(importer: Importer, tmp_path: Path) -> None:
    importer(write(tmp_path / "good.csv", RATINGS, "1,1,3.5,5"))
    path = tmp_path / "r.csv.gz"
    path.write_bytes(gzip.compress("\n".join([RATINGS, *MANY * 50]).encode())[:-2000])
    found = importer(path)
    assert (found["state"], found["error"]["code"]) == ("failed", "broken_archive")
    assert "truncated" in found["error"]["detail"]
    assert importer.rows("select count(*) from movielens.ratings") == [(1,)]


def test_what_cannot_be_imported_is_said_in_a_sentence(importer: Importer, tmp_path: Path) -> None:
    (tmp_path / "zero.csv").write_bytes(b"")
    write(tmp_path / "other.csv", "a;b;c", "1;2;3")
    write(tmp_path / "headless.csv", *MANY)
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(SourceMissing, match="nowhere"):
        importer.queue(tmp_path / "nowhere")
    with pytest.raises(EmptyFile, match="zero bytes"):
        importer.queue(tmp_path / "zero.csv")
    with pytest.raises(UnknownHeader, match=r"'a;b;c'.*movielens\.ratings \(userId,movieId,rating,timestamp\)"):
        importer.queue(tmp_path / "other.csv")
    with pytest.raises(UnknownHeader, match="header line is missing"):
        importer.queue(tmp_path / "headless.csv")
    with pytest.raises(NothingKnown, match="empty"):
        importer.queue(tmp_path / "empty")
    with pytest.raises(BrokenArchive, match=r"broken\.zip"):
        importer.queue(tmp_path / "broken.zip")
