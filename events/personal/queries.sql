-- name: export_events
-- What a person did, where and when.
select s.name as source, e.message_id, e.call, e.name, e.happened_at, e.received_at, e.session_id, e.sku, e.properties, e.context
from customer_identifier l
join event e on e.subject_id = l.identifier_id and e.happened_at >= l.counts_from
            and (l.valid_until is null or e.happened_at < l.valid_until)
join source s using (source_id)
where l.customer_id = any(%(customer_ids)s::text[]) order by e.happened_at, e.event_id;

-- name: erase_events
-- All that a person did, and what was done under identifiers that lead to nobody else.
delete from event where event_id in (
    select event_id from event where subject_id = any(%(identifier_ids)s::bigint[])
    union
    select e.event_id from customer_identifier l
    join event e on e.subject_id = l.identifier_id and e.happened_at >= l.counts_from
                and (l.valid_until is null or e.happened_at < l.valid_until)
    where l.customer_id = any(%(customer_ids)s::text[]));

-- name: erase_anonymous_ids
-- What others did keeps no anonymous id that was a person's alone.
update event set anonymous_id = null where anonymous_id = any(%(identifier_ids)s::bigint[]);

-- name: export_set_aside
-- What a person did and could not be taken, and why.
select s.name as source, q.known_as, q.call, q.name, q.reason, q.detail, q.size_bytes, q.event, q.first_at, q.last_at, q.times,
       q.replayed_at
from customer_identifier l
join event_quarantine q on q.subject_id = l.identifier_id and q.first_at >= l.counts_from
                       and (l.valid_until is null or q.first_at < l.valid_until)
join source s using (source_id)
where l.customer_id = any(%(customer_ids)s::text[]) order by q.first_at, q.quarantine_id;

-- name: erase_set_aside
-- What a person did and could not be taken, and what was done under identifiers that lead to nobody else.
delete from event_quarantine where quarantine_id in (
    select quarantine_id from event_quarantine
    where subject_id = any(%(identifier_ids)s::bigint[]) or anonymous_id = any(%(identifier_ids)s::bigint[])
    union
    select q.quarantine_id from customer_identifier l
    join event_quarantine q on q.subject_id = l.identifier_id and q.first_at >= l.counts_from
                           and (l.valid_until is null or q.first_at < l.valid_until)
    where l.customer_id = any(%(customer_ids)s::text[]));

-- name: erase_unread
-- Calls that nobody could read, and in whose bytes an identifier stands that leads to nobody else.
delete from event_quarantine q using identifier i
where q.subject_id is null and q.anonymous_id is null and i.identifier_id = any(%(identifier_ids)s::bigint[])
  and length(i.key) >= 6 and position(convert_to(i.key, 'UTF8') in q.raw) > 0;
