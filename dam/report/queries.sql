-- name: spare_for_columns
-- For the rest of the transaction: these statements are many small ones, which are compiled for longer than they run.
select set_config('jit', 'off', true), set_config('work_mem', '64MB', true);

-- name: select_counted_days
-- What was counted of some days by a moment: the newest count of each, never one of later.
select d.day, s.name as source, s.kind, d.events, d.known, d.nameless, d.late, d.incomplete, d.newest_at
from dam_day d join source s using (source_id)
where d.day >= %(first)s::date and d.day < %(today)s::date and d.counted_at <= %(at)s
order by d.day, s.name;

-- name: count_events
-- What came on one day, counted now.
select %(day)s::date as day, s.name as source, s.kind, f.events, f.known, f.nameless, f.late, f.incomplete, f.newest_at
from event_figures(%(day)s::date::timestamp at time zone 'UTC', (%(day)s::date + 1)::timestamp at time zone 'UTC',
                   %(at)s::timestamptz) f
join source s using (source_id) order by s.name;

-- name: upsert_dam_day
-- Keep what came on one day of each source, also where that is nothing.
insert into dam_day (day, source_id, events, known, nameless, late, incomplete, newest_at, counted_at)
select %(day)s::date, s.source_id, coalesce(f.events, 0), coalesce(f.known, 0), coalesce(f.nameless, 0),
       coalesce(f.late, 0), coalesce(f.incomplete, 0), f.newest_at, %(at)s
from source s
left join event_figures(%(day)s::date::timestamp at time zone 'UTC', (%(day)s::date + 1)::timestamp at time zone 'UTC',
                        %(at)s::timestamptz) f using (source_id)
on conflict (day, source_id) do update set events = excluded.events, known = excluded.known,
    nameless = excluded.nameless, late = excluded.late, incomplete = excluded.incomplete,
    newest_at = excluded.newest_at, counted_at = excluded.counted_at;

-- name: end_dam_days
-- Days of before a moment.
with old as (
    select day, source_id from dam_day where day < (%(before)s::timestamptz at time zone 'UTC')::date
    order by day limit %(most)s::bigint
), gone as (
    delete from dam_day d using old where %(deleting)s::boolean and (d.day, d.source_id) = (old.day, old.source_id)
    returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;

-- name: select_sources
-- Who might have sent something by a moment.
select name, kind from source where created_at <= %(at)s order by name;

-- name: select_arrivals
-- What came again of each source since a moment under a message id that was there, and what could not be taken of it.
select s.name as source,
       (select coalesce(sum(h.repeated), 0)::bigint from source_hour h
        where h.source_id = s.source_id and h.hour >= %(since)s::timestamptz and h.hour <= %(at)s::timestamptz) as repeated,
       (select coalesce(sum(r.calls), 0)::bigint from source_refusal r
        where r.source_id = s.source_id and r.hour >= %(since)s::timestamptz and r.hour <= %(at)s::timestamptz) as set_aside
from source s;

-- name: select_told_orders
-- Orders that sources told of, each once by its number, and how many are of nobody known and not in the books either.
with told as (
    select coalesce(e.properties ->> 'order_id', e.message_id) as number, e.source_id,
           coalesce(e.properties ->> 'store_id', '') as store_id,
           exists (select from customer_identifier l
                   where l.identifier_id = e.subject_id and l.valid_from <= %(at)s::timestamptz
                     and e.happened_at >= l.counts_from and (l.valid_until is null or e.happened_at < l.valid_until)) as known
    from event e
    where e.name = 'Order Completed' and e.received_at >= %(since)s::timestamptz and e.received_at <= %(at)s::timestamptz
), once as (
    select number, min(source_id) as source_id, max(store_id) as store_id, bool_or(known) as known, count(*) - 1 as again
    from told group by number
)
select s.name as source, s.kind, coalesce(t.name, '') as store, count(*) as orders,
       count(*) filter (where not o.known and not exists (
           select from customer_order b
           where b.order_id = o.number or (coalesce(b.store_id, ''), b.external_id) = (o.store_id, o.number))) as lost,
       sum(o.again)::bigint as again
from once o join source s using (source_id) left join store t on t.store_id = o.store_id
group by s.name, s.kind, coalesce(t.name, '') order by s.name, store;

-- name: select_booked_orders
-- Orders in the books by channel and shop: each has its customer.
select o.channel, coalesce(t.name, '') as store, count(*) as orders
from customer_order o left join store t using (store_id)
where o.placed_at >= %(since)s::timestamptz and o.placed_at <= %(at)s::timestamptz
  and o.created_at <= %(at)s::timestamptz
group by o.channel, coalesce(t.name, '') order by o.channel, store;

-- name: select_device_shares
-- Devices of each model at a moment, and how many of them are somebody's.
select d.model, count(*) as devices, count(w.device_id) as owned
from registered_device d
left join device_owner w on w.device_id = d.device_id and w.owned_from <= %(at)s::timestamptz
                         and (w.owned_until is null or w.owned_until > %(at)s::timestamptz)
where d.registered_at <= %(at)s::timestamptz
group by d.model order by devices desc, d.model;
