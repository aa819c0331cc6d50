-- What movies and people are found by, in a release of the catalog. {catalog} is its schema. Of what is longer than any
-- title, the beginning: an entry of an index ends at 2.7 KB, a document at 1 MB.

-- name: akas
create unlogged table {catalog}.joining_akas as
select a.title_id, string_agg(distinct a.title, ' ') as titles
  from {imdb_title_akas} a
 where a.title_id in (select imdb_id from {catalog}.joining_movies)
 group by a.title_id;

-- name: analyze_akas
analyze {catalog}.joining_akas;

-- name: search
create table {catalog}.search as
select m.id, m.votes, m.type, m.adult, left(reelbase.words(m.title), {title_letters}) collate "C" as title_key,
       reelbase.search_document(
           left(m.title, {document_letters}), left(m.original_title, {document_letters}),
           left(concat_ws(' ', a.titles, array_to_string(l.others, ' '), l.title), {document_letters})) as document
  from {catalog}.movies m
  left join {catalog}.joining_akas a on a.title_id = m.imdb_id
  left join {catalog}.joining_movielens l on l.movie_id = m.movielens_id
 order by m.votes desc nulls last;

-- name: words
-- Every word of a title, to find the one that was meant when a word is unknown; well-known movies' words weigh more.
create table {catalog}.words as
select w.word, count(*)::integer as movies, coalesce(max(s.votes), 0) as votes
  from {catalog}.search s cross join lateral unnest(tsvector_to_array(s.document)) w(word)
 where length(w.word) between 3 and 40 and w.word !~ '^[0-9]+$'
 group by w.word;

-- name: drop
drop table if exists {catalog}.joining_akas, {catalog}.joining_known;

-- name: known
-- Who is known for a movie of the catalog, and how many votes those movies got.
create unlogged table {catalog}.joining_known as
select p.nconst, sum(coalesce(m.votes, 0))::bigint as votes
  from {imdb_name_basics} p
 cross join lateral unnest(string_to_array(p.known_for_titles, ',')) t(tconst)
  join {catalog}.movies m on m.imdb_id = t.tconst
 group by p.nconst;

-- name: analyze_known
analyze {catalog}.joining_known;

-- name: people
create table {catalog}.people as
select n.nconst, n.primary_name as name, n.birth_year, n.death_year,
       string_to_array(n.primary_profession, ',') as professions, string_to_array(n.known_for_titles, ',') as known_for,
       k.votes, to_tsvector('pg_catalog.simple', reelbase.words(left(n.primary_name, {document_letters}))) as document,
       left(reelbase.words(n.primary_name), {title_letters}) collate "C" as name_key
  from {catalog}.joining_known k
  join {imdb_name_basics} n on n.nconst = k.nconst
 order by k.votes desc;

-- name: person_words
create table {catalog}.person_words as
select w.word, count(*)::integer as people, max(p.votes) as votes
  from {catalog}.people p cross join lateral unnest(tsvector_to_array(p.document)) w(word)
 where length(w.word) between 3 and 40
 group by w.word;
