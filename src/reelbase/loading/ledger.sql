-- The ledger: which chunk is whose, and what became of it.

-- name: cut
-- A chunk just cut, claimed by who cut it; no row when somebody else goes on with the import.
insert into reelbase.chunks (import_id, file_id, first_byte, bytes, source_bytes, first_line, last_line, state, worker_id)
select i.id, %(file_id)s, %(first_byte)s, %(bytes)s, %(source_bytes)s, %(first_line)s, %(last_line)s, 'running',
       %(worker_id)s
  from reelbase.imports i
 where i.id = %(import_id)s and i.attempt = %(import_attempt)s and i.state = 'loading' and not i.cancel_asked
on conflict (file_id, first_byte) do nothing
returning id, attempt;

-- name: claim
-- A chunk that an earlier attempt left behind.
update reelbase.chunks c
   set state = 'running', attempt = c.attempt + 1, worker_id = %(worker_id)s, started_at = now(), error = null
  from reelbase.imports i
 where c.id = %(chunk_id)s and c.state = 'queued'
   and i.id = c.import_id and i.attempt = %(import_attempt)s and i.state = 'loading' and not i.cancel_asked
returning c.id, c.attempt;

-- name: finish
-- In the transaction that brought the rows: no row updated means that the claim is lost, and the rows with it.
update reelbase.chunks
   set state = 'done', rows_loaded = %(loaded)s, rows_rejected = %(rejected)s, rows_blank = %(blank)s,
       xid = pg_current_xact_id(), finished_at = clock_timestamp()
 where id = %(chunk_id)s and attempt = %(attempt)s and state = 'running'
returning id;

-- name: fail
-- The chunk's own error; it may be tried again until there have been three.
update reelbase.chunks
   set state = case when errors + 1 >= %(bound)s then 'failed' else 'queued' end,
       errors = errors + 1, error = %(error)s, finished_at = clock_timestamp()
 where id = %(chunk_id)s and attempt = %(attempt)s and state = 'running'
returning state;

-- name: recorded
-- What the ledger knows of a file, in its order.
select id, first_byte, bytes, source_bytes, first_line, last_line, state
  from reelbase.chunks where file_id = %(file_id)s order by first_byte;

-- name: mark_cut
update reelbase.import_files
   set cut = true, bytes = %(bytes)s, started_at = coalesce(started_at, clock_timestamp())
 where id = %(file_id)s;

-- name: mark_started
update reelbase.import_files set started_at = coalesce(started_at, clock_timestamp()) where id = %(file_id)s;

-- name: mark_finished
update reelbase.import_files set finished_at = coalesce(finished_at, clock_timestamp()) where id = %(file_id)s;

-- name: counts
-- One file: its records as the ledger has them, duplicates apart from the other rejects.
select coalesce(sum(c.rows_loaded), 0)::bigint, coalesce(sum(c.rows_rejected), 0)::bigint,
       coalesce(sum(c.rows_duplicate), 0)::bigint,
       coalesce(sum(c.source_bytes) filter (where c.state = 'done'), 0)::bigint,
       count(*) filter (where c.state <> 'done'),
       coalesce(bool_and(c.first_byte = c.expected_byte)
                and max(c.first_byte + c.bytes) = max(f.bytes), bool_and(f.first_byte = f.bytes), true)
  from reelbase.import_files f
  left join (select *, coalesce(lag(first_byte + bytes) over (order by first_byte),
                                (select first_byte from reelbase.import_files where id = %(file_id)s)) as expected_byte
               from reelbase.chunks where file_id = %(file_id)s) c on c.file_id = f.id
 where f.id = %(file_id)s;
