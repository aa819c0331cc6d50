"""Recognising: a file is what its header line says, however that is written; what is not known is told in print."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelbase.datasets import DATASETS, MOVIELENS, ColumnType, Table
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
    assert found.columns == table.columns
    assert found.header == header(table).replace("\t", " ")


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
    columns = data.draw(st.permutations(table.columns))
    spellings = [*SPELLINGS, lambda name: f'"{name}"'] if table.dialect.quote else SPELLINGS
    written = [data.draw(st.sampled_from(spellings))(column.header).encode() for column in columns]
    line = table.dialect.delimiter.join(written)
    start = data.draw(st.sampled_from([b"", BOM]))
    end = data.draw(st.sampled_from([b"", b"\n", b"\r\n", b"\r"]))
    behind = b"1,2,3\n" if end.endswith(b"\n") else b""
    found = known(start + line + end + behind)
    assert found.table == table
    assert found.columns == tuple(columns)
    assert found.raw_header == start + line + end
    assert found.first_byte == len(start + line + end)
    assert found.header == line.decode().replace("\t", " ")


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.full_name)
def test_columns_that_are_not_required_may_be_absent(table: Table) -> None:
    line = table.dialect.delimiter.join(column.header.encode() for column in table.required)
    assert known(line).columns == table.required


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
