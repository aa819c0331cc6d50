"""What the API says and takes, as OpenAPI describes it. Lists are written by hand and held to this by tests."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from reelbase.serving.query import Words


class Shape(BaseModel):
    """JSON that is sent."""

    model_config = ConfigDict(extra="forbid")


class Average(Shape):
    """What a source's raters say, on that source's scale."""

    average: float
    votes: int | None


class Ratings(Shape):
    """Each source's own; IMDb and TMDb from 0 to 10, MovieLens from 0.5 to 5."""

    imdb: Average | None
    movielens: Average | None
    tmdb: Average | None


class Ids(Shape):
    """What the sources call it."""

    imdb: str | None
    movielens: int | None
    tmdb: int | None


class Movie(Shape):
    """A movie, joined over every dataset."""

    id: UUID
    type: str = Field(description="As IMDb spells it: movie, tvMovie, short, video, …")
    title: str
    original_title: str | None
    year: int | None
    release_date: date | None
    runtime: int | None = Field(description="Minutes")
    genres: list[str]
    language: str | None
    languages: list[str]
    overview: str | None
    adult: bool
    rating: float | None = Field(description="From 0 to 10: IMDb's average, else MovieLens' mean doubled, else TMDb's")
    votes: int | None
    score: float | None = Field(description="The rating weighted by its votes, for ranking")
    ratings: Ratings
    ids: Ids
    imdb_url: str | None
    sources: list[str]


class Credit(Shape):
    """Somebody who worked on a movie."""

    nconst: str
    name: str | None
    category: str | None
    job: str | None
    characters: str | None


class Title(Shape):
    """What a movie is called somewhere."""

    title: str | None
    region: str | None
    language: str | None
    types: str | None
    attributes: str | None


class Tag(Shape):
    """What MovieLens' users call a movie, and how many of them."""

    tag: str
    users: int


class Relevance(Shape):
    """How much of a tag of the tag genome a movie has, from 0 to 1."""

    tag: str
    relevance: float


class MovieDetail(Movie):
    """A movie with everything that the datasets say of it; `imdb`, `movielens`, `tmdb` are their own values."""

    people: list[Credit]
    titles: list[Title]
    tags: list[Tag]
    genome: list[Relevance]
    keywords: list[str]
    imdb: dict[str, Any] | None
    movielens: dict[str, Any] | None
    tmdb: dict[str, Any] | None


class Page(Shape):
    """A part of a list. `next` and `previous` are paths with the whole query."""

    total: int
    total_is_exact: bool
    next: str | None
    previous: str | None
    page: int | None = Field(default=None, description="Only when a page was asked for by its number")
    pages: int | None = None


class MovieList(Page):
    """Movies in order."""

    items: list[Movie]


class Histogram(Shape):
    """How often a rating was given."""

    rating: float
    votes: int


class RatingYear(Shape):
    """The ratings of a year (UTC)."""

    year: int
    votes: int
    average: float


class MovieRatings(Shape):
    """MovieLens' ratings of a movie."""

    histogram: list[Histogram]
    years: list[RatingYear]


class SimilarMovie(Movie):
    """A movie and how near it is: 0 is the same."""

    distance: float


class SimilarMovies(Shape):
    """The nearest first, and what they are near by: the tag genome, or what raters liked."""

    by: str | None
    items: list[SimilarMovie]


class Count(Shape):
    """How many movies of the list have a value."""

    value: str
    movies: int


class Counts(Shape):
    """The most frequent first. Where a list is too long to be counted, `are_counted` is false and there are none."""

    are_counted: bool
    items: list[Count]


class Facets(Shape):
    """Counts of each value of genre, decade, language, type, source and rating."""

    are_counted: bool
    genre: list[Count]
    decade: list[Count]
    language: list[Count]
    type: list[Count]
    source: list[Count]
    rating: list[Count]


class Person(Shape):
    """One of IMDb's people."""

    nconst: str
    name: str | None
    birth_year: int | None
    death_year: int | None
    professions: list[str]
    known_for: list[str]


class PersonList(Page):
    """People, the best known first."""

    items: list[Person]


class Work(Shape):
    """What somebody worked on; `id` is there where it is a movie of the catalog."""

    tconst: str
    categories: list[str]
    characters: str | None
    title: str | None
    type: str | None
    year: int | None
    id: UUID | None
    rating: float | None
    votes: int | None


class PersonDetail(Person):
    """A person and their work, the best known first."""

    work: list[Work]


class LoadedTable(Shape):
    """A table of the live release; `import` is the one that brought it."""

    name: str
    rows: int
    bytes: int
    import_: int = Field(alias="import")
    path: str


class LoadedDataset(Shape):
    """A dataset and what is loaded of it."""

    name: str
    title: str
    credit: str
    licence: str
    homepage: str
    release: int | None
    published_at: datetime | None
    previous_release: int | None
    rows: int
    bytes: int
    tables: list[LoadedTable]


class LoadedDatasets(Shape):
    """Every dataset that is known, loaded or not."""

    items: list[LoadedDataset]


class DatasetRelease(Shape):
    """A published state of a dataset; `live` is what readers see, `previous` what rollback brings back."""

    id: int
    import_: int | None = Field(alias="import")
    published_at: datetime | None
    live: bool
    previous: bool
    tables: list[dict[str, Any]]


class DatasetReleases(Shape):
    """Those that are still there, newest first."""

    items: list[DatasetRelease]


class TableRows(Shape):
    """Rows of a table with its columns and their types, in the order of the table's key."""

    columns: list[dict[str, str]]
    items: list[dict[str, Any]]
    total: int
    total_is_exact: bool
    next: str | None
    previous: str | None


class ImportProgress(Shape):
    """How far it is: bytes of the files as they lie on disk, and how fast rows come just now."""

    bytes_done: int
    bytes_total: int
    rows_loaded: int
    rows_rejected: int
    rows_per_second: int | None
    eta_seconds: float | None
    step: str | None = Field(description="What indexing or publishing is busy with, in words")


class ImportChunks(Shape):
    """How many pieces of a file there are, and what became of them."""

    total: int
    done: int
    failed: int


class ImportFile(Shape):
    """A file of an import; rows_read is rows_loaded + rows_rejected."""

    name: str
    table: str
    bytes: int
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    seconds: float | None
    state: str
    started_at: datetime | None
    finished_at: datetime | None
    chunks: ImportChunks


class ImportCheck(Shape):
    """Something that was found in what was loaded."""

    name: str
    table: str
    count: int
    detail: str


class ImportFault(Shape):
    """Why an import has ended without being completed."""

    code: str
    detail: str


class Import(BaseModel):
    """One request to bring files in, to bring a release back, or to take a dataset away."""

    id: int
    kind: str
    dataset: str | None
    state: str
    mode: str
    attempt: int
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    seconds: float | None
    release: int | None
    progress: ImportProgress
    files: list[ImportFile]
    checks: list[ImportCheck]
    skipped: list[str]
    error: ImportFault | None


class Chunk(Shape):
    """A piece of a file: whole records, loaded in one transaction."""

    file: str
    first_line: int
    last_line: int
    first_byte: int
    bytes: int
    state: str
    attempt: int
    rows_loaded: int
    rows_rejected: int
    worker: str | None
    started_at: datetime
    finished_at: datetime | None
    error: str | None


class ChunkList(Page):
    """Chunks in the order of the files."""

    items: list[Chunk]


class Reject(Shape):
    r"""A bad record: where it is, what was wrong, and the record as it was (bytes that are not UTF-8 as \xNN)."""

    file: str
    line: int
    byte_offset: int
    column: str | None
    reason: str
    record: str


class RejectList(Page):
    """Bad records in the order of the files."""

    items: list[Reject]


class ImportList(Page):
    """Imports, newest first."""

    items: list[Import]


class Worker(BaseModel):
    """A process that runs imports, or waits for them; `import` is the first of what it is at, `task` names all."""

    id: UUID
    host: str
    pid: int
    task: str
    import_: int | None = Field(alias="import")
    since: datetime
    seen_at: datetime
    chunks_done: int


class WorkerList(Shape):
    """Workers that are alive."""

    items: list[Worker]


class Health(Shape):
    """How it is."""

    status: str


class ProblemFault(Shape):
    """One thing that was wrong, and where."""

    parameter: str | None = None
    pointer: str | None = None
    detail: str


class ProblemDetails(Shape):
    """What was wrong, where, and what to do (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    remedy: str | None = None
    errors: list[ProblemFault] | None = None


_Source = Annotated[Words, Field(min_length=1, max_length=4096)]
_Rejects = Annotated[str, Field(pattern=r"^([0-9]{1,15}|(100|[0-9]{1,2})(\.[0-9]{1,6})?%)$")]


class ImportOptions(BaseModel):
    """How files are imported."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    dataset: Literal["movielens", "imdb", "tmdb"] | None = Field(
        default=None, description="Which dataset, where there are several; files of others are passed over"
    )
    mode: Literal["replace", "merge"] = Field(
        default="replace", description="Put the files in place of their tables, or add to them by key"
    )
    max_rejects: _Rejects | Annotated[int, Field(ge=0, lt=10**15)] = Field(
        default="1%", description="How many bad records a file may have: 100, or 1%"
    )


class ImportGiven(ImportOptions):
    """What to import: `upload:ID`, `https://…`, `path:…` in a folder that the server allows, or a published name."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"sources": ["movielens/latest-small"]}]})

    sources: Annotated[list[_Source], Field(min_length=1, max_length=200)]


_Title = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*[^\x00\s][^\x00]*$")]


def _whole(value: object) -> object:
    """In JSON 2024.0 is a whole number too."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


_Year = Annotated[int, Field(ge=1800, le=2200), BeforeValidator(_whole)]
_Minutes = Annotated[int, Field(ge=0, le=100_000), BeforeValidator(_whole)]
_Genre = Annotated[Words, Field(min_length=1, max_length=100)]
_Genres = Annotated[list[_Genre], Field(max_length=50)]
_Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
_Overview = Annotated[Words, Field(max_length=20_000)]
_ImdbId = Annotated[str, Field(pattern=r"^tt[0-9]{7,10}$")]
_Rating = Annotated[float, Field(ge=0, le=10)]


class OwnMovieGiven(BaseModel):
    """A movie of one's own."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [{"title": "My holiday", "year": 2024, "genres": ["Documentary"], "rating": 9.5}]
        },
    )

    title: _Title
    year: _Year | None = None
    runtime: _Minutes | None = None
    genres: _Genres = []
    language: _Language | None = None
    overview: _Overview | None = None
    imdb_id: _ImdbId | None = None
    rating: _Rating | None = None


class OwnMovieChange(BaseModel):
    """What is to be another; null takes a value away (JSON merge patch)."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        json_schema_extra={"examples": [{"rating": 8.0, "year": None}]},
    )

    title: _Title = ""
    year: _Year | None = None
    runtime: _Minutes | None = None
    genres: _Genres | None = None
    language: _Language | None = None
    overview: _Overview | None = None
    imdb_id: _ImdbId | None = None
    rating: _Rating | None = None
