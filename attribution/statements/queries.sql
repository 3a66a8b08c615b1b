-- name: select_statement_lines
-- The orders placed between two moments, and those that moved anything then, with what they moved, oldest first.
-- What is earned leaves the expense account and what is taken back returns to it, hence the minus at the one only.
select o.order_id, c.customer_id, c.name as customer_name, o.channel, o.store_id, o.placed_at, o.amount_minor, o.currency,
       (select coalesce(sum(r.amount_minor), 0)::bigint from refund r
        where r.order_id = o.order_id and r.refunded_at >= %(from_at)s and r.refunded_at < %(to_at)s) as refunded_minor,
       -coalesce(sum(p.amount_minor) filter (where p.entry = 'earned' and p.account = 'commission_expense'), 0)::bigint
           as earned_minor,
       coalesce(sum(p.amount_minor) filter (where p.entry in ('clawed_back', 'rejected')
                                              and p.account = 'commission_expense'), 0)::bigint as clawed_back_minor,
       coalesce(sum(p.amount_minor) filter (where p.entry = 'released' and p.account = 'commission_available'), 0)::bigint
           as released_minor,
       h.order_id is not null and h.decision is null as held, h.decision
from customer_order o
join current_customer c on c.known_as = o.customer_id
left join commission_hold h on h.order_id = o.order_id
left join posted p on p.order_id = o.order_id and p.happened_at >= %(from_at)s and p.happened_at < %(to_at)s
where o.credited_to = %(staff_id)s
  and (p.entry_id is not null or (o.placed_at >= %(from_at)s and o.placed_at < %(to_at)s))
group by o.order_id, c.customer_id, c.name, h.order_id
order by o.placed_at, o.order_id;

-- name: select_movements
-- What moved on a person's accounts before a moment, and of that since another, by kind of entry and account.
select entry, account, currency, sum(amount_minor)::bigint as until_end_minor,
       coalesce(sum(amount_minor) filter (where happened_at >= %(from_at)s), 0)::bigint as within_minor
from posted where staff_id = %(staff_id)s and happened_at < %(to_at)s
group by entry, account, currency order by currency;

-- name: select_bound_customers
-- A page of the customers bound to a person at a moment, with their last order.
select c.customer_id, c.external_key, c.name, b.bound_from, last.order_id as last_order_id, last.placed_at as last_order_at,
       last.amount_minor, last.currency, (select count(*) from customer_order n where n.customer_id = any(person_ids(c.customer_id))) as orders
from bound b
join current_customer c on c.known_as = b.customer_id
left join lateral (select o.order_id, o.placed_at, o.amount_minor, o.currency from customer_order o
                   where o.customer_id = any(person_ids(c.customer_id)) order by o.placed_at desc, o.order_id desc limit 1) last on true
where b.staff_id = %(staff_id)s and b.refused_at is null
  and b.bound_from <= %(at)s and (b.bound_until is null or %(at)s < b.bound_until)
  and b.binding_id = (select f.binding_id from bindings_in_force(array[b.customer_id], %(at)s) f)
  and c.customer_id > %(after)s
order by c.customer_id limit %(limit)s;

-- name: select_ledger_totals
-- The whole ledger by currency; the sum of everything is zero.
select p.currency,
       coalesce(sum(p.amount_minor) filter (where a.kind = 'commission_expense'), 0)::bigint as expense_minor,
       coalesce(sum(p.amount_minor) filter (where a.kind = 'commission_pending'), 0)::bigint as pending_minor,
       coalesce(sum(p.amount_minor) filter (where a.kind = 'commission_available'), 0)::bigint as available_minor,
       coalesce(sum(p.amount_minor) filter (where a.kind = 'commission_paid'), 0)::bigint as paid_minor,
       sum(p.amount_minor)::bigint as balance_minor,
       count(distinct p.entry_id) as entries
from posting p join account a using (account_id) group by p.currency order by p.currency;
