-- name: upsert_segment
-- Keep a segment under its name; one that ships is not replaced by an operator's, nor an operator's by one that ships.
insert into segment (segment_id, title, condition, needs, refers, built_in, created_at, changed_at)
values (%(segment_id)s, %(title)s, %(condition)s, %(needs)s, %(refers)s, %(built_in)s, %(at)s, %(at)s)
on conflict (segment_id) do update set title = excluded.title, condition = excluded.condition, needs = excluded.needs,
    refers = excluded.refers,
    changed_at = case when segment.condition = excluded.condition then segment.changed_at else excluded.changed_at end
where segment.built_in = excluded.built_in
returning segment_id;

-- name: lock_segments
-- Let nobody else change a segment until the transaction ends, so that no two of them make a circle together.
select segment_id from segment order by segment_id for update;

-- name: count_segments
-- How many segments operators made, without one.
select count(*) from segment where not built_in and segment_id <> %(segment_id)s;

-- name: select_segments
-- Segments after a name, or one of them, with their newest size.
select s.segment_id, s.title, s.condition, s.needs, s.refers, s.built_in, s.created_at, s.changed_at, z.members,
       z.at as counted_at
from segment s left join lateral (select members, at from segment_size z where z.segment_id = s.segment_id
                                  order by at desc limit 1) z on true
where s.segment_id > %(after)s and (%(segment_id)s::text is null or s.segment_id = %(segment_id)s::text)
order by s.segment_id limit %(limit)s;

-- name: select_members
-- Members of a segment after an id, but for those who do not agree any more to what it needs.
with page as materialized (
    select m.customer_id, m.from_at, m.evidence from segment_member m join standing_customer c using (customer_id)
    where m.segment_id = %(segment_id)s and m.until_at is null and c.erased_at is null
      and m.customer_id > %(after)s
    order by m.customer_id limit %(limit)s
), held as (
    select customer_id, array_agg(purpose) as purposes
    from consents_in_force(array(select customer_id from page), %(at)s) group by customer_id
)
select p.customer_id, p.from_at as since, p.evidence,
       (select needs from segment where segment_id = %(segment_id)s) <@ coalesce(h.purposes, '{}') as agrees
from page p left join held h using (customer_id) order by p.customer_id;

-- name: select_segments_of
-- The segments that a person is in, if they agree to what each of them needs.
select segment_id, title, since, evidence from segments_of(%(customer_id)s, %(at)s) order by segment_id;

-- name: select_sizes
-- How many members a segment had since a moment, in the order of time.
select at, members from segment_size where segment_id = %(segment_id)s and at >= %(since)s order by at;

-- name: insert_sizes
-- Write down how many members each segment has now.
insert into segment_size (segment_id, at, members)
select s.segment_id, %(at)s, count(m.customer_id)
from segment s left join segment_member m on m.segment_id = s.segment_id and m.until_at is null
group by s.segment_id
on conflict (segment_id, at) do update set members = excluded.members;

-- name: insert_refresh
-- Facts and members are as of a moment now.
insert into segment_refresh (at, complete, customers, cycle_days)
values (%(at)s, %(complete)s, %(customers)s, %(cycle_days)s)
on conflict (at) do update set complete = segment_refresh.complete or excluded.complete, customers = excluded.customers,
    cycle_days = excluded.cycle_days;

-- name: select_refreshes
-- When facts and members were renewed last, and when all of them were.
select max(at) as last_at, max(at) filter (where complete) as complete_at,
       (array_agg(cycle_days order by at desc) filter (where complete))[1] as cycle_days
from segment_refresh where at <= %(at)s;

-- name: select_categories_sold
-- All categories of what is sold.
select distinct category from product order by category;

-- name: hold_to_time
-- Let no statement of this transaction take longer; compiling such long ones takes longer than it saves.
select set_config('statement_timeout', (%(milliseconds)s::bigint)::text, true), set_config('jit', 'off', true);

-- name: select_agreeing
-- Those of some customers who agree to all of some purposes.
select customer_id from consents_in_force(%(customer_ids)s::text[], %(at)s) where purpose = any(%(needs)s::text[])
group by customer_id having count(distinct purpose) = cardinality(%(needs)s::text[]);

-- name: end_members
-- Memberships that ended before a moment.
with old as (
    select segment_id, customer_id, from_at from segment_member where until_at < %(before)s::timestamptz
    order by until_at limit %(most)s::bigint
), gone as (
    delete from segment_member m using old
    where %(deleting)s::boolean and (m.segment_id, m.customer_id, m.from_at) = (old.segment_id, old.customer_id, old.from_at)
      and m.until_at < %(before)s::timestamptz
    returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;

-- name: end_sizes
-- Sizes of before a moment.
with old as (
    select segment_id, at from segment_size where at < %(before)s::timestamptz order by at limit %(most)s::bigint
), gone as (
    delete from segment_size z using old
    where %(deleting)s::boolean and (z.segment_id, z.at) = (old.segment_id, old.at) returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;

-- name: end_refreshes
-- Refreshes of before a moment, but for the newest of all and the newest whole one.
with old as (
    select r.at from segment_refresh r
    where r.at < %(before)s::timestamptz and exists (select from segment_refresh n where n.at > r.at)
      and (not r.complete or exists (select from segment_refresh n where n.at > r.at and n.complete))
    order by r.at limit %(most)s::bigint
), gone as (
    delete from segment_refresh r using old where %(deleting)s::boolean and r.at = old.at returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;
