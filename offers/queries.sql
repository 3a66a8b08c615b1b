-- name: select_depletion_candidates
-- Parts in use whose newest forecast is near enough, or has no dates, and for which no offer is open.
select d.device_id, d.serial, d.customer_id, m.name, greatest(d.installed_at, w.owned_from), c.sku, i.installation_id, c.name,
       f.at, f.method, f.reason, f.reason_code, f.remaining_pct, f.threshold_pct, f.depletes_p10, f.depletes_p50,
       f.depletes_p90
from installation i
join device d using (device_id)
left join device_owner w on w.device_id = d.device_id and w.owned_until is null
join device_model m using (model)
join consumable c using (consumable)
cross join lateral newest_forecast(i.installation_id, %(at)s) f
where i.ended_at is null
  and (f.depletes_p10 <= %(before)s or f.depletes_p10 is null)
  and not exists (select 1 from offer o
                  where o.installation_id = i.installation_id and o.state in ('open', 'seen'))
order by f.depletes_p10, i.installation_id;

-- name: select_new_device_candidates
-- What is known to fit, or not to fit, a device that is new in its household, and for which no offer is open.
select distinct on (greatest(d.installed_at, w.owned_from), d.device_id, e.to_sku)
       d.device_id, d.serial, d.customer_id, m.name, greatest(d.installed_at, w.owned_from) as installed_at,
       e.to_sku, e.relation, e.evidence, e.condition
from device d
left join device_owner w on w.device_id = d.device_id and w.owned_until is null
join device_model m using (model)
join compatibility e on e.from_sku = m.sku
where greatest(d.installed_at, w.owned_from) > %(since)s and greatest(d.installed_at, w.owned_from) <= %(at)s
  and e.relation in ('required_part', 'accessory', 'part_of_set', 'often_bought_with', 'incompatible')
  and not exists (select 1 from offer o
                  where o.device_id = d.device_id and o.sku = e.to_sku and o.state in ('open', 'seen'))
order by greatest(d.installed_at, w.owned_from), d.device_id, e.to_sku, e.weight desc;

-- name: select_facts
-- What is known about a household and a product, for one installation or (with null) one device.
with mine as (
    select depletes_p10 from newest_forecast(%(installation_id)s::bigint, %(at)s)
), answered as (
    select o.state, e.at from offer o join offer_event e using (offer_id, state)
    where o.state in ('declined', 'expired') and o.device_id = %(device_id)s and o.sku = %(sku)s
      and o.installation_id is not distinct from %(installation_id)s::bigint
      and o.customer_id = %(customer_id)s
    order by e.at desc limit 1
), movement as (
    -- All that is known, also what happened since the moment for which a late run decides.
    select o.placed_at as at, l.quantity as units
    from customer_order o join order_line l using (order_id)
    where o.customer_id = %(customer_id)s and l.sku = %(sku)s
      and o.refunded_minor < o.amount_minor
    union all
    select i.installed_at, -1
    from installation i join device_owner w using (device_id) join consumable c using (consumable)
    where w.customer_id = %(customer_id)s and c.sku = %(sku)s
      and i.installed_at >= w.owned_from and (w.owned_until is null or i.installed_at < w.owned_until)
      and i.ended_by is distinct from 'undone'
      and exists (select 1 from installation p
                  where p.device_id = i.device_id and p.part = i.part and p.installed_at < i.installed_at)
), since as (
    -- A part that was put in without an order of ours was bought elsewhere: what is at home never falls below zero,
    -- which makes it the largest sum of all movements since any moment.
    select sum(units) over (order by at desc, units) as units from movement
)
select (select o.offer_id from offer o
        where o.state in ('open', 'seen')
          and (o.installation_id = %(installation_id)s::bigint or (o.device_id = %(device_id)s and o.sku = %(sku)s))
        limit 1) as open_offer,
       (select state from answered) as last_answer,
       (select at from answered) as last_answer_at,
       (select n.evidence from compatibility n
        join device_model m on m.sku in (n.from_sku, n.to_sku)
        join device d using (model)
        where n.relation = 'incompatible' and d.device_id = %(device_id)s and %(sku)s in (n.from_sku, n.to_sku)
        limit 1) as incompatible,
       (select greatest(0, coalesce(max(units), 0))::integer from since) as spare,
       (select count(*)::integer
        from installation s join device d using (device_id) join consumable c using (consumable)
        left join lateral newest_forecast(s.installation_id, %(at)s) f on true
        where d.customer_id = %(customer_id)s and c.sku = %(sku)s and s.ended_at is null
          and (coalesce(f.depletes_p10, 'infinity'), s.installation_id)
              <= (coalesce((select depletes_p10 from mine), 'infinity'), %(installation_id)s::bigint)) as rank,
       (exists (select 1 from customer_order o join order_line l using (order_id)
                where o.customer_id = %(customer_id)s and l.sku = %(sku)s and o.refunded_minor < o.amount_minor)
        or exists (select 1 from device d join device_model m using (model)
                   where d.customer_id = %(customer_id)s and m.sku = %(sku)s)) as owned,
       exists (select 1 from installation i
               where i.installation_id = %(installation_id)s::bigint and i.ended_at is not null) as replaced,
       exists (select 1 from installation i
               where i.installation_id = %(installation_id)s::bigint and i.ended_by = 'undone') as undone;

-- name: insert_decision_when_changed
-- Keep a decision unless it is the same no, for the same reason, as the last one about the same thing.
insert into decision (decision_id, customer_id, trigger, device_id, installation_id, sku, decided_at, outcome,
                      failed_gate, candidates, gates)
select %(decision_id)s::text, %(customer_id)s::text, %(trigger)s::text, %(device_id)s::bigint, %(installation_id)s::bigint,
       %(sku)s::text, %(at)s::timestamptz, %(outcome)s::text, %(failed_gate)s::text, %(candidates)s::jsonb,
       %(gates)s::jsonb
where %(outcome)s::text = 'issued'
   or (select d.failed_gate from decision d
       where d.device_id = %(device_id)s::bigint and d.sku = %(sku)s::text and d.trigger = %(trigger)s::text
         and d.installation_id is not distinct from %(installation_id)s::bigint
         and d.customer_id is not distinct from %(customer_id)s::text
       order by d.decided_at desc, d.decision_id desc limit 1) is distinct from %(failed_gate)s::text;

-- name: insert_offer
-- Issue an offer.
insert into offer (offer_id, decision_id, customer_id, device_id, installation_id, sku, reason_code, facts, state,
                   list_price_minor, price_minor, currency, valid_from, reply_by, valid_until, binding_id, credited_to,
                   issued_at)
values (%(offer_id)s, %(decision_id)s, %(customer_id)s, %(device_id)s, %(installation_id)s, %(sku)s, %(reason_code)s,
        %(facts)s, 'open', %(list_price_minor)s, %(price_minor)s, %(currency)s, %(valid_from)s, %(reply_by)s,
        %(valid_until)s, %(binding_id)s, %(credited_to)s, %(at)s);

-- name: insert_offer_event
-- One step of an offer's life; each happens once.
insert into offer_event (offer_id, state, at, actor, reason)
values (%(offer_id)s, %(state)s, %(at)s, %(actor)s, %(reason)s);

-- name: update_offer_state
-- Move an offer on.
update offer set state = %(state)s where offer_id = %(offer_id)s;

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
-- Customers with an open offer that a replacement made or undone, an order or a device since may have made moot.
select distinct o.customer_id
from offer o
where o.state in ('open', 'seen')
  and (exists (select 1 from installation i where i.installation_id = o.installation_id and i.ended_at is not null)
       or exists (select 1 from customer_order c where c.customer_id = o.customer_id and c.placed_at >= o.issued_at)
       or exists (select 1 from installation i join device d using (device_id)
                  where d.customer_id = o.customer_id and i.ended_by = 'undone' and i.ended_at >= o.issued_at)
       or (o.installation_id is null
           and exists (select 1 from device d join device_model m using (model)
                       where d.customer_id = o.customer_id and m.sku = o.sku)))
order by o.customer_id;

-- name: select_offer
-- One offer.
select offer_id, decision_id, customer_id, device_id, installation_id, sku, reason_code, facts, state,
       list_price_minor, price_minor, currency, valid_from, reply_by, valid_until, binding_id, credited_to, issued_at
from offer where offer_id = %(offer_id)s;

-- name: lock_offer
-- One offer, locked until the transaction ends.
select offer_id, decision_id, customer_id, device_id, installation_id, sku, reason_code, facts, state,
       list_price_minor, price_minor, currency, valid_from, reply_by, valid_until, binding_id, credited_to, issued_at
from offer where offer_id = %(offer_id)s for no key update;

-- name: select_offers
-- A page of offers, newest first, of one customer or of all, in some states or in any.
select offer_id, decision_id, customer_id, device_id, installation_id, sku, reason_code, facts, state,
       list_price_minor, price_minor, currency, valid_from, reply_by, valid_until, binding_id, credited_to, issued_at
from offer
where (%(customer_id)s::text is null or customer_id = %(customer_id)s::text)
  and (%(states)s::text[] is null or state = any(%(states)s::text[]))
  and (%(before_at)s::timestamptz is null
       or (issued_at, offer_id) < (%(before_at)s::timestamptz, %(before_id)s::text))
order by issued_at desc, offer_id desc limit %(limit)s;

-- name: select_open_offers
-- A customer's offers that can be accepted at a moment, the most urgent first.
select offer_id, decision_id, customer_id, device_id, installation_id, sku, reason_code, facts, state,
       list_price_minor, price_minor, currency, valid_from, reply_by, valid_until, binding_id, credited_to, issued_at
from offer
where customer_id = %(customer_id)s and state in ('open', 'seen') and valid_until > %(at)s
order by reply_by, offer_id;

-- name: select_unanswered_offers
-- A customer's offers that nobody has answered, whatever their validity.
select offer_id, decision_id, customer_id, device_id, installation_id, sku, reason_code, facts, state,
       list_price_minor, price_minor, currency, valid_from, reply_by, valid_until, binding_id, credited_to, issued_at
from offer where customer_id = %(customer_id)s and state in ('open', 'seen') order by offer_id for no key update;

-- name: select_offer_events
-- The steps of an offer's life, oldest first.
select e.state, e.at, e.actor, e.reason from offer_event e
where e.offer_id = %(offer_id)s
order by e.at, array_position(array['open', 'seen', 'accepted', 'ordered', 'declined', 'expired', 'withdrawn'], e.state);

-- name: select_offer_counts
-- How many offers are in each state.
select state, count(*) from offer group by state;

-- name: select_decision
-- One decision with the offer it led to.
select d.decision_id, d.customer_id, d.trigger, d.device_id, d.installation_id, d.sku, d.decided_at, d.outcome,
       d.failed_gate, d.candidates, d.gates, o.offer_id
from decision d left join offer o using (decision_id) where d.decision_id = %(decision_id)s;

-- name: select_decisions
-- A page of a customer's decisions, or of all, newest first.
select d.decision_id, d.customer_id, d.trigger, d.device_id, d.installation_id, d.sku, d.decided_at, d.outcome,
       d.failed_gate, d.candidates, d.gates, o.offer_id
from decision d left join offer o using (decision_id)
where (%(customer_id)s::text is null or d.customer_id = %(customer_id)s::text)
  and (%(before_at)s::timestamptz is null
       or (d.decided_at, d.decision_id) < (%(before_at)s::timestamptz, %(before_id)s::text))
order by d.decided_at desc, d.decision_id desc limit %(limit)s;

-- name: end_decisions
-- Noes of before a moment that a later decision about the same thing followed, or whose part was replaced before it.
with old as (
    select d.decision_id from decision d
    where d.outcome = 'not_issued' and d.decided_at < %(before)s::timestamptz
      and (exists (select from decision n
                   where n.device_id = d.device_id and n.sku = d.sku and n.trigger = d.trigger
                     and n.installation_id is not distinct from d.installation_id
                     and (n.decided_at, n.decision_id) > (d.decided_at, d.decision_id))
           or exists (select from installation i
                      where i.installation_id = d.installation_id and i.ended_at < %(before)s::timestamptz))
    order by d.decided_at limit %(most)s::bigint
), gone as (
    delete from decision d using old where %(deleting)s::boolean and d.decision_id = old.decision_id returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;
