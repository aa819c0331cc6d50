"""The options that every list of movies has."""

from __future__ import annotations

import inspect
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from reelbase.catalog.browse import Order, Sort
from reelbase.catalog.filters import MOVIE_TYPES, Adult, Filters
from reelbase.cli.listing import Asked, listing, text
from reelbase.errors import UsageError


@listing
def command(first: Annotated[str, typer.Argument()], asked: Asked, last: int = 1) -> None:
    """A command with a list."""
    print(first, asked.filters == Filters(genres=("Drama", "War"), year_min=1990, types=None), asked.order, last)


def test_a_list_has_its_options_where_asked_stands() -> None:
    names = list(inspect.signature(command).parameters)
    assert (names[0], names[1], names[-2], names[-1]) == ("first", "query", "sort", "last")


def test_what_is_given_arrives() -> None:
    app = typer.Typer()
    app.command()(command)
    words = ["a", "--genre", "Drama", "--genre", "War", "--year-min", "1990", "--type", "any", "--sort", "title"]
    done = CliRunner().invoke(app, words)
    assert done.output == f"a True {Order(Sort.TITLE, descending=False)} 1\n"


def test_nothing_given_is_every_movie_the_best_known_first() -> None:
    assert Asked().filters == Filters(types=MOVIE_TYPES, adult=Adult.EXCLUDE)
    assert Asked().order == Order(Sort.VOTES, descending=True)


def test_another_sort_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="release_date"):
        _ = Asked(sort="-length").order


@pytest.mark.parametrize("value", ["\udcff", "a\udcc3", ["fine", "\udcff"]])
def test_bytes_that_are_not_utf_8_are_no_words(value: object) -> None:
    with pytest.raises(UsageError, match="not UTF-8"):
        text(value)
    assert text("Amélie 🎬") == "Amélie 🎬"
    assert text(None) is None
