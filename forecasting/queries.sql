-- name: select_active_installations
-- Installations in force at a moment, of all models or one, by model, part and device.
select i.installation_id, i.device_id, d.model, i.part, d.region, i.installed_at, i.ended_at,
       exists (select 1 from installation p
               where p.device_id = i.device_id and p.part = i.part and p.ended_at = i.installed_at
                 and p.ended_by <> 'undone') as replaced
from installation i join device d using (device_id)
where i.ended_by is distinct from 'undone' and i.installed_at <= %(at)s::timestamptz and (i.ended_at is null or i.ended_at > %(at)s::timestamptz)
order by d.model, i.part, i.device_id;

-- name: select_resets
-- When parts of some devices were replaced, up to a moment.
select device_id, ended_at from installation
where device_id = any(%(device_ids)s::bigint[]) and part = %(part)s::text and ended_at <= %(at)s::timestamptz and ended_by <> 'undone'
order by device_id, ended_at;

-- name: copy_day_ends
-- The last value of every day of some metrics of some devices up to a moment; of the moment's own day, the last so far.
select r.device_id, r.metric_id::bigint, extract(epoch from r.last_at)::float8 / 86400 as day, r.last_value
from reading_day r
where r.device_id = any(%(device_ids)s::bigint[]) and r.metric_id = any(%(metric_ids)s::int[])
  and r.day >= %(from_day)s::timestamptz and r.day < %(today)s::timestamptz
union all
select t.device_id, t.metric_id::bigint, extract(epoch from max(t.measured_at))::float8 / 86400,
       (array_agg(t.value order by t.measured_at desc))[1]
from reading t
where t.device_id = any(%(device_ids)s::bigint[]) and t.metric_id = any(%(metric_ids)s::int[])
  and t.measured_at >= %(today)s::timestamptz and t.measured_at <= %(at)s::timestamptz and t.value is not null
group by t.device_id, t.metric_id
order by 2, 1, 3;

-- name: copy_due_states
-- Of each device the last state up to a moment that is not due, the first since then that is, and the newest.
select k.device_id, %(metric_id)s::bigint as metric_id, extract(epoch from said.measured_at)::float8 / 86400 as day, said.due
from unnest(%(device_ids)s::bigint[]) as k (device_id)
left join lateral (select max(r.measured_at) as at from reading r
                   where r.device_id = k.device_id and r.metric_id = %(metric_id)s::int and r.state is not null
                     and r.measured_at between %(from_at)s::timestamptz and %(at)s::timestamptz
                     and r.state <> all(%(due)s::text[]) and lower(r.state) <> all(%(unreadable)s::text[])) good on true
cross join lateral (
    select good.at as measured_at, 0::float8 as due where good.at is not null
    union
    select min(r.measured_at), 1::float8 from reading r
    where r.device_id = k.device_id and r.metric_id = %(metric_id)s::int and r.state = any(%(due)s::text[])
      and r.measured_at > coalesce(good.at, %(from_at)s::timestamptz) and r.measured_at <= %(at)s::timestamptz
    having count(*) > 0
    union
    select max(r.measured_at), 1::float8 from reading r
    where r.device_id = k.device_id and r.metric_id = %(metric_id)s::int and r.state = any(%(due)s::text[])
      and r.measured_at > coalesce(good.at, %(from_at)s::timestamptz) and r.measured_at <= %(at)s::timestamptz
    having count(*) > 0) said
order by 1, 3;

-- name: insert_forecast_run
-- Begin a run.
insert into forecast_run (at, made_at) values (%(at)s, %(made_at)s) returning run_id;

-- name: update_forecast_run
-- Say what a run came to.
update forecast_run set installations = %(installations)s::int, forecasts = %(forecasts)s::int
where run_id = %(run_id)s::bigint;

-- name: insert_forecasts
-- Store the forecasts of a run.
insert into depletion_forecast (run_id, installation_id, at, made_at, data_cutoff, method, reason, reason_code,
                                remaining_pct, threshold_pct, usage_pct_per_day, depletes_p10, depletes_p50, depletes_p90)
select %(run_id)s::bigint, f.installation_id, %(at)s::timestamptz, %(made_at)s::timestamptz, f.data_cutoff, f.method,
       f.reason, f.reason_code, f.remaining_pct, f.threshold_pct, f.usage_pct_per_day, f.depletes_p10,
       f.depletes_p50, f.depletes_p90
from unnest(%(installation_id)s::bigint[], %(data_cutoff)s::timestamptz[], %(method)s::text[], %(reason)s::text[],
            %(reason_code)s::text[],
            %(remaining_pct)s::float8[], %(threshold_pct)s::float8[], %(usage_pct_per_day)s::float8[],
            %(depletes_p10)s::timestamptz[], %(depletes_p50)s::timestamptz[], %(depletes_p90)s::timestamptz[])
     as f (installation_id, data_cutoff, method, reason, reason_code, remaining_pct, threshold_pct, usage_pct_per_day,
           depletes_p10, depletes_p50, depletes_p90);

-- name: select_current_forecasts
-- The newest forecast of every current installation of some devices; one made for a later moment only if it is alone.
select i.installation_id, i.device_id, i.part, i.consumable, i.installed_at, f.at, f.made_at, f.data_cutoff, f.method,
       f.reason, f.reason_code, f.remaining_pct, f.threshold_pct, f.usage_pct_per_day, f.depletes_p10,
       f.depletes_p50, f.depletes_p90
from installation i
cross join lateral shown_forecast(i.installation_id, %(at)s::timestamptz) f
where i.device_id = any(%(device_ids)s::bigint[]) and i.ended_at is null
order by i.device_id, i.part;

-- name: select_forecast_lines
-- The forecasts of a run, by serial and consumable.
select d.serial, i.consumable, f.remaining_pct, f.depletes_p10, f.depletes_p50, f.depletes_p90, f.method, f.reason,
       f.reason_code
from depletion_forecast f join installation i using (installation_id) join device d using (device_id)
where f.run_id = %(run_id)s::bigint order by d.serial, i.consumable, i.installation_id;

-- name: thin_forecasts
-- Of what was made before a moment each part's last of every week stays; its newest forecast stays whatever its age.
with old as (
    select f.run_id, f.installation_id
    from forecast_run r join depletion_forecast f using (run_id)
    where r.made_at < %(before)s::timestamptz
      and exists (select from depletion_forecast l
                  where l.installation_id = f.installation_id and (l.at, l.run_id) > (f.at, f.run_id)
                    and l.made_at < %(before)s::timestamptz
                    and date_trunc('week', l.at, 'UTC') = date_trunc('week', f.at, 'UTC'))
      and exists (select from depletion_forecast n
                  where n.installation_id = f.installation_id and n.at <= %(at)s::timestamptz
                    and (n.at, n.run_id) > (f.at, f.run_id))
    order by r.made_at desc, f.run_id, f.installation_id limit %(most)s::bigint
), gone as (
    delete from depletion_forecast f using old
    where %(deleting)s::boolean and (f.run_id, f.installation_id) = (old.run_id, old.installation_id) returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;

-- name: end_forecasts
-- Of what was made before a moment only a part's newest forecast stays.
with old as (
    select f.run_id, f.installation_id
    from forecast_run r join depletion_forecast f using (run_id)
    where r.made_at < %(before)s::timestamptz
      and exists (select from depletion_forecast n
                  where n.installation_id = f.installation_id and n.at <= %(at)s::timestamptz
                    and (n.at, n.run_id) > (f.at, f.run_id))
    order by r.made_at desc, f.run_id, f.installation_id limit %(most)s::bigint
), gone as (
    delete from depletion_forecast f using old
    where %(deleting)s::boolean and (f.run_id, f.installation_id) = (old.run_id, old.installation_id) returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;

-- name: end_forecast_runs
-- Runs made before a moment of which no forecast is left.
with old as (
    select run_id from forecast_run r
    where made_at < %(before)s::timestamptz
      and not exists (select from depletion_forecast f where f.run_id = r.run_id)
    order by run_id limit %(most)s::bigint
), gone as (
    delete from forecast_run r using old where %(deleting)s::boolean and r.run_id = old.run_id returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;
