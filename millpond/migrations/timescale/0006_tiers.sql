-- Hours, and days of states, are aggregates beside that of days, under the names that they have on plain PostgreSQL.
drop view if exists reading_hour, state_day;
create materialized view reading_hour_live with (timescaledb.continuous, timescaledb.materialized_only = false) as
select device_id, metric_id,
       time_bucket(interval '1 hour', measured_at) as hour,
       min(value) as min_value,
       max(value) as max_value,
       avg(value) as avg_value,
       count(*) as readings
from reading
where value is not null
group by device_id, metric_id, time_bucket(interval '1 hour', measured_at)
with no data;
create materialized view state_day_live with (timescaledb.continuous, timescaledb.materialized_only = false) as
select device_id, metric_id,
       time_bucket(interval '1 day', measured_at) as day,
       first(state, measured_at) as first_state,
       last(state, measured_at) as last_state,
       min(state) as min_state,
       max(state) as max_state,
       count(*) as readings,
       min(measured_at) as first_at,
       max(measured_at) as last_at
from reading
where state is not null
group by device_id, metric_id, time_bucket(interval '1 day', measured_at)
with no data;
create view reading_hour as
select device_id, metric_id, hour, min_value, max_value, avg_value, readings from reading_hour_kept
union all
select device_id, metric_id, hour, min_value, max_value, avg_value, readings::integer
from reading_hour_live
where hour >= coalesce((select live_from from reading_horizon), '-infinity');
create view state_day as
select device_id, metric_id, day, first_state, last_state, min_state, max_state, readings, first_at, last_at
from state_day_kept
union all
select device_id, metric_id, day, first_state, last_state, min_state, max_state, readings, first_at, last_at
from state_day_live
where day >= coalesce((select live_from from reading_horizon), '-infinity');
-- Hours are a third of what compressed readings take, and four times as much when they are not compressed themselves.
alter materialized view reading_hour_live set (timescaledb.compress = true);
select create_hypertable('reading_hour_kept', 'hour', chunk_time_interval => interval '28 days', migrate_data => true);
drop index if exists reading_hour_kept_hour_idx;
alter table reading_hour_kept set (timescaledb.compress, timescaledb.compress_segmentby = 'device_id, metric_id',
                                   timescaledb.compress_orderby = 'hour');
select add_compression_policy('reading_hour_kept', compress_after => interval '40 days');

-- The extension does this by itself.
create or replace function roll_up_readings() returns boolean language sql as 'select false';

-- Whole chunks are dropped: the end of the last one that is over by a moment, null when there is none.
create or replace function readings_droppable_to(before timestamptz) returns timestamptz language sql stable as $$
    select max(range_end) from timescaledb_information.chunks
    where hypertable_schema = current_schema() and hypertable_name = 'reading' and range_end <= before
$$;

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
    insert into reading_hour_kept as kept (device_id, metric_id, hour, min_value, max_value, avg_value, readings)
    select device_id, metric_id, time_bucket(interval '1 hour', measured_at), min(value), max(value), avg(value), count(*)
    from reading
    where value is not null and measured_at >= chunk.range_start and measured_at < chunk.range_end
    group by 1, 2, 3
    on conflict (device_id, metric_id, hour) do update
    set min_value = least(kept.min_value, excluded.min_value),
        max_value = greatest(kept.max_value, excluded.max_value),
        avg_value = (kept.avg_value * kept.readings + excluded.avg_value * excluded.readings)
                    / (kept.readings + excluded.readings),
        readings = kept.readings + excluded.readings;
    insert into state_day_kept as kept
    select device_id, metric_id, time_bucket(interval '1 day', measured_at), first(state, measured_at),
           last(state, measured_at), min(state), max(state), count(*), min(measured_at), max(measured_at)
    from reading
    where state is not null and measured_at >= chunk.range_start and measured_at < chunk.range_end
    group by 1, 2, 3
    on conflict (device_id, metric_id, day) do update
    set first_state = case when excluded.first_at < kept.first_at then excluded.first_state else kept.first_state end,
        last_state = case when excluded.last_at > kept.last_at then excluded.last_state else kept.last_state end,
        min_state = least(kept.min_state, excluded.min_state),
        max_state = greatest(kept.max_state, excluded.max_state),
        readings = kept.readings + excluded.readings,
        first_at = least(kept.first_at, excluded.first_at),
        last_at = greatest(kept.last_at, excluded.last_at);
    update reading_horizon set live_from = greatest(live_from, chunk.range_end);
    perform drop_chunks('reading', older_than => chunk.range_end, newer_than => chunk.range_start);
    perform drop_chunks('reading_hour_live', older_than => live_from) from reading_horizon;
    perform drop_chunks('reading_day_live', older_than => live_from) from reading_horizon;
    perform drop_chunks('state_day_live', older_than => live_from) from reading_horizon;
    return dropped;
end $$;

-- Brings hours and days up to date: those that are over, where readings came since. The newest day stays with the readings
-- themselves: once it is materialised, what it still gets would not be seen. What has no chunk any more is left as it is, so
-- that a day outlives its readings also when somebody drops chunks by hand.
create or replace procedure refresh_reading_day() language plpgsql as $$
declare
    over timestamptz := (select time_bucket(interval '1 day', max(measured_at) - interval '1 hour') from reading_latest);
    span record;
    aggregate regclass;
begin
    if over > (select marked_to from reading_horizon) then
        perform advance_late_mark(null);
        commit;
    end if;
    while drop_oldest_readings((select live_from from reading_horizon)) is not null loop
        commit;
    end loop;
    if exists (select from reading_late where step = 'marked') then
        update reading_late set step = 'rolling' where step = 'marked';
        commit;
    end if;
    for span in
        select min(range_start) as from_at, least(max(range_end), over) as to_at
        from (select range_start, range_end, count(*) filter (where apart) over (order by range_start) as island
              from (select range_start, range_end, range_start > lag(range_end) over (order by range_start) as apart
                    from timescaledb_information.chunks
                    where hypertable_schema = current_schema() and hypertable_name = 'reading' and range_start < over) c) c
        group by island order by 1
    loop
        foreach aggregate in array array['reading_day_live', 'reading_hour_live', 'state_day_live']::regclass[] loop
            call refresh_continuous_aggregate(aggregate, span.from_at, span.to_at);
        end loop;
    end loop;
    update reading_late set step = 'rolled' where step = 'rolling';
end $$;

-- The same every quarter of an hour, which also compresses hours: some versions have no policy for an aggregate alone.
create or replace procedure refresh_reading_day_job(job_id integer, config jsonb) language plpgsql as $$
begin
    call refresh_reading_day();
    perform compress_chunk(c, if_not_compressed => true) from show_chunks('reading_hour_live', older_than => interval '40 days') c;
end $$;

-- Hours that are older than a moment go by whole chunks, or are counted. Those whose readings are there stay with them.
create or replace function end_kept_hours(before timestamptz, most bigint, deleting boolean) returns bigint language plpgsql as $$
declare
    over timestamptz := (select max(range_end) from timescaledb_information.chunks
                         where hypertable_schema = current_schema() and hypertable_name = 'reading_hour_kept'
                           and range_end <= before);
    hours bigint := (select count(*) from reading_hour_kept where hour < over);
begin
    if deleting and over is not null then
        perform drop_chunks('reading_hour_kept', older_than => over);
    end if;
    return hours;
end $$;
