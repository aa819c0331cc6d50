"""Recognising: a file is what its header line says, however that is written; what is not known is told in print."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelbase.datasets import DATASETS, MOVIELENS, ColumnType, Form, Table
from reelbase.errors import EmptyFile, SourceError, UnknownHeader
from reelbase.reading.recognise import HEADER_BYTES, Recognised, header, recognise, snake_case

TABLES = [table for dataset in DATASETS for table in dataset.tables]
MOVIES, RATINGS = MOVIELENS.table("movies"), MOVIELENS.table("ratings")
BOM = b"\xef\xbb\xbf"


def known(head: bytes) -> Recognised:
    return recognise("some.csv", head, DATASETS)


def names(head: bytes) -> list[str]:
    return [column.name for column in known(head).columns]


def refused(head: bytes) -> str:
    with pytest.raises(UnknownHeader) as caught:
        known(head)
    return caught.value.detail


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.full_name)
def test_every_declared_header_is_recognised_as_its_own_table(table: Table) -> None:
    found = known(header(table).encode() + b"\n")
    assert found.table == table
    assert found.columns == table.written
    assert header(table).replace("\t", " ").startswith(found.header.removesuffix("…"))


SPELLINGS: list[Callable[[str], str]] = [
    str,
    str.upper,
    str.lower,
    snake_case,
    lambda name: f" {snake_case(name).replace('_', ' ').title()} ",
]


@given(data=st.data())
def test_order_case_quotes_bom_and_line_ends_do_not_matter(data: st.DataObject) -> None:
    table = data.draw(st.sampled_from(MOVIELENS.tables))
    columns = data.draw(st.permutations(table.written))
    spellings = [*SPELLINGS, lambda name: f'"{name}"'] if table.dialect.quote else SPELLINGS
    written = [data.draw(st.sampled_from(spellings))(column.header).encode() for column in columns]
    line = table.dialect.delimiter.join(written)
    start = data.draw(st.sampled_from([b"", BOM]))
    end = data.draw(st.sampled_from([b"", b"\n", b"\r\n", b"\r"]))
    behind = b"1,2,3\n" if end.endswith(b"\n") else b""
    found = known(start + line + end + behind)
    assert found.table == table
    assert [column.name for column in found.columns] == [column.name for column in columns]
    assert found.raw_header == start + line + end
    assert found.first_byte == len(start + line + end)
    assert found.header == line.decode().replace("\t", " ")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.full_name)
def test_columns_that_are_not_required_may_be_absent(table: Table) -> None:
    telltales = [column for column in table.columns if column.name in table.telltales[: table.telltales_needed]]
    columns = [column for column in table.written if column in table.required or column in telltales]
    line = table.dialect.delimiter.join(column.header.encode() for column in columns)
    assert known(line).columns == tuple(columns)


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("posterPath", "poster_path"),
        ("", "column_3"),
        ("?!", "column_3"),
        ("ctid", "ctid_2"),
        ("TableOID", "table_oid"),
        ("xmin", "xmin_2"),
        ("movie-id", "movie_id_2"),
        ("Größe in m²", "größe_in_m²"),
        ("評価", "評価"),
        ('"a, b"', "a_b"),
        ("x" * 80, "x" * 63),
        ("é" * 80, "é" * 31),
        ("select", "select"),
    ],
)
def test_an_unknown_column_is_kept_as_text_under_a_readable_name(column: str, name: str) -> None:
    found = known(f"movieId,title,{column}\n".encode())
    assert found.table == MOVIES
    assert [each.name for each in found.columns] == ["movie_id", "title", name]
    assert found.columns[2].type is ColumnType.TEXT


def test_an_unknown_column_never_takes_the_name_of_a_declared_one_that_is_absent() -> None:
    assert names(b"movieId,title,genres!\n") == ["movie_id", "title", "genres_2"]


def test_unknown_columns_of_one_name_are_numbered_and_stay_short() -> None:
    assert names(b"a,movieId,A,title,a,a_2\n") == ["a", "movie_id", "a_2", "title", "a_3", "a_2_2"]
    found = names(f"movieId,title,{'x' * 70},{'x' * 71},{'x' * 72}\n".encode())
    assert found[2:] == ["x" * 63, "x" * 61 + "_2", "x" * 61 + "_3"]


@given(st.lists(st.text(st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs"])), max_size=12))
def test_any_further_columns_get_names_that_postgresql_takes(further: list[str]) -> None:
    out = io.StringIO()
    csv.writer(out).writerow(["movieId", "title", *further])
    try:
        found = known(out.getvalue().encode())
    except UnknownHeader:
        return  # a declared column twice
    got = [column.name for column in found.columns]
    assert len(set(got)) == len(got) == len(further) + 2
    assert all(0 < len(name.encode()) <= 63 and name.isprintable() for name in got)


def test_a_file_that_fits_several_tables_is_the_one_it_fits_best() -> None:
    assert known(b"tagId,tag,movieId,relevance\n").table.name == "genome_scores"
    assert known(b"movieId,tagId,tag\n").table.name == "genome_tags"
    assert known(b"movieId,title,genres,imdbId\n").table.name == "movies"
    assert known(b"movieId,imdbId,tmdbId,title\n").table.name == "links"
    assert known(b"userId,movieId,tag,rating,timestamp\n").table in (RATINGS, MOVIELENS.table("tags"))


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        (b"movieId,genres", "movielens.movies it lacks title"),
        (b"userId,movieId,timestamp", "movielens.ratings it lacks rating"),
        (b"userId,rating,timestamp", "movielens.ratings it lacks movieId"),
        (b"userId,tag,timestamp", "movielens.tags it lacks movieId"),
        (b"movieId,relevance", "movielens.genome_scores it lacks tagId"),
    ],
)
def test_what_is_missing_is_named(line: bytes, hint: str) -> None:
    detail = refused(line + b"\n")
    assert hint in detail
    assert line.decode() in detail


TMDB_HEADERS = {
    "movies": (
        """budget homepage original_language original_title overview release_date revenue runtime status title
        vote_average vote_count production_company_id genre_id languages""",
        """adult belongs_to_collection budget genres homepage id imdb_id original_language original_title overview
        popularity poster_path production_companies production_countries release_date revenue runtime spoken_languages
        status tagline title video vote_average vote_count""",
        """id title vote_average vote_count status release_date revenue runtime adult backdrop_path budget homepage
        imdb_id original_language original_title overview popularity poster_path tagline genres production_companies
        production_countries spoken_languages keywords""",
        """budget genres homepage id keywords original_language original_title overview popularity production_companies
        production_countries release_date revenue runtime spoken_languages status tagline title vote_average
        vote_count""",
        "id title release_date vote_average vote_count",
        "movie_id Title Overview Popularity Vote_Average director cast",
        "Column1 id title genres original_language overview popularity keywords",
    ),
    "credits": ("cast crew id", "movie_id title cast crew"),
    "keywords": ("id keywords",),
}


@pytest.mark.parametrize(("name", "words"), [(name, words) for name, lines in TMDB_HEADERS.items() for words in lines])
def test_a_tmdb_header_is_told_by_what_it_has(name: str, words: str) -> None:
    found = known(",".join(words.split()).encode() + b"\n")
    assert (found.table.full_name, found.layout.name) == (f"tmdb.{name}", "standard")
    assert ("id" in [column.name for column in found.columns]) == bool({"id", "movie_id"} & set(words.split()))


@pytest.mark.parametrize(
    "line", [b"id,title,genres", b"title,year,rating,votes", b"id,title,overview", b"show_id,type,title,director,cast"]
)
def test_what_has_a_title_and_little_else_is_not_tmdb(line: bytes) -> None:
    refused(line + b"\n")


def test_movielens_headers_are_not_taken_for_those_of_others() -> None:
    assert known(b"movieId,title,genres\n").table == MOVIES
    assert known(b"movieId,imdbId,tmdbId\n").table.full_name == "movielens.links"
    assert known(b"userId,movieId,tag,timestamp\n").table.full_name == "movielens.tags"


def test_another_name_for_a_column_counts_where_its_own_is_not_there() -> None:
    assert names(b"tmdb_id,cast,crew\n") == ["id", "cast", "crew"]
    assert names(b"id,movie_id,cast,crew\n") == ["id", "movie_id", "cast", "crew"]
    assert names(b"movie_id,tmdb_id,cast,crew\n") == ["id", "tmdb_id", "cast", "crew"]


def test_a_column_that_is_derived_is_not_one_of_a_file() -> None:
    assert names(b"id,title,release_date,release_year,vote_average,vote_count\n")[3] == "release_year_2"


@pytest.mark.parametrize(
    ("name", "line", "table"),
    [
        ("ratings.dat", b"1::1193::5::978300760\n", "ratings"),
        ("ml-10M100K/ratings.dat", b"1::122::0.5::838985046\r\n", "ratings"),
        (r"C:\ml\RATINGS.DAT", b"1::1193::5::978300760\n", "ratings"),
        ("/data/movies.dat.gz", b"1::Toy Story (1995)::Animation|Children's|Comedy\n", "movies"),
        ("movies.dat", b"73::Mis\xe9rables, Les (1995)::Drama|Musical\n", "movies"),
        ("tags.dat", b"15::4973::excellent!::1215184630", "tags"),
        ("users.dat", b"1::F::1::10::48067\n", "users"),
    ],
)
def test_a_file_without_header_is_told_by_its_name_and_its_first_line(name: str, line: bytes, table: str) -> None:
    found = recognise(name, line, DATASETS)
    assert (found.table.full_name, found.layout.name) == (f"movielens.{table}", "dat")
    assert (found.raw_header, found.header, found.first_byte, found.first_line) == (b"", "", 0, 1)
    assert {column.name for column in found.columns} == {column.name for column in found.table.columns}


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("ratings.csv", b"1::1193::5::978300760\n"),
        ("my_ratings.dat", b"1::1193::5::978300760\n"),
        ("ratings.dat", b"1::1193::5\n"),
        ("ratings.dat", b"x::1193::5::978300760\n"),
        ("ratings.dat", b"UserID::MovieID::Rating::Timestamp\n"),
        ("movies.dat", b"1,Toy Story (1995),Animation\n"),
        ("users.dat", b"\n"),
    ],
)
def test_a_file_without_header_of_another_name_or_shape_is_refused(name: str, line: bytes) -> None:
    with pytest.raises(UnknownHeader):
        recognise(name, line, DATASETS)


def test_a_mark_before_the_first_record_is_passed_over() -> None:
    found = recognise("ratings.dat", BOM + b"1::1193::5::978300760\n", DATASETS)
    assert (found.raw_header, found.first_byte, found.first_line) == (b"", 3, 1)


def test_a_file_of_that_name_with_a_header_is_told_by_it() -> None:
    found = recognise("ratings.dat", b"userId,movieId,rating,timestamp\n", DATASETS)
    assert (found.table, found.layout.name, found.first_line) == (RATINGS, "standard", 2)


@pytest.mark.parametrize(
    ("line", "layout", "form"),
    [
        (b'"userId","movieId","rating","timestamp"', "kaggle", Form.EPOCH),
        (BOM + b'"userId","movieId","rating","timestamp"\r', "kaggle", Form.EPOCH),
        (b'"userId","movieId",rating,"timestamp"', "standard", Form.PLAIN),
        (b"userId,movieId,rating,timestamp", "standard", Form.PLAIN),
    ],
)
def test_kaggles_edition_is_told_by_its_quoted_header(line: bytes, layout: str, form: Form) -> None:
    found = known(line + b"\n")
    assert (found.table, found.layout.name, found.columns[3].form) == (RATINGS, layout, form)


def test_a_declared_column_twice_is_not_guessed_at() -> None:
    refused(b"movieId,title,genres,Title\n")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.full_name)
@pytest.mark.parametrize("delimiter", [b",", b";", b"\t", b"|", b"::"])
def test_a_wrong_delimiter_is_named_with_the_right_one(table: Table, delimiter: bytes) -> None:
    words = {b",": "commas", b";": "semicolons", b"\t": "tabs", b"|": "bars", b"::": "double colons"}
    if delimiter != table.dialect.delimiter:
        detail = refused(delimiter.join(column.header.encode() for column in table.columns) + b"\n")
        assert f"separated by {words[delimiter]}; save it with {words[table.dialect.delimiter]}" in detail


@pytest.mark.parametrize(
    "line", [b"1,Toy Story (1995),Adventure", b'"1","Toy Story",""', b"1::2::5::97", b"1\t2\t5\t8"]
)
def test_a_file_that_begins_with_a_record_is_told_that_its_header_is_missing(line: bytes) -> None:
    assert "header line is missing" in refused(line + b"\n")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_refused(encoding: str) -> None:
    detail = refused("movieId,title,genres\n".encode(encoding))
    assert ("UTF-16" in detail) == (encoding == "utf-16")
    assert detail.isprintable()


def test_zero_bytes_are_an_empty_file_and_not_a_header() -> None:
    with pytest.raises(EmptyFile):
        known(b"")


@pytest.mark.parametrize("head", [b"\n", b"\r\n1,2\n", BOM, BOM + b"\n1,2,3\n"])
def test_an_empty_first_line_is_not_a_header(head: bytes) -> None:
    refused(head)


def test_lines_that_end_with_cr_alone_are_refused() -> None:
    refused(b"movieId,title,genres\r1,Heat,Action\r2,Jumanji,\r")


def test_a_header_with_a_nul_byte_is_refused() -> None:
    refused(b"movieId,title,a\0b\n")


def test_a_header_without_an_end_is_refused() -> None:
    line = b"movieId,title," + b"x" * HEADER_BYTES
    refused(line[:HEADER_BYTES])
    assert known(line[: HEADER_BYTES - 1] + b"\n").table == MOVIES


@given(st.binary(max_size=300) | st.binary(max_size=40).map(lambda data: b'movieId,title,"' + data))
def test_whatever_a_file_begins_with_the_answer_is_a_table_or_a_sentence(head: bytes) -> None:
    found = None
    try:
        found = known(head)
    except SourceError as error:
        answer = str(error)
    if found is not None:
        assert head.startswith(found.raw_header)
        answer = found.header
    assert answer.isprintable()
