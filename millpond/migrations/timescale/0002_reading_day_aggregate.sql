-- The plain rollup view gives way to a continuous aggregate of the same name and columns.
drop view reading_day;
create materialized view reading_day with (timescaledb.continuous, timescaledb.materialized_only = false) as
select device_id, metric_id,
       time_bucket(interval '1 day', measured_at) as day,
       first(value, measured_at) as first_value,
       last(value, measured_at) as last_value,
       min(value) as min_value,
       max(value) as max_value,
       avg(value) as avg_value,
       count(*) as readings,
       min(measured_at) as first_at,
       max(measured_at) as last_at
from reading
where value is not null
group by device_id, metric_id, time_bucket(interval '1 day', measured_at)
with no data;
-- The whole past is in the window: a refresh touches only the days that changed, however late the data came.
select add_continuous_aggregate_policy('reading_day', start_offset => null, end_offset => interval '1 hour',
                                       schedule_interval => interval '15 minutes');
create or replace procedure refresh_reading_day() language plpgsql as $$
begin
    call refresh_continuous_aggregate('reading_day', null, null);
end $$;
