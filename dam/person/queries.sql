-- name: select_timeline
-- A page of what a person did and what was done for them, newest first; each kind by itself and no more than the page.
with known as (
    select unnest(person_ids(%(customer_id)s)) as customer_id
), past as (
    select %(at)s::timestamptz as at, %(kind)s::text as kind, %(ref)s::text as ref
)
select at, kind, what, channel, about, facts, ref from (
    (select e.happened_at as at, 'event' as kind, coalesce(nullif(e.name, ''), e.call) as what, s.kind as channel,
            e.sku as about, e.properties as facts, e.event_id::text as ref
     from customer_event e join source s using (source_id), past p
     where 'event' = any(%(kinds)s::text[])
       and e.customer_id = (select o.customer_id from person o where o.known_as = %(customer_id)s) and (e.happened_at, 'event', e.event_id::text) < (p.at, p.kind, p.ref)
     order by 1 desc, ref desc limit %(limit)s)
    union all
    (select o.placed_at, 'order', 'placed', o.channel, o.store_id,
            jsonb_build_object('amount_minor', o.amount_minor, 'currency', o.currency, 'offer_id', o.offer_id,
                               'credited_to', o.credited_to), o.order_id
     from known k join sale o using (customer_id), past p
     where 'order' = any(%(kinds)s::text[]) and (o.placed_at, 'order', o.order_id) < (p.at, p.kind, p.ref)
     order by 1 desc, 7 desc limit %(limit)s)
    union all
    (select r.refunded_at, 'refund', 'refunded', o.channel, r.order_id,
            jsonb_build_object('amount_minor', r.amount_minor, 'currency', r.currency, 'reason', r.reason), r.refund_id
     from known k join sale o using (customer_id) join refund r using (order_id), past p
     where 'refund' = any(%(kinds)s::text[]) and (r.refunded_at, 'refund', r.refund_id) < (p.at, p.kind, p.ref)
     order by 1 desc, 7 desc limit %(limit)s)
    union all
    (select v.at, 'offer', v.state, null, o.sku,
            jsonb_build_object('offer_id', o.offer_id, 'reason_code', o.reason_code, 'price_minor', o.price_minor,
                               'currency', o.currency), o.offer_id || ':' || v.state
     from known k join offer o using (customer_id) join offer_event v using (offer_id), past p
     where 'offer' = any(%(kinds)s::text[]) and (v.at, 'offer', o.offer_id || ':' || v.state) < (p.at, p.kind, p.ref)
     order by 1 desc, 7 desc limit %(limit)s)
    union all
    (select b.bound_from, 'binding', b.source, 'store', b.staff_id,
            jsonb_build_object('staff', m.name, 'store', t.name, 'until', b.bound_until), b.binding_id
     from known k join binding b using (customer_id) join staff m using (staff_id)
     join store t on t.store_id = m.store_id, past p
     where 'binding' = any(%(kinds)s::text[]) and b.refused_at is null
       and (b.bound_from, 'binding', b.binding_id) < (p.at, p.kind, p.ref)
     order by 1 desc, 7 desc limit %(limit)s)
    union all
    (select c.at, 'consent', case when c.given then 'given' else 'withdrawn' end, c.source, c.purpose,
            jsonb_build_object('version', c.version), c.consent_id::text
     from known k join consent c using (customer_id), past p
     where 'consent' = any(%(kinds)s::text[]) and (c.at, 'consent', c.consent_id::text) < (p.at, p.kind, p.ref)
     order by 1 desc, 7 desc limit %(limit)s)
    union all
    (select w.at, 'device', w.what, null, d.serial, jsonb_build_object('model', d.model),
            d.serial || ':' || w.what
     from known k join device_owner n using (customer_id) join device d using (device_id)
     cross join lateral (values (n.owned_from, 'came'), (n.owned_until, 'left')) w (at, what), past p
     where 'device' = any(%(kinds)s::text[]) and w.at is not null
       and (w.at, 'device', d.serial || ':' || w.what) < (p.at, p.kind, p.ref)
     order by 1 desc, 7 desc limit %(limit)s)
    union all
    (select w.at, 'merge', w.what, null, m.absorbed, jsonb_build_object('because', m.because),
            m.merge_id || ':' || w.what
     from known k join customer_merge m on m.absorbed = k.customer_id or m.survivor = k.customer_id
     cross join lateral (values (m.merged_at, 'merged'), (m.undone_at, 'undone')) w (at, what), past p
     where 'merge' = any(%(kinds)s::text[]) and w.at is not null
       and (w.at, 'merge', m.merge_id || ':' || w.what) < (p.at, p.kind, p.ref)
     group by w.at, w.what, m.absorbed, m.because, m.merge_id
     order by 1 desc, 7 desc limit %(limit)s)
) story
order by at desc, kind desc, ref desc
limit %(limit)s;

-- name: select_names
-- By what a person is and was known, with what says so; the oldest first.
select i.namespace, i.key, l.valid_from, l.valid_until, l.because, i.blocked_because
from unnest(person_ids(%(customer_id)s)) k (customer_id)
join customer_identifier l using (customer_id) join identifier i using (identifier_id)
order by l.valid_until is not null, i.namespace, l.valid_from, i.key limit %(limit)s;

-- name: select_spending
-- What a person bought and gave back, by currency.
select o.currency, count(*) as orders, sum(o.amount_minor)::bigint as spent_minor, sum(o.refunded_minor)::bigint as refunded_minor,
       min(o.placed_at) as first_at, max(o.placed_at) as last_at
from unnest(person_ids(%(customer_id)s)) k (customer_id) join sale o using (customer_id)
where o.placed_at <= %(at)s
group by o.currency order by o.currency;

-- name: select_worth
-- What a person is expected to be worth, while they agree to be profiled.
select v.clv_minor, v.currency, v.p_alive, v.expected_purchases, v.at
from customer_value v
where v.customer_id = %(customer_id)s and consent_in_force(%(customer_id)s, 'personalisation', %(at)s);
