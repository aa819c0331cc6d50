"""MovieLens (GroupLens): ml-20m, 25m, 32m, latest, latest-small; the `.dat` files of ml-1m and ml-10m; Kaggle's 20M.

Headers and types are those of the editions' READMEs, https://files.grouplens.org/datasets/movielens/ml-32m-README.html
and its neighbours.
"""

from __future__ import annotations

from dataclasses import replace

from reelbase.datasets.model import Column, ColumnType, Dataset, Dialect, Form, Layout, Published, Reference, Table

_USER = Column("userId", "user_id", ColumnType.INT, required=True, nullable=False)
_MOVIE = Column("movieId", "movie_id", ColumnType.INT, required=True, nullable=False)
_TAG_ID = Column("tagId", "tag_id", ColumnType.INT, required=True, nullable=False)
_TIMESTAMP = Column("timestamp", "timestamp", ColumnType.BIGINT)
_MOMENT = replace(_TIMESTAMP, form=Form.EPOCH)


def _dat(file_name: str, *order: str) -> Layout:
    """A file of ml-1m or ml-10m: no header, no quoting; ml-1m's movies.dat is ISO-8859-1, the others are UTF-8."""
    dialect = Dialect(delimiter=b"::", quote=None, other_encoding="latin-1")
    return Layout("dat", dialect, file_names=(file_name,), order=order)


def _kaggle(*columns: Column) -> Layout:
    """A file of Kaggle's edition of 20M: quoted headers, escaped quotes in titles, time stamps as text."""
    return Layout("kaggle", Dialect(escape=b"\\"), columns, quoted_header=True)


MOVIES = Table(
    dataset="movielens",
    name="movies",
    columns=(
        _MOVIE,
        Column("title", "title", ColumnType.TEXT, required=True, nullable=False, empty_is_text=True),
        Column("genres", "genres", ColumnType.TEXT, empty_is_text=True),
    ),
    key=("movie_id",),
    layouts=(_dat("movies.dat", "movie_id", "title", "genres"), _kaggle()),
)

RATINGS = Table(
    dataset="movielens",
    name="ratings",
    columns=(
        _USER,
        _MOVIE,
        # Eight bytes cost no more than four here (the bigint beside it is aligned to eight), halves are exact in
        # both, and sums over `real` drift: 0.3 % at 15 M rows.
        Column("rating", "rating", ColumnType.FLOAT, required=True, nullable=False, low=0.5, high=5.0, step=0.5),
        _TIMESTAMP,
    ),
    key=("user_id", "movie_id"),
    indexes=(("movie_id",),),
    references=(Reference("ratings_of_unknown_movies", "movie_id", "movies", "movie_id"),),
    layouts=(_dat("ratings.dat", "user_id", "movie_id", "rating", "timestamp"), _kaggle(_MOMENT)),
)

TAGS = Table(
    dataset="movielens",
    name="tags",
    columns=(
        _USER,
        _MOVIE,
        Column("tag", "tag", ColumnType.TEXT, required=True, nullable=False, empty_is_text=True),
        _TIMESTAMP,
    ),
    indexes=(("movie_id",),),
    references=(Reference("tags_of_unknown_movies", "movie_id", "movies", "movie_id"),),
    layouts=(_dat("tags.dat", "user_id", "movie_id", "tag", "timestamp"), _kaggle(_MOMENT)),
)

LINKS = Table(
    dataset="movielens",
    name="links",
    columns=(
        _MOVIE,
        Column("imdbId", "imdb_id", ColumnType.TEXT, required=True, form=Form.IMDB_DIGITS),
        Column("tmdbId", "tmdb_id", ColumnType.INT),
    ),
    key=("movie_id",),
    references=(Reference("links_of_unknown_movies", "movie_id", "movies", "movie_id"),),
    layouts=(_kaggle(),),
)

GENOME_SCORES = Table(
    dataset="movielens",
    name="genome_scores",
    columns=(
        _MOVIE,
        _TAG_ID,
        Column("relevance", "relevance", ColumnType.FLOAT, required=True, nullable=False, low=0.0, high=1.0),
    ),
    key=("movie_id", "tag_id"),
    references=(Reference("genome_scores_of_unknown_movies", "movie_id", "movies", "movie_id"),),
    layouts=(_kaggle(),),
)

GENOME_TAGS = Table(
    dataset="movielens",
    name="genome_tags",
    columns=(_TAG_ID, Column("tag", "tag", ColumnType.TEXT, required=True, nullable=False, empty_is_text=True)),
    key=("tag_id",),
    layouts=(_kaggle(),),
)

USERS = Table(
    dataset="movielens",
    name="users",
    columns=(
        _USER,
        Column("gender", "gender", ColumnType.TEXT, required=True),
        Column("age", "age", ColumnType.INT, required=True),
        Column("occupation", "occupation", ColumnType.INT, required=True),
        Column("zipCode", "zip_code", ColumnType.TEXT, aliases=("Zip-code",)),
    ),
    key=("user_id",),
    layouts=(_dat("users.dat", "user_id", "gender", "age", "occupation", "zip_code"), _kaggle()),
)

MOVIELENS = Dataset(
    name="movielens",
    title="MovieLens",
    publisher="GroupLens Research, University of Minnesota",
    homepage="https://grouplens.org/datasets/movielens/",
    licence="Research use; no redistribution and no commercial use without permission.",
    credit=(
        "F. Maxwell Harper and Joseph A. Konstan. 2015. The MovieLens Datasets: History and Context. "
        "ACM Transactions on Interactive Intelligent Systems 5, 4, Article 19. https://doi.org/10.1145/2827872"
    ),
    tables=(MOVIES, RATINGS, TAGS, LINKS, GENOME_SCORES, GENOME_TAGS, USERS),
    published=tuple(
        Published(f"movielens/{edition}", (f"ml-{edition}.zip",), has_md5=True)
        for edition in ("latest-small", "latest", "32m", "25m", "20m", "10m", "1m")
    ),
)
