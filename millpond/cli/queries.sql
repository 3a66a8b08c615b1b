-- name: select_clock
-- The database's own time, for comparing it with ours.
select clock_timestamp();

-- name: select_closed_tables
-- Tables of ours that this role may not read or may not add to.
select c.relname
from pg_class c
where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'p')
  and not (has_table_privilege(c.oid, 'select') and has_table_privilege(c.oid, 'insert'))
order by c.relname;

-- name: select_may_create
-- Whether this role may create tables in our schema and temporary ones, and whether the server takes writes at all.
select coalesce(has_schema_privilege(current_schema(), 'create'), false),
       has_database_privilege(current_database(), 'temporary'),
       not pg_is_in_recovery() and current_setting('transaction_read_only') = 'off';

-- name: select_newest_beat
-- How long ago, on the database's own clock, the liveliest ingest gave a sign of life.
select consumer, connected, extract(epoch from clock_timestamp() - beat_at)::float8, trouble
from ingest_consumer order by beat_at desc limit 1;

-- name: select_newest_run
-- The newest period of a job, and whether whoever ran it has been silent for longer than its lease.
select scheduled_for, state, error, state = 'running' and lease_until < clock_timestamp()
from job_run where job = %(job)s::text order by scheduled_for desc limit 1;

-- name: select_database_jobs
-- What the database does by itself and has not done for two of its periods and an hour, on the database's own clock: whether
-- it fails or does not run at all, when it last succeeded, and its last error.
select name, coalesce(failed, false), succeeded_at, error
from database_job
where (failed or succeeded_at is not null)
  and coalesce(succeeded_at, '-infinity') < clock_timestamp() - 2 * period - interval '1 hour'
order by name;
