"""TMDb-style CSV: what Kaggle and its users make of The Movie Database.

There is no publisher's format. Known are "The Movies Dataset" (movies_metadata.csv, credits.csv, keywords.csv), the
TMDB 5000 pair, TMDB_movie_dataset_v11 with its many variants, and an export of fifteen columns without ids. They share
names and meanings, not spellings: lists are Python literals, JSON or words between commas, numbers are re-saved as
floats, dates by spreadsheets. So a column reads every spelling, whatever the file.
"""

from __future__ import annotations

from reelbase.datasets.model import Column, ColumnType, Dataset, Form, Table


def _text(name: str, *, required: bool = False) -> Column:
    return Column(name, name, ColumnType.TEXT, required=required, form=Form.WORDS)


def _whole(name: str, kind: ColumnType = ColumnType.INT) -> Column:
    return Column(name, name, kind, form=Form.WHOLE)


def _decimal(name: str) -> Column:
    return Column(name, name, ColumnType.NUMERIC)


def _logical(name: str) -> Column:
    return Column(name, name, ColumnType.BOOL, form=Form.LOGICAL)


def _objects(name: str, *, required: bool = False) -> Column:
    return Column(name, name, ColumnType.JSON, required=required, form=Form.OBJECTS)


_ID = Column(
    "id", "id", ColumnType.INT, required=True, nullable=False, form=Form.WHOLE, aliases=("movie_id", "tmdb_id")
)

MOVIES = Table(
    dataset="tmdb",
    name="movies",
    columns=(
        # The export of fifteen columns has no id: no key then, and identical records are kept.
        Column("id", "id", ColumnType.INT, form=Form.WHOLE, aliases=("movie_id", "tmdb_id")),
        _text("imdb_id"),
        _text("title", required=True),
        _text("original_title"),
        _text("original_language"),
        _text("overview"),
        _text("tagline"),
        _text("status"),
        _text("homepage"),
        _text("poster_path"),
        _text("backdrop_path"),
        _logical("adult"),
        _logical("video"),
        Column("release_date", "release_date", ColumnType.DATE, form=Form.DAY),
        Column("release_date", "release_year", ColumnType.INT, form=Form.YEAR, derived=True),
        _whole("runtime"),
        _decimal("vote_average"),
        _whole("vote_count"),
        _decimal("popularity"),
        _whole("budget", ColumnType.BIGINT),
        _whole("revenue", ColumnType.BIGINT),
        _objects("genres"),
        _objects("production_companies"),
        _objects("production_countries"),
        _objects("spoken_languages"),
        _objects("keywords"),
        Column("belongs_to_collection", "belongs_to_collection", ColumnType.JSON, form=Form.OBJECT),
        Column("languages", "languages", ColumnType.TEXTS, form=Form.LIST),
        _whole("genre_id"),
        _whole("production_company_id"),
    ),
    key=("id",),
    telltales=(
        *("vote_average", "vote_count", "popularity", "overview", "release_date"),
        *("original_title", "original_language"),
    ),
    telltales_needed=3,
)

CREDITS = Table(
    dataset="tmdb",
    name="credits",
    columns=(_ID, _text("title"), _objects("cast", required=True), _objects("crew", required=True)),
    key=("id",),
)

KEYWORDS = Table(
    dataset="tmdb",
    name="keywords",
    columns=(_ID, _objects("keywords", required=True)),
    key=("id",),
)

TMDB = Dataset(
    name="tmdb",
    title="TMDb",
    publisher="The Movie Database, in the files that Kaggle's users make of it",
    homepage="https://www.themoviedb.org/",
    licence="TMDB's terms of use: attribution, and no commercial use without an agreement.",
    credit="This product uses TMDB data but is not endorsed or certified by TMDB (https://www.themoviedb.org).",
    tables=(MOVIES, CREDITS, KEYWORDS),
)
