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
