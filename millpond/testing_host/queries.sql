-- name: select_committed
-- Every stored reading of a device, oldest first.
select m.name as metric, r.measured_at, r.value, r.state, m.kind, r.corrected
from reading r join metric m using (metric_id) join device d on d.device_id = r.device_id
where d.serial = %(serial)s::text
order by r.measured_at, m.name;

-- name: select_quarantined
-- What was refused of a device's messages and why, oldest first.
select item, code, reason from quarantine where serial = %(serial)s::text order by quarantine_id;

-- name: select_refusals
-- How many items were refused after one of them, with the newest.
select count(*)::integer as count, coalesce(max(quarantine_id), %(after)s::bigint) as last_id,
       (array_agg(serial order by quarantine_id desc))[1] as serial,
       (array_agg(reason order by quarantine_id desc))[1] as reason
from quarantine where quarantine_id > %(after)s::bigint;

-- name: select_outcomes
-- What became of everything that came in since the platform began.
select received, stored, duplicate, conflict, quarantined from ingest_total;
