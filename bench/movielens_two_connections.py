"""MovieLens by two raw connections, see two_connections.py. The end state is that of movielens_psql.sh, in bench_two.

python bench/movielens_two_connections.py FOLDER URL
"""

from __future__ import annotations

from two_connections import Table, main

TABLES = (
    Table("ratings.csv", "ratings", "user_id int!, movie_id int!, rating double precision!, timestamp bigint"),
    Table("genome-scores.csv", "genome_scores", "movie_id int!, tag_id int!, relevance double precision!"),
    Table(
        "tags.csv",
        "tags",
        "user_id int!, movie_id int!, tag text!, timestamp bigint",
        "FORMAT csv, FORCE_NOT_NULL (tag)",
    ),
    Table(
        "movies.csv",
        "movies",
        "movie_id int!, title text!, genres text",
        "FORMAT csv, FORCE_NOT_NULL (title, genres)",
    ),
    Table("links.csv", "links", "movie_id int!, imdb_id text, tmdb_id int"),
    Table("genome-tags.csv", "genome_tags", "tag_id int!, tag text!", "FORMAT csv, FORCE_NOT_NULL (tag)"),
)
# Longest first: two at a time they end together, which saves 1.5 s of 17.
INDEXES = (
    "CREATE UNIQUE INDEX ON bench_two.ratings (user_id, movie_id)",
    "CREATE INDEX ON bench_two.ratings (movie_id)",
    "CREATE UNIQUE INDEX ON bench_two.genome_scores (movie_id, tag_id)",
    "CREATE INDEX ON bench_two.tags (movie_id)",
    "CREATE UNIQUE INDEX ON bench_two.movies (movie_id)",
    "CREATE UNIQUE INDEX ON bench_two.links (movie_id)",
    "CREATE UNIQUE INDEX ON bench_two.genome_tags (tag_id)",
)

if __name__ == "__main__":
    main(TABLES, INDEXES)
