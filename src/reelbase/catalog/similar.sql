-- Movies like another one.

-- name: has_genome
select to_regclass('catalog.genome') is not null as there;

-- name: by_genome
-- Cosine distance over all genome tags.
select m.*, g.distance
  from (select g.movie_id, g.profile operator({vectors}.<=>) mine.profile as distance
          from catalog.genome g, (select profile from catalog.genome where movie_id = {movie_id}) mine
         where g.movie_id <> {movie_id}
         order by distance, g.movie_id limit {limit}) g
  join catalog.movies m on m.movielens_id = g.movie_id
 order by g.distance, m.id;

-- name: by_neighbours
select m.*, 1 - n.closeness as distance
  from catalog.neighbours n join catalog.movies m on m.movielens_id = n.other_id
 where n.movie_id = {movie_id}
 order by n.closeness desc, m.id limit {limit};

-- name: by_raters
-- What those who liked it (four stars and more) liked too, in proportion to how many like that anyway.
with fans as materialized (
    select user_id from catalog.movielens_ratings where movie_id = {movie_id} and rating >= 4 limit {fans}
), liked as (
    select r.movie_id, count(*) as together
      from fans f join catalog.movielens_ratings r on r.user_id = f.user_id
     where r.rating >= 4 and r.movie_id <> {movie_id}
     group by r.movie_id
    having count(*) >= least(3, (select count(*) from fans))
     order by count(*) desc limit 400
), popular as (
    select c.movie_id, sum(c.votes) as likes
      from catalog.rating_counts c join liked l on l.movie_id = c.movie_id
     where c.rating >= 4 group by c.movie_id
)
select m.*, 1 - l.together / sqrt(p.likes * (select count(*) from fans))::double precision as distance
  from liked l join popular p on p.movie_id = l.movie_id
  join catalog.movies m on m.movielens_id = l.movie_id
 order by distance, m.id limit {limit};
