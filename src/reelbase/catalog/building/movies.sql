-- The movies of a release of the catalog, out of the joined rows (join.sql). {catalog} is the release's schema.

-- name: rating_counts
-- How often each movie got each rating: averages and histograms come from here.
create table {catalog}.rating_counts as
select movie_id, rating, count(*)::integer as votes from {movielens_ratings} given group by 1, 2 order by 1, 2;

-- name: rating_counts_key
alter table {catalog}.rating_counts add primary key (movie_id, rating);

-- name: rating_years
-- What each movie got in each year (UTC). Both at once, by rating and year, took three times as long: 1.6 million groups of
-- 20 million ratings do not fit the processor's caches. Sorted behind the grouping, which would else be done by sorting all
-- ratings: 30 s instead of 6.
create table {catalog}.rating_years as
with years as materialized (
    select movie_id, (1970 + width_bucket(timestamp, {years}::bigint[]))::smallint as year, count(*)::integer as votes,
           avg(rating) as average
      from {movielens_ratings} given
     where timestamp is not null
     group by 1, 2
)
select * from years order by movie_id, year;

-- name: rating_years_key
alter table {catalog}.rating_years add primary key (movie_id, year);

-- name: movielens_averages
create unlogged table {catalog}.joining_averages as
select movie_id, (sum(rating * votes) / sum(votes))::double precision as average, sum(votes)::integer as votes
  from {catalog}.rating_counts group by movie_id;

-- name: genre_names
-- One vocabulary, IMDb's where it has a word for it. The ids are TMDb's, by their published names
-- (https://developer.themoviedb.org/reference/genre-movie-list).
create unlogged table {catalog}.joining_genre_names as
select * from (values
    (28, 'Action', 'Action'), (12, 'Adventure', 'Adventure'), (16, 'Animation', 'Animation'), (35, 'Comedy', 'Comedy'),
    (80, 'Crime', 'Crime'), (99, 'Documentary', 'Documentary'), (18, 'Drama', 'Drama'), (10751, 'Family', 'Family'),
    (14, 'Fantasy', 'Fantasy'), (36, 'History', 'History'), (27, 'Horror', 'Horror'), (10402, 'Music', 'Music'),
    (9648, 'Mystery', 'Mystery'), (10749, 'Romance', 'Romance'), (878, 'Science Fiction', 'Sci-Fi'),
    (10770, 'TV Movie', 'TV Movie'), (53, 'Thriller', 'Thriller'), (10752, 'War', 'War'), (37, 'Western', 'Western'),
    (null, 'Children''s', 'Children')
) names (id, name, shown);

-- name: tmdb_genres
-- The lists are few, the movies many.
create unlogged table {catalog}.joining_tmdb_genres as
select d.genres, array_agg(coalesce(v.shown, left(d.name, {genre_letters})) order by d.position) as shown
  from (select l.genres, e.position,
               case jsonb_typeof(e.item) when 'object' then e.item ->> 'name' when 'string' then e.item #>> array[]::text[] end as name
          from (select distinct genres from {tmdb_movies} given where jsonb_typeof(genres) = 'array') l
         cross join lateral jsonb_array_elements(l.genres) with ordinality e(item, position)) d
  left join {catalog}.joining_genre_names v on v.name = d.name
 where d.name <> ''
 group by d.genres;

-- name: tmdb_languages
create unlogged table {catalog}.joining_tmdb_languages as
select l.spoken_languages,
       array_agg(e.name order by e.position) as shown
  from (select distinct spoken_languages from {tmdb_movies} given where jsonb_typeof(spoken_languages) = 'array') l
 cross join lateral (
            select position,
                   case jsonb_typeof(item) when 'object' then coalesce(nullif(item ->> 'name', ''), item ->> 'iso_639_1')
                                           when 'string' then item #>> array[]::text[] end as name
              from jsonb_array_elements(l.spoken_languages) with ordinality given(item, position)) e
 where e.name <> ''
 group by l.spoken_languages;

-- name: movielens_genres
create unlogged table {catalog}.joining_movielens_genres as
select l.genres, array_agg(coalesce(v.shown, left(e.name, {genre_letters})) order by e.position) as shown
  from (select distinct genres from {catalog}.joining_movielens where genres is not null) l
 cross join lateral unnest(string_to_array(l.genres, '|')) with ordinality e(name, position)
  left join {catalog}.joining_genre_names v on v.name = e.name
 group by l.genres;

-- name: usual
-- The mean rating and number of votes, for the weighted score: those of the first dataset that has ratings.
create unlogged table {catalog}.joining_usual as
select coalesce(i.average, m.average, t.average, 5) as average,
       greatest(case when i.average is not null then i.votes
                     when m.average is not null then m.votes
                     else t.votes end, 1) as votes
  from (select avg(average_rating)::double precision as average, avg(greatest(num_votes, 0))::double precision as votes
          from {imdb_title_ratings} given) i,
       (select 2 * avg(average) as average, avg(votes)::double precision as votes from {catalog}.joining_averages) m,
       (select round(avg(vote_average), 15)::double precision as average, avg(vote_count)::double precision as votes
          from {tmdb_movies} given where vote_count > 0 and vote_average between 0 and 10) t;

-- name: analyze
analyze {catalog}.joining_averages, {catalog}.joining_tmdb_genres, {catalog}.joining_tmdb_languages, {catalog}.joining_movielens_genres;

-- name: movies
-- Who wins: IMDb, TMDb, MovieLens for title, year and runtime; TMDb for its own facts; genres from the first that has
-- any. A TMDb average without votes is no rating, nor is one that is not from 0 to 10 (rounded, because a double has no
-- number as small as numeric has); a number of votes below 0 is none. What a title is sorted by, and a genre, go into an
-- index, whose entries end at 2.7 KB: of longer ones their beginning. Overviews are moved out of the row, so that lists read less. The
-- popular movies lie together, at the front.
create table {catalog}.movies with (toast_tuple_target = 400) as
select f.id, f.type, f.title, f.original_title, left(reelbase.title_sort(f.title), {title_letters}) collate "C" as title_sort, f.year,
       f.release_date, f.runtime, f.genres, f.language, f.languages, f.overview, f.adult, f.rating, f.votes,
       (f.rating * coalesce(f.votes, 0) + u.average * u.votes) / (coalesce(f.votes, 0) + u.votes) as score,
       f.imdb_id, f.movielens_id, f.tmdb_id, f.imdb_average, f.imdb_votes, f.movielens_average, f.movielens_votes,
       f.tmdb_average, f.tmdb_votes, f.sources
  from (select i.id,
               coalesce(b.title_type, 'movie') as type,
               coalesce(nullif(b.primary_title, ''), t.title, m.title, j.imdb_id) as title,
               coalesce(nullif(b.original_title, ''), t.original_title) as original_title,
               coalesce(b.start_year, t.year, m.year) as year,
               d.release_date,
               coalesce(b.runtime_minutes, nullif(d.runtime, 0)) as runtime,
               coalesce(string_to_array(nullif(left(b.genres, {title_letters}), ''), ','), tg.shown,
                        case when gi.shown is not null then array[gi.shown] end, mg.shown, array[]::text[]) as genres,
               nullif(d.original_language, '') as language,
               coalesce(d.languages, tl.shown, array[]::text[]) as languages,
               nullif(d.overview, '') as overview,
               coalesce(b.is_adult, false) or coalesce(d.adult, false) as adult,
               coalesce(r.average_rating::double precision, a.average * 2, tv.average) as rating,
               case when r.average_rating is not null then iv.votes
                    when a.average is not null then a.votes else tv.votes end as votes,
               j.imdb_id, j.movie_id as movielens_id, d.id as tmdb_id,
               r.average_rating::double precision as imdb_average, iv.votes as imdb_votes,
               a.average as movielens_average, a.votes as movielens_votes,
               tv.average as tmdb_average, tv.votes as tmdb_votes,
               array_remove(array[case when b.tconst is not null then 'imdb' end,
                                  case when m.movie_id is not null then 'movielens' end,
                                  case when t.place is not null then 'tmdb' end], null) as sources
          from {catalog}.joining_movies j
          join {catalog}.joining_ids i on i.n = j.n
          left join {imdb_title_basics} b on b.tconst = j.imdb_id
          left join {imdb_title_ratings} r on r.tconst = j.imdb_id
          left join {catalog}.joining_movielens m on m.movie_id = j.movie_id
          left join {catalog}.joining_movielens_genres mg on mg.genres = m.genres
          left join {catalog}.joining_averages a on a.movie_id = j.movie_id
          left join {catalog}.joining_tmdb t on t.place = j.place
          left join {tmdb_movies} d on d.ctid = j.place
          left join {catalog}.joining_tmdb_genres tg on tg.genres = d.genres
          left join {catalog}.joining_genre_names gi on gi.id = d.genre_id
          left join {catalog}.joining_tmdb_languages tl on tl.spoken_languages = d.spoken_languages
         cross join lateral (select case when r.num_votes >= 0 then r.num_votes end as votes) iv
         cross join lateral (
                    select case when d.vote_count is distinct from 0 and d.vote_average between 0 and 10
                                then round(d.vote_average, 15)::double precision end as average,
                           case when d.vote_count > 0 then d.vote_count end as votes) tv) f
 cross join {catalog}.joining_usual u
 order by f.votes desc nulls last;

-- name: key
alter table {catalog}.movies add primary key (id);

-- name: drop
drop table if exists {catalog}.joining_averages, {catalog}.joining_genre_names, {catalog}.joining_tmdb_genres, {catalog}.joining_tmdb_languages,
                     {catalog}.joining_movielens_genres, {catalog}.joining_usual;

-- name: combinations_by_year
-- How many movies have each combination of what is counted beside a list: those counts never read the movies.
create table {catalog}.combinations_by_year as
select type, genres, language, sources, adult, year, floor(rating)::integer as rating, count(*)::integer as movies
  from {catalog}.movies
 group by 1, 2, 3, 4, 5, 6, 7;

-- name: combinations
-- Half as many for lists of all years.
create table {catalog}.combinations as
select type, genres, language, sources, adult, year / 10 * 10 as decade, rating, sum(movies)::integer as movies
  from {catalog}.combinations_by_year
 group by 1, 2, 3, 4, 5, 6, 7;
