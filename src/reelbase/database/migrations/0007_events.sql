-- What those who watch imports are told by, and what makes a repeated request safe.

alter table reelbase.imports add column version bigint not null default 1;
comment on column reelbase.imports.version is 'Raised by every change of the row: with what the ledger counts, the number of an event';

create function reelbase.import_changes() returns trigger language plpgsql as $$
begin
    new.version := old.version + 1;
    return new;
end
$$;
create trigger import_changes before update on reelbase.imports
    for each row when (old.* is distinct from new.*) execute function reelbase.import_changes();

create function reelbase.tell_import() returns trigger language plpgsql as $$
begin
    perform pg_notify('reelbase_import_events', new.id::text);
    return null;
end
$$;
create trigger tell_import after update on reelbase.imports
    for each row when (old.* is distinct from new.*) execute function reelbase.tell_import();

create table reelbase.idempotency_keys (
    key         text primary key,
    request     bytea not null,
    import_id   bigint not null references reelbase.imports on delete cascade,
    answer      bytea,
    created_at  timestamptz not null default now()
);
create index on reelbase.idempotency_keys (created_at);
comment on table reelbase.idempotency_keys is 'What POST /imports has answered to a key, for a day; a row is there in the transaction that makes the import';
