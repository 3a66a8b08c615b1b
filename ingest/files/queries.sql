-- name: create_import_row
-- Where the rows of a file are before they are readings; each session has its own, and a commit empties it.
create temporary table if not exists import_row (
    line bigint, device_id bigint, metric_id integer, measured_at timestamptz, value double precision, state text
) on commit delete rows;

-- name: copy_import_rows
-- The quick way in.
copy import_row (line, device_id, metric_id, measured_at, value, state) from stdin (format binary);

-- name: insert_imported_readings
-- Store what is new of a file's rows, the first of a key, and keep the latest values; key order keeps writers apart.
with new as (
    insert into reading (device_id, metric_id, measured_at, value, state, received_at, corrected)
    select distinct on (device_id, metric_id, measured_at)
           device_id, metric_id, measured_at, value, state, %(at)s::timestamptz, false
    from import_row order by device_id, metric_id, measured_at, line
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

-- name: insert_import_conflicts
-- Keep rows of a file that disagree with what is stored; span and lateral lookup bound it as in `select_readings_by_key`.
insert into reading_conflict (device_id, metric_id, measured_at, value, state, received_at)
select distinct i.device_id, i.metric_id, i.measured_at, i.value, i.state, %(at)s::timestamptz
from import_row i
cross join lateral (
    select t.value, t.state from reading t
    where t.device_id = i.device_id and t.metric_id = i.metric_id and t.measured_at = i.measured_at
      and t.measured_at between %(from_at)s::timestamptz and %(to_at)s::timestamptz
    limit 1
) r
where (i.value, i.state) is distinct from (r.value, r.state)
on conflict on constraint conflict_once_per_value do nothing;
