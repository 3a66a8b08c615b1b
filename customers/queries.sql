-- name: insert_customer
-- Open a customer's account.
insert into customer (customer_id, name, locale, time_zone, created_at)
values (%(customer_id)s, %(name)s, %(locale)s, %(time_zone)s, %(at)s);

-- name: insert_identifiers
-- Note the values that nobody was known by yet; in the order of their keys, so that two writers never deadlock.
insert into identifier (namespace, key, seen_at)
select new.namespace, new.key, %(at)s from unnest(%(namespaces)s::text[], %(keys)s::text[]) as new (namespace, key)
where not exists (select 1 from identifier i where (i.namespace, i.key) = (new.namespace, new.key))
order by new.namespace, new.key on conflict do nothing;

-- name: select_identifiers
-- The ids of values that somebody was known by.
select namespace, key, identifier_id
from unnest(%(namespaces)s::text[], %(keys)s::text[]) as k (namespace, key) join identifier using (namespace, key);

-- name: insert_link
-- Let an identifier lead to a customer; customer_identifier_current stands against a second one at a time.
insert into customer_identifier (identifier_id, customer_id, valid_from, counts_from, because, evidence)
select %(identifier_id)s::bigint, %(customer_id)s, %(at)s::timestamptz,
       case when exists (select 1 from customer_identifier where identifier_id = %(identifier_id)s::bigint)
            then %(at)s::timestamptz else '-infinity' end,
       %(because)s, %(evidence)s;

-- name: resolve_customer
-- Whom a text names: first as an id of ours, then as the key in a namespace; a merged customer is the one that stays.
select coalesce(c.merged_into, c.customer_id) as customer_id
from (select customer_id, 1 as place from customer where customer_id = %(named)s
      union all
      select l.customer_id, 2 from identifier i join customer_identifier l using (identifier_id)
      where i.namespace = %(namespace)s and i.key = %(named)s and l.valid_until is null) found
join customer c using (customer_id)
order by found.place limit 1;

-- name: select_identified
-- The customer to whom a key leads.
select c.* from identifier i join customer_identifier l using (identifier_id)
join current_customer c on c.known_as = l.customer_id
where i.namespace = %(namespace)s and i.key = %(key)s and l.valid_until is null;

-- name: select_customer
-- One customer, by an id of theirs.
select * from current_customer where known_as = %(customer_id)s;

-- name: select_customers
-- A page of customers after an id, without those that were merged into another.
select c.* from customer stays join current_customer c on c.known_as = stays.customer_id
where stays.merged_into is null and stays.customer_id > %(after)s
order by stays.customer_id limit %(limit)s;

-- name: lock_customers
-- Some customers, each locked as one alone is; by id, so that nobody waits in a circle.
select 1 from customer
where customer_id in (select coalesce(k.merged_into, k.customer_id) from customer k
                      where k.customer_id = any(%(customer_ids)s::text[]))
order by customer_id collate "C" for no key update;

-- name: select_customers_of
-- Some customers, each by an id of theirs.
select * from current_customer where known_as = any(%(customer_ids)s::text[]);

-- name: lock_customer
-- Whoever changes what a household is bound to, offered or sold does it one after the other.
select 1 from customer
where customer_id = (select coalesce(k.merged_into, k.customer_id) from customer k where k.customer_id = %(customer_id)s)
for no key update;

-- name: insert_consent
-- A customer gave or withdrew their consent to a version of a purpose.
insert into consent (customer_id, purpose, version, given, at, source, evidence)
values (%(customer_id)s, %(purpose)s, %(version)s, %(given)s, %(at)s, %(source)s, %(evidence)s);

-- name: select_consents_in_force
-- Which purposes hold for which of some customers at a moment.
select customer_id, purpose from consents_in_force(%(customer_ids)s::text[], %(at)s);
