-- Schemas that readers know by name.

-- name: schema_exists
select exists (select from pg_namespace where nspname = %(schema)s);

-- name: grants
-- What others may read of the live schema and its views, so that a release does not lock them out.
select 'schema' as kind, null::text as relation, a.privilege_type, case a.grantee when 0 then 'public' else g.rolname end,
       a.is_grantable
  from pg_namespace n cross join lateral aclexplode(n.nspacl) a left join pg_roles g on g.oid = a.grantee
 where n.nspname = %(schema)s and a.grantee <> n.nspowner
union all
select 'table', c.relname::text, a.privilege_type, case a.grantee when 0 then 'public' else g.rolname end,
       a.is_grantable
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
       cross join lateral aclexplode(c.relacl) a left join pg_roles g on g.oid = a.grantee
 where n.nspname = %(schema)s and a.grantee <> c.relowner and a.privilege_type = 'SELECT';

-- name: relations
select relname::text from pg_class
 where relnamespace = to_regnamespace(%(schema)s) and relkind in ('r', 'v') order by 1;
