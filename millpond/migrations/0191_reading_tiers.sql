-- Three tiers: readings, hours and days, and days of states. On plain PostgreSQL what is over is rolled up once, by a job,
-- instead of each time that it is read; what comes late for it marks its device and day, which are rolled up again.

alter table reading_horizon
    add column marked_to timestamptz not null default '-infinity',
    add column rolled_to timestamptz not null default '-infinity';
insert into reading_horizon (live_from) values ('-infinity') on conflict do nothing;
update reading_horizon set marked_to = live_from, rolled_to = live_from;
comment on column reading_horizon.marked_to is 'What comes for a day before it marks the day in reading_late.';
comment on column reading_horizon.rolled_to is 'Up to here hours and days are kept; what is newer is read from the readings.';

create table reading_late (
    device_id bigint not null,
    day       timestamptz not null,
    step      text not null default 'marked' constraint late_day_step check (step in ('marked', 'rolling', 'rolled')),
    primary key (device_id, day)
);
comment on table reading_late is 'Days of devices that got readings after they were over: marked, then rolled up, then forecast.';

create table reading_hour_kept (
    device_id bigint not null,
    hour      timestamptz not null,
    min_value double precision not null,
    max_value double precision not null,
    avg_value double precision not null,
    metric_id integer not null,
    readings  integer not null constraint kept_hour_is_not_empty check (readings > 0),
    primary key (device_id, metric_id, hour)
);

create table state_day_kept (
    device_id   bigint not null,
    metric_id   integer not null,
    day         timestamptz not null,
    first_state text not null,
    last_state  text not null,
    min_state   text not null,
    max_state   text not null,
    readings    bigint not null constraint kept_state_day_is_not_empty check (readings > 0),
    first_at    timestamptz not null,
    last_at     timestamptz not null,
    primary key (device_id, metric_id, day)
);

do $$
begin
    if exists (select from pg_extension where extname = 'timescaledb') then
        return;
    end if;
    drop view reading_day, reading_day_live;
    create view reading_hour as
    select device_id, metric_id, hour, min_value, max_value, avg_value, readings from reading_hour_kept
    union all
    select device_id, metric_id, date_bin('1 hour', measured_at, timestamptz '2000-01-01 00:00:00+00'),
           min(value), max(value), avg(value), count(*)::integer
    from reading
    where value is not null and measured_at >= (select rolled_to from reading_horizon)
    group by 1, 2, 3;
    create view reading_day as
    select device_id, metric_id, day, first_value, last_value, min_value, max_value, avg_value, readings, first_at, last_at
    from reading_day_kept
    union all
    select device_id, metric_id, date_bin('1 day', measured_at, timestamptz '2000-01-01 00:00:00+00'),
           (array_agg(value order by measured_at))[1], (array_agg(value order by measured_at desc))[1],
           min(value), max(value), avg(value), count(*), min(measured_at), max(measured_at)
    from reading
    where value is not null and measured_at >= (select rolled_to from reading_horizon)
    group by 1, 2, 3;
    create view state_day as
    select device_id, metric_id, day, first_state, last_state, min_state, max_state, readings, first_at, last_at
    from state_day_kept
    union all
    select device_id, metric_id, date_bin('1 day', measured_at, timestamptz '2000-01-01 00:00:00+00'),
           (array_agg(state order by measured_at))[1], (array_agg(state order by measured_at desc))[1],
           min(state), max(state), count(*), min(measured_at), max(measured_at)
    from reading
    where state is not null and measured_at >= (select rolled_to from reading_horizon)
    group by 1, 2, 3;
end $$;

-- From now on what comes for days that are over marks them: those before the newest reading's, and before `at_least`. Whoever
-- is storing such readings at the moment is waited for, so that what is rolled up next has them.
create function advance_late_mark(at_least timestamptz) returns void language sql as $$
    update reading_horizon h set marked_to = w.over
    from (select greatest(at_least, (select date_bin('1 day', max(measured_at) - interval '1 hour',
                                                  timestamptz '2000-01-01 00:00:00+00')
                                  from reading_latest)) as over) w
    where w.over > h.marked_to
$$;

-- Makes the hours and days of some spans of whole days, one of a device each, of all its readings there.
create function keep_days(of_devices bigint[], from_ats timestamptz[], to_ats timestamptz[]) returns void language sql as $$
    with series as materialized (
        select k.device_id, m.metric_id, m.kind, k.from_at, k.to_at
        from unnest(of_devices, from_ats, to_ats) as k (device_id, from_at, to_at)
        join device d using (device_id) join metric m using (model)
    ), hours as materialized (
        select s.device_id, s.metric_id, h.*
        from series s
        cross join lateral (
            select date_bin('1 hour', r.measured_at, timestamptz '2000-01-01 00:00:00+00') as hour,
                   (array_agg(r.value order by r.measured_at))[1] as first_value,
                   (array_agg(r.value order by r.measured_at desc))[1] as last_value,
                   min(r.value) as min_value, max(r.value) as max_value, avg(r.value) as avg_value,
                   count(*) as readings, min(r.measured_at) as first_at, max(r.measured_at) as last_at
            from reading r
            where r.device_id = s.device_id and r.metric_id = s.metric_id
              and r.measured_at >= s.from_at and r.measured_at < s.to_at and r.value is not null
            group by 1) h
        where s.kind <> 'state'
    ), kept_hours as (
        insert into reading_hour_kept (device_id, metric_id, hour, min_value, max_value, avg_value, readings)
        select device_id, metric_id, hour, min_value, max_value, avg_value, readings from hours
        on conflict (device_id, metric_id, hour) do update
        set min_value = excluded.min_value, max_value = excluded.max_value, avg_value = excluded.avg_value,
            readings = excluded.readings
    ), kept_states as (
        insert into state_day_kept (device_id, metric_id, day, first_state, last_state, min_state, max_state, readings,
                                    first_at, last_at)
        select s.device_id, s.metric_id, d.*
        from series s
        cross join lateral (
            select date_bin('1 day', r.measured_at, timestamptz '2000-01-01 00:00:00+00'),
                   (array_agg(r.state order by r.measured_at))[1], (array_agg(r.state order by r.measured_at desc))[1],
                   min(r.state), max(r.state), count(*), min(r.measured_at), max(r.measured_at)
            from reading r
            where r.device_id = s.device_id and r.metric_id = s.metric_id
              and r.measured_at >= s.from_at and r.measured_at < s.to_at and r.state is not null
            group by 1) d
        where s.kind = 'state'
        on conflict (device_id, metric_id, day) do update
        set first_state = excluded.first_state, last_state = excluded.last_state, min_state = excluded.min_state,
            max_state = excluded.max_state, readings = excluded.readings, first_at = excluded.first_at,
            last_at = excluded.last_at
    )
    insert into reading_day_kept (device_id, metric_id, day, first_value, last_value, min_value, max_value, avg_value,
                                  readings, first_at, last_at)
    select device_id, metric_id, date_bin('1 day', hour, timestamptz '2000-01-01 00:00:00+00'),
           (array_agg(first_value order by hour))[1], (array_agg(last_value order by hour desc))[1],
           min(min_value), max(max_value), sum(avg_value * readings) / sum(readings), sum(readings),
           min(first_at), max(last_at)
    from hours group by 1, 2, 3
    on conflict (device_id, metric_id, day) do update
    set first_value = excluded.first_value, last_value = excluded.last_value, min_value = excluded.min_value,
        max_value = excluded.max_value, avg_value = excluded.avg_value, readings = excluded.readings,
        first_at = excluded.first_at, last_at = excluded.last_at
$$;

-- The day of the oldest reading, one look at the key for each series: there is no index on the time alone.
create function oldest_reading_day() returns timestamptz language sql stable as $$
    select date_bin('1 day', min(oldest.measured_at), timestamptz '2000-01-01 00:00:00+00')
    from device d join metric m using (model)
    cross join lateral (select r.measured_at from reading r
                        where r.device_id = d.device_id and r.metric_id = m.metric_id
                        order by r.measured_at limit 1) oldest
$$;

-- Rolls up some days that got readings late, else up to a month that is over; false when nothing is left. Readings of days
-- whose readings are gone already are left to what drops them.
create function roll_up_readings() returns boolean language plpgsql as $$
declare
    h reading_horizon;
    devices bigint[];
    days timestamptz[];
    from_at timestamptz;
begin
    lock table reading_horizon in share row exclusive mode;
    select * into h from reading_horizon;
    with chosen as (
        select device_id, day from reading_late where step = 'marked' order by device_id, day limit 1000 for update
    ), rolled as (
        update reading_late l set step = 'rolled' from chosen c where (l.device_id, l.day) = (c.device_id, c.day)
    )
    select array_agg(device_id), array_agg(day) into devices, days from chosen;
    if devices is not null then
        perform keep_days(array_agg(k.device_id), array_agg(k.day), array_agg(k.day + interval '24 hours'))
        from unnest(devices, days) as k (device_id, day) where k.day >= h.live_from;
        return true;
    end if;
    if h.rolled_to >= h.marked_to then
        return false;
    end if;
    from_at := case when h.rolled_to = '-infinity' then oldest_reading_day() else h.rolled_to end;
    from_at := least(coalesce(from_at, h.marked_to), h.marked_to);
    h.rolled_to := least(date_trunc('month', from_at, 'UTC') + interval '1 month', h.marked_to);
    perform keep_days(array_agg(device_id), array_agg(from_at), array_agg(h.rolled_to)) from device;
    update reading_horizon set rolled_to = h.rolled_to;
    return true;
end $$;

-- Whole months go.
create or replace function readings_droppable_to(before timestamptz) returns timestamptz language sql stable as $$
    select date_trunc('month', before, 'UTC')
$$;

-- Adds what came for a day whose readings were dropped to its kept day, and drops it; how many readings.
create function drop_late_day(from_at timestamptz) returns bigint language sql as $$
    -- One statement sees one moment: what comes meanwhile is neither kept nor dropped, and is dropped the next time.
    with gone as (
        delete from reading r using device d join metric m using (model)
        where r.device_id = d.device_id and r.metric_id = m.metric_id
          and r.measured_at >= from_at and r.measured_at < from_at + interval '24 hours'
        returning r.*
    ), states as (
        insert into state_day_kept as kept
        select device_id, metric_id, from_at,
               (array_agg(state order by measured_at))[1], (array_agg(state order by measured_at desc))[1],
               min(state), max(state), count(*), min(measured_at), max(measured_at)
        from gone where state is not null group by device_id, metric_id
        on conflict (device_id, metric_id, day) do update
        set first_state = case when excluded.first_at < kept.first_at then excluded.first_state else kept.first_state end,
            last_state = case when excluded.last_at > kept.last_at then excluded.last_state else kept.last_state end,
            min_state = least(kept.min_state, excluded.min_state),
            max_state = greatest(kept.max_state, excluded.max_state),
            readings = kept.readings + excluded.readings,
            first_at = least(kept.first_at, excluded.first_at),
            last_at = greatest(kept.last_at, excluded.last_at)
    ), hours as (
        insert into reading_hour_kept as kept (device_id, metric_id, hour, min_value, max_value, avg_value, readings)
        select device_id, metric_id, date_bin('1 hour', measured_at, timestamptz '2000-01-01 00:00:00+00'),
               min(value), max(value), avg(value), count(*)
        from gone where value is not null group by 1, 2, 3
        on conflict (device_id, metric_id, hour) do update
        set min_value = least(kept.min_value, excluded.min_value),
            max_value = greatest(kept.max_value, excluded.max_value),
            avg_value = (kept.avg_value * kept.readings + excluded.avg_value * excluded.readings)
                        / (kept.readings + excluded.readings),
            readings = kept.readings + excluded.readings
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
    select count(*) from gone
$$;

-- Drops the oldest readings that are over by `before` and rolled up: a month's table, else a day; how many went, null when
-- there are none. By their age, so that all that is older than live_from is gone.
create or replace function drop_oldest_readings(before timestamptz) returns bigint language plpgsql as $$
declare
    h reading_horizon;
    over timestamptz;
    oldest timestamptz := oldest_reading_day();
    whole record;
    dropped bigint;
begin
    lock table reading_horizon in share row exclusive mode;
    select * into h from reading_horizon;
    if oldest < h.live_from then
        return drop_late_day(oldest);
    end if;
    over := least(readings_droppable_to(before), h.rolled_to,
                  (select min(day) from reading_late where step = 'marked' and day >= h.live_from));
    select partition, to_at into whole from reading_partition p
    where p.to_at <= over and (oldest is null or oldest >= p.from_at) order by to_at limit 1;
    if found then
        execute format('select count(*) from %s', whole.partition) into dropped;
        -- Whoever waits for its lock stops all who come later, so it is not waited for long.
        set local lock_timeout = '3s';
        execute format('drop table %s', whole.partition);
    elsif oldest + interval '24 hours' <= over then
        whole.to_at := oldest + interval '24 hours';
        delete from reading r using device d join metric m using (model)
        where r.device_id = d.device_id and r.metric_id = m.metric_id
          and r.measured_at >= oldest and r.measured_at < whole.to_at;
        get diagnostics dropped = row_count;
    else
        return null;
    end if;
    update reading_horizon set live_from = greatest(live_from, whole.to_at);
    return dropped;
end $$;

-- Hours that are older than a moment: at most so many go, or are counted.
create function end_kept_hours(before timestamptz, most bigint, deleting boolean) returns bigint language sql as $$
    with old as (
        select device_id, metric_id, hour from reading_hour_kept
        where hour < before order by device_id, metric_id, hour limit most
    ), gone as (
        delete from reading_hour_kept k using old
        where deleting and (k.device_id, k.metric_id, k.hour) = (old.device_id, old.metric_id, old.hour) returning 1
    )
    select case when deleting then (select count(*) from gone) else (select count(*) from old) end
$$;
