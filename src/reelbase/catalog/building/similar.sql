-- What is similar to a movie: by MovieLens' tag genome where it has one (by its raters otherwise, when it is asked).

-- name: vector_is_available
select from pg_available_extensions where name = 'vector';

-- name: install_vector
create extension if not exists vector schema public;

-- name: genome
-- Half precision and no compression: three movies on a page, so that a look at all of them takes milliseconds.
create table {catalog}.genome (movie_id integer not null, profile {vectors}.halfvec not null);

-- name: genome_storage
alter table {catalog}.genome alter column profile set storage plain;

-- name: fill_genome
-- Profiles can be compared only if they have the same tags in the same places, and say anything: half precision knows
-- nothing below 0.0000001, and conversion to it would fail.
insert into {catalog}.genome (movie_id, profile)
select movie_id, array_agg(case when relevance > {least} then relevance else 0 end order by tag_id)::real[]::{vectors}.halfvec
  from {movielens_genome_scores} given
 group by movie_id
having count(*) = (select count(distinct tag_id) from {movielens_genome_scores} given) and count(*) <= 3800
   and max(relevance) > {least};

-- name: genome_key
alter table {catalog}.genome add primary key (movie_id);

-- name: neighbours
-- Without vectors: the twenty nearest of each movie, by the tags that say most about either of the two.
create table {catalog}.neighbours as
with strongest as (
    select movie_id, tag_id, relevance
      from (select movie_id, tag_id, relevance,
                   row_number() over (partition by movie_id order by relevance desc, tag_id) as place
              from {movielens_genome_scores} given where relevance > {least}) r
     where place <= 20
), lengths as (
    select movie_id, sqrt(sum(relevance * relevance)) as length from strongest group by movie_id
), pairs as (
    select a.movie_id, b.movie_id as other_id, sum(a.relevance * b.relevance) as product
      from strongest a join strongest b on b.tag_id = a.tag_id and b.movie_id <> a.movie_id
     group by 1, 2
)
select movie_id, other_id, closeness
  from (select p.movie_id, p.other_id, p.product / (a.length * b.length) as closeness,
               row_number() over (partition by p.movie_id
                                      order by p.product / (a.length * b.length) desc, p.other_id) as place
          from pairs p join lengths a on a.movie_id = p.movie_id join lengths b on b.movie_id = p.other_id) r
 where place <= 20;

-- name: neighbours_key
create index on {catalog}.neighbours (movie_id);
