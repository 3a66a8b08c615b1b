-- name: select_population
-- The next customers after an id, and whether they agree to be profiled from what they do and from their devices.
with page as materialized (
    select customer_id from standing_customer
    where created_at <= %(at)s and customer_id > %(after)s
    order by customer_id limit %(limit)s
)
select p.customer_id,
       coalesce(bool_or(h.purpose = 'personalisation'), false) as behaviour,
       coalesce(bool_or(h.purpose = 'device_profiling'), false) as devices
from page p left join consents_in_force(array(select customer_id from page), %(asked_at)s) h using (customer_id)
group by p.customer_id order by p.customer_id;

-- name: count_population
-- How many customers we had by a moment.
select count(*) from standing_customer where created_at <= %(at)s;

-- name: select_sample
-- The same of some customers, who are the same ones each time.
with page as materialized (
    select customer_id from standing_customer
    where created_at <= %(at)s
    order by md5(customer_id), customer_id limit %(limit)s
)
select p.customer_id,
       coalesce(bool_or(h.purpose = 'personalisation'), false) as behaviour,
       coalesce(bool_or(h.purpose = 'device_profiling'), false) as devices
from page p left join consents_in_force(array(select customer_id from page), %(asked_at)s) h using (customer_id)
group by p.customer_id order by p.customer_id;

-- name: copy_purchases
-- On which days some customers bought, in which of some currencies, and for how much; orders given back whole are none.
select a.place - 1, ((o.placed_at at time zone 'UTC')::date - date '1970-01-01')::bigint,
       array_position(%(currencies)s::text[], o.currency)::bigint - 1, sum(o.net_minor)::bigint
from unnest(%(customer_ids)s::text[]) with ordinality a (customer_id, place)
join orders_known(%(customer_ids)s::text[], %(at)s::timestamptz) o using (customer_id)
where o.net_minor > 0 group by 1, 2, 3;

-- name: copy_category_purchases
-- Which of some categories were in each order of some customers: when it was placed and undone, in days since 1970.
select distinct a.place - 1, c.place - 1, (extract(epoch from o.placed_at) / 86400)::double precision,
       (extract(epoch from o.undone_at) / 86400)::double precision
from unnest(%(customer_ids)s::text[]) with ordinality a (customer_id, place)
join orders_known(%(customer_ids)s::text[], %(at)s::timestamptz) o using (customer_id)
join order_line l using (order_id)
join product p using (sku)
join unnest(%(categories)s::text[]) with ordinality c (category, place) using (category);

-- name: copy_behaviour
-- What some customers did in the days before a moment, by category (-1: of none of these); when last, in days since 1970.
select a.place - 1, coalesce(c.place, 0) - 1,
       count(*) filter (where e.name = any(%(looks)s::text[]) and e.happened_at > %(at)s::timestamptz - interval '7 days'),
       count(*) filter (where e.name = any(%(looks)s::text[])),
       count(*) filter (where e.name = any(%(wants)s::text[])),
       count(*),
       (extract(epoch from max(e.happened_at)) / 86400)::double precision
from unnest(%(customer_ids)s::text[]) with ordinality a (customer_id, place)
join events_known(%(customer_ids)s::text[], %(at)s::timestamptz - %(days)s * interval '1 day', %(at)s::timestamptz) e
     using (customer_id)
left join product p using (sku)
left join unnest(%(categories)s::text[]) with ordinality c (category, place) using (category)
group by 1, 2;

-- name: copy_devices
-- How many devices some customers own at a moment that use up what a category has (-1: how many at all), and the newest.
with owned as (
    select a.place - 1 as place, d.device_id, d.model, extract(epoch from w.owned_from) / 86400 as owned_day
    from unnest(%(customer_ids)s::text[]) with ordinality a (customer_id, place)
    join known_ids(%(customer_ids)s::text[]) k using (customer_id)
    join device_owner w on w.customer_id = k.known_as and w.owned_from <= %(at)s::timestamptz
         and (w.owned_until is null or w.owned_until > %(at)s::timestamptz)
    join registered_device d on d.device_id = w.device_id and d.registered_at <= %(at)s::timestamptz
)
select place, -1::bigint, count(*), max(owned_day)::double precision from owned group by place
union all
select o.place, c.place - 1, count(distinct o.device_id), max(o.owned_day)::double precision
from owned o join model_part m using (model) join consumable u using (consumable) join product p using (sku)
join unnest(%(categories)s::text[]) with ordinality c (category, place) using (category)
group by 1, 2;

-- name: select_categories
-- All categories of what is sold.
select distinct category from product order by category;

-- name: upsert_model
-- Keep a fitted model; one that was fitted for the same moment is replaced.
insert into segment_model (kind, at, made_at, customers, parameters, scores, body)
values (%(kind)s, %(at)s, %(made_at)s, %(customers)s, %(parameters)s, %(scores)s, %(body)s)
on conflict (kind, at) do update set made_at = excluded.made_at, customers = excluded.customers,
    parameters = excluded.parameters, scores = excluded.scores, body = excluded.body
returning model_id;

-- name: select_model
-- The newest model of a kind for a moment up to this one.
select model_id, at, made_at, customers, parameters, scores, body
from segment_model where kind = %(kind)s and at <= %(at)s order by at desc limit 1;

-- name: delete_values
-- Take away what customers between two ids were worth who are not scored any more.
delete from customer_value
where customer_id > %(after)s and (%(last)s::text is null or customer_id <= %(last)s::text)
  and not customer_id = any(%(customer_ids)s::text[]);

-- name: upsert_values
-- Keep what customers are worth.
insert into customer_value (customer_id, model_id, at, made_at, purchases, p_alive, expected_purchases, value_minor, clv_minor,
                            currency)
select customer_id, %(model_id)s, %(at)s, %(made_at)s, purchases, p_alive, expected, round(value)::bigint, round(clv)::bigint,
       (%(currencies)s::text[])[currency + 1]
from unnest(%(customer_ids)s::text[], %(purchases)s::bigint[], %(p_alive)s::double precision[],
            %(expected)s::double precision[], %(values)s::double precision[], %(clvs)s::double precision[],
            %(currency)s::bigint[])
     as s (customer_id, purchases, p_alive, expected, value, clv, currency)
on conflict (customer_id) do update set model_id = excluded.model_id, at = excluded.at, made_at = excluded.made_at,
    purchases = excluded.purchases, p_alive = excluded.p_alive, expected_purchases = excluded.expected_purchases,
    value_minor = excluded.value_minor, clv_minor = excluded.clv_minor, currency = excluded.currency;

-- name: delete_cycles
-- Take away the cycles of customers between two ids that are not given again.
delete from purchase_cycle p
where customer_id > %(after)s and (%(last)s::text is null or customer_id <= %(last)s::text)
  and not exists (select from unnest(%(customer_ids)s::text[], %(categories)s::text[]) as s (customer_id, category)
                  where (s.customer_id, s.category) = (p.customer_id, p.category));

-- name: upsert_cycles
-- Keep the cycles of customers; `days` are from the last purchase.
insert into purchase_cycle (customer_id, category, at, purchases, median_days, early_days, late_days, last_bought_at,
                            next_expected_at)
select customer_id, category, %(at)s, purchases, median, early, late, last, last + median * interval '1 day'
from unnest(%(customer_ids)s::text[], %(categories)s::text[], %(purchases)s::bigint[], %(medians)s::double precision[],
            %(earlies)s::double precision[], %(lates)s::double precision[], %(lasts)s::timestamptz[])
     as s (customer_id, category, purchases, median, early, late, last)
on conflict (customer_id, category) do update set at = excluded.at, purchases = excluded.purchases,
    median_days = excluded.median_days, early_days = excluded.early_days, late_days = excluded.late_days,
    last_bought_at = excluded.last_bought_at, next_expected_at = excluded.next_expected_at;

-- name: delete_propensities
-- Take away the propensities of customers between two ids that are not given again, or that they struck out.
delete from category_propensity p
where customer_id > %(after)s and (%(last)s::text is null or customer_id <= %(last)s::text)
  and (not exists (select from unnest(%(customer_ids)s::text[], %(categories)s::text[]) as s (customer_id, category)
                  where (s.customer_id, s.category) = (p.customer_id, p.category))
       or exists (select from objected_tag o where (o.customer_id, o.tag) = (p.customer_id, p.category)));

-- name: upsert_propensities
-- Keep the propensities of customers, but for categories that they struck out.
insert into category_propensity (customer_id, category, model_id, at, propensity)
select customer_id, category, %(model_id)s, %(at)s, propensity
from unnest(%(customer_ids)s::text[], %(categories)s::text[], %(propensities)s::double precision[])
     as s (customer_id, category, propensity)
where not exists (select from objected_tag o where (o.customer_id, o.tag) = (s.customer_id, s.category))
on conflict (customer_id, category) do update set model_id = excluded.model_id, at = excluded.at,
    propensity = excluded.propensity;

-- name: end_models
-- Models of before a moment, but for the newest of each kind and those that something was scored with.
with old as (
    select m.model_id from segment_model m
    where m.at < %(before)s::timestamptz
      and exists (select from segment_model n where n.kind = m.kind and n.at > m.at)
      and not exists (select from customer_value v where v.model_id = m.model_id)
      and not exists (select from category_propensity p where p.model_id = m.model_id)
    order by m.at limit %(most)s::bigint
), gone as (
    delete from segment_model m using old where %(deleting)s::boolean and m.model_id = old.model_id returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;
