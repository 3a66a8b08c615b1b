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

-- name: upsert_latest
-- Keep the newest value per device and metric; rows come one per key and in key order, so that writers never deadlock.
insert into reading_latest (device_id, metric_id, measured_at, value, state, received_at)
select * from unnest(%(device_ids)s::bigint[], %(metric_ids)s::int[], %(measured_ats)s::timestamptz[],
                     %(values)s::float8[], %(states)s::text[], %(received_ats)s::timestamptz[])
on conflict (device_id, metric_id) do update
set measured_at = excluded.measured_at, value = excluded.value, state = excluded.state, received_at = excluded.received_at
where excluded.measured_at > reading_latest.measured_at;
