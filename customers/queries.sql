-- name: insert_customer
-- Open a customer's account.
insert into customer (customer_id, name, locale, time_zone, country, created_at)
values (%(customer_id)s, %(name)s, %(locale)s, %(time_zone)s, %(country)s, %(at)s);

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

-- name: select_logins
-- Which keys of a namespace lead to anybody now.
select i.key from identifier i join customer_identifier l using (identifier_id)
where i.namespace = %(namespace)s and i.key = any(%(keys)s::text[]) and l.valid_until is null;

-- name: lock_identifier
-- Whoever decides to whom an identifier leads does it one after the other.
select 1 from identifier where identifier_id = %(identifier_id)s for no key update;

-- name: insert_link
-- Let an identifier lead to a customer; customer_identifier_current stands against a second one at a time.
insert into customer_identifier (identifier_id, customer_id, valid_from, counts_from, because, evidence)
select %(identifier_id)s::bigint, %(customer_id)s, %(at)s::timestamptz,
       case when exists (select 1 from customer_identifier where identifier_id = %(identifier_id)s::bigint)
            then %(at)s::timestamptz else '-infinity' end,
       %(because)s, %(evidence)s;

-- name: resolve_customer
-- Whom a text names: an id of ours, else a key in a namespace; of a merged one who stays, of an erased one nobody.
select coalesce(c.merged_into, c.customer_id) as customer_id
from (select customer_id, 1 as place from customer where customer_id = %(named)s and erased_at is null
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

-- name: search_customers
-- Customers by an id or key of theirs, or by how their name begins; by name.
select c.* from (
    select coalesce(f.merged_into, f.customer_id) as customer_id from customer f
    where f.customer_id = %(text)s or lower(f.name) like %(begins)s
    union
    select coalesce(f.merged_into, f.customer_id) from identifier i join customer_identifier l using (identifier_id)
    join customer f using (customer_id)
    where i.namespace in ('external', 'card', 'messenger') and i.key = %(text)s and l.valid_until is null
) found join current_customer c on c.known_as = found.customer_id
order by c.name, c.customer_id limit %(limit)s;

-- name: lock_customers
-- Whoever changes what customers are bound to, offered or sold does it one after the other; by id, so that nobody waits
-- in a circle.
select customer_id from customer
where customer_id in (select coalesce(k.merged_into, k.customer_id) from customer k
                      where k.customer_id = any(%(customer_ids)s::text[]))
order by customer_id collate "C" for no key update;

-- name: select_customers_of
-- Some customers who were not erased, each by an id of theirs.
select v.* from current_customer v join customer c on c.customer_id = v.customer_id
where v.known_as = any(%(customer_ids)s::text[]) and c.erased_at is null;

-- name: insert_consent
-- A customer gave or withdrew their consent to a version of a purpose.
insert into consent (customer_id, purpose, version, given, at, source, evidence)
values (%(customer_id)s, %(purpose)s, %(version)s, %(given)s, %(at)s, %(source)s, %(evidence)s);

-- name: select_consents_in_force
-- Which purposes hold for which of some customers at a moment.
select customer_id, purpose from consents_in_force(%(customer_ids)s::text[], %(at)s);

-- name: select_standings
-- What one customer (not a merged one) said last to each purpose by a moment, in which words, and whether it holds.
with known as (
    select customer_id from customer where customer_id = %(customer_id)s or merged_into = %(customer_id)s
), said as (
    select distinct on (c.purpose) c.purpose, c.version, c.given, c.at, c.source
    from known join consent c using (customer_id) where c.at <= %(at)s
    order by c.purpose, c.at desc, c.consent_id desc
), newest as (
    select distinct on (purpose) * from purpose where valid_from <= %(at)s
    order by purpose, valid_from desc, version desc
)
select p.purpose, p.version, p.basis, p.words, p.uses, p.keeps, s.given, s.version as said_version, w.words as said_words,
       s.at as said_at, s.source,
       p.purpose in (select held.purpose from consents_in_force(array[%(customer_id)s::text], %(at)s) held) as holds
from newest p
left join said s using (purpose)
left join purpose w on (w.purpose, w.version) = (s.purpose, s.version);

-- name: select_said
-- A page of what one customer (not a merged one) ever said, newest first.
select c.consent_id, c.purpose, c.version, c.given, c.at, c.source, p.words
from customer k join consent c using (customer_id) join purpose p using (purpose, version)
where (k.customer_id = %(customer_id)s or k.merged_into = %(customer_id)s)
  and (%(before_at)s::timestamptz is null or (c.at, c.consent_id) < (%(before_at)s::timestamptz, %(before_id)s::bigint))
order by c.at desc, c.consent_id desc limit %(limit)s;

-- name: select_residence
-- What is known of where a customer lives; of one who was merged, where the one who stays does.
select stays.country, stays.locale, stays.time_zone
from customer c join customer stays on stays.customer_id = coalesce(c.merged_into, c.customer_id)
where c.customer_id = %(customer_id)s;

-- name: update_country
-- Note where a customer lives.
update customer set country = %(country)s
where customer_id = (select coalesce(k.merged_into, k.customer_id) from customer k where k.customer_id = %(customer_id)s);

-- name: select_old_yeses
-- Whose last word on one of some purposes is a yes from before a moment, by customer and purpose.
with old as (
    select coalesce(k.merged_into, k.customer_id) as customer_id, c.purpose, max(c.at) as said_at
    from consent c join customer k using (customer_id)
    where c.given and c.purpose = any(%(purposes)s::text[]) and c.at <= %(before)s::timestamptz
    group by 1, 2
)
select o.customer_id, o.purpose, o.said_at, p.country, p.locale, p.time_zone
from old o join customer p using (customer_id)
where not exists (select from customer k join consent n using (customer_id)
                  where (k.customer_id = o.customer_id or k.merged_into = o.customer_id)
                    and n.purpose = o.purpose and n.at <= %(at)s
                    and (n.at > o.said_at or n.at = o.said_at and not n.given))
order by o.customer_id, o.purpose;

-- name: insert_purposes
-- Take in versions of purposes that are new; what ships leaves those alone that an operator has worded.
insert into purpose (purpose, version, basis, words, uses, keeps, valid_from, own)
select v.purpose, v.version, v.basis, v.words, v.uses, v.keeps,
       case when v.version = 1 then '-infinity' else %(at)s::timestamptz end, %(own)s
from jsonb_to_recordset(%(versions)s) as v (purpose text, version integer, basis text, words jsonb, uses jsonb, keeps jsonb)
where %(own)s or not exists (select from purpose p where p.purpose = v.purpose and p.own)
order by v.purpose, v.version
on conflict (purpose, version) do nothing
returning purpose, version;

-- name: complete_purposes
-- Say of versions from before there was a place for it what is used and how long.
update purpose p set uses = v.uses, keeps = v.keeps
from jsonb_to_recordset(%(versions)s) as v (purpose text, version integer, words jsonb, uses jsonb, keeps jsonb)
where (p.purpose, p.version, p.words) = (v.purpose, v.version, v.words) and p.uses is null and p.keeps is null;

-- name: lock_purposes
-- Whoever takes in versions does it one after the other.
select pg_advisory_xact_lock(hashtext('millpond purposes'));

-- name: select_purposes
-- Every version of every purpose.
select purpose, version, basis, words, uses, keeps, nullif(valid_from, '-infinity') as valid_from, own from purpose order by purpose, version;

-- name: insert_tag_objection
-- A customer struck out an interest; once is enough.
insert into tag_objection (customer_id, tag, at, source)
values (%(customer_id)s, %(tag)s, %(at)s, %(source)s) on conflict do nothing;

-- name: delete_tag_objection
-- A customer wants an interest to count again.
delete from tag_objection t using customer k
where k.customer_id = t.customer_id and (k.customer_id = %(customer_id)s or k.merged_into = %(customer_id)s)
  and t.tag = %(tag)s;

-- name: select_objected_tags
-- Which interests some customers struck out.
select customer_id, tag from objected_tag where customer_id = any(%(customer_ids)s::text[]) order by customer_id, tag;
