-- What an import is busy with while it builds indexes and publishes, where neither rows nor bytes tell.

alter table reelbase.imports add column step text;
comment on column reelbase.imports.step is 'In words; shown while the import is indexing or publishing';
