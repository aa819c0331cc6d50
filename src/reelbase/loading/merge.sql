-- Merge: the next state of a table out of the rows just loaded and those that are live.
-- {new} is the staged table, {old} the live one's physical table.

-- name: fill_missing
-- Columns that the new file does not have keep what the old row says.
update {new} n set {assignments} from {old} o where {same};

-- name: add_old
-- Old rows whose key is not among the new ones.
insert into {new} ({columns}) select {columns} from {old} o
 where not exists (select from {new} n where {same});

-- name: drop_known
-- Without a key, only identical records are the same: those that are live already are not added again.
delete from {new} n where exists (select from {old} o where {same});

-- name: add_all_old
insert into {new} ({columns}) select {columns} from {old} o;

-- name: base
select base_import, rows from reelbase.merged_tables where import_id = %(import_id)s and table_name = %(table_name)s;

-- name: mark
insert into reelbase.merged_tables (import_id, table_name, base_import, rows)
values (%(import_id)s, %(table_name)s, %(base_import)s, %(rows)s);

-- name: keys
-- The columns of each unique index of a table.
select (select array_agg(a.attname::text order by p.n)
          from unnest(i.indkey::int2[]) with ordinality as p(attnum, n)
          join pg_attribute a on a.attrelid = i.indrelid and a.attnum = p.attnum)
  from pg_index i
 where i.indrelid = %(relation)s::regclass and i.indisunique and i.indisvalid;
