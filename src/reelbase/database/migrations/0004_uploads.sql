-- Files that people send: how much of each has arrived for good, and what they are called by those who sent them.

create table reelbase.uploads (
    id         text primary key check (id ~ '^[0-9a-f]{32}$'),
    owner      text,
    state      text not null default 'receiving' check (state in ('receiving', 'received', 'terminated', 'expired')),
    length     bigint check (length >= 0),
    received   bigint not null default 0 check (received >= 0 and received <= coalesce(length, received)),
    metadata   text not null default '',
    name       text not null,
    path       text not null,
    sha256     text check (sha256 ~ '^[0-9a-f]{64}$'),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    expires_at timestamptz not null,
    used_at    timestamptz,
    check (state <> 'received' or received = length)
);
comment on table reelbase.uploads is 'Files that are sent to us: received counts bytes that are on disk for good; length is null until the sender knows it; sha256 is what the sender says it should be; used_at is when an import asked for it first';
create index on reelbase.uploads (expires_at);
