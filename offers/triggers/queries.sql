-- name: select_households_of_worn_parts
-- Households with a part in use whose newest forecast is near enough, or has no dates, and for which no offer is open.
select d.customer_id, case when d.customer_id is null then d.device_id end as device_id, count(*)::integer as candidates
from device_in_use d
join installation i on i.device_id = d.device_id and i.ended_at is null
cross join lateral newest_forecast(i.installation_id, %(at)s) f
where (f.depletes_p10 <= %(before)s or f.depletes_p10 is null)
  and not exists (select 1 from offer o
                  where o.installation_id = i.installation_id and o.state in ('open', 'seen'))
group by 1, 2 order by min(f.depletes_p10), 1, 2;

-- name: select_worn_parts
-- The parts of some households that the query above counts, the most urgent first.
select d.customer_id, d.device_id, d.serial, d.names, d.installed_at, c.sku, i.installation_id, c.name as part_names,
       f.at, f.method, f.reason, f.reason_code, f.remaining_pct, f.threshold_pct,
       f.depletes_p10 as p10, f.depletes_p50 as p50, f.depletes_p90 as p90
from device_in_use d
join installation i on i.device_id = d.device_id and i.ended_at is null
join consumable c using (consumable)
cross join lateral newest_forecast(i.installation_id, %(at)s) f
where (d.customer_id = any(%(customer_ids)s::text[])
       or (d.customer_id is null and d.device_id = any(%(device_ids)s::bigint[])))
  and (f.depletes_p10 <= %(before)s or f.depletes_p10 is null)
  and not exists (select 1 from offer o
                  where o.installation_id = i.installation_id and o.state in ('open', 'seen'))
order by f.depletes_p10, i.installation_id;

-- name: select_households_of_new_devices
-- Households with a device that is new there, with how many products the graph joins to it that are not on offer.
select d.customer_id, case when d.customer_id is null then d.device_id end as device_id,
       count(distinct (d.device_id, e.to_sku))::integer as candidates
from device_in_use d
join compatibility e on e.from_sku = d.sku
where d.installed_at > %(since)s and d.installed_at <= %(at)s
  and e.relation in ('required_part', 'accessory', 'part_of_set', 'often_bought_with', 'incompatible')
  and not exists (select 1 from offer o
                  where o.device_id = d.device_id and o.sku = e.to_sku and o.state in ('open', 'seen'))
group by 1, 2 order by min(d.installed_at), 1, 2;

-- name: select_what_goes_with_new_devices
-- What the graph joins, or forbids to join, to the new devices of some households; the strongest edge of each product.
select distinct on (d.installed_at, d.device_id, e.to_sku)
       d.customer_id, d.device_id, d.serial, d.names, d.installed_at, e.to_sku as sku, e.relation, e.evidence, e.condition
from device_in_use d
join compatibility e on e.from_sku = d.sku
where (d.customer_id = any(%(customer_ids)s::text[])
       or (d.customer_id is null and d.device_id = any(%(device_ids)s::bigint[])))
  and d.installed_at > %(since)s and d.installed_at <= %(at)s
  and e.relation in ('required_part', 'accessory', 'part_of_set', 'often_bought_with', 'incompatible')
  and not exists (select 1 from offer o
                  where o.device_id = d.device_id and o.sku = e.to_sku and o.state in ('open', 'seen'))
order by d.installed_at, d.device_id, e.to_sku, e.weight desc;
