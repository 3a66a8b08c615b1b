-- What came of each source on each day, counted once a day, so that the dam's report does not read every event again.

create table dam_day (
    day        date not null,
    source_id  integer not null,
    events     bigint not null,
    known      bigint not null,
    nameless   bigint not null,
    late       bigint not null,
    incomplete bigint not null,
    newest_at  timestamptz,
    counted_at timestamptz not null,
    primary key (day, source_id),
    constraint dam_day_within_its_events check (known + nameless <= events and late <= events and incomplete <= events)
);
comment on table dam_day is 'Of the last thirty days counted anew each day: a sign-in ties to a customer what they did before it.';
comment on column dam_day.day is 'When the events came, in UTC.';
comment on column dam_day.known is 'Of a customer who was known at counted_at.';
comment on column dam_day.nameless is 'Without any identifier, not even a browser''s.';
comment on column dam_day.late is 'Came more than an hour after they happened.';
comment on column dam_day.incomplete is 'Lacks what its name asks for: a product event its SKU, an order its id, currency or products.';

-- What came after a moment and up to another, by source, and how much of it is known to be whose at a third.
create function event_figures(since timestamptz, until timestamptz, moment timestamptz)
returns table (source_id integer, events bigint, known bigint, nameless bigint, late bigint, incomplete bigint,
               newest_at timestamptz) language sql stable as $$
    select e.source_id, count(*), count(l.identifier_id),
           count(*) filter (where e.subject_id is null),
           count(*) filter (where e.received_at > e.happened_at + interval '1 hour'),
           count(*) filter (where case e.name
               when 'Order Completed' then not e.properties ?& array['order_id', 'currency', 'products']
               else e.sku is null and e.name in (
                   'Product Viewed', 'Product Clicked', 'Product Added', 'Product Removed', 'Product Added to Wishlist',
                   'Product Shared', 'Product Reviewed', 'Product Tried') end),
           max(e.received_at)
    from event e
    left join customer_identifier l on l.identifier_id = e.subject_id and l.valid_from <= moment
         and e.happened_at >= l.counts_from and (l.valid_until is null or e.happened_at < l.valid_until)
    where e.received_at >= since and e.received_at < until and e.received_at <= moment
    group by e.source_id
$$;
