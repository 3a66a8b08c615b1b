-- name: copy_readings
-- Store readings that nobody has seen; one that is there already ends it.
copy reading (device_id, metric_id, measured_at, value, state, received_at, corrected) from stdin (format binary);

-- name: insert_readings
-- Store readings; those whose key exists are left as they are.
insert into reading (device_id, metric_id, measured_at, value, state, received_at, corrected)
select * from unnest(%(device_ids)s::bigint[], %(metric_ids)s::int[], %(measured_ats)s::timestamptz[],
                     %(values)s::float8[], %(states)s::text[], %(received_ats)s::timestamptz[], %(corrected)s::bool[])
on conflict (device_id, metric_id, measured_at) do nothing;

-- name: select_unlike
-- The places, counted from 0, of those readings that are not stored, and of those that are and say another thing.
-- All lie in the given span of times: it says which parts of a divided table matter at all, and the lateral lookup leaves
-- of these the one of each key.
select coalesce(array_agg(place) filter (where not stored), '{}') as missing,
       coalesce(array_agg(place) filter (where stored), '{}') as differing
from (
    select k.place - 1 as place, r.corrected is not null as stored
    from unnest(%(device_ids)s::bigint[], %(metric_ids)s::int[], %(measured_ats)s::timestamptz[], %(values)s::float8[],
                %(states)s::text[], %(corrected)s::bool[])
         with ordinality as k (device_id, metric_id, measured_at, value, state, corrected, place)
    left join lateral (
        select t.value, t.state, t.corrected
        from reading t
        where t.device_id = k.device_id and t.metric_id = k.metric_id and t.measured_at = k.measured_at
          and t.measured_at between %(from_at)s::timestamptz and %(to_at)s::timestamptz
        limit 1
    ) r on true
    where (k.value, k.state, k.corrected) is distinct from (r.value, r.state, r.corrected)
) unlike;

-- name: replace_latest
-- Keep the latest values of devices that are new, or of which each metric came with a newer value; returns these devices.
-- The others are locked and left as they are. Rows come one per device and in key order, so that writers never deadlock.
insert into device_latest as l (device_id, newest_at, received_at, metric_ids, measured_ats, values, states)
select device_id, newest_at, received_at, (%(metric_ids)s::int[])[first:last], (%(measured_ats)s::timestamptz[])[first:last],
       (%(values)s::float8[])[first:last], states::text[]
from unnest(%(device_ids)s::bigint[], %(newest_ats)s::timestamptz[], %(received_ats)s::timestamptz[],
            %(firsts)s::int[], %(lasts)s::int[], %(states)s::text[])
     as k (device_id, newest_at, received_at, first, last, states)
on conflict (device_id) do update
set newest_at = excluded.newest_at, received_at = greatest(excluded.received_at, l.received_at),
    measured_ats = excluded.measured_ats, values = excluded.values, states = excluded.states
where l.metric_ids = excluded.metric_ids and l.newest_at < all (excluded.measured_ats)
returning device_id;

-- name: merge_latest
-- Keep the newest value per metric of devices that have a row, which is locked; of two of one moment the first.
with came as (
    select device_id, metric_id, measured_at, value, state, received_at
    from unnest(%(device_ids)s::bigint[], %(metric_ids)s::int[], %(measured_ats)s::timestamptz[], %(values)s::float8[],
                %(states)s::text[], %(received_ats)s::timestamptz[])
         as k (device_id, metric_id, measured_at, value, state, received_at)
), newest as (
    select distinct on (device_id, metric_id) device_id, metric_id, measured_at, value, state, received_at
    from (select device_id, metric_id, measured_at, value, state, received_at from came
          union all
          select device_id, metric_id, measured_at, value, state, null
          from reading_latest where device_id = any(%(device_ids)s::bigint[])) came_or_was
    order by device_id, metric_id, measured_at desc, received_at nulls first
), latest as (
    select device_id, max(measured_at) as newest_at, max(received_at) as received_at,
           array_agg(metric_id order by metric_id) as metric_ids, array_agg(measured_at order by metric_id) as measured_ats,
           array_agg(coalesce(value, 'NaN') order by metric_id) as values,
           case when count(state) > 0 then array_agg(state order by metric_id) end as states
    from newest group by device_id
)
update device_latest l
set newest_at = n.newest_at, received_at = greatest(n.received_at, l.received_at), metric_ids = n.metric_ids,
    measured_ats = n.measured_ats, values = n.values, states = n.states
from latest n where n.device_id = l.device_id and n.received_at is not null;
