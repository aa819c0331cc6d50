-- How many movies of a list there are of each genre, decade, language, type, source and rating.

-- name: kept
-- From the kept combinations; movies of one's own come and go without a build and are counted as they are.
with matched as materialized (
    select m.type, m.genres, m.language, m.sources, {decade} as decade, m.rating, m.movies
      from {combinations} m where {where}
    union all
    select m.type, m.genres, m.language, m.sources, m.year / 10 * 10, floor(m.rating)::integer, 1
      from catalog.movies m where m.sources = array['own'] and {where}
)

-- name: movies
-- Of movies that match; one more than {limit} means that they are too many to be counted quickly.
with few as materialized (
    select m.type, m.genres, m.language, m.sources, m.year, m.rating
      from catalog.movies m where {where} limit {limit} + 1
), matched as materialized (
    select type, genres, language, sources, year / 10 * 10 as decade, floor(rating)::integer as rating,
           count(*) as movies
      from few where (select count(*) from few) <= {limit}
     group by 1, 2, 3, 4, 5, 6
)

-- name: counts
-- Lists are counted before they are taken apart: a million movies have a few thousand different ones.
select 'genre' as facet, g as value, sum(l.movies)::bigint as movies
  from (select genres, sum(movies) as movies from matched group by genres) l, unnest(l.genres) g group by g
union all
select 'decade', decade::text, sum(movies)::bigint from matched where decade is not null group by decade
union all
select 'language', language, sum(movies)::bigint from matched where language is not null group by language
union all
select 'type', type, sum(movies)::bigint from matched group by type
union all
select 'source', s, sum(l.movies)::bigint
  from (select sources, sum(movies) as movies from matched group by sources) l, unnest(l.sources) s group by s
union all
select 'rating', rating::text, sum(movies)::bigint from matched where rating is not null group by rating
union all
select 'total', null, sum(movies)::bigint from matched;

-- name: any
select 1 as one from catalog.movies m where {where} limit 1;
