-- What an import comes from, where that is not (only) a file of this machine that was looked at when it was asked for.

alter table reelbase.imports alter column dataset drop not null;
comment on column reelbase.imports.dataset is 'Null until it is known: what has to be downloaded first tells it only then';

create table reelbase.import_sources (
    import_id     bigint not null references reelbase.imports on delete cascade,
    position      integer not null,
    kind          text not null check (kind in ('path', 'upload', 'url')),
    name          text not null,
    location      text not null,
    is_local      boolean not null,
    published     text,
    has_md5       boolean not null default false,
    path          text,
    sha256        text,
    modified      timestamptz,
    bytes         bigint,
    bytes_done    bigint not null default 0,
    bytes_before  bigint not null default 0,
    primary key (import_id, position)
);
create index on reelbase.import_sources (path) where path is not null;
comment on table reelbase.import_sources is 'What an import was asked to take: location is the path, the upload''s id or the URL; is_local that it was asked for on the terminal, where every path and host may be named; path where its bytes are, or will be, on the machine that receives them; bytes_before how many of them were there when the attempt began';
