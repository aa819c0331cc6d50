-- Imports that a worker runs go on by themselves when the worker is lost; workers are processes that may run several.

alter table reelbase.workers drop column import_id;
alter table reelbase.workers add column process uuid;
alter table reelbase.workers add column chunks_done bigint not null default 0;
alter table reelbase.workers add column connected_at timestamptz not null default clock_timestamp();
comment on table reelbase.workers is 'Who runs imports: a row for each run, and one for each worker that listens for them; seen_at is the heartbeat, backend the session whose end is the worker''s';
comment on column reelbase.workers.process is 'Of a run: the worker whose it is; without one a command runs its import itself';
comment on column reelbase.workers.chunks_done is 'Of a worker: what its ended runs have loaded';

alter table reelbase.imports add column by_worker boolean not null default false;
alter table reelbase.imports add column lost integer not null default 0;
alter table reelbase.imports add column host text;
comment on column reelbase.imports.by_worker is 'A worker runs it or did so last: whoever loses it is followed by the next';
comment on column reelbase.imports.lost is 'Workers lost with it since one of them has loaded anything';
comment on column reelbase.imports.host is 'Where its files were accepted; null where any host can get at them';

-- A session that has ended is not in pg_stat_activity; one that has got its number since has begun later.
create view reelbase.workers_alive as
select w.id, w.host, w.pid, w.listens, w.process, w.since, w.seen_at, w.chunks_done
  from reelbase.workers w
  join pg_stat_activity a on a.pid = w.backend and a.datname = current_database()
                         and (a.backend_start is null or a.backend_start <= w.connected_at);
comment on view reelbase.workers_alive is 'Those whose session has not ended';
