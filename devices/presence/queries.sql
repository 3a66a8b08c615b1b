-- name: select_presence
-- How a device is there, of what was heard since a moment.
select connection, connection_since, reporting, heard_at, interval_s
from device_presence(%(device_id)s::bigint, %(at)s::timestamptz, coalesce(%(since)s::timestamptz, '-infinity'));

-- name: select_devices_present
-- A page of devices after a key that are there in some way, of one customer or of all.
select d.* from registered_device d left join device_owner w on w.device_id = d.device_id and w.owned_until is null
cross join lateral device_presence(d.device_id, %(at)s::timestamptz,
                                   case when %(customer_id)s::text is null then '-infinity' else w.owned_from end) p
where d.device_id > %(after)s::bigint and (%(customer_id)s::text is null or d.customer_id = %(customer_id)s::text)
  and (%(connection)s::text is null or p.connection = %(connection)s::text)
  and (%(reporting)s::text is null or p.reporting = %(reporting)s::text)
order by d.device_id limit %(limit)s;

-- name: select_heard_devices
-- The next devices after a key that were heard since a moment.
select d.device_id from device d
where d.device_id > %(after)s::bigint
  and exists (select 1 from device_latest l where l.device_id = d.device_id and l.received_at >= %(since)s::timestamptz)
order by d.device_id limit %(limit)s;

-- name: upsert_intervals
-- How often devices usually speak.
insert into reporting_interval (device_id, interval_s, learnt_at)
select device_id, interval_s, %(at)s::timestamptz
from unnest(%(device_ids)s::bigint[], %(intervals)s::float8[]) as t (device_id, interval_s)
on conflict (device_id) do update set interval_s = excluded.interval_s, learnt_at = excluded.learnt_at;

-- name: delete_intervals
-- Devices that have no usual interval any more.
delete from reporting_interval where device_id = any(%(device_ids)s::bigint[]);
