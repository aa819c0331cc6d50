"""Converting: every record is rewritten or rejected, whatever way of writing the file has."""

from __future__ import annotations

import csv
import importlib
import io
import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reelbase.datasets import DATASETS, MOVIELENS, TMDB, Column, Layout, Table
from reelbase.loading.convert import Converter, copied_dialect, sieve
from reelbase.loading.fields import Judge
from reelbase.loading.heap import Sifted
from reelbase.loading.rejects import Reason
from reelbase.loading.sift import Sift
from reelbase.reading.chunks import Cutter
from tests.unit.test_sift import bare_groups, records

PARSER = importlib.import_module("re._parser")

FIFTEEN = (
    *("budget", "homepage", "original_language", "original_title", "overview", "release_date", "revenue", "runtime"),
    *("status", "title", "vote_average", "vote_count", "production_company_id", "genre_id", "languages"),
)


def converter(table: Table, layout: str = "standard", *names: str) -> Converter:
    way = table.layout(layout)
    columns = table.columns_in(way)
    found = sieve(table, tuple(columns[name] for name in names or way.order or columns), way.dialect)
    assert isinstance(found, Converter)
    return found


FILES = {
    "movies": converter(TMDB.table("movies"), "standard", "id", "title", "release_date", "runtime", "adult", "genres"),
    "fifteen": converter(TMDB.table("movies"), "standard", *FIFTEEN),
    "credits": converter(TMDB.table("credits")),
    "links": converter(MOVIELENS.table("links")),
    "kaggle movies": converter(MOVIELENS.table("movies"), "kaggle"),
    "kaggle ratings": converter(MOVIELENS.table("ratings"), "kaggle"),
    "kaggle tags": converter(MOVIELENS.table("tags"), "kaggle"),
    "ratings.dat": converter(MOVIELENS.table("ratings"), "dat"),
    "movies.dat": converter(MOVIELENS.table("movies"), "dat"),
    "tags.dat": converter(MOVIELENS.table("tags"), "dat"),
    "users.dat": converter(MOVIELENS.table("users"), "dat"),
}
PIECES = [
    b'"', b'"', b",", b",", b"::", b"::", b":", b"\n", b"\n", b"\r\n", b"\r", b"a", b'""', b'\\"', b"\\", b" ", b"\t",
    b"\b", b"\0", b"\xff", b"\xc3\xa9", b"1", b"12", b"4.5", b"81.0", b"True", b"[]", b"'",
    b'"[{\'id\': 1, \'name\': \'x, y\'}]"',
    b"1995-10-30", b"2/10/1995", b"2005-04-02 23:53:47", b'"2005-04-02 23:53:47"', b"1,2,3.5,4\n", b"1::2::3.5::4\n",
    b'1,2,3.5,"2005-04-02 23:53:47"\n', b'1,2,3.5,"2005-02-30 23:53:47"\r\n', b"1,Heat,1995-12-15,170.0,False,[]\n",
    b'2,"a ""b""\nc",,,,"[\'x\', ""y\'s""]"\n', b"1::Heat (1995)::Crime\n", b'1,"\\"\\"a\\"\\" b",c\n',
    b"1::F::1::10::48067\n",
]  # fmt: skip
DATA = st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join)


def good(sifted: Sifted) -> bytes:
    return b"".join(sifted.good)


def rows(name: str, data: bytes) -> list[list[str]]:
    """What COPY reads of the good records."""
    return as_copy_reads(FILES[name], good(FILES[name].sift(data, 1, 0)))


def as_copy_reads(found: Converter, data: bytes) -> list[list[str]]:
    quote = (found.dialect.quote or b"\b").decode()
    text = io.StringIO(data.decode(), newline="")
    return list(csv.reader(text, delimiter=found.dialect.delimiter.decode(), quotechar=quote, strict=True))


def reasons(name: str, data: bytes) -> list[tuple[Reason, str | None]]:
    return [(reject.reason, reject.column) for reject in FILES[name].sift(data, 1, 0).rejects]


# What a file says


def test_tmdb_spellings_become_postgresqls() -> None:
    assert rows(
        "movies",
        b"862,Toy Story,1995-10-30,81.0,False,"
        b"\"[{'id': 16, 'name': 'Animation'}, {'id': 35, 'name': \"\"Children's\"\"}]\"\n"
        b'"863.0","A, ""B""",10/30/1995,"81","TRUE","Action, Science Fiction"\n'
        b'864,"a\nb",1995,,0,[]\n'
        b'865,"",2/10/1995,"","",""\n',
    ) == [
        [
            "862",
            "Toy Story",
            "1995-10-30",
            "81",
            "False",
            '[{"id": 16, "name": "Animation"}, {"id": 35, "name": "Children\'s"}]',
            "1995",
        ],
        ["863", 'A, "B"', "1995-10-30", "81", "TRUE", '["Action", "Science Fiction"]', "1995"],
        ["864", "a\nb", "", "", "0", "[]", "1995"],
        ["865", "", "", "", "", "", "1995"],
    ]


def test_an_empty_text_is_null_between_quotes_too() -> None:
    assert good(FILES["movies"].sift(b'1,"",,,,\n2,"""",,,,\n', 1, 0)) == b'1,,,,,,\n2,"""",,,,,\n'


@pytest.mark.parametrize(
    ("record", "column", "reason"),
    [
        (b"x,a,,,,", "id", Reason.WRONG_TYPE),
        (b"1.5,a,,,,", "id", Reason.WRONG_TYPE),
        (b"99999999999,a,,,,", "id", Reason.OUT_OF_RANGE),
        (b"1,a,1995-02-30,,,", "release_date", Reason.WRONG_TYPE),
        (b"1,a,,81.5,,", "runtime", Reason.WRONG_TYPE),
        (b"1,a,,,maybe,", "adult", Reason.WRONG_TYPE),
        (b"1,a,,,,\"[{'id': 1\"", "genres", Reason.WRONG_TYPE),
        (b"1,a,,,,\"['\\x00']\"", "genres", Reason.WRONG_TYPE),
        (b"1,a,,,", None, Reason.TOO_FEW_COLUMNS),
        (b"1,a,,,,,", None, Reason.TOO_MANY_COLUMNS),
        (b'1,"a,,,,', "title", Reason.UNCLOSED_QUOTE),
        (b'1,"a"b,,,,', "title", Reason.MALFORMED_QUOTE),
        (b"1,a\0,,,,", "title", Reason.NUL_BYTE),
        (b"1,a\xff,,,,", "title", Reason.INVALID_UTF8),
        (b"1,a,,,,\"['\xe9']\"", "genres", Reason.INVALID_UTF8),
    ],
)
def test_a_bad_movie_is_named_and_its_neighbours_kept(record: bytes, column: str | None, reason: Reason) -> None:
    sifted = FILES["movies"].sift(b"1,b,,,,\n" + record + b"\n2,c,,,,\n", 2, 100)
    assert [(one.line, one.byte_offset, one.column, one.reason, one.record) for one in sifted.rejects] == [
        (3, 108, column, reason, record)
    ]
    assert good(sifted) == b"1,b,,,,,\n2,c,,,,,\n"


def test_dat_files_keep_colons_commas_quotes_and_latin_letters() -> None:
    assert rows(
        "movies.dat",
        b"1::2001: A Space Odyssey (1968)::Drama|Sci-Fi\n"
        b'2::"Great, Performances" (1995)::Comedy\r\n'
        b"3::Mis\xe9rables, Les (1995)::Drama\n"
        b"4::Am\xc3\xa9lie\t(2001)::\n"
        b"5:: a\bb ::x",
    ) == [
        ["1", "2001: A Space Odyssey (1968)", "Drama|Sci-Fi"],
        ["2", '"Great, Performances" (1995)', "Comedy"],
        ["3", "Misérables, Les (1995)", "Drama"],
        ["4", "Amélie\t(2001)", ""],
        ["5", " a\bb ", "x"],
    ]
    assert rows("users.dat", b"1::F::1::10::00231\n2::M::56::16::70072-1234\n")[0] == ["1", "F", "1", "10", "00231"]


@pytest.mark.parametrize(
    ("record", "column", "reason"),
    [
        (b"1::2::6::4", "rating", Reason.OUT_OF_RANGE),
        (b"1::2:::4::4", "rating", Reason.WRONG_TYPE),
        (b"1::2::4", None, Reason.TOO_FEW_COLUMNS),
        (b"1::2::4::4::", None, Reason.TOO_MANY_COLUMNS),
        (b"1,2,4,4", None, Reason.TOO_FEW_COLUMNS),
        (b"::2::4::4", "user_id", Reason.MISSING_KEY),
        (b"1::2::4::\xe9", "timestamp", Reason.WRONG_TYPE),
        (b"1::2::4::\0", "timestamp", Reason.NUL_BYTE),
    ],
)
def test_a_bad_rating_of_a_dat_file_is_named(record: bytes, column: str | None, reason: Reason) -> None:
    sifted = FILES["ratings.dat"].sift(b"1::2::5::4\n" * 3 + record + b"\n7::8::.5::\n", 1, 0)
    assert [(one.line, one.byte_offset, one.column, one.reason, one.record) for one in sifted.rejects] == [
        (4, 33, column, reason, record)
    ]
    assert good(sifted) == b"1\t2\t5\t4\n" * 3 + b"7\t8\t.5\t\n"


def test_kaggles_quotes_and_moments_are_read() -> None:
    assert rows(
        "kaggle movies",
        b'1,"\\"\\"Great Performances\\"\\" Cats (1998)","Musical"\n'
        b'2,"a ""b"" \\\\ c\\d","x"\n3,a\\b,\n4,"x\\\n\\"","y"\n',
    ) == [
        ["1", '"Great Performances" Cats (1998)', "Musical"],
        ["2", 'a "b" \\ c\\d', "x"],
        ["3", "a\\b", ""],
        ["4", 'x\\\n"', "y"],
    ]
    tags = b'18,4141,"2005-04-02 23:53:47","2009-04-24 18:19:40"\n19,1,"a",1240597180\n20,2,"",\n'
    assert rows("kaggle tags", tags) == [
        ["18", "4141", "2005-04-02 23:53:47", "1240597180"],
        ["19", "1", "a", "1240597180"],
        ["20", "2", "", ""],
    ]
    assert reasons("kaggle ratings", b'1,2,3.5,"02-04-2005 23:53"\n1,2,3.5,"23-04-2005 23:53"\n') == [
        (Reason.WRONG_TYPE, "timestamp")
    ]


def test_imdb_ids_of_links_get_their_zeros_back() -> None:
    assert good(FILES["links"].sift(b'1,114709,862\n2,"0113497",\n3,,\n4,11450932,5\n', 1, 0)) == (
        b"1,0114709,862\n2,0113497,\n3,,\n4,11450932,5\n"
    )


# Chunks that are rewritten as a whole

RATING = '{},{},3.5,"2005-04-02 23:53:47"'
AS_A_WHOLE: list[tuple[str, bytes, bytes]] = [
    ("ratings.dat", b"1::2::3.5::4\n7::8::5::-5\r\n", b"1\t2\t3.5\t4\n7\t8\t5\t-5\r\n"),
    ("ratings.dat", b"1::2::3.5::4", b"1\t2\t3.5\t4"),
    ("kaggle ratings", b'1,2,3.5,"2005-04-02 23:53:47"\n1,3,4,"1970-01-01 00:00:01"', b"1,2,3.5,1112486027\n1,3,4,1"),
    ("kaggle ratings", b'1,2,3.5,"2005-04-02 23:53:47"\r\n', b"1,2,3.5,1112486027\r\n"),
    ("kaggle ratings", b"1,2,3.5,1112486027\n", b"1,2,3.5,1112486027\n"),
]


@pytest.mark.parametrize(("name", "data", "ready"), AS_A_WHOLE)
def test_chunks_of_ratings_are_rewritten_as_a_whole(name: str, data: bytes, ready: bytes) -> None:
    assert FILES[name].ready(data) == ready
    assert good(FILES[name].sift(data, 1, 0)) == ready.replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("ratings.dat", b"1::2::x::4\n"),
        ("ratings.dat", b"1::2::4\t::4\n"),
        ("ratings.dat", b"1::2::3::4\r"),
        ("kaggle ratings", b'1,2,3.5,"2005-02-30 23:53:47"\n'),
        ("kaggle ratings", b'1,2,3.5,"2005-04-02 23:53:47"7\n'),
        ("kaggle ratings", b'1,2,3.5"2005-04-02 23:53:47"\n'),
        ("kaggle ratings", b'1,2,3.5,"2005-04-02 23:53:47\n'),
        ("kaggle ratings", b'"1",2,3.5,"2005-04-02 23:53:47"\n'),
        ("kaggle ratings", b'1,2,3.5,"02-04-2005 23:53"\n'),
        ("kaggle ratings", b'1,2,3.5,"2005-04-02 23:53:47",\n'),
        ("kaggle ratings", b'1,2,3.5,x\n1,2,3.5,"2005-04-02 23:53:47"\n'),
        ("movies.dat", b"1::a::b\n"),
    ],
)
def test_what_copy_would_misread_is_looked_at_one_by_one(name: str, data: bytes) -> None:
    assert FILES[name].ready(data) is None


@given(
    lines=st.lists(
        st.sampled_from([b"1::2::3.5::4\n", b"1::2::5::9\r\n", b"x\n", b"::::::\n", b"7::8::9::1\n", b"\n"]),
        max_size=30,
    )
)
def test_bad_lines_among_ratings_are_found_where_they_are(lines: list[bytes]) -> None:
    sifted = FILES["ratings.dat"].sift(b"".join(lines), 1, 0)
    bad = [number for number, line in enumerate(lines, start=1) if line in (b"x\n", b"7::8::9::1\n")]
    assert [reject.line for reject in sifted.rejects] == bad
    assert sifted.blanks == sum(line in (b"\n", b"::::::\n") for line in lines)
    assert sifted.loaded == good(sifted).count(b"\n") == len(lines) - len(bad) - sifted.blanks


def test_an_impossible_day_among_moments_costs_one_record() -> None:
    bad = b'1,9999,3.5,"2005-02-30 23:53:47"'
    lines = [RATING.format(1, movie).encode() for movie in range(200)]
    sifted = FILES["kaggle ratings"].sift(b"\n".join([*lines[:100], bad, *lines[100:]]), 2, 0)
    assert (sifted.loaded, [(one.line, one.record) for one in sifted.rejects]) == (200, [(102, bad)])


# Whatever a file holds


@pytest.mark.parametrize("name", FILES)
@given(data=DATA)
def test_every_record_is_loaded_or_rejected_in_order(name: str, data: bytes) -> None:
    found = FILES[name]
    sifted = found.sift(data, 1, 0)
    source = {at: data[at : record.stop] for at, record in records(found.grammar, data).items()}
    assert len(source) == sifted.loaded + len(sifted.rejects)
    assert found.grammar.whole(data, final=True).records == len(source) + sifted.blanks
    rejected = [reject.byte_offset for reject in sifted.rejects]
    assert rejected == sorted(set(rejected))
    for reject in sifted.rejects:
        assert (reject.record, reject.length) == (source[reject.byte_offset], len(source[reject.byte_offset]))
        assert reject.line == 1 + data.count(b"\n", 0, reject.byte_offset)
    copied = as_copy_reads(found, good(sifted))
    assert copied == [row for at, text in source.items() if at not in rejected for row in one_by_one(found, text)]
    assert all(len(row) == len(found.columns) for row in copied)
    assert len(records(found.output, good(sifted))) == sifted.loaded


def one_by_one(found: Converter, text: bytes) -> list[list[str]]:
    """A record as the judge of single records has it copied, without the patterns."""
    record = found.grammar.record(text, 0)
    assert record is not None
    verdict = found._records.verdict(text, 0, record)
    assert isinstance(verdict, bytes)
    return as_copy_reads(found, verdict + b"\n")


@pytest.mark.parametrize("name", FILES)
@given(data=DATA, chunk_bytes=st.integers(1, 100))
def test_cutting_changes_no_record(name: str, data: bytes, chunk_bytes: int) -> None:
    found = FILES[name]
    parts = [
        found.sift(chunk.data, chunk.first_line, chunk.first_byte)
        for chunk in Cutter(io.BytesIO(data), found.grammar, chunk_bytes=chunk_bytes)
    ]
    one = found.sift(data, 1, 0)
    assert as_copy_reads(found, b"".join(good(part) for part in parts)) == as_copy_reads(found, good(one))
    assert [reject for part in parts for reject in part.rejects] == one.rejects
    assert sum(part.blanks for part in parts) == one.blanks


@pytest.mark.parametrize("name", ["ratings.dat", "kaggle ratings"])
@given(data=DATA)
@settings(max_examples=300)
def test_what_is_ready_is_what_the_records_say_or_copy_refuses_it(name: str, data: bytes) -> None:
    found = FILES[name]
    ready = found.ready(data)
    sifted = found.sift(data, 1, 0)
    if ready is not None and not sifted.rejects and not sifted.blanks:
        assert as_copy_reads(found, ready) == as_copy_reads(found, good(sifted))


def test_a_bad_record_of_empty_fields_is_no_riddle() -> None:
    found = converter(TMDB.table("movies"))
    record = b",".join([b'""'] * (len(TMDB.table("movies").written) - 1)) + b",x"
    assert [reject.column for reject in found.sift(record, 1, 0).rejects] == ["production_company_id"]
    good = b'"1"' + b',""' * 28 + b"\n"
    assert found.sift(good * 3, 1, 0).loaded == 3


# Which files go through here


def layouts() -> list[tuple[Table, Layout]]:
    return [(table, layout) for dataset in DATASETS for table in dataset.tables for layout in table.every_layout]


@pytest.mark.parametrize(
    ("table", "layout"), layouts(), ids=lambda value: getattr(value, "full_name", None) or value.name
)
def test_every_layout_has_what_reads_it(table: Table, layout: Layout) -> None:
    columns = tuple(table.columns_in(layout).values())
    found = sieve(table, columns, layout.dialect)
    assert found.dialect == copied_dialect(layout.dialect)
    assert len(found.dialect.delimiter) == 1
    assert set(columns) <= set(found.columns)


@pytest.mark.parametrize("name", ["ratings", "movies", "tags", "genome_scores", "genome_tags"])
def test_files_that_copy_can_read_stay_as_they_are(name: str) -> None:
    table = MOVIELENS.table(name)
    assert isinstance(sieve(table, table.columns, table.dialect), Sift)


def patterns(found: Converter) -> list[re.Pattern[bytes]]:
    parts = [*vars(found.grammar).values(), *vars(found._bulk or object).values()]
    judges: list[Judge] = found._records.fields
    parts += [value for judge in judges for value in vars(judge).values()]
    matcher: Callable[..., object] = found._match
    return [part for part in [*parts, getattr(matcher, "__self__", None)] if isinstance(part, re.Pattern)]


@pytest.mark.parametrize("name", FILES)
def test_no_pattern_repeats_a_group_in_the_way_that_python_3_11_4_gets_wrong(name: str) -> None:
    found = [pattern.pattern.decode("latin-1") for pattern in patterns(FILES[name])]
    assert len(found) >= 7
    assert [pattern for pattern in found if list(bare_groups(PARSER.parse(pattern)))] == []


def test_unknown_columns_stay_text() -> None:
    table = TMDB.table("movies")
    columns = (*table.columns_in(table.every_layout[0]).values(),)[:3]
    further = Column("x", "x", table.columns[2].type)
    found = sieve(table, (*columns, further), table.dialect)
    assert good(found.sift(b'1,tt1,a,"007"\n2,tt2,b,\n', 1, 0)) == b'1,tt1,a,"007"\n2,tt2,b,\n'
