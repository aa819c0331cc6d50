-- The filtered list as a whole. {movies} are its movies in order, {text} wraps a column of text.

-- name: movies
-- Each part comes out of its index in order, so that the first row is there at once and nothing is sorted.
(select m.* from catalog.movies m where {where} and {key} is not null order by {key} {direction}, m.id {direction})
union all
(select m.* from catalog.movies m where {where} and {key} is null order by m.id {direction})

-- name: csv
-- Dates as ISO writes them, whatever the server's DateStyle is.
copy (
select m.id, {type} as type, {title} as title, {original_title} as original_title, m.year,
       to_char(m.release_date, 'YYYY-MM-DD') as release_date, m.runtime, {genres} as genres, {language} as language,
       {languages} as languages, {overview} as overview, m.adult, m.rating, m.votes, m.score,
       m.imdb_average, m.imdb_votes, m.movielens_average, m.movielens_votes, m.tmdb_average, m.tmdb_votes,
       {imdb_id} as imdb_id, m.movielens_id, m.tmdb_id, array_to_string(m.sources, '|') as sources
  from ({movies}) m
) to stdout (format csv, header);

-- name: json
-- Neither quote nor delimiter can be in JSON, so every line goes out as it is.
copy (
select json_build_object(
           'id', m.id, 'type', m.type, 'title', m.title, 'original_title', m.original_title, 'year', m.year,
           'release_date', m.release_date, 'runtime', m.runtime, 'genres', m.genres, 'language', m.language,
           'languages', m.languages, 'overview', m.overview, 'adult', m.adult, 'rating', m.rating, 'votes', m.votes,
           'score', m.score,
           'ratings', json_build_object(
               'imdb', case when m.imdb_average is not null then
                       json_build_object('average', m.imdb_average, 'votes', m.imdb_votes) end,
               'movielens', case when m.movielens_average is not null then
                            json_build_object('average', m.movielens_average, 'votes', m.movielens_votes) end,
               'tmdb', case when m.tmdb_average is not null then
                       json_build_object('average', m.tmdb_average, 'votes', m.tmdb_votes) end),
           'ids', json_build_object('imdb', m.imdb_id, 'movielens', m.movielens_id, 'tmdb', m.tmdb_id),
           'imdb_url', 'https://www.imdb.com/title/' || m.imdb_id || '/', 'sources', m.sources)::text
  from ({movies}) m
) to stdout (format csv, quote e'\x01', escape e'\x01', delimiter e'\x02');

-- name: flat
-- As the columns of the CSV, for what reads JSON lines into columns.
copy (
select json_build_object(
           'id', m.id, 'type', m.type, 'title', m.title, 'original_title', m.original_title, 'year', m.year,
           'release_date', m.release_date, 'runtime', m.runtime, 'genres', m.genres, 'language', m.language,
           'languages', m.languages, 'overview', m.overview, 'adult', m.adult, 'rating', m.rating, 'votes', m.votes,
           'score', m.score, 'imdb_average', m.imdb_average, 'imdb_votes', m.imdb_votes,
           'movielens_average', m.movielens_average, 'movielens_votes', m.movielens_votes,
           'tmdb_average', m.tmdb_average, 'tmdb_votes', m.tmdb_votes, 'imdb_id', m.imdb_id,
           'movielens_id', m.movielens_id, 'tmdb_id', m.tmdb_id, 'sources', m.sources)::text
  from ({movies}) m
) to stdout (format csv, quote e'\x01', escape e'\x01', delimiter e'\x02');

-- name: guarded
-- What a spreadsheet would take for a formula begins with an apostrophe.
case when {text} ~ '^[=+@\-\t\r\n]' then '''' || {text} else {text} end
