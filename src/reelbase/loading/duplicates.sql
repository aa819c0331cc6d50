-- Two records with one key: the last wins, the others become rejects.
-- {table} is the staged table, {key} its key columns, {columns} all of them.

-- name: any
select exists (select from {table} group by {key} having count(*) > 1);

-- name: keys
create temp table duplicate_keys on commit drop as
select {key} from {table} group by {key} having count(*) > 1;

-- name: analyze_keys
analyze duplicate_keys;

-- name: chunks
-- The chunks that hold records of those keys, in the order of the files: xmin is the transaction that brought a row.
select c.id
  from reelbase.chunks c
  join reelbase.import_files f on f.id = c.file_id
 where c.import_id = %(import_id)s and f.table_name = %(table_name)s
   and (c.xid::text::numeric %% 4294967296)::bigint in (
       select distinct t.xmin::text::bigint from {table} t join duplicate_keys d using ({key}))
 order by f.position, c.first_byte;

-- name: candidates
create temp table duplicate_candidates on commit drop as
select {columns}, 0::bigint as reelbase_rank, 0::bigint as reelbase_chunk, 0::bigint as reelbase_ordinal
  from {table} limit 0;

-- name: places
create temp table duplicate_places (
    rank bigint, chunk_id bigint, ordinal bigint, line bigint, byte_offset bigint, record bytea
) on commit drop;

-- name: buffer
-- One chunk's records, numbered in the order in which COPY brings them.
create temp table duplicate_buffer on commit drop as select {columns} from {table} limit 0;

-- name: number_buffer
alter table duplicate_buffer add column reelbase_ordinal bigint generated always as identity (minvalue 0 start 0);

-- name: empty_buffer
truncate duplicate_buffer restart identity;

-- name: members
insert into duplicate_candidates ({columns}, reelbase_rank, reelbase_chunk, reelbase_ordinal)
select {columns}, %(rank)s, %(chunk_id)s, b.reelbase_ordinal from duplicate_buffer b join duplicate_keys d using ({key})
returning reelbase_ordinal;

-- name: winners
create temp table duplicate_winners on commit drop as
select distinct on ({key}) * from duplicate_candidates
 order by {key}, reelbase_rank desc, reelbase_ordinal desc;

-- name: delete_rows
delete from {table} t using duplicate_keys d where {same_key};

-- name: insert_winners
insert into {table} ({columns}) select {columns} from duplicate_winners;

-- name: reject_others
insert into reelbase.rejects
       (import_id, file_id, chunk_id, line, byte_offset, column_name, reason, record, record_bytes)
select c.import_id, c.file_id, p.chunk_id, p.line, p.byte_offset, %(column)s, 'duplicate_key', p.record,
       octet_length(p.record)
  from duplicate_places p
  join reelbase.chunks c on c.id = p.chunk_id
 where not exists (select from duplicate_winners w
                    where w.reelbase_rank = p.rank and w.reelbase_ordinal = p.ordinal);

-- name: count_others
update reelbase.chunks c
   set rows_loaded = c.rows_loaded - d.n, rows_rejected = c.rows_rejected + d.n, rows_duplicate = c.rows_duplicate + d.n
  from (select chunk_id, count(*) as n from reelbase.rejects
         where import_id = %(import_id)s and reason = 'duplicate_key' group by chunk_id) d
 where c.id = d.chunk_id and c.rows_duplicate = 0;
