-- Which rows of the datasets are the same movie. What is made here is dropped when the movies are built; it is not
-- temporary, because PostgreSQL reads temporary tables with one process only.
-- {movielens_movies} and the like are the tables that the catalog is built from; of a dataset that is not loaded, none.

-- name: movielens
-- links.imdbId is digits, zero-padded or not; it is the tconst without its tt.
create unlogged table {catalog}.joining_movielens as
select m.movie_id, coalesce(nullif(t.title, ''), m.movie_id::text) as title, t.year, t.others,
       case when m.genres not in ('', '(no genres listed)') then m.genres end as genres,
       case when l.imdb_id ~ '^(tt)?0*[1-9][0-9]*$' then
            'tt' || lpad(ltrim(l.imdb_id, 't0'), greatest(7, length(ltrim(l.imdb_id, 't0'))), '0') end as imdb_id,
       l.tmdb_id
  from {movielens_movies} m
  left join {movielens_links} l on l.movie_id = m.movie_id
 cross join lateral reelbase.split_title(m.title) t;

-- name: tmdb
-- A file without ids has none to be known by but the title (its first 200 letters: it is in an index) and year; the
-- number tells equal ones apart.
create unlogged table {catalog}.joining_tmdb as
with rows as (
    select t.ctid as place, t.id as tmdb_id,
           case when t.imdb_id ~ '^tt0*[1-9][0-9]*$' then
                'tt' || lpad(ltrim(t.imdb_id, 't0'), greatest(7, length(ltrim(t.imdb_id, 't0'))), '0') end as imdb_id,
           coalesce(nullif(btrim(t.title), ''), nullif(btrim(t.original_title), ''), '(untitled)') as title,
           nullif(btrim(t.original_title), '') as original_title,
           coalesce(extract(year from t.release_date)::integer, t.release_year) as year
      from {tmdb_movies} t
)
select place, tmdb_id, imdb_id, title, original_title, year, tmdb_id::text as source_id
  from (select *, row_number() over (partition by tmdb_id order by place) as copy from rows where tmdb_id is not null) r
 where copy = 1
union all
select place, tmdb_id, imdb_id, title, original_title, year,
       concat_ws(':', 'title', key, year, row_number() over (partition by key, year order by place))
  from (select *, left(reelbase.words(title), 200) as key from rows where tmdb_id is null) r;

-- name: analyze
analyze {catalog}.joining_movielens, {catalog}.joining_tmdb;

-- name: movielens_titles
-- The IMDb title of each MovieLens movie, where no other movie claims it, or just one of those that do has its name.
create unlogged table {catalog}.joining_movielens_titles as
with claims as (
    select imdb_id, movie_id, title, year, count(*) over (partition by imdb_id) as claims
      from {catalog}.joining_movielens where imdb_id is not null
)
select imdb_id, movie_id from claims where claims = 1
union all
select c.imdb_id, min(c.movie_id)
  from claims c join {imdb_title_basics} b on b.tconst = c.imdb_id
 where c.claims > 1 and c.year = b.start_year
   and reelbase.words(c.title) in (reelbase.words(b.primary_title), reelbase.words(b.original_title))
 group by c.imdb_id having count(*) = 1;

-- name: tmdb_titles
create unlogged table {catalog}.joining_tmdb_titles as
with claims as (
    select imdb_id, place, title, original_title, year, count(*) over (partition by imdb_id) as claims
      from {catalog}.joining_tmdb where imdb_id is not null
)
select imdb_id, place from claims where claims = 1
union all
select c.imdb_id, (array_agg(c.place))[1]
  from claims c join {imdb_title_basics} b on b.tconst = c.imdb_id
 where c.claims > 1 and c.year = b.start_year
   and (reelbase.words(c.title) in (reelbase.words(b.primary_title), reelbase.words(b.original_title))
        or reelbase.words(c.original_title) = reelbase.words(b.original_title))
 group by c.imdb_id having count(*) = 1;

-- name: pairs
-- What links.tmdbId joins. Two rows that name different IMDb titles are never one movie, whatever the link says.
create unlogged table {catalog}.joining_pairs as
select m.movie_id, t.place, m_title.imdb_id as movielens_title, t_title.imdb_id as tmdb_title,
       coalesce(m.imdb_id <> t.imdb_id, false) as contradict,
       coalesce(m_title.imdb_id = t_title.imdb_id, false) as agree
  from {catalog}.joining_movielens m
  join {catalog}.joining_tmdb t on t.tmdb_id = m.tmdb_id
  left join {catalog}.joining_movielens_titles m_title on m_title.movie_id = m.movie_id
  left join {catalog}.joining_tmdb_titles t_title on t_title.place = t.place;

-- name: links
-- The pairs that say something new and that nothing speaks against: one movie for each side.
create unlogged table {catalog}.joining_links as
select movie_id, place, movielens_title, tmdb_title
  from (select *, count(*) over (partition by place) as claims from {catalog}.joining_pairs where not contradict) p
 where not agree and claims = 1;

-- name: movies
-- One row for each title of IMDb that is a movie or that another dataset calls one.
create unlogged table {catalog}.joining_movies as
select row_number() over () as n, t.imdb_id, m.movie_id, d.place
  from (select tconst as imdb_id from {imdb_title_basics} given where title_type in ('movie', 'tvMovie', 'video', 'short')
        union select imdb_id from {catalog}.joining_movielens_titles
        union select imdb_id from {catalog}.joining_tmdb_titles) t
  left join {catalog}.joining_movielens_titles m on m.imdb_id = t.imdb_id
  left join {catalog}.joining_tmdb_titles d on d.imdb_id = t.imdb_id;

-- name: link_tmdb
update {catalog}.joining_movies j set place = l.place
  from {catalog}.joining_links l where l.movie_id = j.movie_id and j.place is null and l.tmdb_title is null;

-- name: link_movielens
update {catalog}.joining_movies j set movie_id = l.movie_id
  from {catalog}.joining_links l where l.place = j.place and j.movie_id is null and l.movielens_title is null;

-- name: link_both
insert into {catalog}.joining_movies (n, movie_id, place)
select (select count(*) from {catalog}.joining_movies) + row_number() over (), l.movie_id, l.place
  from {catalog}.joining_links l where l.movielens_title is null and l.tmdb_title is null;

-- name: other_movielens
insert into {catalog}.joining_movies (n, movie_id)
select (select count(*) from {catalog}.joining_movies) + row_number() over (), m.movie_id
  from {catalog}.joining_movielens m
 where not exists (select from {catalog}.joining_movies j where j.movie_id = m.movie_id);

-- name: other_tmdb
insert into {catalog}.joining_movies (n, place)
select (select count(*) from {catalog}.joining_movies) + row_number() over (), t.place
  from {catalog}.joining_tmdb t
 where not exists (select from {catalog}.joining_movies j where j.place = t.place);

-- name: loose
-- Movies of files that have no ids to join by; only those are looked for by their title and year.
create unlogged table {catalog}.joining_loose as
select j.n, 'movielens' as side from {catalog}.joining_movies j
 where j.movie_id is not null and j.imdb_id is null and j.place is null
   and not exists (select from {movielens_links} given)
union all
select j.n, 'tmdb' from {catalog}.joining_movies j
 where j.place is not null and j.imdb_id is null and j.movie_id is null
   and not exists (select from {catalog}.joining_tmdb where imdb_id is not null);

-- name: keys
-- Every spelling of title and year that a movie goes by, for the years in question, and how many movies share it.
create unlogged table {catalog}.joining_keys as
with years as (
    select m.year from {catalog}.joining_loose l join {catalog}.joining_movies j using (n) join {catalog}.joining_movielens m using (movie_id)
     where l.side = 'movielens'
    union
    select t.year from {catalog}.joining_loose l join {catalog}.joining_movies j using (n) join {catalog}.joining_tmdb t using (place)
     where l.side = 'tmdb'
), spelled as (
    select j.n, reelbase.words(k.title) as key, b.start_year as year
      from {catalog}.joining_movies j join {imdb_title_basics} b on b.tconst = j.imdb_id,
           lateral (values (b.primary_title), (b.original_title)) k(title)
     where b.start_year in (select year from years)
    union
    select j.n, reelbase.words(k.title), m.year
      from {catalog}.joining_movies j join {catalog}.joining_movielens m using (movie_id),
           lateral (select m.title union select unnest(m.others)) k(title)
     where m.year in (select year from years)
    union
    select j.n, reelbase.words(k.title), t.year
      from {catalog}.joining_movies j join {catalog}.joining_tmdb t using (place),
           lateral (values (t.title), (t.original_title)) k(title)
     where t.year in (select year from years)
)
select n, key, year, count(*) over (partition by key, year) as sharers from spelled where key <> '';

-- name: no_keys
create unlogged table {catalog}.joining_keys (n bigint, key text, year integer, sharers bigint);

-- name: analyze_keys
analyze {catalog}.joining_keys, {catalog}.joining_loose, {catalog}.joining_movies;

-- name: matches
-- A loose movie and the only other one of its title and year; nothing where either side could be another. Where three
-- share a title and year all of them could be, which is settled first: pairs of them would be as many as their square.
create unlogged table {catalog}.joining_matches as
with crowds as (
    select distinct mine.key, mine.year
      from {catalog}.joining_loose l join {catalog}.joining_keys mine on mine.n = l.n
     where l.side = {side} and mine.sharers > 2
), crowded as (
    select k.n from {catalog}.joining_keys k join crowds using (key, year)
), found as (
    select distinct l.n as loose, k.n as anchor
      from {catalog}.joining_loose l
      join {catalog}.joining_keys mine on mine.n = l.n and mine.sharers = 2
      join {catalog}.joining_keys k on k.key = mine.key and k.year = mine.year and k.n <> l.n
     where l.side = {side}
)
select f.loose, f.anchor, j.movie_id, j.place
  from (select *, count(*) over (partition by loose) as anchors, count(*) over (partition by anchor) as suitors
          from found) f
  join {catalog}.joining_movies j on j.n = f.loose
 where f.anchors = 1 and f.suitors = 1
   and not exists (select from crowded c where c.n = f.loose) and not exists (select from crowded c where c.n = f.anchor);

-- name: match_movielens
with taken as (
    update {catalog}.joining_movies j set movie_id = m.movie_id
      from {catalog}.joining_matches m where j.n = m.anchor and j.movie_id is null
    returning m.loose
)
delete from {catalog}.joining_movies j using taken where j.n = taken.loose and j.imdb_id is null and j.place is null;

-- name: match_tmdb
with taken as (
    update {catalog}.joining_movies j set place = m.place
      from {catalog}.joining_matches m where j.n = m.anchor and j.place is null
    returning m.loose
)
delete from {catalog}.joining_movies j using taken where j.n = taken.loose and j.imdb_id is null and j.movie_id is null;

-- name: drop_matches
drop table {catalog}.joining_matches;

-- name: see
-- Ids by first sight.
insert into reelbase.movie_ids (source, source_id)
select source, source_id
  from (select 1 as rank, 'imdb' as source, imdb_id as source_id from {catalog}.joining_movies where imdb_id is not null
        union all
        select 2, 'movielens', movie_id::text from {catalog}.joining_movielens
        union all
        select 3, 'tmdb', source_id from {catalog}.joining_tmdb) seen
 where not exists (select from reelbase.movie_ids i where i.source = seen.source and i.source_id = seen.source_id)
 order by rank, source_id
on conflict do nothing;

-- name: ids
-- A movie answers to the oldest id among its sources.
create unlogged table {catalog}.joining_ids as
select j.n,
       case least(i.seen, m.seen, t.seen) when i.seen then i.id when m.seen then m.id else t.id end as id
  from {catalog}.joining_movies j
  left join {catalog}.joining_tmdb d on d.place = j.place
  left join reelbase.movie_ids i on i.source = 'imdb' and i.source_id = j.imdb_id
  left join reelbase.movie_ids m on m.source = 'movielens' and m.source_id = j.movie_id::text
  left join reelbase.movie_ids t on t.source = 'tmdb' and t.source_id = d.source_id;

-- name: analyze_movies
analyze {catalog}.joining_movies, {catalog}.joining_ids;

-- name: checks
-- What could not be joined, each with how often.
select 'ambiguous_links', 'movielens.links', count(*),
       'MovieLens movies stay apart from the IMDb title they link to, because others link to it too.'
  from {catalog}.joining_movielens m
 where m.imdb_id is not null
   and not exists (select from {catalog}.joining_movies j where j.movie_id = m.movie_id and j.imdb_id = m.imdb_id)
union all
select 'ambiguous_links', 'tmdb.movies', count(*),
       'TMDb movies stay apart from the IMDb title they name, because others name it too.'
  from {catalog}.joining_tmdb t
 where t.imdb_id is not null
   and not exists (select from {catalog}.joining_movies j where j.place = t.place and j.imdb_id = t.imdb_id)
union all
select 'contradicting_links', 'movielens.links', count(*),
       'MovieLens movies link to a TMDb movie that names another IMDb title, and the two stay apart.'
  from {catalog}.joining_pairs where contradict
union all
select 'ambiguous_tmdb_links', 'movielens.links', count(*),
       'MovieLens movies link to a TMDb movie to which others link too, and they stay apart.'
  from {catalog}.joining_pairs p
 where not p.contradict
   and not exists (select from {catalog}.joining_movies j where j.movie_id = p.movie_id and j.place = p.place)
union all
select 'ambiguous_titles', l.side, count(*),
       'movies without ids have the title and year of several others, or not theirs alone, and stay apart.'
  from {catalog}.joining_loose l
  join {catalog}.joining_movies j using (n)
 where exists (select from {catalog}.joining_keys mine where mine.n = l.n and mine.sharers > 1)
   and ((l.side = 'movielens' and j.imdb_id is null and j.place is null)
        or (l.side = 'tmdb' and j.imdb_id is null and j.movie_id is null))
 group by l.side
union all
select 'links_to_unknown_titles', 'movielens.links', count(*),
       'MovieLens movies link to an IMDb title that the loaded title.basics does not have.'
  from {catalog}.joining_movielens m
 where m.imdb_id is not null and exists (select from {imdb_title_basics} given)
   and not exists (select from {imdb_title_basics} b where b.tconst = m.imdb_id);

-- name: drop
drop table if exists {catalog}.joining_movielens, {catalog}.joining_tmdb, {catalog}.joining_movielens_titles, {catalog}.joining_tmdb_titles, {catalog}.joining_pairs,
                     {catalog}.joining_links, {catalog}.joining_movies, {catalog}.joining_loose, {catalog}.joining_keys, {catalog}.joining_matches, {catalog}.joining_ids;
