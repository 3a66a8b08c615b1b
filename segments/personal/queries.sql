-- name: export_values
-- What they are worth to us, as a model expects it.
select at, purchases, p_alive, expected_purchases, value_minor, clv_minor, currency from customer_value
where customer_id = any(%(customer_ids)s::text[]) order by at, customer_id;

-- name: export_cycles
-- When they are expected to buy again.
select category, at, purchases, median_days, early_days, late_days, last_bought_at, next_expected_at from purchase_cycle
where customer_id = any(%(customer_ids)s::text[]) order by category, customer_id;

-- name: export_propensities
-- What they are expected to buy of.
select category, at, propensity from category_propensity
where customer_id = any(%(customer_ids)s::text[]) order by category, customer_id;

-- name: erase_values
-- What they are worth to us.
delete from customer_value where customer_id = any(%(customer_ids)s::text[]);

-- name: erase_cycles
-- When they buy again.
delete from purchase_cycle where customer_id = any(%(customer_ids)s::text[]);

-- name: erase_propensities
-- What they will buy of.
delete from category_propensity where customer_id = any(%(customer_ids)s::text[]);

-- name: export_facts
-- What was worked out of what they did and own.
select at, orders, first_order_at, last_order_at, cycle_days, currency, spent, refunds, channels, stores, categories,
       discounted_orders, new_orders, discounted_ids, new_ids, checkouts, gifts, season_gifts, coupons, interests, reviews,
       last_seen_at, models, parts_due, part_due_at, life_cycle from customer_facts
where customer_id = any(%(customer_ids)s::text[]) order by customer_id;

-- name: export_memberships
-- In which segments they are or were.
select segment_id, from_at, until_at, evidence from segment_member
where customer_id = any(%(customer_ids)s::text[]) order by from_at, segment_id, customer_id;

-- name: erase_facts
-- What was worked out of them.
delete from customer_facts where customer_id = any(%(customer_ids)s::text[]);

-- name: erase_memberships
-- In which segments they were.
delete from segment_member where customer_id = any(%(customer_ids)s::text[]);
