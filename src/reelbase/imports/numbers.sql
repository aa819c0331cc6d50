-- Numbers for whoever watches over a server.

-- name: numbers
-- What was loaded is read from the ledger: a row for each 8 MiB that has ever been imported.
with loaded as materialized (
    select i.dataset, sum(c.rows_loaded)::bigint as loaded, sum(c.rows_rejected)::bigint as rejected,
           sum(c.bytes)::bigint as bytes
      from (select import_id, sum(rows_loaded) as rows_loaded, sum(rows_rejected) as rows_rejected, sum(bytes) as bytes
              from reelbase.chunks where state = 'done' group by import_id) c
      join reelbase.imports i on i.id = c.import_id
     where i.dataset is not null
     group by i.dataset
)
select 'loaded' as name, dataset as of, loaded as count, null::float8 as seconds, null::float8 as at from loaded
union all
select 'rejected', dataset, rejected, null, null from loaded
union all
select 'bytes', dataset, bytes, null, null from loaded
union all
select 'duration', dataset, count(*), sum(extract(epoch from finished_at - started_at))::float8,
       extract(epoch from max(finished_at))::float8
  from reelbase.imports
 where state = 'completed' and kind in ('import', 'refresh') and dataset is not null group by dataset
union all
select 'state', state, count(*), null, null from reelbase.imports group by state
union all
select 'job', status::text, count(*), null, null from reelbase.procrastinate_jobs group by status
union all
select 'queue', null, null, extract(epoch from clock_timestamp() - min(updated_at))::float8, null
  from reelbase.imports where state = 'queued';
