"""Forms: one value in many spellings, and what is no value at all."""

from __future__ import annotations

import ast
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reelbase.datasets import DATASETS, ColumnType, Form
from reelbase.loading import forms, literals
from reelbase.loading.literals import MOST_LEVELS


def refused(read: Any, value: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # Misspelt, or what Python says
        read(value)


# Lists and objects

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
SCALARS = NAMES | st.integers(-(10**20), 10**20) | st.none() | st.booleans() | st.floats(0.001, 1000)
OBJECTS = st.dictionaries(NAMES, SCALARS, max_size=4)
VALUES = OBJECTS | st.lists(OBJECTS | SCALARS, max_size=4) | st.lists(st.lists(SCALARS, max_size=2), max_size=2)


@given(value=VALUES)
@example(value=[{"id": 1, "name": ": None, 'x'"}, {"a": None, "b": True, "c": False}])
@example(value=[{"name": ": None,"}, {"x': None": None}])
@example(value=["Children's", 'Say "No"', "None", "True", "\xa0", "a\\b", "\U0001f600", "\u2028"])
@example(value={"poster_path": None, "backdrop_path": "/a.jpg"})
@example(value=[])
def test_a_python_literal_and_json_mean_the_same(value: Any) -> None:
    assert json.loads(literals.objects(repr(value).encode())) == value
    assert json.loads(literals.objects(json.dumps(value).encode())) == value
    assert json.loads(literals.objects(json.dumps(value, ensure_ascii=False, indent=1).encode())) == value


SNIPPETS = st.lists(
    st.sampled_from(
        ["[", "]", "{", "}", "'", '"', ", ", ": ", "'a'", '"b"', "1", "-2.5", "None", "True", "\\", "\\'", "\\x41",
         "\\u00e9", "u'x'", "'id': 3", "a", "é", "\n", "nan", "(", ")", "1_0", "0x1", "'a': None", "b'x'"]
    ),
    max_size=10,
)  # fmt: skip


@given(text=SNIPPETS.map("".join).map(lambda inside: f"[{inside}]"))
def test_what_is_taken_for_a_literal_is_one(text: str) -> None:
    try:
        found = json.loads(literals.objects(text.encode()))
    except ValueError:
        return
    if literals._LITERAL.match(text.encode()):
        assert found == meaning(text)
    else:
        assert found == [name.strip() for name in text.split(",") if name.strip()]


def meaning(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return ast.literal_eval(text)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Action, Science Fiction", ["Action", "Science Fiction"]),
        ("Drama", ["Drama"]),
        (" Drama ,,War ", ["Drama", "War"]),
        ("[adult swim], Titmouse", ["[adult swim]", "Titmouse"]),
        ("{Un}known", ["{Un}known"]),
        ('7" Records, A\\B', ['7" Records', "A\\B"]),
        ("Studio 4°C, 東宝", ["Studio 4°C", "東宝"]),
        (",", []),
    ],
)
def test_names_between_commas_become_a_list(text: str, names: list[str]) -> None:
    assert json.loads(literals.objects(text.encode())) == names
    assert literals.names(text.encode()) == literals.names(json.dumps(names).encode())


def test_one_thing_without_brackets_is_its_name() -> None:
    assert literals.one_object(b"The Good, the Bad Collection") == b'"The Good, the Bad Collection"'
    assert json.loads(literals.one_object(b"{'id': 10194, 'poster_path': None}")) == {"id": 10194, "poster_path": None}


@pytest.mark.parametrize(
    "text",
    [
        "[{'id': 16, 'na",
        "[{'id' 16}]",
        "[1, 2",
        "{'a'}",
        "[nan]",
        "[1, Infinity]",
        "['a' 'b']",
        "[1e99999]",
        "[{1: 2}]",
        "['\\N{BULLET}']",
    ],
)
def test_what_is_broken_is_no_literal(text: str) -> None:
    refused(literals.objects, text.encode())


@pytest.mark.parametrize(
    "text", [r'["\u0000"]', r"['\x00']", r"['\0']", r'["\ud83d"]', r"['\udc00a']", r'{"\ud83d": 1}']
)
def test_what_jsonb_does_not_take_is_refused(text: str) -> None:
    refused(literals.objects, text.encode())
    refused(literals.names, text.encode())


@pytest.mark.parametrize(
    ("text", "name"), [(r'["\ud83d\ude00"]', "😀"), (r"['\ud83d\ude00']", "😀"), (r'["\\u0000"]', r"\u0000")]
)
def test_what_only_looks_like_it_is_kept(text: str, name: str) -> None:
    assert json.loads(literals.objects(text.encode())) == [name]


@pytest.mark.parametrize("pair", ["[]", '{"a":}', "{'a': }"])
def test_depth_is_bounded(pair: str) -> None:
    opening, closing = pair[:-1], pair[-1]
    fine = opening * 100 + "1" + closing * 100
    json.loads(literals.objects(fine.encode()))
    for levels in (MOST_LEVELS + 1, 100_000):
        refused(literals.objects, (opening * levels + "1" + closing * levels).encode())


@given(found=st.lists(NAMES, max_size=5))
def test_an_array_is_written_as_postgresql_reads_it(found: list[str]) -> None:
    expected = "{" + ",".join('"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"' for name in found) + "}"
    for text in (repr(found), json.dumps(found)):
        assert literals.names(text.encode()).decode().replace('", "', '","') == expected.replace('", "', '","')


@pytest.mark.parametrize("text", ["[1]", "[None]", "[['a']]", "{'a': 'b'}", "['a'", "[{'name': 'English'}]"])
def test_an_array_has_only_names(text: str) -> None:
    refused(literals.names, text.encode())


# Numbers


@pytest.mark.parametrize(
    ("spelling", "number"),
    [
        (b"81", 81),
        (b"81.0", 81),
        (b"81.", 81),
        (b"30000000.0", 30000000),
        (b"+7", 7),
        (b"-7.00", -7),
        (b"007", 7),
        (b"0", 0),
    ],
)
def test_a_whole_number_may_be_written_as_a_decimal(spelling: bytes, number: int) -> None:
    assert int(forms.whole(spelling, 32)) == number


@pytest.mark.parametrize("spelling", [b"81.5", b"8e1", b"x", b"1_0", b" 1", b"0x1F", b".0", b"--1", b"1-", b"nan"])
def test_what_is_no_whole_number_is_refused(spelling: bytes) -> None:
    refused(lambda value: forms.whole(value, 32), spelling)


def test_whole_numbers_have_the_limits_of_their_type() -> None:
    assert forms.whole(b"2147483647.0", 32) == b"2147483647"
    assert forms.whole(b"-2147483648", 32) == b"-2147483648"
    assert forms.whole(b"2787965087.0", 64) == b"2787965087"
    for spelling in (b"2147483648", b"-2147483649.0", b"9" * 9000):
        refused(lambda value: forms.whole(value, 32), spelling)
    assert forms.whole(b"0" * 9000 + b"5", 32) == b"5"


@pytest.mark.parametrize("spelling", [b"True", b"TRUE", b"true", b"1"])
def test_truth_has_many_spellings(spelling: bytes) -> None:
    assert forms.logical(spelling) == spelling


@pytest.mark.parametrize("spelling", [b"yes", b"t", b"2", b"None", b"1.0"])
def test_what_is_neither_true_nor_false_is_refused(spelling: bytes) -> None:
    refused(forms.logical, spelling)


@pytest.mark.parametrize(
    ("digits", "stored"),
    [
        (b"1", b"0000001"),
        (b"114709", b"0114709"),
        (b"0114709", b"0114709"),
        (b"11450932", b"11450932"),
        (b"tt12", b"tt12"),
    ],
)
def test_imdb_ids_have_at_least_seven_digits(digits: bytes, stored: bytes) -> None:
    assert forms.imdb_digits(digits) == stored


# Days and moments


@pytest.mark.parametrize(
    ("spelling", "day", "year"),
    [
        (b"1995-10-30", b"1995-10-30", b"1995"),
        (b"1995-10-30 00:00:00", b"1995-10-30", b"1995"),
        (b"1995-10-30T00:00:00.000Z", b"1995-10-30", b"1995"),
        (b"1995/10/30", b"1995-10-30", b"1995"),
        (b"1995-1-3", b"1995-01-03", b"1995"),
        (b"10/30/1995", b"1995-10-30", b"1995"),
        (b"30/10/1995", b"1995-10-30", b"1995"),
        (b"30.10.1995", b"1995-10-30", b"1995"),
        (b"30-10-1995", b"1995-10-30", b"1995"),
        (b"5/5/1995", b"1995-05-05", b"1995"),
        (b"2/10/1995", b"", b"1995"),
        (b"02-10-1995", b"", b"1995"),
        (b"1995", b"", b"1995"),
        (b"1995.0", b"", b"1995"),
        (b"1995-10", b"", b"1995"),
        (b"2000-02-29", b"2000-02-29", b"2000"),
        (b"0800-01-01", b"0800-01-01", b"800"),
    ],
)
def test_a_day_is_never_guessed(spelling: bytes, day: bytes, year: bytes) -> None:
    assert (forms.day(spelling), forms.year(spelling)) == (day, year)


@pytest.mark.parametrize(
    "spelling",
    [
        b"1995-02-30", b"1995-13-01", b"1995-00-10", b"0000-00-00", b"2/30/1995", b"13/13/1995", b"0/5/1995",
        b"31/4/1995", b"10/30/95", b"95", b"soon", b"1995-10-30 12:00:00", b"10/30-1995", b"199510-30", b"0000",
        b"1995-13", b" 1995-10-30", b"Oct 30, 1995",
    ],
)  # fmt: skip
def test_what_is_no_day_is_refused(spelling: bytes) -> None:
    refused(forms.day, spelling)
    refused(forms.year, spelling)


@given(day=st.dates(min_value=date(1000, 1, 1)))
def test_a_day_in_any_order_is_the_day_or_only_a_year(day: date) -> None:
    assert forms.day(day.isoformat().encode()) == day.isoformat().encode()
    for spelling in (f"{day.day}/{day.month}/{day.year}", f"{day.month:02}/{day.day:02}/{day.year}"):
        expected = day.isoformat() if day.day > 12 or day.day == day.month else ""
        assert forms.day(spelling.encode()).decode() == expected
        assert int(forms.year(spelling.encode())) == day.year


@given(moment=st.datetimes(min_value=datetime(1000, 1, 1)))  # noqa: DTZ001  # in UTC by definition
def test_a_moment_is_in_utc(moment: datetime) -> None:
    seconds = int(moment.replace(microsecond=0, tzinfo=UTC).timestamp())
    assert int(forms.epoch(f"{moment:%Y-%m-%d %H:%M:%S}".rjust(19, "0").encode())) == seconds
    assert int(forms.epoch(b"%d" % seconds)) == seconds


@pytest.mark.parametrize(
    ("spelling", "seconds"),
    [
        (b"2005-04-02 23:53:47", 1112486027),
        (b"2005-04-02T23:53:47Z", 1112486027),
        (b"23-04-2005 23:53", 1114300380),
        (b"1112486027", 1112486027),
        (b"-5", -5),
    ],
)
def test_a_moment_may_be_spelled_in_several_ways(spelling: bytes, seconds: int) -> None:
    assert int(forms.epoch(spelling)) == seconds


@pytest.mark.parametrize(
    "spelling",
    [
        b"02-04-2005 23:53",
        b"2005-04-02",
        b"2005-02-30 00:00:00",
        b"2005-04-02 24:00:00",
        b"2005-04-02 1:2:3",
        b"x",
        b"1.5",
    ],
)
def test_what_is_no_moment_is_refused(spelling: bytes) -> None:
    refused(forms.epoch, spelling)


# Declarations

COLUMNS = [(table, column) for dataset in DATASETS for table in dataset.tables for column in table.columns]
TYPES = {
    Form.WORDS: {ColumnType.TEXT},
    Form.WHOLE: {ColumnType.INT, ColumnType.BIGINT},
    Form.LOGICAL: {ColumnType.BOOL},
    Form.OBJECTS: {ColumnType.JSON},
    Form.OBJECT: {ColumnType.JSON},
    Form.LIST: {ColumnType.TEXTS},
    Form.DAY: {ColumnType.DATE},
    Form.YEAR: {ColumnType.INT},
    Form.EPOCH: {ColumnType.BIGINT},
    Form.IMDB_DIGITS: {ColumnType.TEXT},
}


@pytest.mark.parametrize("form", Form)
def test_every_form_has_a_reader(form: Form) -> None:
    if form is not Form.PLAIN:
        assert form in forms._READERS or form is Form.WHOLE
        assert TYPES[form]


def test_every_column_has_a_form_that_suits_its_type() -> None:
    plain = set(ColumnType) - {ColumnType.DATE, ColumnType.JSON, ColumnType.TEXTS}
    for table, column in COLUMNS:
        assert column.type in TYPES.get(column.form, plain), f"{table.full_name}.{column.name}"


def test_a_column_has_one_type_whatever_the_file() -> None:
    for table in {table.full_name: table for table, _ in COLUMNS}.values():
        types = {column.name: column.type for column in table.columns}
        for layout in table.every_layout:
            assert {column.name: column.type for column in table.columns_in(layout).values()}.items() <= types.items()
            assert set(layout.order) <= set(types)


@pytest.mark.parametrize("zeros", [1, 100, 2_000_000])
def test_a_number_may_have_any_number_of_zeros_in_front(zeros: int) -> None:
    """Two million of them took hours when they could be read in two ways."""
    front = b"0" * zeros
    assert forms.whole(front, 32) == b"0"
    assert forms.whole(b"-" + front + b"12." + front, 32) == b"-12"
    refused(lambda value: forms.whole(value, 32), front + b"x")
    refused(lambda value: forms.whole(value, 32), front + b"1." + front + b"x")


def test_a_number_has_a_digit() -> None:
    for value in (b"", b"+", b"-", b".0", b"-.", b"+x"):
        refused(lambda given: forms.whole(given, 32), value)
