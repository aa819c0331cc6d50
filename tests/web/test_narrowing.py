"""What narrows the catalog down, and what is drawn: without a server."""

from __future__ import annotations

import pytest

from reelbase.catalog.facets import FACETS, Facets
from reelbase.serving.movie_list import MovieQuery
from reelbase.serving.query import parse
from reelbase.web import charts, narrowing
from reelbase.web.catalog import heading
from reelbase.web.covers import cover, initials
from reelbase.web.here import Here
from reelbase.web.words import minutes, seconds, short_number, size


def query(**values: str) -> tuple[Here, MovieQuery]:
    given = list(values.items())
    return Here.at("/", given), parse(MovieQuery, given)


def counted(**counts: dict[str, int]) -> Facets:
    return Facets(True, {name: counts.get(name, {}) for name in FACETS})


def test_a_list_too_long_to_count_has_no_counts_but_types_to_choose() -> None:
    made = narrowing.facets(*query(q="the"), Facets(False))
    assert [facet.name for facet in made] == ["type"]


def test_ratings_count_all_that_is_above() -> None:
    facets = narrowing.facets(*query(), counted(rating={"9": 1, "8": 2, "4": 4}))
    [ratings] = [facet for facet in facets if facet.name == "rating"]
    assert [(choice.label, choice.movies) for choice in ratings.choices][:2] == [("9 and above", 1), ("8 and above", 3)]


def test_what_is_chosen_can_be_taken_back_where_nothing_is_left() -> None:
    facets = narrowing.facets(*query(genre="Western", language="fr", source="own", rating_min="7"), counted())
    chosen = {choice.label: choice.url for facet in facets for choice in facet.choices if choice.is_on}
    assert chosen["Western"] == "/?language=fr&source=own&rating_min=7"
    assert {"French", "Your own", "7 and above"} <= set(chosen)


def test_another_choice_begins_at_the_first_page() -> None:
    here = Here.at("/", [("genre", "Drama"), ("page", "7")])
    assert here.adding("genre", "War").url() == "/?genre=Drama&genre=War"


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ({"q": "heat"}, ["“heat”"]),
        ({"year": "1995"}, ["1995"]),
        ({"year_min": "1990", "year_max": "1999"}, ["1990 to 1999"]),
        ({"rating_min": "7", "votes_min": "1000"}, ["Rated 7 and above", "At least 1,000 votes"]),
        ({"runtime_max": "90", "adult": "include"}, ["Up to 90 minutes", "With adult titles"]),
        ({"type": "any"}, ["Everything"]),
    ],
)
def test_chips_say_what_is_chosen(values: dict[str, str], labels: list[str]) -> None:
    assert [chip.label for chip in narrowing.chips(*query(**values))] == labels


@pytest.mark.parametrize(
    ("count", "is_exact", "text"),
    [(0, True, "No movies"), (1, True, "1 movie"), (1234, True, "1,234 movies"),
     (1_234_567, False, "About 1,230,000 movies")],
)  # fmt: skip
def test_headings_say_how_sure_they_are(count: int, is_exact: bool, text: str) -> None:
    from reelbase.catalog.browse import Total

    assert heading(parse(MovieQuery, []), Total(count, is_exact)) == text


def test_a_movie_has_one_cover_and_others_have_others() -> None:
    assert cover("Heat", 1995, ["Crime"]) == cover("Heat", 1995, ["Crime"])
    covers = {cover(f"Title {n}", 2000, ["Drama"]) for n in range(50)}
    assert len({(one.figure, one.hue) for one in covers}) > 10
    assert cover("x" * 400, None, []).size == "xs"


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Fred Astaire", "FA"), ("Madonna", "M"), ("Jean-Luc van Damme", "JD"), ("3 x 3", "X"), ("", "")],
)
def test_initials(name: str, letters: str) -> None:
    assert initials(name) == letters


def test_charts_of_little() -> None:
    assert charts.histogram({}) is None
    one = charts.histogram({4.0: 1})
    assert one
    assert sum(bar.votes for bar in one.bars) == 1
    assert charts.years([{"year": 2000, "votes": 1, "average": 5.0}]) is None


def test_words() -> None:
    assert [minutes(value) for value in (None, 0, 59, 60, 134)] == ["", "0 min", "59 min", "1 h", "2 h 14 min"]
    assert [size(value) for value in (0, 999, 1234567, 999_950)] == ["0 bytes", "999 bytes", "1.2 MB", "1.0 MB"]
    assert [seconds(value) for value in (0.04, 9.96, 75, 7260)] == ["0.0 s", "10.0 s", "1 min 15 s", "2 h 1 min"]
    assert [short_number(value) for value in (999, 1000, 12345, 1_234_567)] == ["999", "1k", "12k", "1.2M"]
