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

-- name: select_newest_run
-- The newest period of a job, and whether whoever ran it has been silent for longer than its lease.
select scheduled_for, state, error, state = 'running' and lease_until < clock_timestamp(), started_at
from job_run where job = %(job)s::text order by scheduled_for desc limit 1;

-- name: select_database_jobs
-- What the database does by itself and has not done for two of its periods and an hour, on the database's own clock: whether
-- it fails or does not run at all, when it last succeeded, and its last error.
select name, coalesce(failed, false), succeeded_at, error
from database_job
where (failed or succeeded_at is not null)
  and coalesce(succeeded_at, '-infinity') < clock_timestamp() - 2 * period - interval '1 hour'
order by name;

-- name: select_heard_of
-- How many devices there are, how many of them said something since a moment, and when any last did.
select (select count(*) from device),
       (select count(*) from device_latest where received_at >= %(since)s::timestamptz),
       (select max(received_at) from device_latest);

-- name: select_refused_share
-- Of what came in since a moment, how much was refused, with the commonest reason and how many serials have it.
select coalesce(sum(m.quarantined), 0)::bigint, coalesce(sum(m.received), 0)::bigint,
       (array_agg(q.code))[1], coalesce(max(q.serials), 0)::bigint
from ingest_minute m
left join (select code, count(distinct serial) as serials from quarantine where received_at >= %(since)s::timestamptz
           group by code order by count(*) desc, code limit 1) q on true
where m.minute >= date_trunc('minute', %(since)s::timestamptz);
