-- Checks of an import before it is published.

-- name: missing_references
-- Rows whose value is not in the target: a walk over the distinct values by the index, then a count of the strangers.
with recursive distinct_values as (
    (select {column} as value from {relation} where {column} is not null order by {column} limit 1)
    union all
    select (select r.{column} from {relation} r where r.{column} > d.value order by r.{column} limit 1)
      from distinct_values d
     where d.value is not null
)
select coalesce(sum((select count(*) from {relation} r where r.{column} = d.value)), 0)::bigint
  from distinct_values d
 where d.value is not null
   and not exists (select from {target} t where t.{target_column} = d.value);

-- name: missing_references_of_key
-- The same where the column is the table's key: every value is there once, so the rows are joined.
select count(*) from {relation} r
 where not exists (select from {target} t where t.{target_column} = r.{column});

-- name: identical_records
-- By its columns, which can be hashed; grouping by the whole row sorts it, at six times the price.
select coalesce(sum(n - 1), 0)::bigint
  from (select count(*) as n from {relation} group by {columns} having count(*) > 1) repeated;

-- name: forget
delete from reelbase.checks where import_id = %(import_id)s;

-- name: write
insert into reelbase.checks (import_id, name, table_name, count, detail)
values (%(import_id)s, %(name)s, %(table_name)s, %(count)s, %(detail)s)
on conflict (import_id, name, table_name)
   do update set count = reelbase.checks.count + excluded.count, detail = excluded.detail;
