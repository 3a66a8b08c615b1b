-- name: create_copied_reading
-- Where many readings are before they are stored; each session has its own, and a commit empties it.
create temporary table if not exists copied_reading (
    line bigint, device_id bigint, metric_id integer, measured_at timestamptz, value double precision, state text
) on commit delete rows;

-- name: copy_readings
-- The quick way in.
copy copied_reading (line, device_id, metric_id, measured_at, value, state) from stdin (format binary);

-- name: insert_copied_readings
-- Store what is new of the copied readings, the first of a key, and keep the latest values; key order keeps writers apart.
with new as (
    insert into reading (device_id, metric_id, measured_at, value, state, received_at, corrected)
    select distinct on (device_id, metric_id, measured_at)
           device_id, metric_id, measured_at, value, state, %(at)s::timestamptz, false
    from copied_reading order by device_id, metric_id, measured_at, line
    on conflict (device_id, metric_id, measured_at) do nothing
    returning device_id, metric_id, measured_at, value, state, received_at
), latest as (
    insert into reading_latest (device_id, metric_id, measured_at, value, state, received_at)
    select distinct on (device_id, metric_id) device_id, metric_id, measured_at, value, state, received_at
    from new order by device_id, metric_id, measured_at desc
    on conflict (device_id, metric_id) do update
    set measured_at = excluded.measured_at, value = excluded.value, state = excluded.state,
        received_at = excluded.received_at
    where excluded.measured_at > reading_latest.measured_at
)
select count(*) from new;

-- name: select_differing_readings
-- Copied readings that disagree with what is stored; span and lateral lookup bound it as in `select_readings_by_key`.
select distinct c.device_id, c.metric_id, c.measured_at, c.value, c.state, %(at)s::timestamptz as received_at,
       false as corrected
from copied_reading c
cross join lateral (
    select t.value, t.state from reading t
    where t.device_id = c.device_id and t.metric_id = c.metric_id and t.measured_at = c.measured_at
      and t.measured_at between %(from_at)s::timestamptz and %(to_at)s::timestamptz
    limit 1
) r
where (c.value, c.state) is distinct from (r.value, r.state)
order by c.device_id, c.metric_id, c.measured_at;
