-- What people ask about imports.

-- name: imports
-- Newest first; with numbers just those. What the ledger counts is read after it: never older than `version`.
select i.id, i.kind, i.dataset, i.state, i.mode, i.attempt, i.created_at, i.updated_at, i.started_at, i.finished_at,
       case when i.state <> 'queued'
            then extract(epoch from coalesce(i.finished_at, clock_timestamp()) - i.started_at)::float8 end as seconds,
       i.release, i.skipped, i.sources, i.max_rejects, i.cancel_asked, i.version, i.step,
       case when i.error_code is not null then jsonb_build_object('code', i.error_code, 'detail', i.error_detail) end as error
  from reelbase.imports i
 where (%(ids)s::bigint[] is null or i.id = any (%(ids)s))
   and (%(dataset)s::text is null or i.dataset = %(dataset)s)
   and (%(state)s::text is null or i.state = %(state)s)
   and (%(before)s::bigint is null or i.id < %(before)s)
 order by i.id desc
 limit %(limit)s;

-- name: files
-- The attempt's own chunks are those that were finished since it was started; `changes` only grows as long as the row of
-- the import stays as it is.
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
       coalesce(c.recent_rows, 0) as recent_rows, coalesce(c.recent_bytes, 0) as recent_bytes,
       coalesce(c.attempt_rows, 0) as attempt_rows, coalesce(c.attempt_bytes, 0) as attempt_bytes,
       c.begun_at, c.last_at, now() as seen_at,
       coalesce(c.changes, 0) + num_nonnulls(f.started_at, f.finished_at) + f.cut::int as changes,
       jsonb_build_object('total', coalesce(c.total, 0), 'done', coalesce(c.done, 0), 'failed', coalesce(c.failed, 0)) as chunks
  from reelbase.import_files f
  join reelbase.imports i on i.id = f.import_id
  left join lateral (
       select sum(bytes)::bigint as bytes, sum(rows_loaded)::bigint as loaded, sum(rows_rejected)::bigint as rejected,
              sum(rows_blank)::bigint as blank, count(*) as total, count(*) filter (where state = 'done') as done,
              count(*) filter (where state = 'failed') as failed,
              sum(source_bytes) filter (where state = 'done')::bigint as source_done,
              sum(rows_loaded + rows_rejected) filter (where is_recent)::bigint as recent_rows,
              sum(source_bytes) filter (where is_recent)::bigint as recent_bytes,
              sum(rows_loaded + rows_rejected) filter (where is_of_attempt)::bigint as attempt_rows,
              sum(source_bytes) filter (where is_of_attempt)::bigint as attempt_bytes,
              min(started_at) filter (where is_of_attempt) as begun_at,
              max(finished_at) filter (where is_of_attempt) as last_at,
              sum(attempt + errors + lost + (state = 'done')::int)::bigint as changes
         from (select k.*, k.state = 'done' and k.finished_at >= i.started_at as is_of_attempt,
                      k.state = 'done' and k.finished_at >= greatest(i.started_at, now() - make_interval(secs => %(window)s))
                      as is_recent
                 from reelbase.chunks k where k.file_id = f.id) d) c on true
 where f.import_id = any (%(ids)s)
 order by f.import_id, f.position;

-- name: checks
select import_id, name, table_name as "table", count, detail from reelbase.checks
 where import_id = any (%(ids)s) order by import_id, table_name, name;

-- name: chunks
-- In the order of the files; `file_id` and `first_byte` are the place of one.
select c.file_id, f.name as file, c.first_line, c.last_line, c.first_byte, c.bytes, c.state, c.attempt, c.rows_loaded,
       c.rows_rejected, c.worker_id::text as worker, c.started_at,
       case when c.state in ('done', 'failed') then c.finished_at end as finished_at, c.error
  from reelbase.chunks c join reelbase.import_files f on f.id = c.file_id
 where c.import_id = %(import_id)s and (c.file_id, c.first_byte) > (%(after_file)s, %(after_byte)s)
   and (%(state)s::text is null or c.state = %(state)s) and (%(file)s::text is null or f.name = %(file)s)
 order by c.file_id, c.first_byte
 limit %(limit)s;

-- name: count_chunks
select count(*) as found
  from reelbase.chunks c join reelbase.import_files f on f.id = c.file_id
 where c.import_id = %(import_id)s
   and (%(state)s::text is null or c.state = %(state)s) and (%(file)s::text is null or f.name = %(file)s);

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
-- Each process that runs imports, with what it does now; a command that runs its own import is one as well.
select w.id, w.host, w.pid, coalesce(r.task, 'waiting') as task, r.import, w.since, w.seen_at,
       w.chunks_done + coalesce(r.chunks, 0)::bigint as chunks_done
  from reelbase.workers_alive w
  left join lateral (
       select min(i.id) as import,
              string_agg(concat(i.kind, ' ', i.id, ' of ' || i.dataset, ': ', i.state), ', ' order by i.id) as task,
              sum((select count(*) from reelbase.chunks c
                    where c.import_id = i.id and c.state = 'done' and c.worker_id = run.id)) as chunks
         from reelbase.workers run
         join reelbase.imports i on i.worker_id = run.id and i.state in ('receiving', 'loading', 'indexing', 'publishing')
        where run.id = w.id or run.process = w.id) r on true
 where (w.listens or w.process is null) and w.seen_at > now() - make_interval(secs => %(lease_seconds)s)
 order by w.since, w.id;

-- name: count_imports
select count(*) as imports from reelbase.imports i
 where (%(dataset)s::text is null or i.dataset = %(dataset)s) and (%(state)s::text is null or i.state = %(state)s);

-- name: releases
select r.id, r.import_id as "import", r.published_at, r.id is not distinct from d.live_release as live,
       r.id is not distinct from d.previous_release as previous
  from reelbase.releases r join reelbase.datasets d on d.name = r.dataset
 where r.dataset = %(dataset)s and r.published_at is not null
   and (r.id in (d.live_release, d.previous_release) or r.retired_at is null)
 order by r.id desc;
