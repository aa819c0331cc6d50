#!/bin/sh
# What a person would write by hand: one psql session, one stream, file after file, index after index.
# Usage: imdb_psql.sh FOLDER URL        (PSQL names the psql to use; the files are unpacked)
# These files have neither quoting nor escaping. A quote that never occurs turns quoting off; format text would eat
# backslashes.
set -eu
[ $# -eq 2 ] || { echo "usage: $0 FOLDER URL" >&2; exit 2; }
cd -- "$1"
exec "${PSQL:-psql}" --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --dbname="$2" <<'SQL'
SET client_min_messages = warning;
SET client_encoding = 'UTF8';
DROP SCHEMA IF EXISTS bench_psql CASCADE;
CREATE SCHEMA bench_psql;
SET search_path = bench_psql;

CREATE TABLE title_basics (tconst text NOT NULL, title_type text, primary_title text, original_title text,
                           is_adult boolean, start_year int, end_year int, runtime_minutes int, genres text);
CREATE TABLE title_ratings (tconst text NOT NULL, average_rating numeric, num_votes int);
CREATE TABLE title_akas (title_id text NOT NULL, ordering int NOT NULL, title text, region text, language text,
                         types text, attributes text, is_original_title boolean);
CREATE TABLE title_crew (tconst text NOT NULL, directors text, writers text);
CREATE TABLE title_episode (tconst text NOT NULL, parent_tconst text, season_number int, episode_number int);
CREATE TABLE title_principals (tconst text NOT NULL, ordering int NOT NULL, nconst text, category text, job text,
                               characters text);
CREATE TABLE name_basics (nconst text NOT NULL, primary_name text, birth_year int, death_year int,
                          primary_profession text, known_for_titles text);

\copy title_basics from 'title.basics.tsv' with (format csv, header, delimiter E'\t', quote E'\b', null '\N')
\copy title_ratings from 'title.ratings.tsv' with (format csv, header, delimiter E'\t', quote E'\b', null '\N')
\copy title_akas from 'title.akas.tsv' with (format csv, header, delimiter E'\t', quote E'\b', null '\N')
\copy title_crew from 'title.crew.tsv' with (format csv, header, delimiter E'\t', quote E'\b', null '\N')
\copy title_episode from 'title.episode.tsv' with (format csv, header, delimiter E'\t', quote E'\b', null '\N')
\copy title_principals from 'title.principals.tsv' with (format csv, header, delimiter E'\t', quote E'\b', null '\N')
\copy name_basics from 'name.basics.tsv' with (format csv, header, delimiter E'\t', quote E'\b', null '\N')

CREATE UNIQUE INDEX ON title_basics (tconst);
CREATE UNIQUE INDEX ON title_ratings (tconst);
CREATE UNIQUE INDEX ON title_akas (title_id, ordering);
CREATE UNIQUE INDEX ON title_crew (tconst);
CREATE UNIQUE INDEX ON title_episode (tconst);
CREATE INDEX ON title_episode (parent_tconst);
CREATE UNIQUE INDEX ON title_principals (tconst, ordering);
CREATE INDEX ON title_principals (nconst);
CREATE UNIQUE INDEX ON name_basics (nconst);

ANALYZE title_basics, title_ratings, title_akas, title_crew, title_episode, title_principals, name_basics;
SQL
