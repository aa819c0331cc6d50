-- Where an import's files come from, and how far they have come.

-- name: add
insert into reelbase.import_sources (import_id, position, kind, name, location, is_local, published, has_md5)
values (%(import_id)s, %(position)s, %(kind)s, %(name)s, %(location)s, %(is_local)s, %(published)s, %(has_md5)s);

-- name: of_import
select position, kind, name, location, is_local, published, has_md5, path, sha256, modified
  from reelbase.import_sources where import_id = %(import_id)s order by position;

-- name: mine
-- Whether this attempt still receives; the change makes whoever watches look again.
update reelbase.imports set updated_at = clock_timestamp()
 where id = %(import_id)s and attempt = %(attempt)s and state = 'receiving' and not cancel_asked
returning id;

-- name: expect
update reelbase.import_sources set bytes = %(bytes)s where import_id = %(import_id)s and position = %(position)s;

-- name: going_to
update reelbase.import_sources set path = %(path)s where import_id = %(import_id)s and position = %(position)s;

-- name: report
update reelbase.import_sources
   set bytes_done = %(done)s, bytes = %(total)s,
       bytes_before = case when %(is_first)s then %(done)s else least(bytes_before, %(done)s) end
 where import_id = %(import_id)s and position = %(position)s;

-- name: received
update reelbase.import_sources
   set path = %(path)s, sha256 = %(sha256)s, modified = %(modified)s, bytes = %(bytes)s, bytes_done = %(bytes)s
 where import_id = %(import_id)s and position = %(position)s;

-- name: is_needed
-- By an import that has not come to its end, or may be retried.
select exists (select from reelbase.import_sources s join reelbase.imports i on i.id = s.import_id
                where s.path = %(path)s and i.state not in ('completed', 'cancelled')
                  and (i.state <> 'failed' or i.finished_at > now() - make_interval(secs => %(seconds)s)));

-- name: uploads_to_drop
-- Those of an import that has come to its end for good, and that no other import may still read.
select distinct s.location from reelbase.import_sources s join reelbase.imports i on i.id = s.import_id
 where s.import_id = %(import_id)s and s.kind = 'upload' and i.state in ('completed', 'cancelled')
   and not exists (select from reelbase.import_sources o join reelbase.imports j on j.id = o.import_id
                    where o.kind = 'upload' and o.location = s.location and j.state not in ('completed', 'cancelled'));

-- name: how_far
select s.import_id, sum(s.bytes_done)::bigint as bytes_done, sum(s.bytes_before)::bigint as bytes_before,
       sum(greatest(s.bytes, s.bytes_done))::bigint as bytes_total, bool_and(s.bytes is not null) as is_total_known
  from reelbase.import_sources s
 where s.import_id = any (%(ids)s) and s.kind = 'url'
 group by s.import_id;
