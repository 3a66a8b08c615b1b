-- What was done under any id of a person is read as theirs: views say whose it is now, rows keep the id of then.

create or replace view sale as
select o.order_id, p.customer_id, o.channel, o.store_id, o.sold_by, o.offer_id, o.binding_id, o.credited_to, o.amount_minor,
       o.refunded_minor, o.currency, o.placed_at
from customer_order o join person p on p.known_as = o.customer_id;
comment on view sale is 'An order as its readers know it, with whose it is now; customer_order also has when the row was written.';

create or replace view held_commission as
select h.order_id, h.reason, h.held_at, h.decision, h.decided_at, h.decided_by, h.note, o.customer_id, o.store_id,
       o.sold_by, o.credited_to, s.name as credited_name, o.amount_minor,
       (select coalesce(-sum(p.amount_minor), 0)::bigint from posted p
        where p.order_id = h.order_id and p.entry = 'earned' and p.account = 'commission_expense') as earned_minor,
       o.currency
from commission_hold h join sale o using (order_id) join staff s on s.staff_id = o.credited_to;

create view bound as
select b.binding_id, p.customer_id, b.staff_id, b.bound_from, b.bound_until, b.source, b.follows, b.reason, b.refused_at,
       b.created_at
from binding b join person p on p.known_as = b.customer_id;
comment on view bound is 'A binding as its readers know it, with the customer whose it is now.';

-- When the first of the bindings began that this one goes on from, by hand-overs or by scans.
create function binding_began(binding_id text) returns timestamptz language sql stable as $$
    with recursive before (follows, bound_from) as (
        select b.follows, b.bound_from from binding b where b.binding_id = $1
        union all
        select b.follows, b.bound_from from before join binding b on b.binding_id = before.follows
    )
    select min(bound_from) from before
$$;

-- Of two bindings of one person, each made before they were known to be one, the one counts that began first.
create function bindings_in_force(customer_ids text[], moment timestamptz) returns setof bound language sql stable as $$
    select distinct on (b.customer_id) b.* from bound b
    where b.customer_id = any($1) and b.refused_at is null and b.bound_from <= $2 and (b.bound_until is null or $2 < b.bound_until)
    order by b.customer_id, case when b.follows is null then b.bound_from else binding_began(b.binding_id) end, b.binding_id
$$;

create or replace view registered_device as
select d.device_id, d.serial, d.model, d.region, p.customer_id, d.installed_at, d.registered_at
from device d left join person p on p.known_as = d.customer_id;
comment on view registered_device is 'A device as the product speaks of it, with whose it is now.';

create or replace view device_in_use as
select d.device_id, d.serial, p.customer_id, m.name as names, m.sku,
       greatest(d.installed_at, w.owned_from) as installed_at
from device d
join device_model m using (model)
left join device_owner w on w.device_id = d.device_id and w.owned_until is null
left join person p on p.known_as = d.customer_id;

create or replace view shown_offer as
select o.offer_id, o.decision_id, c.customer_id, o.subject_kind, o.subject_key, o.device_id, o.installation_id, o.sku,
       o.reason_code, o.facts, o.state, o.list_price_minor, o.price_minor, o.currency, o.valid_from, o.reply_by,
       o.valid_until, o.binding_id, o.credited_to, o.issued_at,
       p.name as product, t.name as staff_name, t.store_id, s.name as store_name, c.locale, c.time_zone
from offer o
join product p using (sku)
join current_customer c on c.known_as = o.customer_id
left join staff t on t.staff_id = o.credited_to
left join store s on s.store_id = t.store_id;
comment on view shown_offer is
    'The offer''s columns with whose it is now, its product''s names, who is credited, and how its customer is spoken to.';
