"""IMDb by two raw connections, see two_connections.py. The end state is that of imdb_psql.sh, in bench_two.

python bench/imdb_two_connections.py FOLDER URL
"""

from __future__ import annotations

from two_connections import Table, main

TSV = r"FORMAT csv, DELIMITER E'\t', QUOTE E'\b', NULL '\N'"
TABLES = (
    Table(
        "title.principals.tsv",
        "title_principals",
        "tconst text!, ordering int!, nconst text, category text, job text, characters text",
        TSV,
    ),
    Table(
        "title.akas.tsv",
        "title_akas",
        "title_id text!, ordering int!, title text, region text, language text, types text, attributes text,"
        " is_original_title boolean",
        TSV,
    ),
    Table(
        "title.basics.tsv",
        "title_basics",
        "tconst text!, title_type text, primary_title text, original_title text, is_adult boolean, start_year int,"
        " end_year int, runtime_minutes int, genres text",
        TSV,
    ),
    Table(
        "name.basics.tsv",
        "name_basics",
        "nconst text!, primary_name text, birth_year int, death_year int, primary_profession text,"
        " known_for_titles text",
        TSV,
    ),
    Table("title.crew.tsv", "title_crew", "tconst text!, directors text, writers text", TSV),
    Table(
        "title.episode.tsv",
        "title_episode",
        "tconst text!, parent_tconst text, season_number int, episode_number int",
        TSV,
    ),
    Table("title.ratings.tsv", "title_ratings", "tconst text!, average_rating numeric, num_votes int", TSV),
)
# Longest first, as they end together then.
INDEXES = (
    "CREATE INDEX ON bench_two.title_principals (nconst)",
    "CREATE UNIQUE INDEX ON bench_two.title_principals (tconst, ordering)",
    "CREATE UNIQUE INDEX ON bench_two.title_akas (title_id, ordering)",
    "CREATE UNIQUE INDEX ON bench_two.name_basics (nconst)",
    "CREATE UNIQUE INDEX ON bench_two.title_basics (tconst)",
    "CREATE UNIQUE INDEX ON bench_two.title_crew (tconst)",
    "CREATE UNIQUE INDEX ON bench_two.title_episode (tconst)",
    "CREATE INDEX ON bench_two.title_episode (parent_tconst)",
    "CREATE UNIQUE INDEX ON bench_two.title_ratings (tconst)",
)

if __name__ == "__main__":
    main(TABLES, INDEXES)
