-- name: upsert_consumable
-- Add or renew a consumable.
insert into consumable (consumable, name, sku) values (%(consumable)s, %(name)s, %(sku)s)
on conflict (consumable) do update set name = excluded.name, sku = excluded.sku;

-- name: upsert_device_model
-- Add or renew a device model.
insert into device_model (model, name, category, sku, speaks, also)
values (%(model)s, %(name)s, %(category)s, %(sku)s, %(speaks)s, %(also)s::text[])
on conflict (model) do update set name = excluded.name, category = excluded.category, sku = excluded.sku,
    speaks = excluded.speaks, also = excluded.also;

-- name: select_device_models
-- A page of models after one, of all or of those in whose names a text stands.
select model, name, category, sku, also, speaks from device_model
where model > %(after)s::text
  and position(lower(%(search)s::text) in lower(concat_ws(' ', model, name ->> 'en', array_to_string(also, ' ')))) > 0
order by model limit %(limit)s;

-- name: select_device_model
-- One model.
select model, name, category, sku, also, speaks from device_model where model = %(model)s;

-- name: select_models_called
-- The models that a hub or a maker calls so, whatever its letters' case.
select model, called from device_model, unnest(array_append(also, model)) as called
where lower(called) = any(%(names)s::text[]) order by called, model;

-- name: select_speaks
-- What every model's properties mean, in each language that it speaks.
select model, key as format, value as properties from device_model, jsonb_each(speaks) order by model, key;

-- name: upsert_metric
-- Add or renew a metric; its id and unit stay.
insert into metric (model, name, kind, unit, min_value, max_value, states)
values (%(model)s, %(name)s, %(kind)s, %(unit)s, %(min_value)s, %(max_value)s, %(states)s)
on conflict (model, name) do update
set min_value = excluded.min_value, max_value = excluded.max_value, states = excluded.states
where metric.kind = excluded.kind and metric.unit = excluded.unit
returning metric_id;

-- name: upsert_model_part
-- Add or renew a place for a consumable.
insert into model_part (model, part, consumable, threshold_pct, prior_life_days)
values (%(model)s, %(part)s, %(consumable)s, %(threshold_pct)s, %(prior_life_days)s)
on conflict (model, part) do update set consumable = excluded.consumable,
    threshold_pct = excluded.threshold_pct, prior_life_days = excluded.prior_life_days;

-- name: upsert_part_limit
-- Add or renew what limits a part.
insert into part_limit (model, part, metric_id, measure, capacity, quantum, most_per_day, due)
values (%(model)s, %(part)s, %(metric_id)s, %(measure)s, %(capacity)s, %(quantum)s, %(most_per_day)s, %(due)s::text[])
on conflict (model, part, metric_id) do update
set measure = excluded.measure, capacity = excluded.capacity, quantum = excluded.quantum,
    most_per_day = excluded.most_per_day, due = excluded.due;

-- name: delete_part_limits
-- What does not limit a part any more.
delete from part_limit where model = %(model)s and part = %(part)s and metric_id <> all(%(metric_ids)s::int[]);

-- name: insert_device
-- Register a device.
insert into device (serial, model, region, customer_id, installed_at, registered_at)
values (%(serial)s, %(model)s, %(region)s, %(customer_id)s, %(installed_at)s, %(at)s);

-- name: insert_first_installations
-- The parts a model comes with are installed when the device is.
insert into installation (device_id, part, consumable, installed_at)
select %(device_id)s::bigint, part, consumable, %(installed_at)s::timestamptz from model_part where model = %(model)s;

-- name: select_devices_by_serial
-- Those of the given serials that are registered.
select * from registered_device where serial = any(%(serials)s::text[]);

-- name: select_known_devices
-- The least of those of the given serials that are registered.
select serial, device_id, model from device where serial = any(%(serials)s::text[]);

-- name: select_registry_changes
-- How often something changed or went that may be remembered of devices, models and metrics.
select changes from registry_changes;

-- name: insert_alias
-- What a format calls a device; a name that stands for one already stays as it is.
insert into device_alias (format, external_id, device_id, aliased_at)
values (%(format)s, %(external_id)s, %(device_id)s, %(at)s)
on conflict on constraint device_alias_names_one_device do nothing;

-- name: select_aliases
-- The serials of the devices that a format calls so.
select a.external_id, d.serial
from device_alias a join device d using (device_id)
where a.format = %(format)s and a.external_id = any(%(external_ids)s::text[]);

-- name: select_aliases_of_device
-- What formats call a device.
select format, external_id, aliased_at from device_alias
where device_id = %(device_id)s order by format, external_id limit 1000;

-- name: delete_alias
-- A format's name stands for the device no longer.
delete from device_alias
where format = %(format)s and external_id = %(external_id)s and device_id = %(device_id)s;

-- name: select_devices
-- A page of devices after a key, of one customer or of all.
select * from registered_device
where device_id > %(after)s and (%(customer_id)s::text is null or customer_id = %(customer_id)s::text)
order by device_id limit %(limit)s;

-- name: lock_device
-- Let nobody else change a device's owner and place until the transaction ends.
select 1 from device where serial = %(serial)s for no key update;

-- name: insert_owner
-- A customer owns a device from a moment on.
insert into device_owner (device_id, customer_id, owned_from, granted_by)
values (%(device_id)s, %(customer_id)s, %(owned_from)s, %(granted_by)s);

-- name: end_owner
-- The owner's period ends, never before it began.
update device_owner set owned_until = greatest(owned_from, %(at)s::timestamptz)
where device_id = %(device_id)s and owned_until is null
returning owned_until;

-- name: update_device_owner
-- Who owns a device now.
update device set customer_id = %(customer_id)s where device_id = %(device_id)s;

-- name: select_last_owned
-- When the last period of ownership that is over ended; null when there was none.
select max(owned_until) from device_owner where device_id = %(device_id)s;

-- name: select_owners
-- Who owned a device from when until when, oldest first.
select p.customer_id, w.owned_from, w.owned_until, w.granted_by
from device_owner w join person p on p.known_as = w.customer_id where w.device_id = %(device_id)s order by owned_from, owned_until nulls last;

-- name: select_owned_from
-- Since when a device's owner of now has owned it.
select owned_from from device_owner where device_id = %(device_id)s and owned_until is null;

-- name: count_devices_of
-- How many devices a customer owns now.
select count(*) from device where customer_id = any(person_ids(%(customer_id)s));

-- name: update_device_place
-- Where a device stands and since when.
update device set region = %(region)s, installed_at = %(installed_at)s where device_id = %(device_id)s;

-- name: move_first_installations
-- The parts that a device came with were installed when it was.
update installation set installed_at = %(installed_at)s::timestamptz
where device_id = %(device_id)s and installed_at = %(before)s::timestamptz;

-- name: move_first_owner
-- Who owned a device since it was installed has owned it since the corrected moment.
update device_owner set owned_from = %(installed_at)s::timestamptz
where device_id = %(device_id)s and owned_from = %(before)s::timestamptz;

-- name: upsert_claim_code
-- Issue a code of a kind; the one before is not valid any more.
insert into claim_code (device_id, kind, code_sha256, issued_at, issued_by, expires_at)
values (%(device_id)s, %(kind)s, %(code_sha256)s, %(at)s, %(issued_by)s, %(expires_at)s)
on conflict (device_id, kind) do update
set code_sha256 = excluded.code_sha256, issued_at = excluded.issued_at, issued_by = excluded.issued_by,
    expires_at = excluded.expires_at;

-- name: select_claim_kind
-- Of which kind a code is that a device waits for; no row for an unknown device, a wrong code, or one that is over.
select c.kind from claim_code c join device d using (device_id)
where d.serial = %(serial)s and c.code_sha256 = %(code_sha256)s and c.kind <> 'provision'
  and (c.expires_at is null or c.expires_at > %(at)s::timestamptz);

-- name: select_labelled
-- Those of the given devices that have a label's code.
select device_id from claim_code where device_id = any(%(device_ids)s::bigint[]) and kind = 'label';

-- name: delete_transfer_code
-- A transfer's code is used once, and is worth nothing under another owner.
delete from claim_code where device_id = %(device_id)s and kind = 'transfer';

-- name: count_claim_failure
-- One more try of a customer within the hour that began with the first.
insert into claim_failures (customer_id, began_at, failures) values (%(customer_id)s, %(at)s, 1)
on conflict (customer_id) do update
set began_at = case when claim_failures.began_at <= %(hour_ago)s::timestamptz then excluded.began_at
                    else claim_failures.began_at end,
    failures = case when claim_failures.began_at <= %(hour_ago)s::timestamptz then 1
                    else claim_failures.failures + 1 end
returning failures;

-- name: delete_claim_failures
-- Count the failures of a customer anew, after a right code.
delete from claim_failures where customer_id = %(customer_id)s;

-- name: select_device_status
-- What a device last said of itself.
select state, session, changed_at from device_status where device_id = %(device_id)s;

-- name: upsert_device_status
-- An online always counts; an offline only of the session that is online. What says nothing new moves no time.
insert into device_status (device_id, state, session, changed_at)
values (%(device_id)s, %(state)s, %(session)s, %(at)s)
on conflict (device_id) do update
set state = excluded.state, session = excluded.session, changed_at = excluded.changed_at
where (excluded.state = 'online' or device_status.session = excluded.session)
  and (device_status.state, device_status.session) <> (excluded.state, excluded.session);

-- name: select_metrics
-- All metrics of all models.
select metric_id, model, name, kind, unit, min_value, max_value, states from metric order by model, name;

-- name: select_part_limits
-- What limits a model's parts, finest source first.
select l.model, l.part, l.metric_id, m.name as metric, l.measure, l.capacity, l.quantum, m.unit, l.most_per_day, l.due
from part_limit l join metric m using (metric_id) order by l.model, l.part, l.metric_id;

-- name: select_model_parts
-- Every model's places for consumables.
select p.model, p.part, p.consumable, c.sku, p.threshold_pct, p.prior_life_days
from model_part p join consumable c using (consumable) order by p.model, p.part;

-- name: select_used_consumables
-- The consumables that device models have places for.
select distinct m.model, m.sku as model_sku, c.sku
from device_model m join model_part p using (model) join consumable c using (consumable) order by m.model, c.sku;

-- name: select_installations
-- All installations of a device, newest first.
select installation_id, device_id, part, consumable, installed_at, ended_at, ended_by, undone_because
from installation where device_id = %(device_id)s order by part, installed_at desc;

-- name: select_measured_between
-- The moments in pieces of series at which there is a reading; each piece is looked up where it lies in time, and by itself
-- (the offset): joined as a whole, many pieces of one series would each be compared with all that it has.
select k.device_id, r.measured_at
from unnest(%(device_ids)s::bigint[], %(metric_ids)s::int[], %(from_ats)s::timestamptz[], %(to_ats)s::timestamptz[])
     as k (device_id, metric_id, from_at, to_at)
cross join lateral (select t.measured_at from reading t
                    where t.device_id = k.device_id and t.metric_id = k.metric_id
                      and t.measured_at between k.from_at and k.to_at offset 0) r;

-- name: select_latest
-- The newest value of every metric of a device.
select m.name as metric, m.unit, l.measured_at, l.value, l.state
from reading_latest l join metric m using (metric_id) where l.device_id = %(device_id)s order by m.name;

-- name: select_named_replacements
-- The products that devices name for their parts now, by model: the states of metrics named like `hepa_product_ean`.
select d.model, dm.sku, substring(m.name from '^(.*)_product_') as part,
       substring(m.name from '_product_(upc|gtin8|ean|gtin14|oem)[0-9]*$') as kind, l.state as number,
       count(*)::integer as devices
from reading_latest l
join metric m using (metric_id)
join device d using (device_id)
join device_model dm on dm.model = d.model
where m.kind = 'state' and m.name ~ '._product_(upc|gtin8|ean|gtin14|oem)[0-9]*$' and l.state is not null
group by 1, 2, 3, 4, 5
order by 1, 3, 4, 5;

-- name: select_days_heard
-- Of each day of a device how many readings the metric has that it says most often, and when the first one was.
select day, max(readings)::bigint as samples, min(first_at) as first_at
from reading_day
where device_id = %(device_id)s and metric_id in (select metric_id from metric join device using (model)
                                                  where device_id = %(device_id)s)
  and day >= %(from_at)s::timestamptz and day < %(to_at)s::timestamptz
group by day order by day;
