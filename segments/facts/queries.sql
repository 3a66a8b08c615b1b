-- name: select_people
-- The next persons after an id, or those of some ids, and whether they agree to be profiled from what they do and own.
with page as materialized (
    select customer_id from standing_customer
    where erased_at is null and created_at <= %(at)s and customer_id > %(after)s
      and (%(only)s::text[] is null or customer_id = any(%(only)s::text[]))
    order by customer_id limit %(limit)s
)
select p.customer_id,
       coalesce(bool_or(h.purpose = 'personalisation'), false) as behaviour,
       coalesce(bool_or(h.purpose = 'device_profiling'), false) as devices
from page p left join consents_in_force(array(select customer_id from page), %(asked_at)s) h using (customer_id)
group by p.customer_id order by p.customer_id;

-- name: compile_nothing
-- In this transaction no statement is compiled by PostgreSQL: it takes longer than it saves.
select set_config('jit', 'off', true);

-- name: upsert_facts
-- Work out the facts of some persons as they were known at a moment, each as far as they agree.
with who as materialized (
    select * from unnest(%(customer_ids)s::text[], %(behaviours)s::boolean[], %(devices)s::boolean[])
                  as w (customer_id, behaviour, devices)
), known as materialized (
    select w.customer_id, p.known_as, w.behaviour, w.devices from who w join person p using (customer_id)
), placed as materialized (
    select k.customer_id, s.order_id, s.placed_at, s.currency, s.amount_minor - s.refunded_minor as net_minor,
           s.refunded_minor > 0 as gives_back, s.channel, s.store_id
    from known k join sale s on s.customer_id = k.known_as
    where k.behaviour and s.placed_at <= %(at)s
), lines as materialized (
    select b.customer_id, b.order_id, b.placed_at, d.category,
           bool_or(l.unit_price_minor < c.price_minor) as discounted,
           bool_or(d.attributes ->> 'released_on' between to_char(b.placed_at - %(new_days)s * interval '1 day', 'YYYY-MM-DD')
                                                      and to_char(b.placed_at, 'YYYY-MM-DD')) as new
    from placed b join order_line l using (order_id) join product d using (sku)
    left join product_price c on c.sku = l.sku and c.currency = b.currency and c.valid_from <= b.placed_at
                              and (c.valid_until is null or c.valid_until > b.placed_at)
    where b.net_minor > 0 group by 1, 2, 3, 4
), bought as (
    select customer_id, count(*) filter (where net_minor > 0) as orders,
           min(placed_at) filter (where net_minor > 0) as first_at, max(placed_at) filter (where net_minor > 0) as last_at,
           (array_agg(placed_at order by placed_at desc) filter (where net_minor > 0))[2] as before_at,
           count(distinct (placed_at at time zone 'UTC')::date) filter (where net_minor > 0) as days,
           mode() within group (order by currency) filter (where net_minor > 0) as currency,
           count(*) filter (where gives_back) as refunds,
           array_agg(distinct channel order by channel) as channels,
           array_agg(distinct store_id order by store_id) filter (where store_id is not null) as stores
    from placed group by customer_id
), spent as (
    select customer_id, jsonb_object_agg(currency, net_minor) as spent
    from (select customer_id, currency, sum(net_minor)::bigint as net_minor from placed group by 1, 2) s group by 1
), chosen as (
    select customer_id, array_agg(distinct category order by category) as categories,
           count(distinct order_id) filter (where discounted) as discounted, count(distinct order_id) filter (where new) as new,
           (array_agg(distinct order_id) filter (where discounted))[:10] as discounted_ids,
           (array_agg(distinct order_id) filter (where new))[:10] as new_ids
    from lines group by customer_id
), seen as materialized (
    select w.customer_id, e.event_id, e.name, e.sku, e.happened_at,
           case when e.name in ('Order Completed', 'Product List Viewed') then e.properties end as properties
    from who w join customer_event e using (customer_id)
    where w.behaviour and e.happened_at > %(at)s - %(event_days)s * interval '1 day' and e.happened_at <= %(at)s
), done as (
    select customer_id, count(*) filter (where name = 'Product Reviewed') as reviews, max(happened_at) as last_at
    from seen group by customer_id
), checkouts as (
    select customer_id, event_id,
           properties @? '$.gift ? (@ == true)' or properties @? '$.gift_wrap ? (@ == true)'
               or properties @? '$.ships_elsewhere ? (@ == true)' as gift,
           exists (
               select from unnest(%(season_begins)s::text[], %(season_ends)s::text[]) s (begins, ends)
               where to_char(happened_at, 'MM-DD') between s.begins and s.ends) as season,
           properties ? 'coupon' or properties @? '$.discount ? (@ > 0)' as coupon
    from seen where name = 'Order Completed'
), paid as (
    select customer_id, count(*) as checkouts, count(*) filter (where gift) as gifts,
           count(*) filter (where gift and season) as season_gifts, count(*) filter (where coupon) as coupons,
           (array_agg(event_id order by event_id) filter (where gift))[:10] as gift_ids,
           (array_agg(event_id order by event_id) filter (where coupon))[:10] as coupon_ids
    from checkouts group by customer_id
), drawn as (
    select s.customer_id, coalesce(d.category, s.properties ->> 'category') as category, w.weight, s.happened_at as at
    from seen s join unnest(%(names)s::text[], %(weights)s::double precision[]) w (name, weight) using (name)
    left join product d using (sku)
    union all
    select customer_id, category, %(bought_weight)s::double precision, placed_at from lines
), wanted as (
    select d.customer_id, d.category,
           round(sum(d.weight * exp(-ln(2) * extract(epoch from %(at)s - d.at)::double precision
                                    / (86400 * %(half_life_days)s::double precision)))::numeric, 3) as interest
    from drawn d where d.category is not null group by 1, 2
), interests as (
    select w.customer_id, jsonb_object_agg(w.category, w.interest) as interests
    from wanted w
    where w.interest > 0.01
      and not exists (select from objected_tag o where o.customer_id = w.customer_id and o.tag = w.category)
    group by 1
), owned as materialized (
    select k.customer_id, o.device_id, o.model from known k join owned_device o on o.customer_id = k.known_as
    where k.devices and o.owned_from <= %(at)s and (o.owned_until is null or o.owned_until > %(at)s)
), machines as (
    select customer_id, array_agg(distinct model order by model) as models from owned group by 1
), due as (
    select o.customer_id, count(*) as parts, min(f.depletes_p50) as first_at
    from owned o join installation i on i.device_id = o.device_id and i.ended_at is null
    cross join lateral newest_forecast(i.installation_id, %(at)s) f
    where f.depletes_p50 <= %(at)s + %(due_days)s * interval '1 day' group by 1
), cycles as (
    select b.*, (extract(epoch from b.last_at - b.first_at) / 86400 + %(typical_days)s * 2) / (b.days + 1) as cycle,
           (extract(epoch from b.before_at - b.first_at) / 86400 + %(typical_days)s * 2) / b.days as cycle_before,
           extract(epoch from %(at)s - b.last_at) / 86400 as quiet, extract(epoch from b.last_at - b.before_at) / 86400 as gap
    from bought b where b.orders > 0
), lives as (
    select customer_id, cycle, case
               when quiet > cycle * %(lapsed_cycles)s then 'lapsed' when quiet > cycle * %(active_cycles)s then 'at_risk'
               when gap > cycle_before * %(lapsed_cycles)s then 'won_back' when days = 1 then 'new' else 'active' end as life,
           case when quiet <= cycle * %(active_cycles)s then last_at + cycle * %(active_cycles)s * interval '1 day'
                when quiet <= cycle * %(lapsed_cycles)s then last_at + cycle * %(lapsed_cycles)s * interval '1 day' end as turns
    from cycles
)
insert into customer_facts
select w.customer_id, %(at)s, w.behaviour, w.devices,
       case when w.behaviour then coalesce(b.orders, 0) end, b.first_at, b.last_at, l.cycle, b.currency,
       case when w.behaviour then coalesce(s.spent, '{}') end, case when w.behaviour then coalesce(b.refunds, 0) end,
       case when w.behaviour then coalesce(b.channels, '{}') end, case when w.behaviour then coalesce(b.stores, '{}') end,
       case when w.behaviour then coalesce(c.categories, '{}') end,
       case when w.behaviour then coalesce(c.discounted, 0) end, case when w.behaviour then coalesce(c.new, 0) end,
       c.discounted_ids, c.new_ids,
       case when w.behaviour then coalesce(p.checkouts, 0) end, case when w.behaviour then coalesce(p.gifts, 0) end,
       case when w.behaviour then coalesce(p.season_gifts, 0) end, case when w.behaviour then coalesce(p.coupons, 0) end,
       p.gift_ids, p.coupon_ids,
       case when w.behaviour then coalesce(i.interests, '{}') end, case when w.behaviour then coalesce(d.reviews, 0) end,
       d.last_at, case when w.devices then coalesce(m.models, '{}') end, case when w.devices then coalesce(u.parts, 0) end,
       u.first_at, case when w.behaviour then coalesce(l.life, 'no_order') end, l.turns
from who w
left join bought b using (customer_id) left join spent s using (customer_id) left join chosen c using (customer_id)
left join paid p using (customer_id) left join interests i using (customer_id) left join done d using (customer_id)
left join machines m using (customer_id) left join due u using (customer_id) left join lives l using (customer_id)
where w.behaviour or w.devices
on conflict (customer_id) do update set (
    at, behaviour, devices, orders, first_order_at, last_order_at, cycle_days, currency, spent, refunds, channels, stores,
    categories, discounted_orders, new_orders, discounted_ids, new_ids, checkouts, gifts, season_gifts, coupons, gift_ids,
    coupon_ids, interests, reviews, last_seen_at, models, parts_due, part_due_at, life_cycle, turns_at) = (
    excluded.at, excluded.behaviour, excluded.devices, excluded.orders, excluded.first_order_at, excluded.last_order_at,
    excluded.cycle_days, excluded.currency, excluded.spent, excluded.refunds, excluded.channels, excluded.stores,
    excluded.categories, excluded.discounted_orders, excluded.new_orders, excluded.discounted_ids, excluded.new_ids,
    excluded.checkouts, excluded.gifts, excluded.season_gifts, excluded.coupons, excluded.gift_ids, excluded.coupon_ids,
    excluded.interests, excluded.reviews, excluded.last_seen_at, excluded.models, excluded.parts_due, excluded.part_due_at,
    excluded.life_cycle, excluded.turns_at);

-- name: delete_facts
-- Forget the facts of a page of persons, or of some ids, who do not agree any more or are no persons of their own now.
delete from customer_facts
where customer_id > %(after)s and (%(last)s::text is null or customer_id <= %(last)s::text)
  and (%(only)s::text[] is null or customer_id = any(%(only)s::text[]))
  and not customer_id = any(%(customer_ids)s::text[]);

-- name: select_changed
-- Persons of whom something was written down since a moment, or whose life-cycle turns by another one.
with named as (
    select s.customer_id from customer_order s where s.created_at > %(since)s
    union select o.customer_id from refund r join customer_order o using (order_id) where r.refunded_at > %(since)s
    union select e.customer_id from customer_event e where e.received_at > %(since)s
    union select customer_id from consent where at > %(since)s
    union select customer_id from customer_identifier where valid_from > %(since)s or valid_until > %(since)s
    union select unnest(array[absorbed, survivor]) from customer_merge where merged_at > %(since)s or undone_at > %(since)s
    union select customer_id from owned_device where owned_from > %(since)s or owned_until > %(since)s
    union select customer_id from tag_objection where at > %(since)s
    union select customer_id from standing_customer where created_at > %(since)s or erased_at > %(since)s
    union select customer_id from customer_facts where turns_at <= %(at)s
)
select known.customer_id from named n join person p on p.known_as = n.customer_id
cross join lateral (values (p.customer_id), (n.customer_id)) known (customer_id)
group by 1 order by 1;

-- name: upsert_cuts
-- Divide those who bought into fifths by when they did last, how often and for how much; too few are not divided.
with measured as (
    select 'recency' as measure, '' as currency, extract(epoch from last_order_at)::double precision as value
    from customer_facts where orders > 0
    union all select 'frequency', '', orders from customer_facts where orders > 0
    union all select 'money', currency, (spent ->> currency)::double precision from customer_facts where orders > 0
), kept as (
    select measure, currency, count(*) as customers, percentile_disc(array[0.2, 0.4, 0.6, 0.8]) within group (order by value) as cuts
    from measured group by measure, currency
)
insert into segment_cut (measure, currency, at, customers, cuts)
select measure, currency, %(at)s, customers, case when customers >= %(least)s then cuts end from kept
on conflict (measure, currency) do update set at = excluded.at, customers = excluded.customers, cuts = excluded.cuts;

-- name: select_typical_days
-- How long customers usually wait between two orders: the median of those who bought on more than one day.
select percentile_disc(0.5) within group (order by extract(epoch from last_order_at - first_order_at) / 86400 / (orders - 1))
           ::double precision as days, count(*) as customers
from customer_facts where orders > 2 and last_order_at > first_order_at;

-- name: select_interests
-- By category what a person is interested in, strongest first, without what they struck out; nobody who does not agree.
select i.category, i.interest::double precision
from person p join customer_facts f using (customer_id)
cross join lateral jsonb_each_text(f.interests) i (category, interest)
where p.known_as = %(customer_id)s and consent_in_force(p.customer_id, 'personalisation', %(at)s)
  and not exists (select from objected_tag o where o.customer_id = p.customer_id and o.tag = i.category)
order by 2 desc, 1;
