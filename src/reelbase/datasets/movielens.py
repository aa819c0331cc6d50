"""MovieLens (GroupLens): ml-20m, 25m, 32m, latest, latest-small.

Headers and types are those of the editions' READMEs, https://files.grouplens.org/datasets/movielens/ml-32m-README.html
and its neighbours.
"""

from __future__ import annotations

from reelbase.datasets.model import Column, ColumnType, Dataset, Reference, Table

_USER = Column("userId", "user_id", ColumnType.INT, required=True, nullable=False)
_MOVIE = Column("movieId", "movie_id", ColumnType.INT, required=True, nullable=False)
_TAG_ID = Column("tagId", "tag_id", ColumnType.INT, required=True, nullable=False)
_TIMESTAMP = Column("timestamp", "timestamp", ColumnType.BIGINT)

MOVIES = Table(
    dataset="movielens",
    name="movies",
    columns=(
        _MOVIE,
        Column("title", "title", ColumnType.TEXT, required=True, nullable=False, empty_is_text=True),
        Column("genres", "genres", ColumnType.TEXT, empty_is_text=True),
    ),
    key=("movie_id",),
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
)

LINKS = Table(
    dataset="movielens",
    name="links",
    columns=(
        _MOVIE,
        Column("imdbId", "imdb_id", ColumnType.TEXT, required=True),
        Column("tmdbId", "tmdb_id", ColumnType.INT),
    ),
    key=("movie_id",),
    references=(Reference("links_of_unknown_movies", "movie_id", "movies", "movie_id"),),
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
)

GENOME_TAGS = Table(
    dataset="movielens",
    name="genome_tags",
    columns=(_TAG_ID, Column("tag", "tag", ColumnType.TEXT, required=True, nullable=False, empty_is_text=True)),
    key=("tag_id",),
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
    tables=(MOVIES, RATINGS, TAGS, LINKS, GENOME_SCORES, GENOME_TAGS),
)
