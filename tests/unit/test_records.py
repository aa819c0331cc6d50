"""The grammar of records: where a record ends, and which quotes spoil a line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelbase.datasets.model import Dialect
from reelbase.reading.records import QUOTED_BYTES, Fault, Grammar, lines

MOVIES = Grammar(Dialect(), (False, True, True))
NUMBERS = Grammar(Dialect(), (False, False))
TABS = Grammar(Dialect(delimiter=b"\t", quote=None, null=b"\\N"), (True, True))
COLONS = Grammar(Dialect(delimiter=b"::", quote=None), (False, True, True))
ESCAPED = Grammar(Dialect(escape=b"\\"), (False, True, True))

DATA = st.lists(
    st.sampled_from(
        [
            b'"',
            b'"',
            b",",
            b"\n",
            b"\r\n",
            b"\r",
            b"a",
            b'""',
            b" ",
            b"\t",
            b'1,"x',
            b'"\n',
            b'2,b,"c"\n',
            b":",
            b"::",
            b"\\",
        ]
    )
).map(b"".join)


def records(grammar: Grammar, data: bytes) -> list[tuple[bytes, Fault | None]]:
    found = []
    at = 0
    while at < len(data):
        record = grammar.record(data, at)
        assert record is not None
        assert record.end > at
        found.append((data[at : record.end], record.fault))
        at = record.end
    return found


def fields(grammar: Grammar, data: bytes) -> list[bytes]:
    record = grammar.record(data, 0)
    assert record is not None
    return [data[field.start : field.stop] for field in record.fields]


def count(grammar: Grammar, data: bytes) -> int:
    at = number = 0
    while at < len(data):
        record = grammar.record(data, at)
        assert record is not None
        number, at = number + 1, record.end
    return number


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"1,a,b\n2", [(b"1,a,b\n", None), (b"2", None)]),
        (b"1,a\rb,c\r\n2,,\n", [(b"1,a\rb,c\r\n", None), (b"2,,\n", None)]),
        (b'1,"a\nb",c\n2,,\n', [(b'1,"a\nb",c\n', None), (b"2,,\n", None)]),
        (b'1,a"b,c\n2,,\n', [(b'1,a"b,c\n', None), (b"2,,\n", None)]),
        (b'1,"a""\nb",c\n', [(b'1,"a""\nb",c\n', None)]),
    ],
)
def test_a_record_ends_with_its_line_unless_a_text_field_is_quoted(
    data: bytes, expected: list[tuple[bytes, Fault | None]]
) -> None:
    assert records(MOVIES, data) == expected


def test_a_quote_never_closed_spoils_only_its_line() -> None:
    assert records(MOVIES, b'1,"a,b\n2,c,d\n3,e,f\n') == [
        (b'1,"a,b\n', Fault.UNCLOSED),
        (b"2,c,d\n", None),
        (b"3,e,f\n", None),
    ]


def test_a_quote_closed_on_a_later_line_with_something_behind_it_spoils_its_own_line() -> None:
    assert records(MOVIES, b'1,"a,b\n2,"c",d\n')[0] == (b'1,"a,b\n', Fault.UNCLOSED)


def test_something_behind_a_closing_quote_spoils_the_line() -> None:
    assert records(MOVIES, b'1,"a"b,c\n2,d,e\n') == [(b'1,"a"b,c\n', Fault.MALFORMED), (b"2,d,e\n", None)]


def test_a_fault_behind_a_good_field_of_two_lines_spoils_both_lines() -> None:
    assert records(MOVIES, b'1,"a\nb","c"d\n2,,\n')[0] == (b'1,"a\nb","c"d\n', Fault.MALFORMED)


def test_a_field_of_a_number_column_may_not_span_lines() -> None:
    assert records(MOVIES, b'"1\n",a,b\n') == [(b'"1\n', Fault.UNCLOSED), (b'",a,b\n', Fault.UNCLOSED)]
    assert records(NUMBERS, b'1,"2\n"\n')[0] == (b'1,"2\n', Fault.UNCLOSED)


def test_a_column_too_many_may_not_span_lines() -> None:
    assert records(MOVIES, b'1,a,b,"c\n"\n')[0] == (b'1,a,b,"c\n', Fault.UNCLOSED)


def test_without_a_quote_in_the_dialect_quotes_mean_nothing() -> None:
    assert records(TABS, b'"a\tb\nc\t"d"e\n') == [(b'"a\tb\n', None), (b'c\t"d"e\n', None)]


def test_two_colons_separate_and_one_does_not() -> None:
    assert fields(COLONS, b'1::a: b::"c"::\n') == [b"1", b"a: b", b'"c"', b""]
    assert fields(COLONS, b"1:::a::::b:") == [b"1", b":a", b"", b"b:"]
    assert COLONS.blanks(b"::::\n", 0) == 5


def test_an_escaped_quote_does_not_close() -> None:
    line = b'1,"\\"a\\", b","c\\\\"\n'
    assert fields(ESCAPED, line) == [b"1", b'"\\"a\\", b"', b'"c\\\\"']
    assert fields(ESCAPED, b'1,"a ""b"" c",\\"\n') == [b"1", b'"a ""b"" c"', b'\\"']
    assert records(ESCAPED, b'1,"a\\\nb",c\n2,"d\\","e"\n') == [
        (b'1,"a\\\nb",c\n', None),
        (b'2,"d\\","e"\n', Fault.MALFORMED),
    ]
    assert ESCAPED.record(b'1,"a\\', 0, final=False) is None


def test_fields_are_found_with_their_quotes() -> None:
    assert fields(MOVIES, b'1,"a, ""b""\n",c\r\n') == [b"1", b'"a, ""b""\n"', b"c"]


def test_a_record_of_many_separators_does_not_become_many_objects() -> None:
    assert len(fields(MOVIES, b"," * 100_000)) == 4


@pytest.mark.parametrize("longer", [0, 1])
def test_a_quoted_field_has_up_to_a_mebibyte(longer: int) -> None:
    body = b"\n" * (QUOTED_BYTES - 2 + longer)
    first, fault = records(MOVIES, b'1,"' + body + b'",c\n')[0]
    assert (fault, len(first)) == ((Fault.UNCLOSED, 4) if longer else (None, QUOTED_BYTES + 5))


def test_a_doubled_quote_cut_by_the_limit_does_not_close() -> None:
    lines = b'1,"' + b"\n" * (QUOTED_BYTES - 2) + b'""",c\n'
    assert records(MOVIES, lines)[0] == (b'1,"\n', Fault.UNCLOSED)
    line = b'1,"' + b"x" * (QUOTED_BYTES - 2) + b'""",c\n'
    assert records(MOVIES, line) == [(line, Fault.UNCLOSED)]


@pytest.mark.parametrize("line", [b"\n", b"\r\n", b",,\n", b" ,\t,\r\n", b'"",,""\n', b","])
def test_nothing_but_separators_is_blank(line: bytes) -> None:
    assert MOVIES.blanks(line, 0) == len(line)
    assert MOVIES.whole(line, final=True).records == 1


@pytest.mark.parametrize("line", [b'"" ,\n', b'" "\n', b'"\n"\n', b"\r", b"0,,\n"])
def test_anything_else_is_not_blank(line: bytes) -> None:
    assert MOVIES.blanks(line, 0) == 0


@pytest.mark.parametrize(
    ("start", "at"),
    [(b'1,"a', 0), (b'1,"a"', 0), (b'1,"a"\r', 0), (b'1,"a\nb"\r', 0), (b'1,"a"\r\n2', 7), (b"1,a", 0)],
)
def test_what_depends_on_more_bytes_is_not_guessed(start: bytes, at: int) -> None:
    assert MOVIES.record(start, at, final=False) is None
    assert MOVIES.whole(start, final=False).end == at


@pytest.mark.parametrize("grammar", [MOVIES, NUMBERS, TABS, COLONS, ESCAPED])
@given(data=DATA)
def test_whole_counts_what_stepping_record_by_record_counts(grammar: Grammar, data: bytes) -> None:
    assert grammar.whole(data, final=True) == (len(data), count(grammar, data), lines(data, 0, len(data)))


@pytest.mark.parametrize("grammar", [MOVIES, NUMBERS, TABS, COLONS, ESCAPED])
@given(data=DATA, cut=st.integers(0, 60))
def test_the_start_of_a_file_is_divided_as_the_file_is(grammar: Grammar, data: bytes, cut: int) -> None:
    end, number, _ = grammar.whole(data[:cut], final=False)
    ends = {0}
    for record, _ in records(grammar, data):
        ends.add(max(ends) + len(record))
    assert end in ends
    assert number == count(grammar, data[:end])
