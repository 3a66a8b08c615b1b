-- name: select_known
-- What is known of some values: their ids, whether they are blocked, and to whom they lead now, since when.
select k.namespace, k.key, i.identifier_id, i.blocked_because is not null as is_blocked, l.link_id, p.customer_id,
       l.valid_from
from unnest(%(namespaces)s::text[], %(keys)s::text[]) as k (namespace, key)
join identifier i using (namespace, key)
left join customer_identifier l on l.identifier_id = i.identifier_id and l.valid_until is null
left join person p on p.known_as = l.customer_id;

-- name: lock_identifiers
-- Whoever decides to whom some identifiers lead does it one after the other; by id, so that nobody waits in a circle.
select 1 from identifier where identifier_id = any(%(identifier_ids)s::bigint[])
order by identifier_id for no key update;

-- name: select_people_of
-- To whom some identifiers lead or led, or were refused.
select l.identifier_id, p.customer_id
from customer_identifier l join person p on p.known_as = l.customer_id
where l.identifier_id = any(%(identifier_ids)s::bigint[])
union
select r.identifier_id, p.customer_id
from refused_link r join person p on p.known_as = r.customer_id
where r.identifier_id = any(%(identifier_ids)s::bigint[]) and r.reason = 'belongs_to_another';

-- name: count_held
-- How many identifiers of each list some customers have now.
select p.customer_id, i.namespace, count(*)
from person p join customer_identifier l on l.customer_id = p.known_as and l.valid_until is null
join identifier i using (identifier_id)
where p.customer_id = any(%(customer_ids)s::text[])
group by p.customer_id, i.namespace;

-- name: select_persons
-- Whose some ids are now.
select known_as, customer_id from person where known_as = any(%(customer_ids)s::text[]);

-- name: open_customers
-- Open an account for each of those of whom nothing was known but an identifier.
insert into customer (customer_id, name, created_at)
select c.customer_id, c.name, c.at
from unnest(%(customer_ids)s::text[], %(names)s::text[], %(ats)s::timestamptz[]) as c (customer_id, name, at);

-- name: end_links
-- Let some links end, each at its moment.
update customer_identifier l set valid_until = e.at
from unnest(%(link_ids)s::bigint[], %(ats)s::timestamptz[]) as e (link_id, at) where l.link_id = e.link_id;

-- name: insert_links
-- Let identifiers lead to customers; the first link of one reaches back over all that was done under it.
insert into customer_identifier (identifier_id, customer_id, valid_from, counts_from, valid_until, because, evidence)
select n.identifier_id, n.customer_id, n.since,
       case when n.place = 1 and not exists (select from customer_identifier l where l.identifier_id = n.identifier_id)
            then '-infinity' else n.since end,
       n.until, n.because, n.evidence
from (select *, row_number() over (partition by identifier_id order by ordinality) as place
      from unnest(%(identifier_ids)s::bigint[], %(customer_ids)s::text[], %(sinces)s::timestamptz[],
                  %(untils)s::timestamptz[], %(becauses)s::text[], %(evidences)s::jsonb[])
           with ordinality as u (identifier_id, customer_id, since, until, because, evidence, ordinality)) n
order by n.identifier_id, n.place;

-- name: renew_links
-- What was known under a key of before is known under that of now: who it leads to, since when, and whether it is blocked.
with pair as (
    select new.identifier_id, old.identifier_id as before, old.blocked_because, old.blocked_at
    from unnest(%(namespaces)s::text[], %(keys)s::text[], %(keys_before)s::text[]) as p (namespace, key, key_before)
    join identifier new on (new.namespace, new.key) = (p.namespace, p.key)
    join identifier old on (old.namespace, old.key) = (p.namespace, p.key_before)
    where not exists (select from customer_identifier l where l.identifier_id = new.identifier_id)
      and new.blocked_because is null
), blocked as (
    update identifier i set blocked_because = p.blocked_because, blocked_at = p.blocked_at
    from pair p where p.identifier_id = i.identifier_id and p.blocked_because is not null
)
insert into customer_identifier (identifier_id, customer_id, valid_from, counts_from, valid_until, because, evidence)
select p.identifier_id, l.customer_id, l.valid_from, l.counts_from, l.valid_until, l.because, l.evidence
from pair p join customer_identifier l on l.identifier_id = p.before
order by p.identifier_id, l.link_id
on conflict do nothing;

-- name: block_identifiers
-- From a moment on some identifiers lead to nobody.
update identifier i set blocked_because = b.reason, blocked_at = b.at
from unnest(%(identifier_ids)s::bigint[], %(reasons)s::text[], %(ats)s::timestamptz[]) as b (identifier_id, reason, at)
where i.identifier_id = b.identifier_id;

-- name: count_refused
-- Count claims that were not believed; in one order, so that two writers never deadlock.
insert into refused_link (identifier_id, customer_id, because, reason, times, first_at, last_at)
select r.identifier_id, r.customer_id, r.because, r.reason, r.times, %(at)s, %(at)s
from unnest(%(identifier_ids)s::bigint[], %(customer_ids)s::text[], %(becauses)s::text[], %(reasons)s::text[],
            %(times)s::bigint[]) as r (identifier_id, customer_id, because, reason, times)
order by r.identifier_id nulls last, r.customer_id, r.because, r.reason
on conflict on constraint refused_link_once
do update set times = refused_link.times + excluded.times, last_at = greatest(refused_link.last_at, excluded.last_at);

-- name: insert_merge
-- A customer was found to be another; customer_merge_in_force stands against a second one of the same.
insert into customer_merge (merge_id, absorbed, survivor, merged_at, because, evidence, merged_by)
values (%(merge_id)s, %(absorbed)s, %(survivor)s, %(at)s, %(because)s, %(evidence)s, %(by)s);

-- name: undo_merge
-- A merge was none; the first who says so is kept.
update customer_merge set undone_at = greatest(%(at)s::timestamptz, merged_at), undone_by = %(by)s
where merge_id = %(merge_id)s and undone_at is null;

-- name: select_merge
-- One merge.
select merge_id, absorbed, survivor, merged_at, because, evidence, merged_by, undone_at, undone_by
from customer_merge where merge_id = %(merge_id)s;

-- name: select_merges_of
-- The merges in which any id of a person ever was, newest first.
select merge_id, absorbed, survivor, merged_at, because, evidence, merged_by, undone_at, undone_by
from customer_merge
where absorbed = any(person_ids(%(customer_id)s)) or survivor = any(person_ids(%(customer_id)s))
order by merged_at desc, merge_id desc;

-- name: derive_merged_into
-- To whom everybody leads who was one of some persons: over the merges that are not undone, to the end.
with recursive one_of (known_as) as (
    select known_as from person where customer_id = any(%(persons)s::text[])
), led (known_as, leads_to, steps) as (
    select known_as, known_as, 0 from one_of
    union all
    select l.known_as, m.survivor, l.steps + 1
    from led l join customer_merge m on m.absorbed = l.leads_to and m.undone_at is null
), now as (
    select distinct on (known_as) known_as, leads_to from led order by known_as, steps desc
)
update customer c set merged_into = nullif(n.leads_to, n.known_as)
from now n where n.known_as = c.customer_id and c.merged_into is distinct from nullif(n.leads_to, n.known_as);

-- name: end_refused
-- Refused links that nobody asked for since a moment.
with old as (
    select ctid from refused_link where last_at < %(before)s::timestamptz order by last_at limit %(most)s::bigint
), gone as (
    delete from refused_link r using old where %(deleting)s::boolean and r.ctid = old.ctid returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;

-- name: select_owners
-- To whom some values lead now.
select i.key, p.customer_id
from identifier i join customer_identifier l on l.identifier_id = i.identifier_id and l.valid_until is null
join person p on p.known_as = l.customer_id
where i.namespace = %(namespace)s and i.key = any(%(keys)s::text[]);

-- name: select_links_of
-- By what a person is or was known, under any id of theirs: what is in force first, then the newest.
select i.namespace, i.key, l.valid_from, l.valid_until, l.because, i.blocked_because
from customer_identifier l join identifier i using (identifier_id)
where l.customer_id = any(person_ids(%(customer_id)s))
order by l.valid_until desc nulls first, l.valid_from desc, l.link_id desc limit %(limit)s;
