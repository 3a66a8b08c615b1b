-- name: select_last_write
-- When a customer was last bound, handed over, sold to, or refused a hand-over.
select greatest((select max(greatest(b.created_at, b.refused_at)) from binding b
                 where b.customer_id = any(person_ids(%(customer_id)s))),
                (select max(o.placed_at) from customer_order o
                 where o.customer_id = any(person_ids(%(customer_id)s))));

-- name: insert_store
-- Open a shop.
insert into store (store_id, name, currency, time_zone, created_at)
values (%(store_id)s, %(name)s, %(currency)s, %(time_zone)s, %(at)s);

-- name: select_store
-- One shop.
select * from store where store_id = %(store_id)s;

-- name: select_stores
-- A page of shops after an id.
select * from store where store_id > %(after)s order by store_id limit %(limit)s;

-- name: insert_staff
-- Employ a person.
insert into staff (staff_id, store_id, name, customer_id, employed_from)
values (%(staff_id)s, %(store_id)s, %(name)s, %(customer_id)s, %(at)s);

-- name: end_employment
-- The person leaves; no row when unknown or already gone.
update staff set left_at = %(at)s where staff_id = %(staff_id)s and left_at is null returning 1;

-- name: raise_badge_version
-- Badges of an older version bind no more.
update staff set badge_version = badge_version + 1 where staff_id = %(staff_id)s;

-- name: select_staff_member
-- One staff member.
select * from staff_member where staff_id = %(staff_id)s;

-- name: select_staff
-- A page of staff after an id, of one store or of all.
select * from staff_member
where staff_id > %(after)s and (%(store_id)s::text is null or store_id = %(store_id)s::text)
order by staff_id limit %(limit)s;

-- name: spend_nonce
-- Spend a code for a customer; answers with whose it was first spent by now, after waiting for a racing transaction.
insert into spent_nonce (nonce, spent_by, spent_at) values (%(nonce)s, %(customer_id)s, %(at)s)
on conflict (nonce) do update set nonce = excluded.nonce
returning (select p.customer_id from person p where p.known_as = spent_by);

-- name: select_binding_policy
-- The policy in force at a moment.
select take_over, protection_days, validity_days, max_transfers, transfer_window_days, transfer_delay_hours, leaver_days
from binding_policy where valid_from <= %(at)s order by valid_from desc, policy_id desc limit 1;

-- name: insert_binding
-- Credit a customer to a person from a moment; what goes on from a binding is of the id that that is of.
insert into binding (binding_id, customer_id, staff_id, bound_from, bound_until, source, follows, reason, created_at)
select %(binding_id)s, coalesce((select f.customer_id from binding f where f.binding_id = %(follows)s::text), %(customer_id)s),
       %(staff_id)s, %(bound_from)s, %(bound_until)s, %(source)s, %(follows)s::text, %(reason)s, %(at)s
returning binding_id, (select p.customer_id from person p where p.known_as = binding.customer_id) as customer_id, staff_id,
          bound_from, bound_until, source, follows, reason, refused_at, created_at;

-- name: end_binding
-- Let a binding end at a moment (or, with null, not at all).
update binding set bound_until = %(bound_until)s::timestamptz where binding_id = %(binding_id)s
returning binding_id, (select p.customer_id from person p where p.known_as = binding.customer_id) as customer_id, staff_id,
          bound_from, bound_until, source, follows, reason, refused_at, created_at;

-- name: refuse_binding
-- Mark a hand-over that has not begun as refused; no row when it is none, or has begun.
update binding set refused_at = %(at)s
where binding_id = %(binding_id)s and customer_id = any(person_ids(%(customer_id)s))
  and source = 'transfer' and refused_at is null and bound_from > %(at)s
returning 1;

-- name: bindings_at
-- The bindings of some customers in force at a moment.
select * from bindings_in_force(%(customer_ids)s::text[], %(at)s);

-- name: select_binding
-- One binding.
select * from bound where binding_id = %(binding_id)s;

-- name: count_transfers
-- How many hand-overs of a customer were started since a moment and not refused.
select count(*) from binding
where customer_id = any(person_ids(%(customer_id)s)) and source = 'transfer' and refused_at is null and created_at > %(since)s;

-- name: select_pending_transfer
-- A hand-over of a customer that has not begun.
select * from bound
where customer_id = (select p.customer_id from person p where p.known_as = %(customer_id)s)
  and refused_at is null and bound_from > %(at)s
order by bound_from limit 1;

-- name: insert_scan
-- Every scan is an event of its own.
insert into scan (customer_id, staff_id, scanned_at, source, outcome)
values (%(customer_id)s, %(staff_id)s, %(at)s, %(source)s, %(outcome)s);

-- name: insert_order
-- Place an order.
insert into customer_order (order_id, customer_id, channel, store_id, sold_by, offer_id, binding_id, credited_to,
                            amount_minor, currency, external_id, discount_minor, coupon, placed_at, created_at)
values (%(order_id)s, %(customer_id)s, %(channel)s, %(store_id)s, %(sold_by)s, %(offer_id)s, %(binding_id)s,
        %(credited_to)s, %(amount_minor)s, %(currency)s, %(external_id)s, %(discount_minor)s, %(coupon)s, %(placed_at)s,
        %(at)s);

-- name: insert_order_line
-- One line of an order.
insert into order_line (order_id, line, sku, quantity, unit_price_minor)
values (%(order_id)s, %(line)s, %(sku)s, %(quantity)s, %(unit_price_minor)s);

-- name: select_order
-- One order.
select * from sale where order_id = %(order_id)s;

-- name: select_told_order
-- The order that the brand's own systems call so: in a store, or where none is named in the brand.
select s.* from sale s join customer_order o using (order_id)
where coalesce(o.store_id, '') = coalesce(%(store_id)s::text, '') and o.external_id = %(external_id)s;

-- name: lock_order
-- Nobody else refunds or releases an order until the transaction ends.
select 1 from customer_order where order_id = %(order_id)s for no key update;

-- name: select_orders
-- A page of orders, newest first, of one customer, of one credited person, sold in one store, or of all.
select * from sale
where (%(customer_id)s::text is null or customer_id = %(customer_id)s::text)
  and (%(credited_to)s::text is null or credited_to = %(credited_to)s::text)
  and (%(store_id)s::text is null or store_id = %(store_id)s::text)
  and (%(before_at)s::timestamptz is null
       or (placed_at, order_id) < (%(before_at)s::timestamptz, %(before_id)s::text))
order by placed_at desc, order_id desc limit %(limit)s;

-- name: select_order_lines
-- The lines of orders, in order.
select l.order_id, l.sku, l.quantity, l.unit_price_minor, o.currency
from order_line l join customer_order o using (order_id)
where l.order_id = any(%(order_ids)s::text[]) order by l.order_id, l.line;

-- name: add_refunded
-- Count a refund against its order; refund_within_order stands against more than is left.
update customer_order set refunded_minor = refunded_minor + %(amount_minor)s where order_id = %(order_id)s;

-- name: insert_refund
-- Give money back on an order.
insert into refund (refund_id, order_id, amount_minor, currency, refunded_at, reason, external_id)
values (%(refund_id)s, %(order_id)s, %(amount_minor)s, %(currency)s, %(at)s, %(reason)s, %(external_id)s);

-- name: select_refunds
-- The refunds of an order with the commission each reversed, oldest first.
select r.refund_id, r.order_id, r.amount_minor, r.currency, r.refunded_at, r.reason,
       (select coalesce(sum(p.amount_minor), 0)::bigint from posted p
        where p.refund_id = r.refund_id and p.entry = 'clawed_back' and p.account = 'commission_expense')
           as clawed_back_minor
from refund r where r.order_id = %(order_id)s
order by r.refunded_at, r.refund_id;

-- name: select_plan_at
-- The commission plan in force at a moment.
select plan_id, rate_bp, return_window_days from commission_plan where valid_from <= %(at)s order by valid_from desc limit 1;

-- name: select_plan_of_order
-- The plan under which an order earned; no row when it earned nothing.
select c.plan_id, c.rate_bp, c.return_window_days
from ledger_entry e join commission_plan c using (plan_id) where e.order_id = %(order_id)s and e.kind = 'earned';

-- name: has_entry
-- Whether an order has an entry of a kind.
select exists (select 1 from ledger_entry where order_id = %(order_id)s and kind = %(kind)s);

-- name: select_credited_since
-- What was sold on a person's credit since a moment, less what was given back.
select coalesce(sum(amount_minor - refunded_minor), 0)::bigint from customer_order
where credited_to = %(staff_id)s and currency = %(currency)s and placed_at > %(since)s;

-- name: select_one_person
-- Whether two staff members are one person: the same one, or with the same customer account.
select 1 from staff_member a, staff_member b
where a.staff_id = %(one)s and b.staff_id = %(other)s and (a.staff_id = b.staff_id or a.customer_id = b.customer_id);

-- name: insert_hold
-- Keep an order's commission from being released until an operator has looked.
insert into commission_hold (order_id, reason, held_at) values (%(order_id)s, %(reason)s, %(at)s);

-- name: decide_hold
-- Keep what an operator's look came to; no row when nothing is held, or it was decided before.
update commission_hold set decision = %(decision)s, decided_at = %(at)s, decided_by = %(actor)s, note = %(note)s
where order_id = %(order_id)s and decision is null returning 1;

-- name: select_hold
-- What is or was held of an order.
select * from held_commission where order_id = %(order_id)s;

-- name: select_holds
-- A page of what is held, oldest first: what waits, or all.
select * from held_commission
where (decision is null or not %(waiting)s)
  and (%(after_at)s::timestamptz is null or (held_at, order_id) > (%(after_at)s::timestamptz, %(after_id)s::text))
order by held_at, order_id limit %(limit)s;

-- name: count_waiting_holds
-- How many holds wait for an operator.
select count(*) from commission_hold where decision is null;

-- name: insert_account
-- Create an account unless it is there; two that race make one.
insert into account (kind, staff_id, currency) values (%(kind)s, %(staff_id)s, %(currency)s)
on conflict on constraint account_once do nothing returning account_id;

-- name: select_account
-- The account of a kind, a person and a currency.
select account_id from account
where kind = %(kind)s and staff_id is not distinct from %(staff_id)s::text and currency = %(currency)s;

-- name: insert_entry
-- Post the head of a ledger entry.
insert into ledger_entry (entry_id, kind, order_id, refund_id, plan_id, happened_at, posted_at)
values (%(entry_id)s, %(kind)s, %(order_id)s, %(refund_id)s, %(plan_id)s, %(at)s, %(at)s);

-- name: insert_posting
-- Post one line of a ledger entry.
insert into posting (entry_id, line, account_id, amount_minor, currency)
values (%(entry_id)s, %(line)s, %(account_id)s, %(amount_minor)s, %(currency)s);

-- name: select_balances
-- What a person's accounts hold, all entries counted.
select a.kind, a.currency, sum(p.amount_minor)::bigint as amount_minor
from account a join posting p using (account_id)
where a.staff_id = %(staff_id)s group by a.kind, a.currency order by a.currency, a.kind;

-- name: select_pending_of_order
-- What an order still has pending.
select coalesce(sum(amount_minor), 0)::bigint from posted
where order_id = %(order_id)s and account = 'commission_pending';

-- name: select_releasable_orders
-- Orders with something pending, of which nothing is held, whose return window has passed, oldest first.
select e.order_id
from ledger_entry e join commission_plan c using (plan_id) join customer_order o using (order_id)
where e.kind = 'earned' and e.happened_at + make_interval(days => c.return_window_days) <= %(at)s
  and o.refunded_minor < o.amount_minor
  and not exists (select 1 from ledger_entry r where r.order_id = e.order_id and r.kind = 'released')
  and not exists (select 1 from commission_hold h
                  where h.order_id = e.order_id and h.decision is distinct from 'approved')
order by e.happened_at, e.order_id;

-- name: lock_staff
-- One payout of a person, and one look at their day's ceiling, at a time.
select 1 from staff where staff_id = %(staff_id)s for no key update;

-- name: end_scans
-- Scans of before a moment; the bindings that they made stay.
with old as (
    select scan_id from scan
    where scanned_at < %(before)s::timestamptz
    order by scanned_at limit %(most)s::bigint
), gone as (
    delete from scan s using old where %(deleting)s::boolean and s.scan_id = old.scan_id returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;

-- name: end_spent_nonces
-- Codes that were spent before a moment, and have expired since.
with old as (
    select nonce from spent_nonce
    where spent_at < %(before)s::timestamptz
    order by nonce limit %(most)s::bigint
), gone as (
    delete from spent_nonce s using old where %(deleting)s::boolean and s.nonce = old.nonce returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;
