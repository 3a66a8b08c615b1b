-- name: export_customer
-- The account itself.
select v.customer_id, v.external_key, v.name, v.locale, v.time_zone, c.country, v.created_at
from current_customer v join customer c using (customer_id)
where v.known_as = any(%(customer_ids)s::text[]) and v.known_as = v.customer_id;

-- name: export_identifiers
-- By what they are known, and why we think so.
select i.namespace, i.key, i.seen_at, l.valid_from, l.valid_until, l.counts_from, l.because, l.evidence
from customer_identifier l join identifier i using (identifier_id)
where l.customer_id = any(%(customer_ids)s::text[]) order by l.link_id;

-- name: export_consents
-- What they said yes and no to.
select purpose, version, given, at, source, evidence from consent
where customer_id = any(%(customer_ids)s::text[]) order by at, consent_id;

-- name: export_objections
-- Which interests they struck out.
select tag, at, source from tag_objection where customer_id = any(%(customer_ids)s::text[]) order by at, tag;

-- name: erase_objections
-- Interests that they struck out.
delete from tag_objection where customer_id = any(%(customer_ids)s::text[]);

-- name: export_merges
-- Which accounts were found to be one.
select merge_id, absorbed, survivor, merged_at, because, evidence, undone_at from customer_merge
where absorbed = any(%(customer_ids)s::text[]) or survivor = any(%(customer_ids)s::text[]) order by merged_at, merge_id;

-- name: erase_merges
-- What proved that accounts were one.
update customer_merge set evidence = '{}'
where (absorbed = any(%(customer_ids)s::text[]) or survivor = any(%(customer_ids)s::text[])) and evidence <> '{}';

-- name: erase_refused_links
-- Who they were said to be and were not believed to be.
delete from refused_link
where customer_id = any(%(customer_ids)s::text[]) or identifier_id = any(%(identifier_ids)s::bigint[]);

-- name: erase_customer
-- The account is a pseudonym from now on.
update customer set name = %(word)s, locale = 'en', time_zone = 'UTC', country = null, erased_at = %(at)s
where customer_id = any(%(customer_ids)s::text[]) and erased_at is null;

-- name: erase_links
-- No identifier leads to them any more.
delete from customer_identifier where customer_id = any(%(customer_ids)s::text[]);

-- name: erase_identifiers
-- The identifiers that led to nobody else.
delete from identifier where identifier_id = any(%(identifier_ids)s::bigint[]);

-- name: erase_evidence
-- What they agreed to stays, as a proof that what was done was allowed; what proves who it was goes.
update consent set evidence = '{"erased": true, "how": "erased", "reference": "erased"}'
where customer_id = any(%(customer_ids)s::text[]) and evidence <> '{"erased": true, "how": "erased", "reference": "erased"}';

-- name: end_erased_identifiers
-- Identifiers that were erased before a moment.
with old as (
    select digest from erased_identifier where erased_at < %(before)s::timestamptz
    order by erased_at limit %(most)s::bigint
), gone as (
    delete from erased_identifier e using old where %(deleting)s::boolean and e.digest = old.digest returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;

-- name: insert_erasure
-- Note that a person is to be erased; the first who asks counts.
insert into erasure (erasure_id, customer_ids, requested_at, requested_by)
select %(erasure_id)s, array[%(customer_id)s::text], %(at)s, %(actor)s
where not exists (select from erasure where customer_ids @> array[%(customer_id)s::text])
on conflict do nothing;

-- name: select_erasure
-- The erasure of a person, by any of their ids.
select erasure_id, customer_ids, requested_at, requested_by, finished_at, report from erasure
where customer_ids @> array[%(customer_id)s::text] order by finished_at limit 1;

-- name: select_unfinished_erasures
-- Erasures that were asked for and are not finished, the oldest first.
select erasure_id, customer_ids, requested_at, requested_by, finished_at, report from erasure
where finished_at is null order by requested_at, erasure_id limit %(limit)s;

-- name: finish_erasure
-- A person was erased: all their ids, and what went.
update erasure set customer_ids = %(customer_ids)s::text[], finished_at = %(at)s, report = %(report)s
where erasure_id = %(erasure_id)s;

-- name: lock_ids
-- All ids of one person, by any of them, each locked; by id, so that nobody waits in a circle.
select k.customer_id from customer k
where coalesce(k.merged_into, k.customer_id) =
      (select coalesce(c.merged_into, c.customer_id) from customer c where c.customer_id = %(customer_id)s)
order by k.customer_id collate "C" for no key update;

-- name: select_identifiers_of_one_person
-- Identifiers that lead or led to these ids and never to others.
select distinct l.identifier_id from customer_identifier l
where l.customer_id = any(%(customer_ids)s::text[])
  and not exists (select from customer_identifier o
                  where o.identifier_id = l.identifier_id and o.customer_id <> all(%(customer_ids)s::text[]))
order by l.identifier_id;

-- name: remember_erased
-- Keep out what was done under these identifiers before this moment and comes later.
insert into erased_identifier (digest, erased_at)
select erased_digest(namespace, key), %(at)s from identifier where identifier_id = any(%(identifier_ids)s::bigint[])
on conflict (digest) do update set erased_at = greatest(erased_identifier.erased_at, excluded.erased_at);

-- name: withdraw_everything
-- Whoever is erased agrees to nothing any more.
insert into consent (customer_id, purpose, version, given, at, source, evidence)
select id, p.purpose, max(p.version), false, %(at)s, 'erasure', '{"erased": true, "how": "erased", "reference": "erased"}'
from unnest(%(customer_ids)s::text[]) id cross join purpose p group by id, p.purpose;

-- name: select_erased
-- Of some identifiers those that were erased, and when.
select k.namespace, k.key, e.erased_at
from unnest(%(namespaces)s::text[], %(keys)s::text[]) as k (namespace, key)
join erased_identifier e on e.digest = erased_digest(k.namespace, k.key);

-- name: lock_out
-- While a person is erased nobody stores what people did.
select pg_advisory_xact_lock(hashtextextended('millpond erasures', 0));

-- name: keep_in
-- While somebody stores what people did nobody is erased.
select pg_advisory_xact_lock_shared(hashtextextended('millpond erasures', 0));

-- name: select_ids
-- All ids of the person who has one of them.
select id from unnest(person_ids(%(customer_id)s)) id order by id;
