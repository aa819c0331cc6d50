-- One movie, by any of its ids, and what each dataset says of it.

-- name: row
select m.* from catalog.movies m where {key} = %(id)s limit 1;

-- name: seen
-- An id that a movie had before it turned out to be the same as another.
select i.source, i.source_id from reelbase.movie_ids i where i.id = %(id)s;

-- name: detail
-- A movie, and beside its row what each dataset says of it. Directors and writers whom the list of principals leaves
-- out come behind it.
select m.*,
       (select coalesce(json_agg(json_build_object('title', a.title, 'region', a.region, 'language', a.language,
                                                   'types', a.types, 'attributes', a.attributes) order by a.ordering),
                        '[]')
          from catalog.imdb_title_akas a where a.title_id = m.imdb_id) as titles,
       (select coalesce(json_agg(json_build_object('nconst', p.nconst, 'name', n.primary_name, 'category', p.category,
                                                   'job', p.job, 'characters', p.characters) order by p.place), '[]')
          from (select nconst, category, job, characters, ordering as place
                  from catalog.imdb_title_principals where tconst = m.imdb_id
                union all
                select c.nconst, c.category, null, null, 1000000 + c.place
                  from (select d.nconst, 'director' as category, d.place
                          from catalog.imdb_title_crew t,
                               unnest(string_to_array(t.directors, ',')) with ordinality d(nconst, place)
                         where t.tconst = m.imdb_id
                        union all
                        select w.nconst, 'writer', 1000000 + w.place
                          from catalog.imdb_title_crew t,
                               unnest(string_to_array(t.writers, ',')) with ordinality w(nconst, place)
                         where t.tconst = m.imdb_id) c
                 where not exists (select from catalog.imdb_title_principals q
                                    where q.tconst = m.imdb_id and q.nconst = c.nconst
                                      and q.category = c.category)) p
          left join catalog.imdb_name_basics n on n.nconst = p.nconst) as people,
       (select coalesce(json_agg(json_build_object('tag', t.tag, 'users', t.users)), '[]')
          from (select lower(tag) as tag, count(*)::integer as users
                  from catalog.movielens_tags where movie_id = m.movielens_id and btrim(tag) <> ''
                 group by 1 order by 2 desc, 1 limit 30) t) as tags,
       (select coalesce(json_agg(json_build_object('tag', g.tag, 'relevance', g.relevance)), '[]')
          from (select t.tag, s.relevance
                  from catalog.movielens_genome_scores s
                  join catalog.movielens_genome_tags t on t.tag_id = s.tag_id
                 where s.movie_id = m.movielens_id
                 order by s.relevance desc, t.tag limit 20) g) as genome,
       -- TMDb's: of a file of their own, else of a column that some of its files of movies have.
       (select coalesce(json_agg(word.value -> 'name') filter (where word.value ->> 'name' <> ''), '[]')
          from jsonb_array_elements(coalesce(
                   (select k.keywords from catalog.tmdb_keywords k where k.id = m.tmdb_id limit 1),
                   (select t.keywords from catalog.tmdb_movies t where t.id = m.tmdb_id limit 1))) word) as keywords,
       (select to_json(b) from catalog.imdb_title_basics b where b.tconst = m.imdb_id limit 1) as imdb,
       (select to_json(l) from catalog.movielens_movies l where l.movie_id = m.movielens_id limit 1) as movielens,
       (select to_json(t) from catalog.tmdb_movies t where t.id = m.tmdb_id limit 1) as tmdb
  from catalog.movies m where {key} = %(id)s limit 1;

-- name: rating_counts
-- The histogram, then the years, in one statement: never of two releases.
select rating, null::smallint as year, votes, null::double precision as average
  from catalog.rating_counts where movie_id = %(movielens_id)s
union all
select null, year, votes, average from catalog.rating_years where movie_id = %(movielens_id)s
 order by year nulls first, rating;
