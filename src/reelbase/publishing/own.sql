-- Movies that people add: kept in reelbase.own_movies, shown in {catalog}.movies like all others.

-- name: hide
with gone as (delete from {catalog}.movies where sources = array['own'] and {which} returning id)
delete from {catalog}.search s using gone where s.id = gone.id;

-- name: show
-- Where a dataset has come to know the movie, its row is there already, under the same id.
with shown as (
    insert into {catalog}.movies
           (id, type, title, title_sort, year, runtime, genres, language, languages, overview, adult, rating, imdb_id,
            sources)
    select o.id, 'movie', o.title, left(reelbase.title_sort(o.title), 500), o.year, o.runtime, o.genres, o.language,
           array[]::text[], o.overview, false, o.rating, o.imdb_id, array['own']
      from reelbase.own_movies o
     where {which}
       and not exists (select from {catalog}.movies m where m.id = o.id or m.imdb_id = o.imdb_id)
    returning id, title
)
insert into {catalog}.search (id, type, adult, title_key, document)
select id, 'movie', false, left(reelbase.words(title), 500),
       reelbase.search_document(left(title, 50000), null, null)
  from shown;

-- name: hold
-- Nobody swaps the catalog while a movie of one's own is changed, and the other way round.
select live from reelbase.catalog for update;

-- name: changed
update reelbase.catalog set version = version + 1;

-- name: add
insert into reelbase.own_movies (title, year, runtime, genres, language, overview, imdb_id, rating)
values (%(title)s, %(year)s, %(runtime)s, %(genres)s, %(language)s, %(overview)s, %(imdb_id)s, %(rating)s)
returning id;

-- name: edit
update reelbase.own_movies
   set title = %(title)s, year = %(year)s, runtime = %(runtime)s, genres = %(genres)s, language = %(language)s,
       overview = %(overview)s, imdb_id = %(imdb_id)s, rating = %(rating)s, updated_at = now()
 where id = %(id)s
returning id;

-- name: one
select title, year, runtime, genres, language, overview, imdb_id, rating from reelbase.own_movies where id = %(id)s;

-- name: remove
delete from reelbase.own_movies where id = %(id)s returning id;

-- name: see
-- From now on the movie's IMDb id leads to it, also when IMDb is loaded.
insert into reelbase.movie_ids (source, source_id, id) values ('imdb', %(imdb_id)s, %(id)s)
on conflict (source, source_id) do nothing;

-- name: forget
delete from reelbase.movie_ids where id = %(id)s and source = 'imdb' and source_id is distinct from %(imdb_id)s;

-- name: known
select id from {catalog}.movies where imdb_id = %(imdb_id)s and id is distinct from %(id)s limit 1;
