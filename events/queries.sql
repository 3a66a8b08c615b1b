-- name: insert_source
-- Register who sends events; source_name_once stands against a second one of the name.
insert into source (name, kind, scopes, created_at)
values (%(name)s, %(kind)s, %(scopes)s, %(at)s)
returning source_id, name, kind, scopes, created_at;

-- name: insert_source_key
-- Give a source one more key.
insert into source_key (source_id, digest, hint, valid_from) values (%(source_id)s, %(digest)s, %(hint)s, %(at)s);

-- name: end_source_key
-- Let a key of a source end; how many keys there were to end.
update source_key set ended_at = greatest(%(at)s, valid_from)
where source_id = %(source_id)s and key_id = %(key_id)s and ended_at is null;

-- name: select_source_by_key
-- The source whose key this is at a moment.
select s.source_id, s.name, s.kind, s.scopes, s.created_at
from source_key k join source s using (source_id)
where k.digest = %(digest)s and k.valid_from <= %(at)s and (k.ended_at is null or k.ended_at > %(at)s);

-- name: insert_events
-- Store what is new of a batch, in the order of its keys, so that two writers never deadlock; the message ids that were.
insert into event (source_id, message_id, call, name, happened_at, received_at, subject_id, anonymous_id, session_id, sku,
                   properties, context)
select %(source_id)s, message_id, call, name, happened_at, %(received_at)s, subject_id, anonymous_id, session_id, sku,
       properties, context
from unnest(%(message_ids)s::text[], %(calls)s::text[], %(names)s::text[], %(happened_ats)s::timestamptz[],
            %(subject_ids)s::bigint[], %(anonymous_ids)s::bigint[], %(session_ids)s::text[], %(skus)s::text[],
            %(properties)s::jsonb[], %(contexts)s::jsonb[])
     as b (message_id, call, name, happened_at, subject_id, anonymous_id, session_id, sku, properties, context)
order by message_id
on conflict (source_id, message_id) do nothing
returning message_id;

-- name: end_events
-- Events that came before a moment.
with old as (
    select event_id from event where received_at < %(before)s::timestamptz order by received_at limit %(most)s::bigint
), gone as (
    delete from event e using old where %(deleting)s::boolean and e.event_id = old.event_id returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;
