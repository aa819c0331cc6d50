-- Extensions of PostgreSQL.

-- name: schema
select n.nspname::text from pg_extension e join pg_namespace n on n.oid = e.extnamespace where e.extname = %(name)s;
