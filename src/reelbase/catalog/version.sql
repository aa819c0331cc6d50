-- Which state of the catalog readers see, and how those who keep answers hear of a change before it is made.
-- The first of the two keys of each lock is "reev" as a number ("reel" and its neighbour are those of imports).

-- name: version
-- When its release was published tells two databases apart that have come to the same number.
select to_hex(c.version) || '.' || to_hex(coalesce(extract(epoch from r.published_at), 0)::bigint) as version
  from reelbase.catalog c left join reelbase.catalog_releases r on r.id = c.live;

-- name: listen
listen reelbase_catalog;

-- name: tell
notify reelbase_catalog;

-- name: patience
select set_config('lock_timeout', %(milliseconds)s, false);

-- name: hold_gate
select pg_advisory_lock(1919247734, 1);

-- name: hold_readers
select pg_advisory_lock(1919247734, 2);

-- name: release_gate
select pg_advisory_unlock(1919247734, 1);

-- name: release_readers
select pg_advisory_unlock(1919247734, 2);

-- name: pass_gate
select pg_advisory_lock_shared(1919247734, 1);

-- name: read
select pg_advisory_lock_shared(1919247734, 2);

-- name: leave_gate
select pg_advisory_unlock_shared(1919247734, 1);

-- name: stop_reading
select pg_advisory_unlock_shared(1919247734, 2);
