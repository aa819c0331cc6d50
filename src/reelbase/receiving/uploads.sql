-- Rows of reelbase.uploads. Every change of `received` names the number it goes on from: whoever has lost his lock
-- without knowing it changes nothing.

-- name: one_creation_at_a_time
select pg_advisory_xact_lock(8246182730951328612)

-- name: outstanding
select coalesce(sum(coalesce(length, received)) filter (where used_at is null), 0)::bigint as kept_bytes,
       coalesce(sum(length - received) filter (where state = 'receiving'), 0)::bigint as promised_bytes
  from reelbase.uploads
 where state in ('receiving', 'received') and expires_at > now() and id is distinct from %(except)s

-- name: create
insert into reelbase.uploads (id, owner, length, metadata, name, path, sha256, expires_at)
values (%(id)s, %(owner)s, %(length)s, %(metadata)s, %(name)s, %(path)s, %(sha256)s,
        now() + make_interval(secs => %(lifetime)s))
returning id, owner, state, length, received, metadata, name, path, sha256, expires_at, expires_at <= now() as is_over

-- name: find
select id, owner, state, length, received, metadata, name, path, sha256, expires_at, expires_at <= now() as is_over
  from reelbase.uploads where id = %(id)s

-- name: set_length
update reelbase.uploads set length = %(length)s, updated_at = now()
 where id = %(id)s and state = 'receiving' and length is null and received <= %(length)s
returning id

-- name: checkpoint
update reelbase.uploads
   set received = %(received)s, updated_at = now(), expires_at = now() + make_interval(secs => %(lifetime)s),
       state = case when length = %(received)s then 'received' else state end
 where id = %(id)s and state = 'receiving' and received = %(before)s
returning expires_at

-- name: end
update reelbase.uploads set state = %(state)s, updated_at = now()
 where id = %(id)s and state in ('receiving', 'received') and (expires_at <= now() or not %(only_if_over)s)
returning path

-- name: expired
select id, path from reelbase.uploads
 where state in ('receiving', 'received') and expires_at <= now() order by expires_at limit 100

-- name: forget
delete from reelbase.uploads
 where state in ('terminated', 'expired') and updated_at < now() - make_interval(days => %(days)s)
returning id

-- name: use
update reelbase.uploads
   set used_at = coalesce(used_at, now()),
       expires_at = greatest(expires_at, now() + make_interval(days => %(days)s))
 where id = %(id)s and state = 'received' and expires_at > now()

-- name: alive
select id from reelbase.uploads where id = any(%(ids)s) and state in ('receiving', 'received')

-- name: lock
select pg_try_advisory_lock(%(key)s) as is_ours

-- name: unlock
select pg_advisory_unlock(%(key)s)

-- name: call
select pg_notify('reelbase_uploads', %(payload)s)
