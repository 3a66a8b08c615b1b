-- name: select_ingest_tally
-- What came in and what became of it, in one snapshot, so that received is always the sum of the rest.
select messages, received + in_flight as received, stored, duplicate, conflict, quarantined, dropped, in_flight
from ingest_total;

-- name: select_totals
-- How much there is of everything but what came in, for the metrics page and the operator's first look.
select (select count(*) from device) as devices,
       (select count(*) from device_status where state = 'online') as online,
       (select count(*) from current_customer where known_as = customer_id) as customers,
       (select count(*) from offer where state in ('open', 'seen')) as open_offers,
       (select coalesce(sum(items), 0)::bigint from quarantine where stored_at is null) as quarantined_items,
       (select coalesce(max(gaps), 0) from ingest_consumer) as gaps,
       (select coalesce(max(devices_with_gaps), 0) from ingest_consumer) as devices_with_gaps,
       (select coalesce(sum(numbers_given_up), 0)::bigint from ingest_consumer) as numbers_given_up,
       (select count(distinct serial) from live_name where shared_last_at is not null) as shared_serials,
       (select coalesce(sum(amount_minor), 0)::bigint from posting) as ledger_balance_minor;

-- name: select_household
-- A customer's devices with their model's name and when they were last heard of.
select d.device_id, d.serial, m.name, m.category, greatest(d.installed_at, w.owned_from) as installed_at,
       nullif(p.connection, 'unknown') as status, p.reporting, p.heard_at
from device d join device_model m using (model)
join device_owner w on w.device_id = d.device_id and w.owned_until is null
cross join lateral device_presence(d.device_id, %(at)s::timestamptz, w.owned_from) p
where d.customer_id = any(person_ids(%(customer_id)s))
order by d.device_id limit %(limit)s;

-- name: select_household_parts
-- What is installed now in a customer's devices, each with its newest forecast since they own it; one for a later moment
-- if it is alone.
select i.device_id, i.installation_id, i.part, c.sku, c.name, greatest(i.installed_at, w.owned_from) as installed_at,
       w.owned_from, coalesce(f.threshold_pct, p.threshold_pct) as threshold_pct,
       f.remaining_pct, f.depletes_p10, f.depletes_p50, f.depletes_p90, f.reason, f.reason_code, f.method,
       f.at as forecast_at
from installation i
join device d using (device_id)
join device_owner w on w.device_id = d.device_id and w.owned_until is null
join consumable c using (consumable)
join model_part p on p.model = d.model and p.part = i.part
left join lateral shown_forecast(i.installation_id, %(at)s::timestamptz, w.owned_from) f on true
where d.customer_id = any(person_ids(%(customer_id)s)) and i.ended_at is null
order by i.device_id, i.part;

-- name: select_units_on_their_way
-- How many units of a product a customer has ordered since a moment and not got in a shop, and when the last ones.
select coalesce(sum(l.quantity), 0)::integer as units, max(o.placed_at) as placed_at
from customer_order o join order_line l using (order_id)
where o.customer_id = any(person_ids(%(customer_id)s)) and l.sku = %(sku)s and o.channel <> 'store'
  and o.placed_at > %(since)s and o.placed_at <= %(at)s and o.refunded_minor < o.amount_minor;

-- name: select_remaining_history
-- Percent remaining of a part at the end of each day: by its counters where it has any, else by its percentage.
select r.day, max(r.last_at) as last_at,
       least(100, greatest(0, min(remaining_pct(l.measure, r.last_value, l.capacity)))) as remaining_pct
from device d
join part_limit l on l.model = d.model and l.part = %(part)s
join reading_day r on r.device_id = d.device_id and r.metric_id = l.metric_id
where d.device_id = %(device_id)s
  and r.day > %(since)s::timestamptz - interval '1 day' and r.first_at >= %(since)s::timestamptz
  and l.measure in ('percent_remaining', 'percent_used', 'remaining', 'used')
  and (l.measure in ('remaining', 'used')
       or not exists (select 1 from part_limit o
                      where o.model = l.model and o.part = l.part and o.measure in ('remaining', 'used')))
group by r.day order by r.day;

-- name: select_fleet
-- A page of devices for an operator, those whose serial or model holds a text.
select d.device_id, d.serial, d.model, d.region, c.name as customer, nullif(p.connection, 'unknown') as status,
       p.reporting, p.heard_at
from device d left join current_customer c on c.known_as = d.customer_id
cross join lateral device_presence(d.device_id, %(at)s::timestamptz) p
where d.device_id > %(after)s::bigint
  and (%(search)s::text = '' or strpos(lower(d.serial), lower(%(search)s::text)) > 0
       or strpos(lower(d.model), lower(%(search)s::text)) > 0)
order by d.device_id limit %(limit)s;

-- name: select_ingest_minutes
-- The newest minutes in which anything arrived, over all consumers, newest first.
select minute, sum(stored)::bigint as stored, sum(duplicate)::bigint as duplicate,
       sum(conflict)::bigint as conflict, sum(quarantined)::bigint as quarantined
from ingest_minute group by minute order by minute desc limit %(limit)s;

-- name: select_drops
-- Who was beyond an allowance lately, newest first.
select serial, day, allowance, messages, items, bytes, last_at from ingest_drop
where last_at >= %(since)s order by last_at desc, serial, allowance limit %(limit)s;

-- name: select_soonest
-- A page of what is used up next, over all installations of now; a forecast for a later moment counts if it is alone.
select i.installation_id, d.serial, d.model, i.part, f.remaining_pct, f.threshold_pct, f.depletes_p10,
       f.depletes_p50, f.depletes_p90, f.method, f.at
from installation i join device d using (device_id)
cross join lateral shown_forecast(i.installation_id, %(at)s::timestamptz) f
where i.ended_at is null
  and (f.depletes_p50, i.installation_id) > (%(after_at)s::timestamptz, %(after_id)s::bigint)
order by f.depletes_p50, i.installation_id limit %(limit)s;

-- name: select_doubtful
-- Installations of now whose newest forecast says that their readings cannot be, the most recently forecast first.
select i.installation_id, d.serial, d.model, i.part, f.remaining_pct, f.reason, f.reason_code, f.at
from installation i join device d using (device_id)
cross join lateral shown_forecast(i.installation_id, %(at)s::timestamptz) f
where i.ended_at is null and f.reason_code = any(%(codes)s::text[])
order by f.at desc, i.installation_id limit %(limit)s;

-- name: select_device_doubt
-- What is doubtful about a device: its clock, where samples came without a good time and by its last day of readings,
-- numbers that never came, and two units under its serial, by the last who took turns.
select coalesce(c.samples, 0) as clock_samples, c.first_at as clock_first_at, c.last_at as clock_last_at,
       c.last_offset_s as clock_offset_s,
       (select extract(epoch from min(r.received_at - r.measured_at))::float8
        from reading_latest n cross join lateral (
            select received_at, measured_at from reading
            where device_id = n.device_id and metric_id = n.metric_id and not corrected
              and measured_at > n.measured_at - interval '1 day' and measured_at <= n.measured_at) r
        where n.device_id = d.device_id) as clock_behind_s,
       (select count(*) from watched_gap g where g.serial = d.serial) as gaps,
       (select min(g.since) from watched_gap g where g.serial = d.serial) as gaps_since,
       coalesce(l.shared_returns, 0) as shared_serial_returns, l.shared_first_at as shared_serial_first_at,
       l.shared_last_at as shared_serial_last_at, l.shared_names as shared_serial_names
from device d left join clock_doubt c on c.device_id = d.device_id and c.samples > 0
left join lateral (select * from live_name n where n.serial = d.serial and n.shared_last_at is not null
                   order by n.shared_last_at desc limit 1) l on true
where d.device_id = %(device_id)s;

-- name: select_devices_in_doubt
-- The newest doubts: who takes turns under one serial, clocks that are wrong, boots with more gaps than are kept of one.
select * from (
    (select serial, kind as doubt, shared_first_at as since, shared_last_at as last_at, shared_returns as amount,
            null::float8 as offset_s, shared_names as names
     from live_name where shared_last_at >= %(since)s::timestamptz order by shared_last_at desc limit %(limit)s)
    union all
    (select d.serial, 'clock', c.first_at, c.last_at, c.samples, c.last_offset_s, null
     from clock_doubt c join device d using (device_id)
     where c.samples > 0 and c.last_at >= %(since)s::timestamptz order by c.last_at desc limit %(limit)s)
    union all
    (select serial, 'gaps', null, max(overflow_at), count(*), null, null
     from sequence where overflow_at >= %(since)s::timestamptz group by serial order by 4 desc limit %(limit)s)
) as doubt
order by last_at desc, serial, doubt limit %(limit)s;

-- name: select_interests
-- What a customer who agrees to personalisation is thought to want, less what they struck out, most likely first.
select c.category from category_propensity c
where c.customer_id = %(customer_id)s and consent_in_force(%(customer_id)s, 'personalisation', %(at)s)
  and not exists (select from objected_tag o where o.customer_id = c.customer_id and o.tag = c.category)
order by c.propensity desc, c.category;
