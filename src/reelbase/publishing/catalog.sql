-- Releases of the catalog: which one readers see, and what each was built from. {catalog} is a release's schema.

-- name: pointer
select live from reelbase.catalog;

-- name: pointer_locked
select live, previous from reelbase.catalog for update;

-- name: sources
-- Every dataset that readers see something of, with its release.
select d.name, d.live_release from reelbase.datasets d
 where exists (select from reelbase.release_tables t where t.release_id = d.live_release)
 order by d.name;

-- name: new_release
insert into reelbase.catalog_releases (sources, import_id) values (%(sources)s, %(import_id)s) returning id;

-- name: built
update reelbase.catalog_releases set movies = %(movies)s, checks = %(checks)s where id = %(release)s;

-- name: kept
-- A release built from just these sources that is still there.
select r.id from reelbase.catalog_releases r join reelbase.catalog c on r.id in (c.live, c.previous)
 where r.sources = %(sources)s;

-- name: point
update reelbase.catalog
   set live = %(release)s, previous = case when live = %(release)s then previous else live end, version = version + 1;

-- name: published
update reelbase.catalog_releases set published_at = coalesce(published_at, clock_timestamp()) where id = %(release)s;

-- name: forget_release
delete from reelbase.catalog_releases where id = %(release)s;

-- name: retired
select r.id from reelbase.catalog_releases r
  left join reelbase.imports i on i.id = r.import_id
 where not exists (select from reelbase.catalog c where r.id in (c.live, c.previous))
   and (r.published_at is not null or i.id is null or i.state in ('completed', 'failed', 'cancelled'));

-- name: unpublished
select id from reelbase.catalog_releases where import_id = %(import_id)s and published_at is null;

-- name: forget_previous
update reelbase.catalog set previous = null;

-- name: tables
select relname::text, relkind = 'v' from pg_class
 where relnamespace = to_regnamespace(%(schema)s) and relkind in ('r', 'v') order by 1;
