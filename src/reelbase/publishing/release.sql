-- Releases: what readers see, and what rollback brings back.

-- name: dataset
insert into reelbase.datasets (name) values (%(dataset)s) on conflict (name) do nothing;

-- name: pointer
select live_release, previous_release from reelbase.datasets where name = %(dataset)s;

-- name: pointer_locked
select live_release, previous_release from reelbase.datasets where name = %(dataset)s for update;

-- name: new_release
insert into reelbase.releases (dataset, import_id) values (%(dataset)s, %(import_id)s) returning id;

-- name: tables
select table_name, data_schema, import_id, rows, columns
  from reelbase.release_tables where release_id = %(release)s order by table_name;

-- name: add_table
insert into reelbase.release_tables (release_id, table_name, data_schema, import_id, rows, columns)
values (%(release)s, %(table_name)s, %(data_schema)s, %(import_id)s, %(rows)s, %(columns)s);

-- name: point
update reelbase.datasets set live_release = %(live)s, previous_release = %(previous)s, updated_at = now()
 where name = %(dataset)s;

-- name: published
update reelbase.releases set published_at = coalesce(published_at, clock_timestamp()), retired_at = null
 where id = %(release)s;

-- name: complete
-- The last word of an import, in the transaction that makes its rows visible; no row: somebody else goes on with it.
update reelbase.imports
   set state = 'completed', release = %(release)s, finished_at = clock_timestamp(), updated_at = clock_timestamp(),
       has_staging = false, error_code = null, error_detail = null
 where id = %(import_id)s and attempt = %(attempt)s and state = 'publishing' and not cancel_asked
returning id;

-- name: columns
select array_agg(attname::text order by attnum) from pg_attribute
 where attrelid = %(relation)s::regclass and attnum > 0 and not attisdropped;

-- name: retired
-- Releases that are neither live nor the previous one; one that was never published when its import is over.
select r.id, r.dataset,
       coalesce((select array_agg(t.table_name) from reelbase.release_tables t where t.release_id = r.id), '{}') as views
  from reelbase.releases r
  join reelbase.datasets d on d.name = r.dataset
  left join reelbase.imports i on i.id = r.import_id
 where r.id is distinct from d.live_release and r.id is distinct from d.previous_release
   and (%(dataset)s::text is null or r.dataset = %(dataset)s)
   and (r.published_at is not null or i.id is null or i.state in ('completed', 'failed', 'cancelled'));

-- name: unpublished
select id from reelbase.releases where import_id = %(import_id)s and published_at is null;

-- name: forget_release
delete from reelbase.releases where id = %(release)s;

-- name: data_schemas
-- Schemas of imports that are final and that no release shows, with how long ago they ended and their tables.
select n.nspname::text, i.id, extract(epoch from now() - i.finished_at)::float8 as age_seconds, i.state,
       array(select distinct f.table_name from reelbase.import_files f where f.import_id = i.id) as tables
  from reelbase.imports i
  join pg_namespace n on n.nspname = i.dataset || '_import_' || i.id
 where i.state in ('completed', 'failed', 'cancelled')
   and not exists (select from reelbase.release_tables t where t.data_schema = n.nspname);

-- name: hold_final
-- Nobody can take the import up again before the transaction ends.
select id from reelbase.imports where id = %(import_id)s and state in ('completed', 'failed', 'cancelled') for update;

-- name: data_tables
-- Physical tables of published imports that no release shows any more, though it shows others of the same import.
select n.nspname::text, c.relname::text
  from reelbase.imports i
  join pg_namespace n on n.nspname = i.dataset || '_import_' || i.id
  join pg_class c on c.relnamespace = n.oid and c.relkind = 'r'
 where i.state = 'completed'
   and exists (select from reelbase.import_files f where f.import_id = i.id and f.table_name = c.relname)
   and not exists (select from reelbase.release_tables t where t.data_schema = n.nspname and t.table_name = c.relname)
   and exists (select from reelbase.release_tables t where t.data_schema = n.nspname);

-- name: no_staging
update reelbase.imports set has_staging = false where id = %(import_id)s;
