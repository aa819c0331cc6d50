-- What a page shows of an import at a glance.

-- name: chunk_runs
-- Chunks of each file in their order, one letter each: q(ueued), r(unning), d(one), f(ailed).
select f.position, string_agg(left(c.state, 1), '' order by c.first_byte) as states
  from reelbase.import_files f join reelbase.chunks c on c.file_id = f.id
 where f.import_id = %(import_id)s
 group by f.position;

-- name: reject_reasons
select reason, count(*) as rejects from reelbase.rejects where import_id = %(import_id)s
 group by reason order by rejects desc, reason;

-- name: asked
select array(select name from reelbase.import_sources s where s.import_id = i.id and s.kind <> 'upload' order by s.position)
       as sources, i.max_rejects, i.cancel_asked
  from reelbase.imports i where i.id = %(import_id)s;

-- name: mendable_files
select f.name from reelbase.import_files f
 where f.import_id = %(import_id)s
   and exists (select from reelbase.rejects r
                where r.file_id = f.id and r.reason <> all (%(left_out)s) and octet_length(r.record) = r.record_bytes)
 order by f.position;

-- name: states
select state, count(*) as imports from reelbase.imports group by state;
