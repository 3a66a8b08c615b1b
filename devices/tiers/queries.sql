-- name: make_reading_partition
-- Make one partition of readings that a moment needs soon; its name, null when all are there.
select make_reading_partition(%(at)s::timestamptz);

-- name: select_unpacked_partitions
-- Partitions that were over at a moment, and the index of each one's key until it is packed; the oldest first.
select p.partition::text, x.indexrelid::regclass::text
from reading_partition p
join pg_index x on x.indrelid = p.partition and x.indisprimary
join pg_class c on c.oid = x.indexrelid
where p.to_at <= %(before)s::timestamptz and not coalesce('fillfactor=100' = any(c.reloptions), false)
order by p.to_at;

-- name: advance_late_mark
-- From now on what comes for days that are over marks them: those before the newest reading's, and those that may go.
select advance_late_mark(readings_droppable_to(%(before)s::timestamptz));

-- name: roll_up_readings
-- Make hours and days of what is over: days that got readings late, else up to a month; false when nothing is left.
select roll_up_readings();

-- name: hold_day
-- Nobody makes a day over until this transaction ends; whether it is over already.
select hold_day(%(day)s::timestamptz);

-- name: mark_late_days
-- Days of devices that got readings after they were over, for the next refresh; live days are none of them.
insert into reading_late (device_id, day)
select k.device_id, k.day
from unnest(%(device_ids)s::bigint[], %(days)s::timestamptz[]) as k (device_id, day)
cross join (select marked_to from reading_horizon for share) h
where k.day < h.marked_to
order by 1, 2
on conflict (device_id, day) do update set step = 'marked';

-- name: select_rolled_days
-- Days that got readings late and are rolled up.
select device_id, day from reading_late where step = 'rolled' order by device_id, day;

-- name: forget_late_days
-- These late days are dealt with, unless they got readings again.
delete from reading_late l
using unnest(%(device_ids)s::bigint[], %(days)s::timestamptz[]) as k (device_id, day)
where (l.device_id, l.day) = (k.device_id, k.day) and l.step = 'rolled';

-- name: refresh_reading_day
-- Bring the daily rollup up to date; outside a transaction.
call refresh_reading_day();

-- name: drop_oldest_readings
-- Drop the oldest readings before a moment and keep their days; how many went, null when there are none.
select drop_oldest_readings(%(before)s::timestamptz);

-- name: count_old_readings
-- How many readings lie in days (or chunks) that are over by a moment, one look at the key for each series.
select coalesce(sum(old.readings), 0)::bigint
from (select readings_droppable_to(%(before)s::timestamptz) as to_at) go cross join device d join metric m using (model)
cross join lateral (
    select count(*) as readings from reading r
    where r.device_id = d.device_id and r.metric_id = m.metric_id
      and r.measured_at < go.to_at) old;

-- name: end_kept_hours
-- Hours before a moment; with chunks these go whole.
select end_kept_hours(%(before)s::timestamptz, %(most)s::bigint, %(deleting)s::boolean);

-- name: end_kept_state_days
-- Days of states before a moment.
with old as (
    select device_id, metric_id, day from state_day_kept
    where day < %(before)s::timestamptz
    order by device_id, metric_id, day limit %(most)s::bigint
), gone as (
    delete from state_day_kept k using old
    where %(deleting)s::boolean and (k.device_id, k.metric_id, k.day) = (old.device_id, old.metric_id, old.day) returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;

-- name: end_kept_days
-- Days before a moment.
with old as (
    select device_id, metric_id, day from reading_day_kept
    where day < %(before)s::timestamptz
    order by device_id, metric_id, day limit %(most)s::bigint
), gone as (
    delete from reading_day_kept k using old
    where %(deleting)s::boolean and (k.device_id, k.metric_id, k.day) = (old.device_id, old.metric_id, old.day) returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;

-- name: select_raw_series
-- One metric of one device as it was read, oldest first.
select measured_at as at, value, state
from reading
where device_id = %(device_id)s and metric_id = %(metric_id)s
  and measured_at >= %(from_at)s and measured_at < %(to_at)s
order by measured_at limit %(limit)s;

-- name: select_bucketed_series
-- One metric of one device, its mean, least and most per bucket, oldest first.
select date_bin(%(bucket)s::interval, measured_at, timestamptz '2000-01-01 00:00:00+00') as at,
       avg(value) as value, min(value) as min_value, max(value) as max_value, count(*) as readings
from reading
where device_id = %(device_id)s and metric_id = %(metric_id)s
  and measured_at >= %(from_at)s and measured_at < %(to_at)s and value is not null
group by 1 order by 1 limit %(limit)s;

-- name: select_hourly_series
-- One metric of one device per bucket of whole hours, oldest first. The two ends, which may not be whole hours, are made of
-- readings; an hour whose readings are gone counts as a whole.
select date_bin(%(bucket)s::interval, t.at, timestamptz '2000-01-01 00:00:00+00') as at,
       sum(t.value * t.readings) / sum(t.readings) as value, min(t.min_value) as min_value, max(t.max_value) as max_value,
       sum(t.readings)::bigint as readings
from (
    select hour as at, avg_value as value, min_value, max_value, readings
    from reading_hour
    where device_id = %(device_id)s and metric_id = %(metric_id)s
      and hour > %(from_at)s::timestamptz - interval '1 hour' and hour < %(to_at)s::timestamptz
      and ((hour >= %(from_at)s::timestamptz and hour < %(inner_to)s::timestamptz)
           or hour < (select live_from from reading_horizon))
    union all
    select measured_at, value, value, value, 1
    from reading
    where device_id = %(device_id)s and metric_id = %(metric_id)s and value is not null
      and measured_at >= %(from_at)s::timestamptz and measured_at < %(first_to)s::timestamptz
      and measured_at >= (select live_from from reading_horizon)
    union all
    select measured_at, value, value, value, 1
    from reading
    where device_id = %(device_id)s and metric_id = %(metric_id)s and value is not null
      and measured_at >= %(last_from)s::timestamptz and measured_at < %(to_at)s::timestamptz
      and measured_at >= (select live_from from reading_horizon)
) t
group by 1 order by 1 limit %(limit)s;

-- name: select_daily_series
-- One metric of one device per bucket of whole days, oldest first. The two ends, which may not be whole days, are made of
-- readings; a day whose readings are gone counts as a whole.
select date_bin(%(bucket)s::interval, t.at, timestamptz '2000-01-01 00:00:00+00') as at,
       sum(t.value * t.readings) / sum(t.readings) as value, min(t.min_value) as min_value, max(t.max_value) as max_value,
       sum(t.readings)::bigint as readings
from (
    select day as at, avg_value as value, min_value, max_value, readings
    from reading_day
    where device_id = %(device_id)s and metric_id = %(metric_id)s
      and day > %(from_at)s::timestamptz - interval '1 day' and day < %(to_at)s::timestamptz
      and ((day >= %(from_at)s::timestamptz and day < %(inner_to)s::timestamptz)
           or day < (select live_from from reading_horizon))
    union all
    select measured_at, value, value, value, 1
    from reading
    where device_id = %(device_id)s and metric_id = %(metric_id)s and value is not null
      and measured_at >= %(from_at)s::timestamptz and measured_at < %(first_to)s::timestamptz
      and measured_at >= (select live_from from reading_horizon)
    union all
    select measured_at, value, value, value, 1
    from reading
    where device_id = %(device_id)s and metric_id = %(metric_id)s and value is not null
      and measured_at >= %(last_from)s::timestamptz and measured_at < %(to_at)s::timestamptz
      and measured_at >= (select live_from from reading_horizon)
) t
group by 1 order by 1 limit %(limit)s;
