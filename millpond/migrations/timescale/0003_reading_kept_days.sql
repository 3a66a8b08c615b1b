-- The aggregate becomes the live part of reading_day, which keeps the days of what is dropped, as the plain one does.
drop view if exists reading_day_live;
select remove_continuous_aggregate_policy('reading_day');
alter materialized view reading_day rename to reading_day_live;
create view reading_day as
select device_id, metric_id, day, first_value, last_value, min_value, max_value, avg_value, readings, first_at, last_at
from reading_day_kept
union all
select device_id, metric_id, day, first_value, last_value, min_value, max_value, avg_value, readings, first_at, last_at
from reading_day_live
where day >= coalesce((select live_from from reading_horizon), '-infinity');

-- It served no query: every one asks for a device and a metric, and chunks are found by their time without it.
drop index if exists reading_measured_at_idx;

-- Drops the oldest chunk that ends by `before` and keeps its days; how many readings went, null when there is no such chunk.
create or replace function drop_oldest_readings(before timestamptz) returns bigint language plpgsql as $$
declare
    chunk record;
    dropped bigint;
begin
    lock table reading_horizon in share row exclusive mode;
    select format('%I.%I', chunk_schema, chunk_name) as name, range_start, range_end into chunk
    from timescaledb_information.chunks
    where hypertable_schema = current_schema() and hypertable_name = 'reading' and range_end <= before
    order by range_end limit 1;
    if not found then
        return null;
    end if;
    -- What comes late waits, and then begins a new chunk, which is dropped the next time.
    execute format('lock table %s in share row exclusive mode', chunk.name);
    select count(*) into dropped from reading where measured_at >= chunk.range_start and measured_at < chunk.range_end;
    insert into reading_day_kept as kept
    select device_id, metric_id, time_bucket(interval '1 day', measured_at), first(value, measured_at),
           last(value, measured_at), min(value), max(value), avg(value), count(*), min(measured_at), max(measured_at)
    from reading
    where value is not null and measured_at >= chunk.range_start and measured_at < chunk.range_end
    group by 1, 2, 3
    on conflict (device_id, metric_id, day) do update
    set first_value = case when excluded.first_at < kept.first_at then excluded.first_value else kept.first_value end,
        last_value = case when excluded.last_at > kept.last_at then excluded.last_value else kept.last_value end,
        min_value = least(kept.min_value, excluded.min_value),
        max_value = greatest(kept.max_value, excluded.max_value),
        avg_value = (kept.avg_value * kept.readings + excluded.avg_value * excluded.readings)
                    / (kept.readings + excluded.readings),
        readings = kept.readings + excluded.readings,
        first_at = least(kept.first_at, excluded.first_at),
        last_at = greatest(kept.last_at, excluded.last_at);
    insert into reading_horizon (live_from) values (chunk.range_end)
    on conflict (only_one) do update set live_from = greatest(reading_horizon.live_from, excluded.live_from);
    perform drop_chunks('reading', older_than => chunk.range_end, newer_than => chunk.range_start);
    perform drop_chunks('reading_day_live', older_than => live_from) from reading_horizon;
    return dropped;
end $$;

-- Brings reading_day up to date: days that are over, where readings came since. The newest day stays with the readings
-- themselves: once it is materialised, what it still gets would not be seen. What has no chunk any more is left as it is, so
-- that a day outlives its readings also when somebody drops chunks by hand.
create or replace procedure refresh_reading_day() language plpgsql as $$
declare
    over timestamptz := (select time_bucket(interval '1 day', max(measured_at) - interval '1 hour') from reading_latest);
    span record;
begin
    while drop_oldest_readings((select live_from from reading_horizon)) is not null loop
        commit;
    end loop;
    for span in
        select min(range_start) as from_at, least(max(range_end), over) as to_at
        from (select range_start, range_end, count(*) filter (where apart) over (order by range_start) as island
              from (select range_start, range_end, range_start > lag(range_end) over (order by range_start) as apart
                    from timescaledb_information.chunks
                    where hypertable_schema = current_schema() and hypertable_name = 'reading' and range_start < over) c) c
        group by island order by 1
    loop
        call refresh_continuous_aggregate('reading_day_live', span.from_at, span.to_at);
    end loop;
end $$;

-- The same every quarter of an hour, so that late readings are seen also between two forecasts.
create procedure refresh_reading_day_job(job_id integer, config jsonb) language plpgsql as $$
begin
    call refresh_reading_day();
end $$;
select add_job('refresh_reading_day_job', interval '15 minutes', fixed_schedule => false);
