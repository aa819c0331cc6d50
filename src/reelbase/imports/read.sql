-- What people ask about imports.

-- name: imports
-- Newest first; with an id just that one.
select i.id, i.kind, i.dataset, i.state, i.mode, i.attempt, i.created_at, i.updated_at, i.started_at, i.finished_at,
       extract(epoch from coalesce(i.finished_at, clock_timestamp()) - i.started_at)::float8 as seconds,
       i.release, i.skipped, i.sources, i.max_rejects, i.cancel_asked,
       case when i.error_code is not null then jsonb_build_object('code', i.error_code, 'detail', i.error_detail) end as error
  from reelbase.imports i
 where (%(id)s::bigint is null or i.id = %(id)s)
   and (%(dataset)s::text is null or i.dataset = %(dataset)s)
   and (%(state)s::text is null or i.state = %(state)s)
   and (%(before)s::bigint is null or i.id < %(before)s)
 order by i.id desc
 limit %(limit)s;

-- name: files
select f.import_id, f.name, i.dataset || '.' || f.table_name as "table",
       coalesce(f.bytes, f.first_byte + coalesce(c.bytes, 0)) as bytes,
       coalesce(c.loaded, 0) + coalesce(c.rejected, 0) as rows_read,
       coalesce(c.loaded, 0) as rows_loaded, coalesce(c.rejected, 0) as rows_rejected,
       extract(epoch from coalesce(f.finished_at, i.finished_at, clock_timestamp()) - f.started_at)::float8 as seconds,
       case when f.started_at is null then 'queued'
            when f.cut and c.done = c.total then 'done'
            when i.state in ('failed', 'cancelled') then i.state else 'loading' end as state,
       f.started_at, f.finished_at, f.source_bytes, f.cut,
       coalesce(c.source_done, 0) as source_done, coalesce(c.blank, 0) as blank,
       jsonb_build_object('total', coalesce(c.total, 0), 'done', coalesce(c.done, 0), 'failed', coalesce(c.failed, 0)) as chunks
  from reelbase.import_files f
  join reelbase.imports i on i.id = f.import_id
  left join lateral (
       select sum(bytes)::bigint as bytes, sum(rows_loaded)::bigint as loaded, sum(rows_rejected)::bigint as rejected,
              sum(rows_blank)::bigint as blank, count(*) as total, count(*) filter (where state = 'done') as done,
              count(*) filter (where state = 'failed') as failed,
              sum(source_bytes) filter (where state = 'done')::bigint as source_done
         from reelbase.chunks where file_id = f.id) c on true
 where f.import_id = any (%(ids)s)
 order by f.import_id, f.position;

-- name: checks
select import_id, name, table_name as "table", count, detail from reelbase.checks
 where import_id = any (%(ids)s) order by import_id, table_name, name;

-- name: rejects
select f.name as file, r.line, r.byte_offset, r.column_name, r.reason, r.record, r.record_bytes
  from reelbase.rejects r join reelbase.import_files f on f.id = r.file_id
 where r.import_id = %(import_id)s
 order by f.position, r.byte_offset;

-- name: raw_headers
select f.id, f.name, f.raw_header
  from reelbase.import_files f
 where f.import_id = %(import_id)s
   and exists (select from reelbase.rejects r
                where r.file_id = f.id and r.reason <> all (%(left_out)s) and octet_length(r.record) = r.record_bytes)
 order by f.position;

-- name: raw_records
-- Only records that were kept as a whole.
select record from reelbase.rejects
 where file_id = %(file_id)s and reason <> all (%(left_out)s) and octet_length(record) = record_bytes
 order by byte_offset;

-- name: count_rejects
select count(*) from reelbase.rejects where import_id = %(import_id)s and reason = %(reason)s;

-- name: datasets
select d.name, d.live_release as release, r.published_at, d.previous_release
  from reelbase.datasets d left join reelbase.releases r on r.id = d.live_release
 where d.live_release is not null
 order by d.name;

-- name: live_datasets
select name from reelbase.datasets where live_release is not null;

-- name: dataset_tables
select t.release_id, t.table_name, t.data_schema, t.import_id, t.rows,
       coalesce(pg_total_relation_size(to_regclass(format('%%I.%%I', t.data_schema, t.table_name))), 0) as bytes
  from reelbase.release_tables t where t.release_id = any (%(releases)s) order by t.release_id, t.table_name;

-- name: workers
select id, host, pid, since, seen_at, import_id,
       (select count(*) from reelbase.chunks c where c.worker_id = w.id and c.state = 'done') as chunks_done
  from reelbase.workers w
 where seen_at > now() - make_interval(secs => %(lease_seconds)s) order by since;

-- name: count_imports
select count(*) as imports from reelbase.imports i
 where (%(dataset)s::text is null or i.dataset = %(dataset)s) and (%(state)s::text is null or i.state = %(state)s);

-- name: states
select state, count(*) as imports from reelbase.imports group by state;

-- name: last_successes
select dataset, extract(epoch from max(finished_at))::float8 as seconds
  from reelbase.imports where state = 'completed' and kind in ('import', 'refresh') group by dataset;

-- name: releases
select r.id, r.import_id as "import", r.published_at, r.id is not distinct from d.live_release as live,
       r.id is not distinct from d.previous_release as previous
  from reelbase.releases r join reelbase.datasets d on d.name = r.dataset
 where r.dataset = %(dataset)s and r.published_at is not null
   and (r.id in (d.live_release, d.previous_release) or r.retired_at is null)
 order by r.id desc;
