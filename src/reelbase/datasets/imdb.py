r"""IMDb's seven files (datasets.imdbws.com).

Described at https://developer.imdb.com/non-commercial-datasets/. There is no quoting and no escaping: a quote, a
backslash and the words None or NA are what they are; only `\N` is null. Ids stay text, as people write them in SQL.
"""

from __future__ import annotations

from reelbase.datasets.model import Column, ColumnType, Dataset, Dialect, Published, Reference, Table

_TSV = Dialect(delimiter=b"\t", quote=None, null=b"\\N")


def _id(header: str, name: str) -> Column:
    return Column(header, name, ColumnType.TEXT, required=True, nullable=False)


def _text(header: str, name: str) -> Column:
    return Column(header, name, ColumnType.TEXT)


def _int(header: str, name: str) -> Column:
    return Column(header, name, ColumnType.INT)


_TITLE = _id("tconst", "tconst")
_ORDERING = Column("ordering", "ordering", ColumnType.INT, required=True, nullable=False)


def _of_titles(name: str, column: str = "tconst") -> tuple[Reference, ...]:
    return (Reference(name, column, "title_basics", "tconst"),)


TITLE_BASICS = Table(
    dataset="imdb",
    name="title_basics",
    columns=(
        _TITLE,
        Column("titleType", "title_type", ColumnType.TEXT, required=True),
        Column("primaryTitle", "primary_title", ColumnType.TEXT, required=True),
        _text("originalTitle", "original_title"),
        Column("isAdult", "is_adult", ColumnType.BOOL),
        _int("startYear", "start_year"),
        _int("endYear", "end_year"),
        _int("runtimeMinutes", "runtime_minutes"),
        _text("genres", "genres"),
    ),
    key=("tconst",),
    dialect=_TSV,
)

TITLE_RATINGS = Table(
    dataset="imdb",
    name="title_ratings",
    columns=(
        _TITLE,
        Column("averageRating", "average_rating", ColumnType.NUMERIC, required=True, low=1.0, high=10.0),
        Column("numVotes", "num_votes", ColumnType.INT, required=True),
    ),
    key=("tconst",),
    references=_of_titles("ratings_of_unknown_titles"),
    dialect=_TSV,
)

TITLE_AKAS = Table(
    dataset="imdb",
    name="title_akas",
    columns=(
        _id("titleId", "title_id"),
        _ORDERING,
        Column("title", "title", ColumnType.TEXT, required=True),
        _text("region", "region"),
        _text("language", "language"),
        _text("types", "types"),
        _text("attributes", "attributes"),
        Column("isOriginalTitle", "is_original_title", ColumnType.BOOL),
    ),
    key=("title_id", "ordering"),
    dialect=_TSV,
)

TITLE_CREW = Table(
    dataset="imdb",
    name="title_crew",
    columns=(
        _TITLE,
        Column("directors", "directors", ColumnType.TEXT, required=True),
        Column("writers", "writers", ColumnType.TEXT, required=True),
    ),
    key=("tconst",),
    dialect=_TSV,
)

TITLE_EPISODE = Table(
    dataset="imdb",
    name="title_episode",
    columns=(
        _TITLE,
        Column("parentTconst", "parent_tconst", ColumnType.TEXT, required=True),
        _int("seasonNumber", "season_number"),
        _int("episodeNumber", "episode_number"),
    ),
    key=("tconst",),
    indexes=(("parent_tconst",),),
    dialect=_TSV,
)

TITLE_PRINCIPALS = Table(
    dataset="imdb",
    name="title_principals",
    columns=(
        _TITLE,
        _ORDERING,
        Column("nconst", "nconst", ColumnType.TEXT, required=True),
        _text("category", "category"),
        _text("job", "job"),
        _text("characters", "characters"),
    ),
    key=("tconst", "ordering"),
    indexes=(("nconst",),),
    dialect=_TSV,
)

NAME_BASICS = Table(
    dataset="imdb",
    name="name_basics",
    columns=(
        _id("nconst", "nconst"),
        Column("primaryName", "primary_name", ColumnType.TEXT, required=True),
        _int("birthYear", "birth_year"),
        _int("deathYear", "death_year"),
        _text("primaryProfession", "primary_profession"),
        _text("knownForTitles", "known_for_titles"),
    ),
    key=("nconst",),
    dialect=_TSV,
)

IMDB = Dataset(
    name="imdb",
    title="IMDb",
    publisher="IMDb.com, Inc.",
    homepage="https://developer.imdb.com/non-commercial-datasets/",
    licence="Personal and non-commercial use only; no redistribution.",
    credit="Information courtesy of IMDb (https://www.imdb.com). Used with permission.",
    tables=(TITLE_BASICS, TITLE_RATINGS, TITLE_AKAS, TITLE_CREW, TITLE_EPISODE, TITLE_PRINCIPALS, NAME_BASICS),
    published=(
        Published(
            "imdb",
            (
                *("title.basics.tsv.gz", "title.ratings.tsv.gz", "title.akas.tsv.gz", "title.crew.tsv.gz"),
                *("title.episode.tsv.gz", "title.principals.tsv.gz", "name.basics.tsv.gz"),
            ),
            of_one_day=True,
        ),
    ),
)
