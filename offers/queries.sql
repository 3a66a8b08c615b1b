-- name: select_facts
-- What is known about households and the things they may need, a row for each thing, in their order.
-- Each `offset 0` keeps a look-up by index, household by household, whatever the planner knows of the tables.
with thing as materialized (
    select t.*, coalesce(f.depletes_p10, 'infinity') as depletes_at,
           (select m.sku from device d join device_model m using (model) where d.device_id = t.device_id) as model_sku
    from jsonb_to_recordset(%(things)s) as t (n integer, customer_id text, subject_kind text, subject_key text,
                                              device_id bigint, installation_id bigint, sku text)
    left join lateral newest_forecast(t.installation_id, %(at)s) f on true
), need as materialized (
    select distinct customer_id, sku from thing where customer_id is not null
), member as materialized (
    select k.customer_id, k.known_as from person k where k.customer_id in (select customer_id from need)
), spare_part as materialized (
    select n.customer_id, n.sku, c.consumable from need n join consumable c using (sku)
), bought as materialized (
    -- All that is known, also what happened since the moment for which a late run decides.
    select n.customer_id, n.sku, b.at, b.units
    from need n join member k using (customer_id)
    join lateral (select o.placed_at as at, l.quantity as units from customer_order o join order_line l using (order_id)
                  where o.customer_id = k.known_as and l.sku = n.sku and o.refunded_minor < o.amount_minor
                  offset 0) b on true
), put_in as (
    select n.customer_id, n.sku, i.installed_at as at
    from spare_part n join member k using (customer_id)
    join lateral (select w.* from device_owner w where w.customer_id = k.known_as offset 0) w on true
    join lateral (select i.installed_at from installation i
                  where i.device_id = w.device_id and i.consumable = n.consumable and i.ended_by is distinct from 'undone'
                    and i.installed_at >= w.owned_from and (w.owned_until is null or i.installed_at < w.owned_until)
                    and exists (select 1 from installation e where e.device_id = i.device_id and e.part = i.part
                                                               and e.installed_at < i.installed_at)
                  offset 0) i on true
), since as (
    -- A part that was put in without an order of ours was bought elsewhere: what is at home never falls below zero,
    -- which makes it the largest sum of all movements since any moment.
    select customer_id, sku, sum(units) over (partition by customer_id, sku order by at desc, units) as units
    from (select customer_id, sku, at, units from bought union all select customer_id, sku, at, -1 from put_in) movement
), stock as materialized (
    select customer_id, sku, greatest(0, max(units))::integer as spare from since group by customer_id, sku
), part as materialized (
    select n.customer_id, n.sku, i.installation_id, coalesce(f.depletes_p10, 'infinity') as depletes_at
    from spare_part n join member k using (customer_id)
    join lateral (select d.device_id from device d where d.customer_id = k.known_as offset 0) d on true
    join lateral (select i.installation_id from installation i
                  where i.device_id = d.device_id and i.consumable = n.consumable and i.ended_at is null offset 0) i on true
    left join lateral newest_forecast(i.installation_id, %(at)s) f on true
), place as materialized (
    select t.n, count(*)::integer as rank
    from thing t join part p on p.customer_id = t.customer_id and p.sku = t.sku
                            and (p.depletes_at, p.installation_id) <= (t.depletes_at, t.installation_id)
    group by t.n
), owner as materialized (
    select customer_id, sku from bought
    union
    select n.customer_id, n.sku from need n join member k using (customer_id)
    join lateral (select from device d join device_model m using (model)
                  where d.customer_id = k.known_as and m.sku = n.sku offset 0) d on true
), clash as materialized (
    select distinct on (model_sku, sku) p.model_sku, p.sku, x.evidence
    from (select distinct model_sku, sku from thing) p join incompatible x on x.sku = p.model_sku and x.with_sku = p.sku
)
select coalesce(h.open_offer, s.open_offer) as open_offer, a.state as last_answer, a.at as last_answer_at,
       x.evidence as incompatible,
       coalesce(k.spare, 0) as spare, coalesce(p.rank, 0) as rank, w.sku is not null as owned,
       coalesce(i.ended_at is not null, false) as replaced, coalesce(i.ended_by = 'undone', false) as undone
from thing t
left join stock k on k.customer_id = t.customer_id and k.sku = t.sku
left join place p on p.n = t.n
left join owner w on w.customer_id = t.customer_id and w.sku = t.sku
left join clash x on x.model_sku = t.model_sku and x.sku = t.sku
left join lateral (select r.ended_at, r.ended_by from installation r
                   where r.installation_id = t.installation_id offset 0) i on true
left join lateral (select o.offer_id as open_offer from offer o
                   where o.state in ('open', 'seen')
                     and (o.installation_id = t.installation_id or (o.device_id = t.device_id and o.sku = t.sku))
                   order by o.offer_id limit 1) h on true
left join lateral (select o.offer_id as open_offer from offer o
                   where o.state in ('open', 'seen') and o.device_id is null and t.device_id is null
                     and o.subject_kind = t.subject_kind and o.subject_key = t.subject_key and o.sku = t.sku
                   limit 1) s on true
left join lateral (select o.state, e.at from offer o join offer_event e using (offer_id, state)
                   where o.state in ('declined', 'expired')
                     and o.customer_id in (select k.known_as from member k where k.customer_id = t.customer_id) and o.sku = t.sku
                     and o.subject_kind = t.subject_kind and o.subject_key = t.subject_key
                   order by e.at desc limit 1) a on true
order by t.n;

-- name: count_repeated_noes
-- Noes that say the same as the last decision about the same thing are counted there; the numbers of those are returned.
with said as (
    select * from jsonb_to_recordset(%(noes)s) as s (n integer, customer_id text, trigger text, subject_kind text,
                                                     subject_key text, sku text, failed_gate text)
), again as materialized (
    select s.n, l.decision_id
    from said s
    cross join lateral (select d.decision_id, d.failed_gate from decision d
                        where d.subject_key = s.subject_key and d.subject_kind = s.subject_kind and d.sku = s.sku
                          and d.trigger = s.trigger and d.customer_id is not distinct from s.customer_id
                        order by d.decided_at desc, d.decision_id desc limit 1) l
    where l.failed_gate = s.failed_gate
), counted as (
    update decision d set times = d.times + 1, last_at = %(at)s::timestamptz from again
    where d.decision_id = again.decision_id and d.last_at < %(at)s::timestamptz
)
select n from again;

-- name: copy_decisions
-- Keep decisions.
copy decision (decision_id, customer_id, trigger, subject_kind, subject_key, device_id, installation_id, sku, decided_at,
               last_at, outcome, failed_gate, candidates, gates, policy, score, propensity, slate_id, slate_position)
from stdin;

-- name: copy_offers
-- Issue offers.
copy offer (offer_id, decision_id, customer_id, subject_kind, subject_key, device_id, installation_id, sku, reason_code,
            facts, state, list_price_minor, price_minor, currency, valid_from, reply_by, valid_until, binding_id,
            credited_to, issued_at)
from stdin;

-- name: insert_offer_events
-- One step of the life of each of some offers; each step happens once.
insert into offer_event (offer_id, state, at, actor, reason)
select e.offer_id, %(state)s, %(at)s, %(actor)s, e.reason
from unnest(%(offer_ids)s::text[], %(reasons)s::text[]) as e (offer_id, reason);

-- name: update_offers_state
-- Move offers on.
update offer set state = %(state)s where offer_id = any(%(offer_ids)s::text[]);

-- name: expire_offers
-- End all offers whose time has passed; one that is being answered at this moment is left to the next run.
with due as (
    select offer_id from offer
    where state in ('open', 'seen') and valid_until <= %(at)s
    order by offer_id for no key update skip locked
), ended as (
    update offer set state = 'expired' from due where offer.offer_id = due.offer_id returning offer.offer_id
)
insert into offer_event (offer_id, state, at, actor) select offer_id, 'expired', %(at)s::timestamptz, 'job' from ended;

-- name: select_customers_to_review
-- Customers with an open offer that a replacement, an order, a device or a word on consent may have made moot. A no to
-- what the offer needs may be told late, of a moment before the offer was made; what it needs is given by its reason.
with open_offer as (
    select p.customer_id, o.installation_id, o.sku, o.reason_code, o.issued_at
    from offer o join person p on p.known_as = o.customer_id where o.state in ('open', 'seen')
)
select o.customer_id from open_offer o join installation i using (installation_id) where i.ended_at is not null
union
select o.customer_id from open_offer o join sale c using (customer_id)
where c.placed_at >= o.issued_at
union
select o.customer_id from open_offer o join registered_device d using (customer_id) join installation i using (device_id)
where i.ended_by = 'undone' and i.ended_at >= o.issued_at
union
select o.customer_id from open_offer o join registered_device d using (customer_id) join device_model m using (model)
where o.installation_id is null and m.sku = o.sku
union
select o.customer_id from open_offer o join person k using (customer_id) join consent c on c.customer_id = k.known_as
where not c.given and %(needs)s::jsonb -> o.reason_code ? c.purpose
union
select o.customer_id from open_offer o where o.issued_at <= (select max(p.valid_from) from purpose p)
order by customer_id;

-- name: lock_offer
-- Until the transaction ends, nobody else moves one offer on.
select 1 from offer where offer_id = %(offer_id)s for no key update;

-- name: lock_unanswered_offers
-- The offers of some customers that nobody has answered, whatever their validity, locked until the transaction ends.
select offer_id from offer
where customer_id in (select k.known_as from person k where k.customer_id = any(%(customer_ids)s::text[]))
  and state in ('open', 'seen')
order by offer_id for no key update;

-- name: select_owned_devices
-- Whose some devices are now.
select customer_id, device_id from registered_device where device_id = any(%(device_ids)s::bigint[]);

-- name: select_offers
-- The offers that have some ids, the most urgent first.
select o.offer_id, o.decision_id, p.customer_id, o.subject_kind, o.subject_key, o.device_id, o.installation_id, o.sku,
       o.reason_code, o.facts, o.state, o.list_price_minor, o.price_minor, o.currency, o.valid_from, o.reply_by,
       o.valid_until, o.binding_id, o.credited_to, o.issued_at
from offer o join person p on p.known_as = o.customer_id where o.offer_id = any(%(offer_ids)s::text[])
order by o.reply_by, o.offer_id;

-- name: select_open_offers
-- A customer's offers that can be accepted at a moment, the most urgent first, each with all that is told of it in one text.
-- What an offer needs consent to is given by its reason; one is shown only while the customer agrees to all of that.
select offer_id, o::text as version from shown_offer o
where customer_id = %(customer_id)s and state in ('open', 'seen') and valid_until > %(at)s
  and not exists (select from jsonb_array_elements_text(%(needs)s::jsonb -> reason_code) as need (purpose)
                  where need.purpose not in (select held.purpose
                                             from consents_in_force(array[%(customer_id)s], %(at)s) held))
order by reply_by, offer_id;

-- name: select_shown_offers
-- The offers that have some ids, with all that is told beside them, and the same as one text, the most urgent first.
select o.*, o::text as version from shown_offer o where offer_id = any(%(offer_ids)s::text[]) order by reply_by, offer_id;

-- name: select_offer_counts
-- How many offers are in each state.
select state, count(*) from offer group by state;

-- name: select_decisions
-- One decision, or a page of a customer's or of all, newest first; each with the offer that it led to.
select d.decision_id, p.customer_id, d.trigger, d.subject_kind, d.subject_key, d.device_id, d.installation_id, d.sku,
       d.decided_at, d.outcome, d.failed_gate, d.candidates, d.gates, d.policy, d.score, d.propensity, d.slate_id,
       d.slate_position, d.times, d.last_at, o.offer_id
from decision d left join person p on p.known_as = d.customer_id left join offer o using (decision_id)
where (%(decision_id)s::text is null or d.decision_id = %(decision_id)s::text)
  and (%(customer_id)s::text is null or p.customer_id = %(customer_id)s::text)
  and (%(before_at)s::timestamptz is null
       or (d.decided_at, d.decision_id) < (%(before_at)s::timestamptz, %(before_id)s::text))
order by d.decided_at desc, d.decision_id desc limit %(limit)s;

-- name: end_decisions
-- Noes last said before a moment that a later decision about the same thing followed, or whose part was replaced before.
with old as (
    select d.decision_id from decision d
    where d.outcome = 'not_issued' and d.decided_at < %(before)s::timestamptz and d.last_at < %(before)s::timestamptz
      and (exists (select from decision n
                   where n.subject_key = d.subject_key and n.subject_kind = d.subject_kind and n.sku = d.sku
                     and n.trigger = d.trigger and (n.decided_at, n.decision_id) > (d.decided_at, d.decision_id))
           or exists (select from installation i
                      where i.installation_id = d.installation_id and i.ended_at < %(before)s::timestamptz))
    order by d.decided_at limit %(most)s::bigint
), gone as (
    delete from decision d using old where %(deleting)s::boolean and d.decision_id = old.decision_id returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;

-- name: select_everybodys_offers
-- What is worth showing to everybody: what costs less now than ever in the 30 days before, what many ordered in the last
-- 30 days, what is new; none that is sold out, the same for all, and nothing of any one person.
with ordered as (
    select l.sku, count(*) as orders
    from customer_order o join order_line l using (order_id)
    where o.placed_at > %(at)s::timestamptz - interval '30 days' and o.placed_at <= %(at)s::timestamptz
      and o.refunded_minor < o.amount_minor
    group by l.sku having count(distinct o.customer_id) >= %(fewest)s::bigint
), price as (
    select c.sku, c.price_minor, c.currency, min(b.price_minor) as lowest_before
    from product_price c
    left join product_price b on b.sku = c.sku and b.currency = c.currency and b.valid_until <= c.valid_from
         and b.valid_until > c.valid_from - interval '30 days' and c.valid_from > %(at)s::timestamptz - interval '30 days'
    where c.valid_from <= %(at)s::timestamptz and (c.valid_until is null or c.valid_until > %(at)s::timestamptz)
    group by c.sku, c.price_minor, c.currency
), shown as (
    select p.sku, p.name, p.added_at, c.price_minor, c.currency, greatest(c.price_minor, c.lowest_before) as list_price_minor,
           o.orders,
           case when c.lowest_before > c.price_minor then 'on_sale' when o.orders is not null then 'popular'
                when p.added_at > %(at)s::timestamptz - interval '30 days' and p.added_at <= %(at)s::timestamptz then 'new' end as code
    from product p join price c using (sku) left join ordered o using (sku)
    where not exists (select from product_stock s where s.sku = p.sku and s.units = 0)
)
select sku, name, added_at, price_minor, currency, list_price_minor, orders, code from shown where code is not null
order by array_position(array['on_sale', 'popular', 'new'], code), orders desc nulls last, added_at desc nulls last, sku
limit %(limit)s;
