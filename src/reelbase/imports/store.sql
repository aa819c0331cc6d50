-- Imports as rows: their states, files and what people ask about them.

-- name: create
insert into reelbase.imports (kind, dataset, state, mode, max_rejects, chunk_bytes, sources)
values (%(kind)s, %(dataset)s, 'queued', %(mode)s, %(max_rejects)s, %(chunk_bytes)s, %(sources)s)
returning id;

-- name: add_source
insert into reelbase.import_sources (import_id, position, kind, name, location, is_local, published, has_md5)
values (%(import_id)s, %(position)s, %(kind)s, %(name)s, %(location)s, %(is_local)s, %(published)s, %(has_md5)s);

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
   set state = 'receiving', worker_id = %(worker_id)s, started_at = clock_timestamp(),
       updated_at = clock_timestamp(), finished_at = null, error_code = null, error_detail = null
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
update reelbase.chunks set state = 'queued', lost = lost + 1
 where import_id = %(import_id)s and state = 'running';

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
   set state = 'queued', attempt = attempt + 1, cancel_asked = false, updated_at = clock_timestamp(), finished_at = null,
       max_rejects = coalesce(%(max_rejects)s, max_rejects)
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

-- name: reset_files
update reelbase.import_files set cut = false, started_at = null, finished_at = null
 where import_id = %(import_id)s;

-- name: held_by
-- Running imports with what is known of their workers: whether the lock is held, and how long they have been silent.
select i.id, i.attempt, coalesce(i.dataset, ''), i.cancel_asked,
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

-- name: take_back
delete from reelbase.procrastinate_jobs where queue_name = %(queue)s and status = 'todo';

-- name: without_job
-- Imports that wait, though nobody will be woken up for them.
select i.id from reelbase.imports i
 where i.state = 'queued' and i.updated_at < now() - make_interval(secs => %(lease_seconds)s)
   and not exists (select from reelbase.procrastinate_jobs j
                    where j.queue_name = 'import-' || i.id and j.status = 'todo')
   for update skip locked;

-- name: worker_start
insert into reelbase.workers (host, pid, listens) values (%(host)s, %(pid)s, %(listens)s) returning id;

-- name: worker_beat
update reelbase.workers set seen_at = clock_timestamp(), import_id = %(import_id)s where id = %(worker_id)s;

-- name: worker_stop
delete from reelbase.workers where id = %(worker_id)s;

-- name: somebody_listens
-- A worker that was killed has no session any more, whatever its last heartbeat was.
select exists (select from reelbase.workers w join pg_stat_activity a on a.pid = w.backend
                where w.listens and w.seen_at > now() - make_interval(secs => %(lease_seconds)s));

-- name: workers_prune
delete from reelbase.workers w where seen_at < now() - interval '1 day';

-- name: watch
select i.cancel_asked, i.attempt, i.state from reelbase.imports i where i.id = %(import_id)s;

-- name: file_findings
select coalesce(sum(rows_loaded + rows_rejected), 0)::bigint, coalesce(sum(rows_blank), 0)::bigint,
       coalesce(sum(rows_duplicate), 0)::bigint
  from reelbase.chunks where file_id = %(file_id)s;
