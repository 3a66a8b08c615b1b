-- name: export_devices
-- Which devices they had, from when until when.
select serial, model, owned_from, owned_until from owned_device
where customer_id = any(%(customer_ids)s::text[]) order by owned_from, serial;

-- name: export_reading_days
-- What their devices measured, by the day; the calls of the API give each reading.
select o.serial, m.name as metric, d.day, d.first_value, d.last_value, d.min_value, d.max_value, d.avg_value, d.readings
from owned_device o join reading_day d using (device_id) join metric m using (metric_id)
where o.customer_id = any(%(customer_ids)s::text[]) and d.day >= date_trunc('day', o.owned_from)
  and (o.owned_until is null or d.day < o.owned_until)
order by o.owned_from, o.serial, d.day, m.name;

-- name: export_state_days
-- In which states their devices were, by the day.
select o.serial, m.name as metric, d.day, d.first_state, d.last_state, d.min_state, d.max_state, d.readings
from owned_device o join state_day d using (device_id) join metric m using (metric_id)
where o.customer_id = any(%(customer_ids)s::text[]) and d.day >= date_trunc('day', o.owned_from)
  and (o.owned_until is null or d.day < o.owned_until)
order by o.owned_from, o.serial, d.day, m.name;

-- name: export_parts
-- Which parts their devices had.
select o.serial, i.part, i.consumable, i.installed_at, i.ended_at, i.ended_by
from owned_device o join installation i using (device_id)
where o.customer_id = any(%(customer_ids)s::text[]) and (o.owned_until is null or i.installed_at < o.owned_until)
  and (i.ended_at is null or i.ended_at > o.owned_from)
order by o.owned_from, o.serial, i.installed_at, i.part;

-- name: erase_ownership
-- Their periods stay as somebody's, so that the next owner sees nothing of them.
update device_owner set customer_id = null, granted_by = %(word)s, owned_until = coalesce(owned_until, %(at)s)
where customer_id = any(%(customer_ids)s::text[]);

-- name: erase_owner_of_now
-- Their devices are nobody's.
update device set customer_id = null where customer_id = any(%(customer_ids)s::text[]);

-- name: erase_aliases
-- What a household called its devices.
delete from device_alias where device_id in (
    select device_id from owned_device where customer_id = any(%(customer_ids)s::text[]) and owned_until is null);

-- name: erase_claim_failures
-- Wrong codes that they tried.
delete from claim_failures where customer_id = any(%(customer_ids)s::text[]);

-- name: erase_transfer_codes
-- Codes by which they would have handed a device on.
delete from claim_code where kind = 'transfer' and device_id in (
    select device_id from owned_device where customer_id = any(%(customer_ids)s::text[]) and owned_until is null);
