-- Commission that waits for an operator's look before it is released, and what the look came to.

create table commission_hold (
    order_id   text primary key references customer_order,
    reason     text not null constraint commission_hold_reason check (reason in
               ('self_credited', 'order_ceiling', 'day_ceiling')),
    held_at    timestamptz not null,
    decision   text constraint commission_hold_decision check (decision in ('approved', 'rejected')),
    decided_at timestamptz,
    decided_by text,
    note       text,
    constraint commission_hold_decided_whole check (num_nulls(decision, decided_at, decided_by) in (0, 3))
);
comment on table commission_hold is 'One row per order whose commission is not released unseen; kept as long as the order.';
create index commission_hold_waiting on commission_hold (held_at, order_id) where decision is null;
create index commission_hold_by_time on commission_hold (held_at, order_id);

alter table ledger_entry drop constraint ledger_entry_kind;
alter table ledger_entry add constraint ledger_entry_kind check (kind in
    ('earned', 'clawed_back', 'released', 'paid_out', 'rejected'));
create unique index commission_rejected_once on ledger_entry (order_id) where kind = 'rejected';

-- Who sold to their own customer before there were holds, and has not been released the commission, waits now too.
insert into commission_hold (order_id, reason, held_at)
select o.order_id, 'self_credited', o.placed_at
from customer_order o join ledger_entry e on e.order_id = o.order_id and e.kind = 'earned'
where o.sold_by = o.credited_to and o.refunded_minor < o.amount_minor
  and not exists (select 1 from ledger_entry r where r.order_id = o.order_id and r.kind = 'released');
