#!/bin/sh
# What a person would write by hand: one psql session, one stream, file after file, index after index.
# Usage: movielens_psql.sh FOLDER URL        (PSQL names the psql to use)
set -eu
[ $# -eq 2 ] || { echo "usage: $0 FOLDER URL" >&2; exit 2; }
cd -- "$1"
exec "${PSQL:-psql}" --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --dbname="$2" <<'SQL'
SET client_min_messages = warning;
SET client_encoding = 'UTF8';
DROP SCHEMA IF EXISTS bench_psql CASCADE;
CREATE SCHEMA bench_psql;
SET search_path = bench_psql;

CREATE TABLE movies (movie_id int NOT NULL, title text NOT NULL, genres text);
CREATE TABLE ratings (user_id int NOT NULL, movie_id int NOT NULL, rating double precision NOT NULL, timestamp bigint);
CREATE TABLE tags (user_id int NOT NULL, movie_id int NOT NULL, tag text NOT NULL, timestamp bigint);
CREATE TABLE links (movie_id int NOT NULL, imdb_id text, tmdb_id int);
CREATE TABLE genome_scores (movie_id int NOT NULL, tag_id int NOT NULL, relevance double precision NOT NULL);
CREATE TABLE genome_tags (tag_id int NOT NULL, tag text NOT NULL);

\copy movies from 'movies.csv' with (format csv, header, force_not_null (title, genres))
\copy ratings from 'ratings.csv' with (format csv, header)
\copy tags from 'tags.csv' with (format csv, header, force_not_null (tag))
\copy links from 'links.csv' with (format csv, header)
\copy genome_scores from 'genome-scores.csv' with (format csv, header)
\copy genome_tags from 'genome-tags.csv' with (format csv, header, force_not_null (tag))

CREATE UNIQUE INDEX ON ratings (user_id, movie_id);
CREATE INDEX ON ratings (movie_id);
CREATE UNIQUE INDEX ON genome_scores (movie_id, tag_id);
CREATE INDEX ON tags (movie_id);
CREATE UNIQUE INDEX ON movies (movie_id);
CREATE UNIQUE INDEX ON links (movie_id);
CREATE UNIQUE INDEX ON genome_tags (tag_id);

ANALYZE movies, ratings, tags, links, genome_scores, genome_tags;
SQL
