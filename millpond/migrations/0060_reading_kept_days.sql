-- Raw readings have an end and their days stay: what is dropped is kept by the day, and reading_day is the days kept and
-- the days that still have their readings.

create table reading_day_kept (
    device_id   bigint not null,
    metric_id   integer not null,
    day         timestamptz not null,
    first_value double precision not null,
    last_value  double precision not null,
    min_value   double precision not null,
    max_value   double precision not null,
    avg_value   double precision not null,
    readings    bigint not null constraint kept_day_is_not_empty check (readings > 0),
    first_at    timestamptz not null,
    last_at     timestamptz not null,
    primary key (device_id, metric_id, day)
);

create table reading_horizon (
    only_one  boolean primary key default true constraint reading_horizon_is_one check (only_one),
    live_from timestamptz not null
);
comment on table reading_horizon is
    'Days before live_from are kept days. Readings that come for them later are added to the kept day and dropped.';

-- Where the rollup is an aggregate already, its own migrations do this.
do $$
begin
    if not exists (select 1 from schema_version where name like 'timescale/%') then
        alter view reading_day rename to reading_day_live;
        create view reading_day as
        select device_id, metric_id, day, first_value, last_value, min_value, max_value, avg_value, readings, first_at, last_at
        from reading_day_kept
        union all
        select device_id, metric_id, day, first_value, last_value, min_value, max_value, avg_value, readings, first_at, last_at
        from reading_day_live
        where day >= coalesce((select live_from from reading_horizon), '-infinity');
    end if;
end $$;

-- Drops the readings of the oldest day that ends by `before` and keeps the day; how many went, null when there is no such day.
create function drop_oldest_readings(before timestamptz) returns bigint language plpgsql as $$
declare
    from_at timestamptz;
    to_at timestamptz;
    dropped bigint;
begin
    lock table reading_horizon in share row exclusive mode;
    -- The first of every series is one look at the key each: there is no index on the time alone.
    select date_bin('1 day', min(oldest.measured_at), timestamptz '2000-01-01 00:00:00+00') into from_at
    from device d join metric m using (model)
    cross join lateral (select r.measured_at from reading r
                        where r.device_id = d.device_id and r.metric_id = m.metric_id
                        order by r.measured_at limit 1) oldest;
    to_at := from_at + interval '24 hours';
    if (to_at <= before) is not true then
        return null;
    end if;
    -- One statement sees one moment: what comes late meanwhile is neither kept nor dropped, and is dropped the next time.
    with gone as (
        delete from reading r using device d join metric m using (model)
        where r.device_id = d.device_id and r.metric_id = m.metric_id and r.measured_at >= from_at and r.measured_at < to_at
        returning r.*
    ), days as (
    insert into reading_day_kept as kept
    select device_id, metric_id, from_at,
           (array_agg(value order by measured_at))[1], (array_agg(value order by measured_at desc))[1],
           min(value), max(value), avg(value), count(*), min(measured_at), max(measured_at)
    from gone where value is not null group by device_id, metric_id
    on conflict (device_id, metric_id, day) do update
    set first_value = case when excluded.first_at < kept.first_at then excluded.first_value else kept.first_value end,
        last_value = case when excluded.last_at > kept.last_at then excluded.last_value else kept.last_value end,
        min_value = least(kept.min_value, excluded.min_value),
        max_value = greatest(kept.max_value, excluded.max_value),
        avg_value = (kept.avg_value * kept.readings + excluded.avg_value * excluded.readings)
                    / (kept.readings + excluded.readings),
        readings = kept.readings + excluded.readings,
        first_at = least(kept.first_at, excluded.first_at),
        last_at = greatest(kept.last_at, excluded.last_at)
    )
    select count(*) into dropped from gone;
    insert into reading_horizon (live_from) values (to_at)
    on conflict (only_one) do update set live_from = greatest(reading_horizon.live_from, excluded.live_from);
    return dropped;
end $$;

-- Brings reading_day up to date: late readings of days that are kept go to their days.
create or replace procedure refresh_reading_day() language plpgsql as $$
begin
    while drop_oldest_readings((select live_from from reading_horizon)) is not null loop
        commit;
    end loop;
end $$;
