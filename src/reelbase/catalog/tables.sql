-- Rows of the datasets' own tables. {relation} is a table of the live release, {columns} are its columns.

-- name: tables
-- Every table of the live release of a dataset.
select t.table_name as name, t.data_schema, t.rows, d.live_release as release
  from reelbase.datasets d join reelbase.release_tables t on t.release_id = d.live_release
 where d.name = %(dataset)s and t.table_name = %(table)s;

-- name: columns
select a.attname::text as name, t.typname::text as type, format_type(a.atttypid, null) as shown
  from pg_attribute a join pg_type t on t.oid = a.atttypid
 where a.attrelid = to_regclass(%(relation)s) and a.attnum > 0 and not a.attisdropped
 order by a.attnum;

-- name: key
-- The columns of the unique index that the table was published with, in its order.
select array_agg(a.attname::text order by k.place) as columns
  from pg_index i
 cross join lateral unnest(i.indkey::int2[]) with ordinality k(attnum, place)
  join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
 where i.indrelid = to_regclass(%(relation)s) and i.indisunique and i.indpred is null and i.indexprs is null
 group by i.indexrelid order by i.indexrelid limit 1;

-- name: rows
select {columns} from {relation} t where {where} order by {order} limit {limit};

-- name: count
select count(*) as found from (select from {relation} t where {where} limit {limit}) counted;

-- name: estimate
explain select from {relation} t where {where};
