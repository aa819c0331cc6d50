-- Imports as rows: their states, files and what people ask about them.

-- name: create
insert into reelbase.imports (kind, dataset, state, mode, max_rejects, chunk_bytes, sources)
values (%(kind)s, %(dataset)s, 'queued', %(mode)s, %(max_rejects)s, %(chunk_bytes)s, %(sources)s)
returning id;

-- name: set_dataset
update reelbase.imports set dataset = %(dataset)s, updated_at = clock_timestamp() where id = %(import_id)s;

-- name: has_files
select exists (select from reelbase.import_files where import_id = %(import_id)s);

-- name: forget_files
delete from reelbase.import_files where import_id = %(import_id)s;

-- name: is_here
update reelbase.imports set host = %(host)s where id = %(import_id)s;

-- name: set_skipped
update reelbase.imports set skipped = %(skipped)s where id = %(import_id)s;

-- name: add_file
insert into reelbase.import_files (import_id, position, name, path, container, member, fingerprint, source_bytes, bytes,
                                   table_name, layout, header, raw_header, columns, first_byte, first_line)
values (%(import_id)s, %(position)s, %(name)s, %(path)s, %(container)s, %(member)s, %(fingerprint)s, %(source_bytes)s,
        %(bytes)s, %(table_name)s, %(layout)s, %(header)s, %(raw_header)s, %(columns)s, %(first_byte)s, %(first_line)s);

-- name: files
select id, name, path, container, member, fingerprint, source_bytes, table_name, layout, columns, first_byte, first_line, cut
  from reelbase.import_files where import_id = %(import_id)s order by position;

-- name: file_of_chunk
select file_id, first_byte, bytes, first_line, last_line, source_bytes from reelbase.chunks where id = %(chunk_id)s;

-- name: job
select id, kind, coalesce(dataset, ''), state, mode, max_rejects, chunk_bytes, attempt, cancel_asked, has_staging
  from reelbase.imports where id = %(import_id)s;

-- name: start
-- A queued import becomes this worker's; no row when it is no longer queued.
update reelbase.imports
   set state = 'receiving', worker_id = %(worker_id)s, by_worker = %(by_worker)s, started_at = clock_timestamp(),
       updated_at = clock_timestamp(), finished_at = null, error_code = null, error_detail = null, step = null
 where id = %(import_id)s and state = 'queued' and not cancel_asked
returning attempt;

-- name: advance
-- States go forward only, and only by who runs the import.
update reelbase.imports
   set state = %(state)s, updated_at = clock_timestamp(), has_staging = has_staging or %(state)s = 'loading'
 where id = %(import_id)s and attempt = %(attempt)s and state in ('receiving', 'loading', 'indexing', 'publishing')
   and not cancel_asked
returning id;

-- name: fence
-- Whether this attempt still counts; the row cannot be taken away before the transaction ends.
select id from reelbase.imports
 where id = %(import_id)s and attempt = %(attempt)s and state in ('receiving', 'loading', 'indexing', 'publishing')
   for share;

-- name: check
-- The same without holding anything up.
select id from reelbase.imports
 where id = %(import_id)s and attempt = %(attempt)s and state in ('receiving', 'loading', 'indexing', 'publishing')
   and not cancel_asked;

-- name: end
-- A final state for a running import.
update reelbase.imports
   set state = %(state)s, error_code = %(code)s, error_detail = %(detail)s, finished_at = clock_timestamp(),
       updated_at = clock_timestamp()
 where id = %(import_id)s and attempt = %(attempt)s and state in ('queued', 'receiving', 'loading', 'indexing', 'publishing')
returning id;

-- name: free_chunks
-- What was running is anybody's again. Whose worker was lost does not count as the chunk's own error.
update reelbase.chunks set state = 'queued', lost = lost + %(lost)s
 where import_id = %(import_id)s and state = 'running';

-- name: count_loss
-- How many workers in a row have been lost with an import, or with a chunk of it; a worker that has loaded anything
-- begins a new row. No row updated: it is not this attempt's, or somebody wants it to end.
update reelbase.imports i
   set lost = 1 + case when exists (select from reelbase.chunks c
                                     where c.import_id = i.id and c.state = 'done' and c.finished_at >= i.started_at)
                       then 0 else i.lost end
 where id = %(import_id)s and attempt = %(attempt)s and state in ('receiving', 'loading', 'indexing', 'publishing')
   and not cancel_asked
returning greatest(i.lost, (select max(c.lost) + 1 from reelbase.chunks c where c.import_id = i.id and c.state = 'running'));

-- name: give_back
-- The next worker goes on with it, with the next attempt; whoever still runs this one can write nothing any more.
update reelbase.imports
   set state = 'queued', attempt = attempt + 1, worker_id = null, updated_at = clock_timestamp()
 where id = %(import_id)s and attempt = %(attempt)s and state in ('receiving', 'loading', 'indexing', 'publishing')
   and not cancel_asked
returning id;

-- name: ask_cancel
update reelbase.imports set cancel_asked = true, updated_at = clock_timestamp()
 where id = %(import_id)s and state not in ('completed', 'cancelled')
returning state;

-- name: cancel_idle
-- Nobody runs it: cancelled at once.
update reelbase.imports
   set state = 'cancelled', cancel_asked = true, finished_at = clock_timestamp(), updated_at = clock_timestamp()
 where id = %(import_id)s and state in ('queued', 'failed', 'held')
returning id;

-- name: retry
update reelbase.imports
   set state = 'queued', attempt = attempt + 1, lost = 0, cancel_asked = false, updated_at = clock_timestamp(),
       finished_at = null, max_rejects = coalesce(%(max_rejects)s, max_rejects)
 where id = %(import_id)s and state = 'failed'
returning attempt;

-- name: retry_chunks
-- Somebody asked for it: every bound counts from the beginning.
update reelbase.chunks set state = 'queued', errors = 0, lost = 0, error = null
 where import_id = %(import_id)s and state <> 'done';

-- name: has_schema
select exists (select from pg_namespace where nspname = %(schema)s);

-- name: forget_ledger
-- Nothing of it is left in staging: begin at the beginning.
delete from reelbase.chunks where import_id = %(import_id)s;

-- name: forget_merges
delete from reelbase.merged_tables where import_id = %(import_id)s;

-- name: forget_rejects
delete from reelbase.rejects where import_id = %(import_id)s;

-- name: forget_checks
delete from reelbase.checks where import_id = %(import_id)s;

-- name: reset_files
update reelbase.import_files set cut = false, started_at = null, finished_at = null
 where import_id = %(import_id)s;

-- name: held_by
-- Running imports with what is known of their workers: whether the lock is held, and how long they have been silent.
select i.id, i.attempt, i.by_worker,
       exists (select from pg_locks l
                where l.locktype = 'advisory' and l.classid = %(space)s and l.objid = i.id and l.objsubid = 2
                  and l.database = (select oid from pg_database where datname = current_database()) and l.granted) as locked,
       coalesce(extract(epoch from now() - w.seen_at), 1e9)::float8 as silent_seconds
  from reelbase.imports i left join reelbase.workers w on w.id = i.worker_id
 where i.state in ('receiving', 'loading', 'indexing', 'publishing')
   and (%(import_id)s::bigint is null or i.id = %(import_id)s);

-- name: terminate
-- End the sessions of one attempt at an import, so that a worker that wakes up late has none; wait for their locks to go.
select count(pg_terminate_backend(pid, 10000)) from pg_stat_activity
 where application_name = %(name)s and pid <> pg_backend_pid();

-- name: is_small
-- Whether an import is known to be short: by the bytes of its files on disk, or because it has none to read.
select i.kind in ('rollback', 'remove')
       or coalesce((select sum(f.source_bytes) <= %(bound)s from reelbase.import_files f where f.import_id = i.id), false)
  from reelbase.imports i where i.id = %(import_id)s;

-- name: tell_step
-- By the heartbeat, which waits for nobody: a run may hold the row while it publishes.
update reelbase.imports set step = %(step)s
 where id = (select id from reelbase.imports
              where id = %(import_id)s and attempt = %(attempt)s for no key update skip locked)
returning id;

-- name: forget_job
delete from reelbase.procrastinate_jobs
 where task_name = %(task)s and args @> jsonb_build_object('import_id', %(import_id)s::bigint)
   and status = %(status)s::reelbase.procrastinate_job_status;

-- name: without_job
-- Imports that wait, though nobody will be woken up for them: their job is gone, or somebody has had it for too long.
select i.id from reelbase.imports i
 where i.state = 'queued' and i.updated_at < now() - interval '2 seconds'
   and not exists (select from reelbase.procrastinate_jobs j
                    where j.task_name = %(task)s and j.args @> jsonb_build_object('import_id', i.id)
                      and (j.status = 'todo'
                           or j.status = 'doing' and j.worker_id is not null
                              and i.updated_at >= now() - make_interval(secs => %(lease_seconds)s)))
   for update skip locked;

-- name: forget_jobs
-- Jobs that have ended, and those whose worker the queue has given up; what becomes of the import says its own row.
delete from reelbase.procrastinate_jobs
 where task_name = %(task)s and (status not in ('todo', 'doing') or status = 'doing' and worker_id is null);

-- name: forget_job_workers
delete from reelbase.procrastinate_workers where last_heartbeat < now() - make_interval(secs => %(seconds)s);

-- name: host
select host from reelbase.imports where id = %(import_id)s and state = 'queued';

-- name: paths
-- What an import has to read on the machine that runs it; before its files are known, what they are to be found in.
select path, fingerprint from reelbase.import_files where import_id = %(import_id)s
 union
select coalesce(u.path, s.location), null
  from reelbase.import_sources s left join reelbase.uploads u on s.kind = 'upload' and u.id = s.location
 where s.import_id = %(import_id)s and s.kind <> 'url'
   and not exists (select from reelbase.import_files f where f.import_id = s.import_id);

-- name: worker_start
insert into reelbase.workers (id, host, pid, listens, process)
values (coalesce(%(id)s::uuid, gen_random_uuid()), %(host)s, %(pid)s, %(listens)s, %(process)s)
    on conflict (id) do update set seen_at = clock_timestamp(), connected_at = clock_timestamp(), backend = pg_backend_pid()
returning id;

-- name: worker_beat
update reelbase.workers set seen_at = clock_timestamp() where id = %(worker_id)s returning id;

-- name: worker_stop
delete from reelbase.workers where id = %(worker_id)s;

-- name: run_stop
-- The run is over; what it has loaded counts for its worker.
with run as (delete from reelbase.workers where id = %(worker_id)s returning process)
update reelbase.workers w
   set chunks_done = chunks_done + (select count(*) from reelbase.chunks c
                                     where c.import_id = %(import_id)s and c.state = 'done' and c.worker_id = %(worker_id)s)
  from run where w.id = run.process;

-- name: somebody_listens
select exists (select from reelbase.workers_alive
                where listens and seen_at > now() - make_interval(secs => %(lease_seconds)s));

-- name: workers_prune
delete from reelbase.workers w
 where seen_at < now() - interval '5 seconds' and not exists (select from reelbase.workers_alive a where a.id = w.id);

-- name: watch
select i.cancel_asked, i.attempt, i.state from reelbase.imports i where i.id = %(import_id)s;

-- name: file_findings
select coalesce(sum(rows_loaded + rows_rejected), 0)::bigint, coalesce(sum(rows_blank), 0)::bigint,
       coalesce(sum(rows_duplicate), 0)::bigint
  from reelbase.chunks where file_id = %(file_id)s;

-- name: try_catalog
-- The right to publish the catalog, unless somebody has it.
select pg_try_advisory_lock(%(space)s, hashtext('catalog'));

-- name: release_catalog
select pg_advisory_unlock(%(space)s, hashtext('catalog'));
