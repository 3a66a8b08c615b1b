-- name: claim_job_run
-- Claim a period that nobody has run, or that is not done and whose lease ran out on the database's clock.
insert into job_run (job, scheduled_for, state, holder, lease_until, started_at)
values (%(job)s, %(scheduled_for)s, 'running', %(holder)s, clock_timestamp() + %(lease)s::interval, %(at)s)
on conflict (job, scheduled_for) do update
set state = 'running', epoch = job_run.epoch + 1, holder = excluded.holder, lease_until = excluded.lease_until,
    started_at = excluded.started_at, finished_at = null, error = null
where job_run.state <> 'done' and job_run.lease_until < clock_timestamp()
returning epoch;

-- name: select_left_period
-- The first period since a moment, before the present one, that was begun and not done, and that nobody holds.
select scheduled_for from job_run
where job = %(job)s and state <> 'done' and lease_until < clock_timestamp()
  and scheduled_for >= %(since)s and scheduled_for < %(present)s
order by scheduled_for limit 1;

-- name: hold_job_lease
-- Renew the lease and lock the row, so that nobody takes the period over before this transaction ends.
update job_run set lease_until = clock_timestamp() + %(lease)s::interval
where job = %(job)s and scheduled_for = %(scheduled_for)s and epoch = %(epoch)s and state = 'running';

-- name: finish_job_run
-- Say that the run is done, if it is still ours.
update job_run set state = 'done', finished_at = %(at)s, summary = %(summary)s
where job = %(job)s and scheduled_for = %(scheduled_for)s and epoch = %(epoch)s and state = 'running';

-- name: fail_job_run
-- Say that the run failed, if it is still ours; it may be claimed again after a pause.
update job_run set state = 'failed', finished_at = %(at)s, error = %(error)s,
    lease_until = clock_timestamp() + %(pause)s::interval
where job = %(job)s and scheduled_for = %(scheduled_for)s and epoch = %(epoch)s and state = 'running';

-- name: select_job_runs
-- The newest run of every job.
select distinct on (job) job, scheduled_for, state, epoch, started_at, finished_at, summary, error
from job_run order by job, scheduled_for desc;

-- name: insert_idempotency_key
-- Remember the answer to a write under the caller's key.
insert into idempotency_key (subject, key, request_hash, status, response, created_at)
values (%(subject)s, %(key)s, %(request_hash)s, %(status)s, %(response)s, %(at)s);

-- name: select_idempotency_key
-- The answer that was given before under this key.
select request_hash, status, response from idempotency_key where subject = %(subject)s and key = %(key)s;

-- name: lock_idempotency_key
-- Two requests under one key take turns until the first one's transaction ends.
select pg_advisory_xact_lock(hashtextextended(%(subject)s || ' ' || %(key)s, 0));

-- name: select_timescale
-- The version of TimescaleDB in this database, the one the server offers, and whether the server loads it at start. Any
-- role may see its settings, which are there only when it is loaded; the list of preloaded libraries only some may see.
select (select extversion from pg_extension where extname = 'timescaledb'),
       (select default_version from pg_available_extensions where name = 'timescaledb'),
       exists (select 1 from pg_settings where starts_with(name, 'timescaledb'));

-- name: end_idempotency_keys
-- Answers that were given before a moment; the same request under the same key is a new one from then on.
with old as (
    select subject, key from idempotency_key
    where created_at < %(before)s::timestamptz
    order by created_at limit %(most)s::bigint
), gone as (
    delete from idempotency_key k using old
    where %(deleting)s::boolean and (k.subject, k.key) = (old.subject, old.key) returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;

-- name: end_job_runs
-- Runs for periods before a moment; the two newest of a job stay, since they are what tells that a period was run.
with old as (
    select job, scheduled_for from job_run r
    where scheduled_for < %(before)s::timestamptz
      and exists (select from job_run n where n.job = r.job and n.scheduled_for > r.scheduled_for offset 1)
    order by job, scheduled_for limit %(most)s::bigint
), gone as (
    delete from job_run r using old
    where %(deleting)s::boolean and (r.job, r.scheduled_for) = (old.job, old.scheduled_for) returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;

-- name: erase_answers
-- Answers to a person go; answers to others that speak of them keep only that they were given, so that none is given twice.
with theirs as (
    delete from idempotency_key where subject = any(select 'customer:' || id from unnest(%(customer_ids)s::text[]) id)
    returning 1
), others as (
    update idempotency_key k set response = '{"erased": true}'
    where subject <> all(select 'customer:' || id from unnest(%(customer_ids)s::text[]) id)
      and exists (select from unnest(%(customer_ids)s::text[]) id where strpos(k.response::text, id) > 0)
    returning 1
)
select 1 from theirs union all select 1 from others;
