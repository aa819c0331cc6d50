-- Bad records, for those who want to see or mend them.

-- name: known
select exists (select from reelbase.imports where id = %(import_id)s);

-- name: all
select f.name as file, r.line, r.byte_offset, r.column_name as "column", r.reason, r.record, r.record_bytes
  from reelbase.rejects r join reelbase.import_files f on f.id = r.file_id
 where r.import_id = %(import_id)s
   and (%(reason)s::text is null or r.reason = %(reason)s) and (%(file)s::text is null or f.name = %(file)s)
 order by f.position, r.byte_offset;

-- name: page
-- In the same order: files are numbered in the order in which they were given.
select r.file_id, f.name as file, r.line, r.byte_offset, r.column_name as "column", r.reason, r.record
  from reelbase.rejects r join reelbase.import_files f on f.id = r.file_id
 where r.import_id = %(import_id)s and (r.file_id, r.byte_offset) > (%(after_file)s, %(after_byte)s)
   and (%(reason)s::text is null or r.reason = %(reason)s) and (%(file)s::text is null or f.name = %(file)s)
 order by r.file_id, r.byte_offset
 limit %(limit)s;

-- name: count
select count(*) as found
  from reelbase.rejects r join reelbase.import_files f on f.id = r.file_id
 where r.import_id = %(import_id)s
   and (%(reason)s::text is null or r.reason = %(reason)s) and (%(file)s::text is null or f.name = %(file)s);

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
