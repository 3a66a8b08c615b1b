-- name: select_last_write
-- When a customer was last bound, handed over, sold to, or refused a hand-over.
select greatest((select max(greatest(b.created_at, b.refused_at)) from binding b where b.customer_id = %(customer_id)s),
                (select max(o.placed_at) from customer_order o where o.customer_id = %(customer_id)s));

-- name: insert_store
-- Open a shop.
insert into store (store_id, name, currency, time_zone, created_at)
values (%(store_id)s, %(name)s, %(currency)s, %(time_zone)s, %(at)s)
returning store_id, name, currency, time_zone, created_at;

-- name: select_store
-- One shop.
select store_id, name, currency, time_zone, created_at from store where store_id = %(store_id)s;

-- name: select_stores
-- A page of shops after an id.
select store_id, name, currency, time_zone, created_at
from store where store_id > %(after)s order by store_id limit %(limit)s;

-- name: insert_staff
-- Employ a person.
insert into staff (staff_id, store_id, name, customer_id, employed_from)
values (%(staff_id)s, %(store_id)s, %(name)s, %(customer_id)s, %(at)s)
returning staff_id, store_id, name, customer_id, badge_version, employed_from, left_at;

-- name: end_employment
-- The person leaves; no row when unknown or already gone.
update staff set left_at = %(at)s where staff_id = %(staff_id)s and left_at is null
returning staff_id, store_id, name, customer_id, badge_version, employed_from, left_at;

-- name: raise_badge_version
-- Badges of an older version bind no more.
update staff set badge_version = badge_version + 1 where staff_id = %(staff_id)s
returning staff_id, store_id, name, customer_id, badge_version, employed_from, left_at;

-- name: select_staff_member
-- One staff member.
select staff_id, store_id, name, customer_id, badge_version, employed_from, left_at
from staff where staff_id = %(staff_id)s;

-- name: select_staff
-- A page of staff after an id, of one store or of all.
select staff_id, store_id, name, customer_id, badge_version, employed_from, left_at
from staff
where staff_id > %(after)s and (%(store_id)s::text is null or store_id = %(store_id)s::text)
order by staff_id limit %(limit)s;

-- name: spend_nonce
-- Spend a code for a customer; answers with who spent it first, after waiting for a racing transaction.
insert into spent_nonce (nonce, spent_by, spent_at) values (%(nonce)s, %(customer_id)s, %(at)s)
on conflict (nonce) do update set nonce = excluded.nonce
returning spent_by;

-- name: select_binding_policy
-- The policy in force at a moment.
select take_over, protection_days, validity_days, max_transfers, transfer_window_days, transfer_delay_hours, leaver_days
from binding_policy where valid_from <= %(at)s order by valid_from desc, policy_id desc limit 1;

-- name: insert_binding
-- Credit a customer to a person from a moment.
insert into binding (binding_id, customer_id, staff_id, bound_from, bound_until, source, follows, reason, created_at)
values (%(binding_id)s, %(customer_id)s, %(staff_id)s, %(bound_from)s, %(bound_until)s, %(source)s, %(follows)s,
        %(reason)s, %(at)s)
returning binding_id, customer_id, staff_id, bound_from, bound_until, source, follows, reason, refused_at, created_at;

-- name: end_binding
-- Let a binding end at a moment (or, with null, not at all).
update binding set bound_until = %(bound_until)s::timestamptz where binding_id = %(binding_id)s
returning binding_id, customer_id, staff_id, bound_from, bound_until, source, follows, reason, refused_at, created_at;

-- name: refuse_binding
-- Mark a hand-over that has not begun as refused; no row when it is none, or has begun.
update binding set refused_at = %(at)s
where binding_id = %(binding_id)s and customer_id = %(customer_id)s
  and source = 'transfer' and refused_at is null and bound_from > %(at)s
returning binding_id, customer_id, staff_id, bound_from, bound_until, source, follows, reason, refused_at, created_at;

-- name: binding_at
-- The binding in force at a moment.
select binding_id, customer_id, staff_id, bound_from, bound_until, source, follows, reason, refused_at, created_at
from binding
where customer_id = %(customer_id)s and refused_at is null
  and bound_from <= %(at)s and (bound_until is null or %(at)s < bound_until);

-- name: bindings_at
-- The bindings of some customers in force at a moment.
select binding_id, customer_id, staff_id, bound_from, bound_until, source, follows, reason, refused_at, created_at
from binding
where customer_id = any(%(customer_ids)s::text[]) and refused_at is null
  and bound_from <= %(at)s and (bound_until is null or %(at)s < bound_until);

-- name: select_binding
-- One binding.
select binding_id, customer_id, staff_id, bound_from, bound_until, source, follows, reason, refused_at, created_at
from binding where binding_id = %(binding_id)s;

-- name: select_bindings
-- All bindings of a customer, oldest first.
select binding_id, customer_id, staff_id, bound_from, bound_until, source, follows, reason, refused_at, created_at
from binding where customer_id = %(customer_id)s order by bound_from, created_at;

-- name: count_transfers
-- How many hand-overs of a customer were started since a moment and not refused.
select count(*) from binding
where customer_id = %(customer_id)s and source = 'transfer' and refused_at is null and created_at > %(since)s;

-- name: select_pending_transfer
-- A hand-over of a customer that has not begun.
select binding_id, customer_id, staff_id, bound_from, bound_until, source, follows, reason, refused_at, created_at
from binding
where customer_id = %(customer_id)s and refused_at is null and bound_from > %(at)s
order by bound_from limit 1;

-- name: insert_scan
-- Every scan is an event of its own.
insert into scan (customer_id, staff_id, scanned_at, source, outcome)
values (%(customer_id)s, %(staff_id)s, %(at)s, %(source)s, %(outcome)s);

-- name: insert_order
-- Place an order.
insert into customer_order (order_id, customer_id, channel, store_id, sold_by, offer_id, binding_id, credited_to,
                            amount_minor, currency, placed_at, created_at)
values (%(order_id)s, %(customer_id)s, %(channel)s, %(store_id)s, %(sold_by)s, %(offer_id)s, %(binding_id)s,
        %(credited_to)s, %(amount_minor)s, %(currency)s, %(at)s, %(at)s);

-- name: insert_order_line
-- One line of an order.
insert into order_line (order_id, line, sku, quantity, unit_price_minor)
values (%(order_id)s, %(line)s, %(sku)s, %(quantity)s, %(unit_price_minor)s);

-- name: select_order
-- One order.
select order_id, customer_id, channel, store_id, sold_by, offer_id, binding_id, credited_to,
       amount_minor, refunded_minor, currency, placed_at
from customer_order where order_id = %(order_id)s;

-- name: lock_order
-- One order, locked against refunds and release.
select order_id, customer_id, channel, store_id, sold_by, offer_id, binding_id, credited_to,
       amount_minor, refunded_minor, currency, placed_at
from customer_order where order_id = %(order_id)s for no key update;

-- name: select_orders
-- A page of orders, newest first, of one customer, of one credited person, sold in one store, or of all.
select order_id, customer_id, channel, store_id, sold_by, offer_id, binding_id, credited_to,
       amount_minor, refunded_minor, currency, placed_at
from customer_order
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
insert into refund (refund_id, order_id, amount_minor, currency, refunded_at, reason)
values (%(refund_id)s, %(order_id)s, %(amount_minor)s, %(currency)s, %(at)s, %(reason)s);

-- name: select_refunds
-- The refunds of an order with the commission each reversed, oldest first.
select r.refund_id, r.order_id, r.amount_minor, r.currency, r.refunded_at, r.reason,
       coalesce(sum(p.amount_minor) filter (where a.kind = 'commission_expense'), 0)::bigint as clawed_back_minor
from refund r
left join ledger_entry e on e.refund_id = r.refund_id
left join posting p on p.entry_id = e.entry_id
left join account a on a.account_id = p.account_id
where r.order_id = %(order_id)s
group by r.refund_id order by r.refunded_at, r.refund_id;

-- name: select_plan_at
-- The commission plan in force at a moment.
select plan_id, rate_bp, return_window_days from commission_plan where valid_from <= %(at)s order by valid_from desc limit 1;

-- name: select_plan_of_order
-- The plan under which an order earned; no row when it earned nothing.
select c.plan_id, c.rate_bp, c.return_window_days
from ledger_entry e join commission_plan c using (plan_id) where e.order_id = %(order_id)s and e.kind = 'earned';

-- name: is_released
-- Whether an order's commission has been released.
select exists (select 1 from ledger_entry where order_id = %(order_id)s and kind = 'released');

-- name: is_rejected
-- Whether an operator took an order's commission back.
select exists (select 1 from ledger_entry where order_id = %(order_id)s and kind = 'rejected');

-- name: select_credited_since
-- What was sold on a person's credit since a moment, less what was given back.
select coalesce(sum(amount_minor - refunded_minor), 0)::bigint from customer_order
where credited_to = %(staff_id)s and currency = %(currency)s and placed_at > %(since)s;

-- name: select_one_person
-- Whether two staff members are one person: the same one, or with the same customer account.
select 1 from staff a, staff b
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
select h.order_id, h.reason, h.held_at, h.decision, h.decided_at, h.decided_by, h.note, o.customer_id, o.store_id,
       o.sold_by, o.credited_to, s.name as credited_name, o.amount_minor,
       (select coalesce(-sum(p.amount_minor), 0)::bigint from ledger_entry e join posting p using (entry_id)
        join account a using (account_id)
        where e.order_id = h.order_id and e.kind = 'earned' and a.kind = 'commission_expense') as earned_minor, o.currency
from commission_hold h join customer_order o using (order_id) join staff s on s.staff_id = o.credited_to
where h.order_id = %(order_id)s;

-- name: select_holds
-- A page of what is held, oldest first: what waits, or all.
select h.order_id, h.reason, h.held_at, h.decision, h.decided_at, h.decided_by, h.note, o.customer_id, o.store_id,
       o.sold_by, o.credited_to, s.name as credited_name, o.amount_minor,
       (select coalesce(-sum(p.amount_minor), 0)::bigint from ledger_entry e join posting p using (entry_id)
        join account a using (account_id)
        where e.order_id = h.order_id and e.kind = 'earned' and a.kind = 'commission_expense') as earned_minor, o.currency
from commission_hold h join customer_order o using (order_id) join staff s on s.staff_id = o.credited_to
where (h.decision is null or not %(waiting)s)
  and (%(after_at)s::timestamptz is null or (h.held_at, h.order_id) > (%(after_at)s::timestamptz, %(after_id)s::text))
order by h.held_at, h.order_id limit %(limit)s;

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
select a.kind, a.currency, sum(p.amount_minor)::bigint
from account a join posting p using (account_id)
where a.staff_id = %(staff_id)s group by a.kind, a.currency order by a.currency, a.kind;

-- name: select_pending_of_order
-- What an order still has pending.
select coalesce(sum(p.amount_minor), 0)::bigint
from ledger_entry e join posting p using (entry_id) join account a using (account_id)
where e.order_id = %(order_id)s and a.kind = 'commission_pending';

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

-- name: select_statement_lines
-- The orders placed between two moments, and those that moved anything then, with what they moved, oldest first.
select o.order_id, o.customer_id, c.name as customer_name, o.channel, o.store_id, o.placed_at,
       o.amount_minor,
       (select coalesce(sum(r.amount_minor), 0)::bigint from refund r
        where r.order_id = o.order_id and r.refunded_at >= %(from_at)s and r.refunded_at < %(to_at)s) as refunded_minor,
       o.currency,
       -coalesce(sum(p.amount_minor) filter (where e.kind = 'earned' and a.kind = 'commission_expense'), 0)::bigint as earned,
       coalesce(sum(p.amount_minor) filter (where e.kind in ('clawed_back', 'rejected') and a.kind = 'commission_expense'), 0)::bigint as clawed_back,
       coalesce(sum(p.amount_minor) filter (where e.kind = 'released' and a.kind = 'commission_available'), 0)::bigint as released,
       exists (select 1 from commission_hold h where h.order_id = o.order_id and h.decision is null) as held,
       (select h.decision from commission_hold h where h.order_id = o.order_id) as decision
from customer_order o
join current_customer c on c.known_as = o.customer_id
left join ledger_entry e on e.order_id = o.order_id and e.happened_at >= %(from_at)s and e.happened_at < %(to_at)s
left join posting p using (entry_id)
left join account a using (account_id)
where o.credited_to = %(staff_id)s
  and (e.entry_id is not null or (o.placed_at >= %(from_at)s and o.placed_at < %(to_at)s))
group by o.order_id, c.name
order by o.placed_at, o.order_id;

-- name: select_movements
-- What moved on a person's accounts before a moment, and of that since another, by kind of entry and account.
select e.kind, a.kind, a.currency, sum(p.amount_minor)::bigint,
       coalesce(sum(p.amount_minor) filter (where e.happened_at >= %(from_at)s), 0)::bigint
from account a join posting p using (account_id) join ledger_entry e using (entry_id)
where a.staff_id = %(staff_id)s and e.happened_at < %(to_at)s
group by e.kind, a.kind, a.currency order by a.currency;

-- name: select_bound_customers
-- A page of the customers bound to a person at a moment, with their last order.
select c.customer_id, c.external_key, c.name, b.bound_from, last.order_id, last.placed_at, last.amount_minor,
       last.currency, (select count(*) from customer_order n where n.customer_id = c.customer_id) as orders
from binding b
join current_customer c on c.known_as = b.customer_id
left join lateral (select o.order_id, o.placed_at, o.amount_minor, o.currency from customer_order o
                   where o.customer_id = c.customer_id order by o.placed_at desc, o.order_id desc limit 1) last on true
where b.staff_id = %(staff_id)s and b.refused_at is null
  and b.bound_from <= %(at)s and (b.bound_until is null or %(at)s < b.bound_until)
  and c.customer_id > %(after)s
order by c.customer_id limit %(limit)s;

-- name: select_ledger_totals
-- The whole ledger by currency; the sum of everything is zero.
select p.currency,
       coalesce(sum(p.amount_minor) filter (where a.kind = 'commission_expense'), 0)::bigint as expense,
       coalesce(sum(p.amount_minor) filter (where a.kind = 'commission_pending'), 0)::bigint as pending,
       coalesce(sum(p.amount_minor) filter (where a.kind = 'commission_available'), 0)::bigint as available,
       coalesce(sum(p.amount_minor) filter (where a.kind = 'commission_paid'), 0)::bigint as paid,
       sum(p.amount_minor)::bigint as balance,
       count(distinct p.entry_id) as entries
from posting p join account a using (account_id) group by p.currency order by p.currency;

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
