-- IMDb's people and what they worked on.

-- name: one
select n.nconst, n.primary_name as name, n.birth_year, n.death_year,
       string_to_array(n.primary_profession, ',') as professions, string_to_array(n.known_for_titles, ',') as known_for
  from catalog.imdb_name_basics n where n.nconst = %(nconst)s;

-- name: work
-- Movies of the catalog, the best known first; of other titles (series, episodes) what IMDb calls them.
select p.tconst, p.categories, p.characters,
       coalesce(m.title, b.primary_title) as title, coalesce(m.type, b.title_type) as type, coalesce(m.year, b.start_year) as year, m.id, m.rating, m.votes
  from (select tconst, array_agg(distinct category) as categories,
               (array_agg(characters) filter (where characters is not null))[1] as characters
          from (select tconst, category, characters
                  from catalog.imdb_title_principals where nconst = %(nconst)s limit 5000) some_of_it
         group by tconst) p
  left join catalog.movies m on m.imdb_id = p.tconst
  left join catalog.imdb_title_basics b on b.tconst = p.tconst
 order by m.id is null, m.votes desc nulls last, p.tconst
 limit %(limit)s;
