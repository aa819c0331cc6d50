-- The indexes of a release of the catalog. Each sort is one index, walked in both directions; rows without a value
-- stand together at its end and are asked for by themselves (browse.sql).

-- name: imdb_id
create index on {catalog}.movies (imdb_id);

-- name: movielens_id
create index on {catalog}.movies (movielens_id);

-- name: tmdb_id
create index on {catalog}.movies (tmdb_id);

-- name: title
create index on {catalog}.movies (title_sort, id);

-- name: year
create index on {catalog}.movies (year, id);

-- name: rating
create index on {catalog}.movies (rating, id);

-- name: votes
create index on {catalog}.movies (votes, id);

-- name: release_date
create index on {catalog}.movies (release_date, id);

-- name: score
create index on {catalog}.movies (score, id);

-- name: genres
create index on {catalog}.movies using gin (genres);

-- name: own
create index on {catalog}.movies (id) where sources = array['own'];

-- name: search_key
alter table {catalog}.search add primary key (id);

-- name: search_document
create index on {catalog}.search using gin (document);

-- name: search_title
create index on {catalog}.search (title_key);

-- name: search_votes
create index on {catalog}.search (votes desc nulls last, id);

-- name: words
create index on {catalog}.words using gin (word {trigrams}.gin_trgm_ops);

-- name: words_key
create index on {catalog}.words (word collate "C");

-- name: people_key
alter table {catalog}.people add primary key (nconst);

-- name: people_document
create index on {catalog}.people using gin (document);

-- name: people_name
create index on {catalog}.people (name_key);

-- name: people_votes
create index on {catalog}.people (votes desc, nconst);

-- name: person_words
create index on {catalog}.person_words using gin (word {trigrams}.gin_trgm_ops);

-- name: person_words_key
create index on {catalog}.person_words (word collate "C");

-- name: tables
select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where n.nspname = {schema} and c.relkind = 'r' order by c.relpages desc;
