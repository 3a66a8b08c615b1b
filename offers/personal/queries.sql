-- name: export_offers
-- What was offered.
select offer_id, decision_id, sku, reason_code, facts, state, list_price_minor, price_minor, currency, valid_from, reply_by,
       valid_until, issued_at
from offer where customer_id = any(%(customer_ids)s::text[]) order by issued_at, offer_id;

-- name: export_offer_steps
-- What became of it.
select e.offer_id, e.state, e.at, e.actor, e.reason from offer_event e join offer o using (offer_id)
where o.customer_id = any(%(customer_ids)s::text[]) order by e.at, e.offer_id, e.state;

-- name: export_decisions
-- Why something was offered, or not.
select decision_id, trigger, sku, decided_at, last_at, times, outcome, failed_gate, candidates, gates, policy, score, propensity
from decision where customer_id = any(%(customer_ids)s::text[]) order by decided_at, decision_id;

-- name: erase_offer_steps
-- What became of a person's offers.
delete from offer_event e using offer o where o.offer_id = e.offer_id and o.customer_id = any(%(customer_ids)s::text[]);

-- name: erase_offers
-- A person's offers; an order made from one has its price itself.
delete from offer where customer_id = any(%(customer_ids)s::text[]);

-- name: erase_decisions
-- What was thought of offering a person, and why not.
delete from decision where customer_id = any(%(customer_ids)s::text[]);
