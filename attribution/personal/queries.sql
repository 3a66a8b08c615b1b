-- name: export_orders
-- What was bought, and what was given back on it.
select order_id, channel, store_id, offer_id, amount_minor, refunded_minor, currency, placed_at, created_at, external_id,
       discount_minor, coupon
from customer_order where customer_id = any(%(customer_ids)s::text[]) order by placed_at, order_id;

-- name: export_order_lines
-- What was in each order.
select l.order_id, l.line, l.sku, l.quantity, l.unit_price_minor from order_line l join customer_order o using (order_id)
where o.customer_id = any(%(customer_ids)s::text[]) order by o.placed_at, l.order_id, l.line;

-- name: export_refunds
-- What was given back, and why.
select r.refund_id, r.order_id, r.amount_minor, r.currency, r.refunded_at, r.reason, r.external_id
from refund r join customer_order o using (order_id)
where o.customer_id = any(%(customer_ids)s::text[]) order by r.refunded_at, r.refund_id;

-- name: export_bindings
-- Who was credited for them, from when until when.
select binding_id, staff_id, bound_from, bound_until, source, reason, refused_at, created_at from binding
where customer_id = any(%(customer_ids)s::text[]) order by created_at, binding_id;

-- name: export_scans
-- Whose code they scanned.
select staff_id, scanned_at, source, outcome from scan
where customer_id = any(%(customer_ids)s::text[]) order by scanned_at, scan_id;

-- name: erase_orders
-- Orders stay under a pseudonym, and forget the offer that they came from and the coupon.
update customer_order set offer_id = null, coupon = null
where customer_id = any(%(customer_ids)s::text[]) and (offer_id is not null or coupon is not null);

-- name: erase_refund_reasons
-- What somebody wrote when they gave money back.
update refund r set reason = null from customer_order o
where o.order_id = r.order_id and o.customer_id = any(%(customer_ids)s::text[]) and r.reason is not null;

-- name: erase_hold_notes
-- What an operator wrote on commission that waited.
update commission_hold h set note = null from customer_order o
where o.order_id = h.order_id and o.customer_id = any(%(customer_ids)s::text[]) and h.note is not null;

-- name: erase_binding_reasons
-- What somebody wrote when they handed a customer over.
update binding set reason = null where customer_id = any(%(customer_ids)s::text[]) and reason is not null;

-- name: erase_scans
-- Which codes a person scanned; the binding that came of it stays.
delete from scan where customer_id = any(%(customer_ids)s::text[]);

-- name: erase_staff_accounts
-- Who works here is not known to be this customer any more.
update staff set customer_id = null where customer_id = any(%(customer_ids)s::text[]);
