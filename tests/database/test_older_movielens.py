"""The other editions of MovieLens: `.dat` files of 1M and 10M, and Kaggle's 20M, in the same tables."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from reelbase.database.connect import connect
from reelbase.errors import UnknownHeader
from reelbase.imports import rejects
from tests.importing import LINKS, Importer, write

RATINGS = [f"{user}::{movie}::{movie % 5 + 1}::{978300000 + user}" for user in range(1, 41) for movie in range(1, 26)]
KAGGLE = '"userId","movieId","rating","timestamp"'


def test_ml_1m_arrives_from_its_first_record_on(importer: Importer, tmp_path: Path) -> None:
    archive = tmp_path / "ml-1m.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("ml-1m/README", "SUMMARY\n=======\n")
        packed.writestr("ml-1m/ratings.dat", "\n".join(RATINGS) + "\n")
        movies = [
            "1::2001: A Space Odyssey (1968)::Drama|Sci-Fi",
            '2::"Great, Performances" (1995)::',
            "3::Misérables::x",
        ]
        packed.writestr("ml-1m/movies.dat", "\n".join(movies).encode("latin-1"))
        packed.writestr("ml-1m/users.dat", "1::F::1::10::00231\n2::M::56::16::70072-1234\n")
    found = importer(archive, max_rejects="0")
    assert (found["state"], found["skipped"]) == ("completed", ["ml-1m/README"])
    assert {file["table"]: file["rows_loaded"] for file in found["files"]} == {
        "movielens.ratings": 1000, "movielens.movies": 3, "movielens.users": 2,
    }  # fmt: skip
    assert importer.rows("select * from movielens.ratings order by 1, 2 limit 2") == [
        (1, 1, 2.0, 978300001),
        (1, 2, 3.0, 978300001),
    ]
    assert importer.rows("select * from movielens.movies order by 1") == [
        (1, "2001: A Space Odyssey (1968)", "Drama|Sci-Fi"),
        (2, '"Great, Performances" (1995)', ""),
        (3, "Misérables", "x"),
    ]
    assert importer.rows("select * from movielens.users order by 1") == [
        (1, "F", 1, 10, "00231"),
        (2, "M", 56, 16, "70072-1234"),
    ]


def test_ml_10m_is_utf_8_and_has_tags(importer: Importer, tmp_path: Path) -> None:
    write(
        tmp_path / "TAGS.DAT", "15::4973::excellent!::1215184630", "15::4973::né à: Paris::5", "15::1::::6", end="\r\n"
    )
    write(tmp_path / "ratings.dat.gz", "1::122::5::838985046", "1::185::4.5::838983525", last=False)
    found = Importer(importer.url, chunk_bytes=16)(tmp_path)
    assert found["state"] == "completed"
    assert importer.rows("select tag from movielens.tags order by timestamp desc") == [
        ("excellent!",),
        ("",),
        ("né à: Paris",),
    ]
    assert importer.rows("select * from movielens.ratings order by 2") == [
        (1, 122, 5.0, 838985046),
        (1, 185, 4.5, 838983525),
    ]


BAD: list[tuple[str | bytes, str | None, str]] = [
    ("1::9::5", None, "too_few_columns"),
    ("1::9::5::5::", None, "too_many_columns"),
    ("1,9,5,5", None, "too_few_columns"),
    ("x::9::5::5", "user_id", "wrong_type"),
    ("::9::5::5", "user_id", "missing_key"),
    ("1::9::5:::5", "timestamp", "wrong_type"),
    ("1::9::6::5", "rating", "out_of_range"),
    ("1::9::nan::5", "rating", "wrong_type"),
    ("1::9\t9::5::5", "movie_id", "wrong_type"),
    (b"1::9::5::\x00", "timestamp", "nul_byte"),
    (b"1::9::5::\xe9", "timestamp", "wrong_type"),
]


@pytest.mark.parametrize("first", [False, True])
def test_bad_records_are_named_where_they_are_and_their_neighbours_kept(
    importer: Importer, tmp_path: Path, first: bool
) -> None:
    lines: list[str | bytes] = list(RATINGS)
    for position, (bad, _, _) in enumerate(BAD):
        lines.insert(1 + position * 80, bad)
    found = Importer(importer.url, chunk_bytes=1 << 20 if first else 2048)(write(tmp_path / "ratings.dat", *lines))
    assert importer.rejects(found["id"]) == [
        (lines.index(bad) + 1, offset(lines, bad), column, reason, bad if isinstance(bad, bytes) else bad.encode())
        for bad, column, reason in BAD
    ]
    assert importer.rows("select count(*), count(distinct (user_id, movie_id)) from movielens.ratings") == [
        (1000, 1000)
    ]


def offset(lines: list[str | bytes], one: str | bytes) -> int:
    return sum(len(line) + 1 for line in lines[: lines.index(one)])


def test_duplicates_and_raw_rejects_of_a_file_without_header(importer: Importer, tmp_path: Path) -> None:
    path = write(tmp_path / "movies.dat", "1::a::x", "2::b, c::y", b'1::\xe9 "d"::z', "bad", "2::b: d::z")
    found = importer(path)
    assert importer.rows("select movie_id, title from movielens.movies order by 1") == [(1, 'é "d"'), (2, "b: d")]
    assert [(line, at, reason) for line, at, _, reason, _ in importer.rejects(found["id"])] == [
        (1, 0, "duplicate_key"), (2, 8, "duplicate_key"), (4, 31, "too_few_columns"),
    ]  # fmt: skip
    with connect(importer.url) as connection:
        [raw] = rejects.raw_rejects(connection, found["id"], frozenset())
        assert b"".join(raw.lines()) == b"1::a::x\n2::b, c::y\nbad\n"


def test_a_dat_file_of_another_shape_is_refused(importer: Importer, tmp_path: Path) -> None:
    with pytest.raises(UnknownHeader):
        importer.queue(write(tmp_path / "ratings.dat", "1,2,3,4"))
    with pytest.raises(UnknownHeader):
        importer.queue(write(tmp_path / "other.dat", "1::2::3::4"))


# Kaggle's edition


def test_kaggles_edition_arrives_like_the_publishers(importer: Importer, tmp_path: Path) -> None:
    write(tmp_path / "rating.csv", KAGGLE, '1,2,3.5,"2005-04-02 23:53:47"', '1,29,4,"2005-04-02 23:31:16"', end="\r\n")
    titles = [
        '1,"Toy Story (1995)","Adventure|Fantasy"',
        '2,"\\"\\"Great Performances\\"\\" Cats (1998)","Musical"',
        "3,AC\\DC,x",
    ]
    write(tmp_path / "movie.csv", '"movieId","title","genres"', *titles)
    write(tmp_path / "link.csv", '"movieId","imdbId","tmdbId"', "1,114709,862", "2,1,", "3,11450932,5")
    tags = [
        '18,4141,"Mark \\"W\\" Waters","2009-04-24 18:19:40"',
        '18,4141,"2009-04-24 18:19:40","2009-04-24 18:19:41"',
    ]
    write(tmp_path / "tag.csv", '"userId","movieId","tag","timestamp"', *tags)
    write(tmp_path / "genome_scores.csv", '"movieId","tagId","relevance"', "1,1,0.025", "1,2,1e-05")
    write(tmp_path / "genome_tags.csv", '"tagId","tag"', '1,"007"')
    found = importer(tmp_path, max_rejects="0")
    assert found["state"] == "completed"
    assert importer.rows("select * from movielens.ratings order by 2") == [
        (1, 2, 3.5, 1112486027),
        (1, 29, 4.0, 1112484676),
    ]
    assert importer.rows("select title from movielens.movies order by movie_id") == [
        ("Toy Story (1995)",),
        ('"Great Performances" Cats (1998)',),
        ("AC\\DC",),
    ]
    assert importer.rows("select * from movielens.links order by 1") == [
        (1, "0114709", 862),
        (2, "0000001", None),
        (3, "11450932", 5),
    ]
    assert importer.rows("select tag, timestamp from movielens.tags order by 2") == [
        ('Mark "W" Waters', 1240597180),
        ("2009-04-24 18:19:40", 1240597181),
    ]
    assert importer.rows("select relevance from movielens.genome_scores order by 1") == [(1e-05,), (0.025,)]
    assert importer.rows("select tag from movielens.genome_tags") == [("007",)]


def test_moments_that_are_not_certain_are_rejected(importer: Importer, tmp_path: Path) -> None:
    moments = {
        '"2005-02-30 23:53:47"': None,
        '"02-04-2005 23:53"': None,
        '"yesterday"': None,
        '"23-04-2005 23:53"': 1114300380,
        "23-04-2005 23:53": 1114300380,
        "1112486027": 1112486027,
        '"1112486027"': 1112486027,
        '""': None,
        "": None,
    }
    lines = [f"{user},1,3.5,{moment}" for user, moment in enumerate(moments)]
    many = [f'{user},2,3.5,"2005-04-02 23:53:47"' for user in range(500)]
    found = importer(write(tmp_path / "rating.csv", KAGGLE, *many, *lines))
    bad = [(line, column, reason) for line, _, column, reason, _ in importer.rejects(found["id"])]
    assert bad == [(502 + number, "timestamp", "wrong_type") for number in range(3)]
    loaded = importer.rows("select user_id, timestamp from movielens.ratings where movie_id = 1 order by 1")
    assert loaded == [(number, moment) for number, moment in enumerate(moments.values()) if number > 2]
    assert importer.rows("select count(*) from movielens.ratings where timestamp = 1112486027 and movie_id = 2") == [
        (500,)
    ]


def test_a_quoted_header_alone_changes_nothing_else(importer: Importer, tmp_path: Path) -> None:
    importer(write(tmp_path / "r.csv", KAGGLE, "1,31,2.5,1260759144", '"1","32","3.0","1260759144"'))
    assert importer.rows("select * from movielens.ratings order by 2") == [
        (1, 31, 2.5, 1260759144),
        (1, 32, 3.0, 1260759144),
    ]
    importer(write(tmp_path / "m.csv", '"movieId","title","genres"', '31,"11\'09""01 - ""September"" 11 (2002)",Drama'))
    assert importer.rows("select title from movielens.movies") == [('11\'09"01 - "September" 11 (2002)',)]


def test_imdb_ids_get_their_zeros_back_in_any_links_file(importer: Importer, tmp_path: Path) -> None:
    importer(write(tmp_path / "l.csv", LINKS, "1,114709,862", '2,"0113497",', "3,,", '4,"",7', "5,tt0113228,"))
    assert importer.rows("select * from movielens.links order by 1") == [
        (1, "0114709", 862), (2, "0113497", None), (3, None, None), (4, None, 7), (5, "tt0113228", None),
    ]  # fmt: skip
