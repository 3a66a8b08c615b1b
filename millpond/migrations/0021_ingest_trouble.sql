-- What stands in an ingest's way: said with its heartbeat, shown by /readyz and `millpond doctor`.
alter table ingest_consumer add column trouble text;
comment on column ingest_consumer.trouble is 'Why what it holds is not stored although the database answers; null when all is well.';
