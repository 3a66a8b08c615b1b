-- What is read of sales, of the ledger, and of commission that is or was held: their columns and joins, written once.

create view sale as
select order_id, customer_id, channel, store_id, sold_by, offer_id, binding_id, credited_to, amount_minor,
       refunded_minor, currency, placed_at
from customer_order;
comment on view sale is 'An order as its readers know it; customer_order also has when the row was written.';

create view posted as
select e.entry_id, e.kind as entry, e.order_id, e.refund_id, e.plan_id, e.happened_at, p.line, a.kind as account,
       a.staff_id, p.amount_minor, p.currency
from ledger_entry e join posting p using (entry_id) join account a using (account_id);
comment on view posted is 'Each line of the ledger with its entry and its account.';

-- The expense account is the mirror of what we owe, so an entry that earns takes from it: hence the minus.
create view held_commission as
select h.order_id, h.reason, h.held_at, h.decision, h.decided_at, h.decided_by, h.note, o.customer_id, o.store_id,
       o.sold_by, o.credited_to, s.name as credited_name, o.amount_minor,
       (select coalesce(-sum(p.amount_minor), 0)::bigint from posted p
        where p.order_id = h.order_id and p.entry = 'earned' and p.account = 'commission_expense') as earned_minor,
       o.currency
from commission_hold h join customer_order o using (order_id) join staff s on s.staff_id = o.credited_to;
