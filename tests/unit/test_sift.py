"""Sifting: every record is loaded or rejected, and what is loaded is what the file says."""

from __future__ import annotations

import csv
import importlib
import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reelbase.datasets.model import Column, ColumnType, Dialect, Table
from reelbase.datasets.movielens import GENOME_SCORES, MOVIES, RATINGS, TAGS
from reelbase.loading.fields import Judge
from reelbase.loading.heap import Sifted
from reelbase.loading.patterns import Patterns, number, whole_numbers
from reelbase.loading.rejects import Reason, Reject
from reelbase.loading.sift import Sift
from reelbase.reading.chunks import Cutter
from reelbase.reading.records import Grammar, Record

TSV = Dialect(delimiter=b"\t", quote=None, null=b"\\N")
TITLES = Table(
    dataset="imdb",
    name="titles",
    columns=(
        Column("tconst", "tconst", ColumnType.TEXT, required=True, nullable=False),
        Column("title", "title", ColumnType.TEXT),
        Column("year", "year", ColumnType.INT),
    ),
    key=("tconst",),
    dialect=TSV,
)
ANYTHING = Table(
    dataset="x", name="anything", columns=(Column("a", "a", ColumnType.TEXT), Column("b", "b", ColumnType.INT))
)
SIFTS = {table.name: Sift(table, table.columns, table.dialect) for table in (RATINGS, MOVIES, TAGS, TITLES, ANYTHING)}
GRAMMARS = {
    table.name: Grammar(table.dialect, tuple(column.type.is_text for column in table.columns))
    for table in (RATINGS, MOVIES, TAGS, TITLES, ANYTHING)
}
TABLES = sorted(SIFTS)

PARSER = importlib.import_module("re._parser")
SAFE_TO_REPEAT = [["ATOMIC_GROUP"], ["IN"], ["LITERAL"], ["NOT_LITERAL"], ["ANY"]]

PIECES = [
    b'"', b'"', b",", b",", b"\n", b"\n", b"\r\n", b"\r", b"a", b'""', b" ", b"\t", b"\0", b"\xff", b"\xc3\xa9", b"\b",
    b"1", b"12", b"4.5", b"-", b".5", b"0.7", b"99999999999", b"\\N", b"tt1\tx\t1994\n", b"1,2,3.5,4\n",
    b"1,2,3.5,4\r\n", b"1,Heat (1995),Crime\n", b'2,"a ""b""\nc",\n', b"1,2,tag,4\n", b'3,"unclosed,x\n',
]  # fmt: skip
DATA = st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join)


def sift(table: Table, data: bytes) -> Sifted:
    return SIFTS[table.name].sift(data, 2, 100)


def good(sifted: Sifted) -> bytes:
    return b"".join(sifted.good)


def reasons(table: Table, data: bytes) -> list[tuple[Reason, str | None]]:
    return [(reject.reason, reject.column) for reject in sift(table, data).rejects]


def test_a_bad_line_is_named_and_its_neighbours_kept() -> None:
    sifted = sift(RATINGS, b"1,2,3.5,4\n1,two,3.5,4\n1,3,4.0,5\n")
    assert good(sifted) == b"1,2,3.5,4\n1,3,4.0,5\n"
    assert sifted.rejects == [Reject(3, 110, "movie_id", Reason.WRONG_TYPE, b"1,two,3.5,4", 11)]
    assert sifted.loaded == 2


@pytest.mark.parametrize(
    ("record", "reason", "column"),
    [
        (b"1,2,3.5", Reason.TOO_FEW_COLUMNS, None),
        (b"1,2,3.5,4,", Reason.TOO_MANY_COLUMNS, None),
        (b"1,,3.5,4", Reason.MISSING_KEY, "movie_id"),
        (b"1,2,,4", Reason.MISSING_VALUE, "rating"),
        (b"1,2,5.5,4", Reason.OUT_OF_RANGE, "rating"),
        (b"1,2,0.0,4", Reason.OUT_OF_RANGE, "rating"),
        (b"1,2,4.55,4", Reason.OUT_OF_RANGE, "rating"),
        (b"1,2,4.5" + b"0" * 9000 + b"1,4", Reason.OUT_OF_RANGE, "rating"),
        (b"1,2,nan,4", Reason.WRONG_TYPE, "rating"),
        (b"1,2, 4,4", Reason.WRONG_TYPE, "rating"),
        (b"1_000,2,4,4", Reason.WRONG_TYPE, "user_id"),
        (b"0x1,2,4,4", Reason.WRONG_TYPE, "user_id"),
        (b"1.0,2,4,4", Reason.WRONG_TYPE, "user_id"),
        (b"2147483648,2,4,4", Reason.OUT_OF_RANGE, "user_id"),
        (b"1,2,4,9223372036854775808", Reason.OUT_OF_RANGE, "timestamp"),
        (b"9" * 9000 + b",2,4,4", Reason.OUT_OF_RANGE, "user_id"),
        (b"1,2,4,\0", Reason.NUL_BYTE, "timestamp"),
        (b"1,\xff,4,4", Reason.INVALID_UTF8, "movie_id"),
        (b'1,"2,4,4', Reason.UNCLOSED_QUOTE, "movie_id"),
        (b'1,"2"3,4,4', Reason.MALFORMED_QUOTE, "movie_id"),
        (b"1,2,4,4\r", Reason.WRONG_TYPE, "timestamp"),
    ],
)
def test_a_bad_rating_has_a_reason_and_a_column(record: bytes, reason: Reason, column: str | None) -> None:
    assert reasons(RATINGS, record) == [(reason, column)]


@pytest.mark.parametrize(
    "record",
    [
        b"1,2,4,4",
        b"1,2,.5,",
        b"1,2,05.00,4",
        b"+1,-2,0.5,4",
        b'"1","2","3.5","4"',
        b"2147483647,-2147483648,1,0",
        b"1,2,3.,4",
    ],
)
def test_a_good_rating_may_be_spelled_in_several_ways(record: bytes) -> None:
    assert good(sift(RATINGS, record)) == record + b"\n"


@pytest.mark.parametrize("character", ["ä", "퟿", "\ue000", "\uffff", "\U00010000", "\U0010ffff"])
def test_every_character_is_kept(character: str) -> None:
    record = f"1,{character},x\n".encode()
    assert good(sift(MOVIES, record)) == record


@pytest.mark.parametrize(
    "code", [b"\x80", b"\xc0\x80", b"\xe0\x9f\xbf", b"\xed\xa0\x80", b"\xf0\x8f\xbf\xbf", b"\xf4\x90\x80\x80"]
)
def test_what_is_no_character_is_rejected(code: bytes) -> None:
    assert reasons(MOVIES, b"1,a" + code + b",x\n") == [(Reason.INVALID_UTF8, "title")]


def test_line_ends_become_uniform_but_not_those_in_quotes() -> None:
    sifted = sift(MOVIES, b'1,a,b\r\n2,"c\r\nd",e\r\n3,f,g\n4,h,i')
    assert good(sifted) == b'1,a,b\n2,"c\r\nd",e\n3,f,g\n4,h,i\n'
    assert sifted.loaded == 4


def test_what_copy_would_misread_is_rewritten() -> None:
    assert good(sift(MOVIES, b'1,5" disk,"x"\n2,a\rb,c\n')) == b'1,"5"" disk","x"\n2,"a\rb",c\n'
    assert good(sift(TITLES, b"tt1\ta\bb\t\\N\n")) == b"tt1\t\ba\b\bb\b\t\\N\n"


def test_a_quoted_empty_number_becomes_null() -> None:
    assert good(sift(RATINGS, b'1,2,3,""\n')) == b"1,2,3,\n"


def test_an_empty_tag_is_text() -> None:
    assert good(sift(TAGS, b'1,2,,4\n1,2,"",4\n')) == b'1,2,,4\n1,2,"",4\n'


def test_only_the_declared_null_marker_is_null() -> None:
    assert reasons(TITLES, b"tt1\tNone\tNone\n") == [(Reason.WRONG_TYPE, "year")]
    assert reasons(TITLES, b"tt1\t\t\n") == [(Reason.WRONG_TYPE, "year")]
    assert reasons(TITLES, b"\\N\tx\t\\N\n\tx\t1\n") == [(Reason.MISSING_KEY, "tconst")] * 2


def test_an_unclosed_quote_keeps_the_lines_behind_it() -> None:
    sifted = sift(MOVIES, b'1,"a,b\n2,c,d\n3,e,f\n')
    assert good(sifted) == b"2,c,d\n3,e,f\n"
    assert [(reject.line, reject.record) for reject in sifted.rejects] == [(2, b'1,"a,b')]


def test_lines_are_physical_ones() -> None:
    sifted = sift(MOVIES, b'1,"a\n\nb",c\n\n,,\nx,d,e\n')
    assert [reject.line for reject in sifted.rejects] == [7]
    assert (sifted.loaded, sifted.blanks) == (1, 2)


def test_a_relevance_may_have_an_exponent() -> None:
    scores = Sift(GENOME_SCORES, GENOME_SCORES.columns, Dialect())
    sifted = scores.sift(b"1,2,1e-05\n1,3,0.0295\n1,4,1\n1,5,1.0001\n1,6,1e-999\n1,7,1e99999999999999999999\n", 2, 0)
    assert sifted.loaded == 3
    assert [reject.reason for reject in sifted.rejects] == [Reason.OUT_OF_RANGE] * 3


@pytest.mark.parametrize(
    "data", [b"1_0,2,3,4\n", b"1, 2,3,4\n", b"0x1,2,3,4\n", b"1,2,nan,4\n", b"1,2,3,4\r", b"1,2,1e0,4\n"]
)
def test_numbers_that_postgresql_takes_and_we_do_not_are_not_clean(data: bytes) -> None:
    assert not SIFTS["ratings"].is_clean(data)


@pytest.mark.parametrize(
    "data",
    [b'1,5" disk,x\n', b'1,"a"b,x\n', b"1,a,b\r\n2,c,d\n", b"1,\xe9,b\n", b"1,\0,b\n", b"1,a\rb,c\n", b"1,a,b\n\n"],
)
def test_text_that_copy_would_misread_or_refuse_is_not_clean(data: bytes) -> None:
    assert not SIFTS["movies"].is_clean(data)


@pytest.mark.parametrize(
    "data", [b'1,"a, ""b""",c\r\n2,"d\ne\r\n",\r\n', b"1,Am\xc3\xa9lie,\n2,a,b", b"1,a,b\n2,c,d\n"]
)
def test_text_that_copy_reads_right_is_clean(data: bytes) -> None:
    assert SIFTS["movies"].is_clean(data)


def test_a_record_of_nulls_only_is_blank_and_not_clean() -> None:
    assert not SIFTS["anything"].is_clean(b"a,1\n,\n")
    assert not SIFTS["anything"].is_clean(b",\n")


def value(raw: bytes, dialect: Dialect) -> bytes:
    """What a field means, by RFC 4180."""
    if dialect.quote and raw[:1] == dialect.quote:
        return raw[1:-1].replace(b'""', b'"')
    return raw


def source_records(name: str, data: bytes) -> dict[int, tuple[bytes, list[bytes]]]:
    """Every record that is not blank by its place, and the values of its fields, by the grammar alone."""
    dialect = SIFTS[name].dialect
    return {
        at: (data[at : record.stop], [value(data[place.start : place.stop], dialect) for place in record.fields])
        for at, record in records(GRAMMARS[name], data).items()
    }


def records(grammar: Grammar, data: bytes) -> dict[int, Record]:
    """Every record that is not blank by its place."""
    found = {}
    at = 0
    while at < len(data):
        if (blank := grammar.blanks(data, at)) > at:
            at = blank
            continue
        record = grammar.record(data, at)
        assert record is not None
        found[at] = record
        at = record.end
    return found


def as_copy_reads(name: str, data: bytes) -> list[list[bytes]]:
    """A strict reader of what COPY is given."""
    dialect = SIFTS[name].dialect
    text = io.StringIO(data.decode("latin-1"), newline="")
    quote = (dialect.quote or b"\b").decode()
    reader = csv.reader(text, delimiter=dialect.delimiter.decode(), quotechar=quote, strict=True)
    return [[field.encode("latin-1") for field in record] for record in reader]


@pytest.mark.parametrize("name", TABLES)
@given(data=DATA)
def test_every_record_is_loaded_or_rejected_and_nothing_is_changed(name: str, data: bytes) -> None:
    sifted = SIFTS[name].sift(data, 1, 0)
    source = source_records(name, data)
    assert len(source) == sifted.loaded + len(sifted.rejects)
    assert GRAMMARS[name].whole(data, final=True).records == len(source) + sifted.blanks
    rejected = {reject.byte_offset: reject for reject in sifted.rejects}
    assert list(rejected) == sorted(rejected)
    for at, reject in rejected.items():
        text = source[at][0]
        assert (reject.record, reject.length) == (text, len(text))
        assert reject.line == 1 + data.count(b"\n", 0, at)
    assert as_copy_reads(name, good(sifted)) == [fields for at, (_, fields) in source.items() if at not in rejected]


@pytest.mark.parametrize("name", TABLES)
@given(data=DATA, chunk_bytes=st.integers(1, 100))
def test_cutting_changes_no_record(name: str, data: bytes, chunk_bytes: int) -> None:
    parts = [
        SIFTS[name].sift(chunk.data, chunk.first_line, chunk.first_byte)
        for chunk in Cutter(io.BytesIO(data), GRAMMARS[name], chunk_bytes=chunk_bytes)
    ]
    one = SIFTS[name].sift(data, 1, 0)
    assert b"".join(good(part) for part in parts) == good(one)
    assert [reject for part in parts for reject in part.rejects] == one.rejects
    assert sum(part.blanks for part in parts) == one.blanks


@pytest.mark.parametrize("name", TABLES)
@given(data=DATA)
@example(data=b"1,2,3.5,4\r\n1,2,3,4\n")
def test_clean_data_has_no_rejects(name: str, data: bytes) -> None:
    if not SIFTS[name]._patterns.cover(data):
        return
    sifted = SIFTS[name].sift(data, 1, 0)
    assert (sifted.rejects, sifted.blanks) == ([], 0)
    # Nothing is rewritten: what goes in as it stands is what the sift would have given.
    assert as_copy_reads(name, data) == as_copy_reads(name, good(sifted))


NUMBERS = st.one_of(
    st.from_regex(rb"[+-]?[0-9]{0,3}\.?[0-9]{0,3}([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.integers(-(10**20), 10**20).map(lambda whole: b"%d" % whole),
)
SHAPES = [
    Column("n", "n", ColumnType.INT),
    Column("n", "n", ColumnType.BIGINT),
    Column("n", "n", ColumnType.INT, low=7, high=2030),
    Column("n", "n", ColumnType.FLOAT),
    Column("n", "n", ColumnType.FLOAT, low=0.0, high=1.0),
    Column("n", "n", ColumnType.FLOAT, low=0.5, high=10.0),
    Column("n", "n", ColumnType.FLOAT, low=0.5, high=5.0, step=0.5),
    Column("n", "n", ColumnType.FLOAT, low=0.0, high=12.0, step=0.25),
]


@pytest.mark.parametrize("column", SHAPES)
@given(spelling=NUMBERS)
def test_a_pattern_says_yes_only_where_the_judge_does(column: Column, spelling: bytes) -> None:
    pattern = Patterns((column, Column("t", "t", ColumnType.TEXT)), Dialect()).record
    if spelling and pattern.fullmatch(spelling + b",x\n"):
        assert Judge(column, Dialect(), key=False).fault(spelling, quoted=False) is None


@given(low=st.integers(0, 3000), length=st.integers(0, 3000), probe=st.integers(0, 9999))
def test_a_range_of_whole_numbers_is_matched_exactly(low: int, length: int, probe: int) -> None:
    pattern = re.compile(b"|".join(whole_numbers(low, low + length)))
    assert bool(pattern.fullmatch(b"%d" % probe)) == (low <= probe <= low + length)


def bare_groups(pattern: Any) -> Iterator[Any]:
    """The possessive repetitions, in a parsed pattern, of something that is neither one character nor atomic."""
    if isinstance(pattern, PARSER.SubPattern):
        for name, value in pattern:
            if str(name) == "POSSESSIVE_REPEAT" and [str(part[0]) for part in value[2]] not in SAFE_TO_REPEAT:
                yield value
            yield from bare_groups(value)
    elif isinstance(pattern, tuple | list):
        for part in pattern:
            yield from bare_groups(part)


def test_bare_groups_are_found() -> None:
    assert not list(bare_groups(PARSER.parse("(?:(?>ab?c)*+|[^a]*+a{1,2}+){2}")))
    assert len(list(bare_groups(PARSER.parse("a|((?:ab?c)*+|(?=(?:ab)?+))*(?:[ab]c){0,9}+")))) == 3


@pytest.mark.parametrize("name", TABLES)
def test_no_pattern_repeats_a_group_in_the_way_that_python_3_11_4_gets_wrong(name: str) -> None:
    parts = [*vars(SIFTS[name].grammar).values(), *vars(SIFTS[name]._patterns).values()]
    patterns = [part.pattern.decode("latin-1") for part in parts if isinstance(part, re.Pattern)]
    assert len(patterns) >= 9
    assert [pattern for pattern in patterns if list(bare_groups(PARSER.parse(pattern)))] == []


def test_a_character_that_breaks_off_is_not_passed_over() -> None:
    sifted = sift(MOVIES, b"1,a\xe1\x80,b\n2,a\xf1\x80\x80,b\n3,c,d\n")
    assert [reject.reason for reject in sifted.rejects] == [Reason.INVALID_UTF8] * 2
    assert good(sifted) == b"3,c,d\n"


def test_every_half_star_has_a_fast_spelling() -> None:
    pattern = re.compile(number(RATINGS.columns[2]))
    spellings = [b"0.5", b".5", b"1", b"1.0", b"1.50", b"2.0", b"3.5", b"4.5", b"5", b"5.0", b"5.00"]
    assert all(pattern.fullmatch(spelling) for spelling in spellings)
    assert not any(pattern.fullmatch(spelling) for spelling in [b"0", b"0.0", b"5.5", b"4.4", b"6", b"10", b"."])
