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
