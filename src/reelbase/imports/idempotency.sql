-- Keys of requests that may be sent twice. The number in the locks is "idem" in ASCII.

-- name: hold
select pg_try_advisory_lock(hashtextextended(%(key)s, 1768187245));

-- name: release
-- A session that has been closed may hold its locks for another moment.
select pg_advisory_unlock(hashtextextended(%(key)s, 1768187245));

-- name: forget_old
delete from reelbase.idempotency_keys where created_at < now() - interval '1 day';

-- name: kept
select request, import_id, answer from reelbase.idempotency_keys where key = %(key)s;

-- name: write_down
insert into reelbase.idempotency_keys (key, request, import_id) values (%(key)s, %(request)s, %(import_id)s);

-- name: keep_answer
update reelbase.idempotency_keys set answer = %(answer)s where key = %(key)s and answer is null;
