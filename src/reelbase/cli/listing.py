"""The options that narrow a list of movies down and sort it: the same for every command that has a list."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Annotated, Any, get_type_hints

import typer

from reelbase.catalog.browse import Order, Sort
from reelbase.catalog.filters import MOVIE_TYPES, Adult, Filters
from reelbase.errors import UsageError


def text(value: Any) -> Any:
    """Refuse what no text can be, for options: bytes that are not UTF-8 come from the shell as lone surrogates."""
    for word in [value] if isinstance(value, str) else value or ():
        if any("\ud800" <= sign <= "\udfff" for sign in word):
            raise UsageError(f"{word.encode(errors='backslashreplace').decode()} is not UTF-8.")
    return value


Words = Annotated[str | None, typer.Option("-q", "--query", help="Words of a title.", callback=text)]
Genres = Annotated[list[str] | None, typer.Option("--genre", help="May be repeated: all of them.", callback=text)]
YearMin = Annotated[int | None, typer.Option(help="The first year.")]
YearMax = Annotated[int | None, typer.Option(help="The last year.")]
RatingMin = Annotated[float | None, typer.Option(min=0, max=10, help="The least rating, from 0 to 10.")]
RatingMax = Annotated[float | None, typer.Option(min=0, max=10, help="The greatest rating.")]
VotesMin = Annotated[int | None, typer.Option(min=0, help="The least number of votes.")]
RuntimeMin = Annotated[int | None, typer.Option(min=0, help="The least length in minutes.")]
RuntimeMax = Annotated[int | None, typer.Option(min=0, help="The greatest length in minutes.")]
Language = Annotated[str | None, typer.Option(help="The original language, such as fr.", callback=text)]
Types = Annotated[
    list[str] | None,
    typer.Option("--type", help="Such as short, or any; default movie and tvMovie.", callback=text),
]
Source = Annotated[str | None, typer.Option(help="Movies that imdb, movielens, tmdb or own knows.", callback=text)]
AdultOption = Annotated[Adult, typer.Option("--adult", help="Movies for adults.")]
SortOption = Annotated[
    str, typer.Option("--sort", help="title, year, rating, votes, release_date or score; - before it: descending.")
]


@dataclass(frozen=True, slots=True)
class Asked:
    """A list as it was asked for; each field is an option."""

    query: Words = None
    genre: Genres = None
    year_min: YearMin = None
    year_max: YearMax = None
    rating_min: RatingMin = None
    rating_max: RatingMax = None
    votes_min: VotesMin = None
    runtime_min: RuntimeMin = None
    runtime_max: RuntimeMax = None
    language: Language = None
    types: Types = None
    source: Source = None
    adult: AdultOption = Adult.EXCLUDE
    sort: SortOption = "-votes"

    @property
    def filters(self) -> Filters:
        """What the list is narrowed down by."""
        types = tuple(self.types or MOVIE_TYPES)
        return Filters(
            genres=tuple(self.genre or ()),
            year_min=self.year_min,
            year_max=self.year_max,
            rating_min=self.rating_min,
            rating_max=self.rating_max,
            votes_min=self.votes_min,
            runtime_min=self.runtime_min,
            runtime_max=self.runtime_max,
            language=self.language,
            types=None if "any" in types else types,
            source=self.source,
            adult=self.adult,
        )

    @property
    def order(self) -> Order:
        """What it is sorted by; raises UsageError."""
        try:
            return Order.named(self.sort)
        except ValueError:
            names = ", ".join(one.value for one in Sort)
            raise UsageError(
                f"Nothing is sorted by {self.sort!r}.", f"There are: {names}; - before it: descending."
            ) from None


def listing(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of a list in the place of its parameter `asked`."""
    options = [_keyword(option, kind) for option, kind in _parameters(Asked)]
    own = [_keyword(parameter, kind) for parameter, kind in _parameters(command)]
    place = [parameter.name for parameter in own].index("asked")
    together = [*own[:place], *options, *own[place + 1 :]]

    @wraps(command)
    def run(**given: Any) -> None:
        asked = Asked(**{option.name: given.pop(option.name) for option in options})
        command(asked=asked, **given)

    run.__signature__ = inspect.Signature(together)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in together}
    return run


def _parameters(of: Callable[..., object]) -> list[tuple[inspect.Parameter, Any]]:
    kinds = get_type_hints(of, include_extras=True)
    return [(parameter, kinds[name]) for name, parameter in inspect.signature(of).parameters.items()]


def _keyword(parameter: inspect.Parameter, kind: Any) -> inspect.Parameter:
    return parameter.replace(annotation=kind, kind=inspect.Parameter.KEYWORD_ONLY)
