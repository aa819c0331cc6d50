-- Our own tables: what was asked for, what became of each file and chunk, and what is published.
-- The schema itself is made by the migration runner.

create table reelbase.workers (
    id         uuid primary key default gen_random_uuid(),
    host       text not null,
    pid        integer not null,
    since      timestamptz not null default now(),
    seen_at    timestamptz not null default now(),
    import_id  bigint,
    listens    boolean not null default false,
    backend    integer not null default pg_backend_pid()
);
comment on table reelbase.workers is 'Who runs imports: a row for each run, and one for each worker that listens for them; seen_at is the heartbeat, backend the session whose end is the worker''s';

create table reelbase.datasets (
    name             text primary key,
    live_release     bigint,
    previous_release bigint,
    updated_at       timestamptz not null default now()
);
comment on table reelbase.datasets is 'The pointer: which release readers see, and which one rollback brings back';

create table reelbase.imports (
    id            bigint generated always as identity primary key,
    kind          text not null check (kind in ('import', 'refresh', 'rollback', 'remove')),
    dataset       text not null,
    state         text not null check (state in ('queued', 'receiving', 'loading', 'indexing', 'publishing',
                                                 'completed', 'failed', 'cancelled', 'held')),
    mode          text not null default 'replace' check (mode in ('replace', 'merge')),
    max_rejects   text not null default '1%',
    chunk_bytes   integer not null,
    sources       jsonb not null default '[]',
    skipped       jsonb not null default '[]',
    attempt       integer not null default 1,
    worker_id     uuid references reelbase.workers on delete set null,
    cancel_asked  boolean not null default false,
    created_at    timestamptz not null default now(),
    updated_at    timestamptz not null default now(),
    started_at    timestamptz,
    finished_at   timestamptz,
    release       bigint,
    error_code    text,
    error_detail  text,
    has_staging   boolean not null default false
);
create index on reelbase.imports (dataset, id desc);
create index on reelbase.imports (state) where state not in ('completed', 'failed', 'cancelled');

create table reelbase.import_files (
    id            bigint generated always as identity primary key,
    import_id     bigint not null references reelbase.imports on delete cascade,
    position      integer not null,
    name          text not null,
    path          text not null,
    container     text not null check (container in ('plain', 'gzip', 'zip', 'tar')),
    member        text,
    fingerprint   text not null,
    source_bytes  bigint not null,
    bytes         bigint,
    table_name    text not null,
    layout        text not null,
    header        text not null,
    raw_header    bytea not null,
    columns       jsonb not null,
    first_byte    bigint not null,
    first_line    bigint not null,
    cut           boolean not null default false,
    started_at    timestamptz,
    finished_at   timestamptz,
    unique (import_id, position)
);
comment on column reelbase.import_files.cut is 'Every byte of the file is in a chunk of the ledger';

-- The ledger. A chunk is done in the transaction that brings its rows: both are there, or neither.
create table reelbase.chunks (
    id             bigint generated always as identity primary key,
    import_id      bigint not null references reelbase.imports on delete cascade,
    file_id        bigint not null references reelbase.import_files on delete cascade,
    first_byte     bigint not null,
    bytes          bigint not null,
    source_bytes   bigint not null,
    first_line     bigint not null,
    last_line      bigint not null,
    state          text not null check (state in ('queued', 'running', 'done', 'failed')),
    attempt        integer not null default 1,
    errors         integer not null default 0,
    lost           integer not null default 0,
    worker_id      uuid,
    xid            xid8,
    rows_loaded    bigint not null default 0,
    rows_rejected  bigint not null default 0,
    rows_duplicate bigint not null default 0,
    rows_blank     bigint not null default 0,
    started_at     timestamptz not null default now(),
    finished_at    timestamptz,
    error          text,
    unique (file_id, first_byte)
);
create index on reelbase.chunks (import_id, state);
comment on column reelbase.chunks.attempt is 'The fence: a worker may finish only the attempt that it claimed';
comment on column reelbase.chunks.xid is 'The transaction that brought the rows: xmin of each of them';

create table reelbase.rejects (
    import_id     bigint not null references reelbase.imports on delete cascade,
    file_id       bigint not null references reelbase.import_files on delete cascade,
    chunk_id      bigint not null references reelbase.chunks on delete cascade,
    line          bigint not null,
    byte_offset   bigint not null,
    column_name   text,
    reason        text not null,
    record        bytea not null,
    record_bytes  bigint not null
);
create index on reelbase.rejects (import_id, file_id, byte_offset);

create table reelbase.merged_tables (
    import_id     bigint not null references reelbase.imports on delete cascade,
    table_name    text not null,
    base_import   bigint not null,
    rows          bigint not null,
    primary key (import_id, table_name)
);
comment on table reelbase.merged_tables is 'Staged tables into which an import in merge mode has taken over the rows that another import had loaded';

create table reelbase.checks (
    import_id   bigint not null references reelbase.imports on delete cascade,
    name        text not null,
    table_name  text not null,
    count       bigint not null,
    detail      text not null,
    primary key (import_id, name, table_name)
);

create table reelbase.releases (
    id            bigint generated always as identity primary key,
    dataset       text not null references reelbase.datasets,
    import_id     bigint references reelbase.imports on delete set null,
    published_at  timestamptz,
    retired_at    timestamptz
);
create index on reelbase.releases (dataset, id desc);
comment on table reelbase.releases is 'One published state of a dataset; its views live in the schema <dataset>_release_<id>, or in <dataset> while it is live';

create table reelbase.release_tables (
    release_id   bigint not null references reelbase.releases on delete cascade,
    table_name   text not null,
    data_schema  text not null,
    import_id    bigint not null,
    rows         bigint not null,
    columns      jsonb not null,
    primary key (release_id, table_name)
);
comment on table reelbase.release_tables is 'Which physical table a release shows under which name; import_id is the import that loaded it';
