-- Lists of movies. {where} are the conditions (filters.py).

-- name: part
-- The movies of one part in order: all there is to a page that its part fills.
select {columns} from catalog.movies m
 where {where} and {first_part}
 order by {order} limit {limit};

-- name: page
-- The movies behind a place in the order: first those of the part that the place is in, then, if they do not fill the
-- page, those of the next part. The parts are the movies that have a value and those that have none.
with first as materialized (
    select {columns} from catalog.movies m
     where {where} and {first_part}
     order by {order} limit {limit}
), second as materialized (
    select {columns} from catalog.movies m
     where {where} and {second_part}
     order by {order} limit greatest(0, {limit} - (select count(*) from first))
)
select {columns} from (select 1 as part, * from first union all select 2, * from second) m
 order by part, {order} offset {offset};

-- name: count
select count(*) from (select from catalog.movies m where {where} limit {limit}) counted;

-- name: counted
-- From the kept combinations; movies of one's own come and go without a build and are counted as they are.
select coalesce((select sum(m.movies) from {combinations} m where {where}), 0)::bigint
     + (select count(*) from catalog.movies m where m.sources = array['own'] and {where});

-- name: estimate
explain select from catalog.movies m where {where};
