-- name: insert_source
-- Register who sends events; source_name_once stands against a second one of the name.
insert into source (name, kind, scopes, origins, created_at)
values (%(name)s, %(kind)s, %(scopes)s, %(origins)s, %(at)s)
returning *;

-- name: select_sources
-- All who send events.
select * from source order by source_id;

-- name: insert_source_key
-- Give a source one more key.
insert into source_key (source_id, digest, hint, valid_from, shown)
values (%(source_id)s, %(digest)s, %(hint)s, %(at)s, %(shown)s)
returning key_id;

-- name: select_shown_key
-- The key that our own pages show.
select shown from source_key where shown is not null and ended_at is null;

-- name: select_source_keys
-- The keys of sources, without what they are.
select source_id, key_id, hint, valid_from, ended_at from source_key order by source_id, key_id;

-- name: end_source_key
-- Let a key of a source end; how many keys there were to end.
update source_key set ended_at = greatest(%(at)s, valid_from)
where source_id = %(source_id)s and key_id = %(key_id)s and ended_at is null;

-- name: select_source_by_key
-- The source whose key this is at a moment.
select s.* from source_key k join source s using (source_id)
where k.digest = %(digest)s and k.valid_from <= %(at)s and (k.ended_at is null or k.ended_at > %(at)s);

-- name: insert_events
-- Store what is new of a batch, in the order of its keys, so that two writers never deadlock; the message ids that were.
-- Where somebody was is left out unless they are a customer who agrees at this moment that it is used.
insert into event (source_id, message_id, call, name, happened_at, received_at, subject_id, anonymous_id, session_id, sku,
                   properties, context)
select %(source_id)s, message_id, call, name, happened_at, %(received_at)s, subject_id, anonymous_id, session_id, sku,
       case when name = any(%(places)s::text[]) and not exists (
           select from identified i
           where i.identifier_id = b.subject_id and b.happened_at >= i.counts_from
             and (i.valid_until is null or b.happened_at < i.valid_until)
             and consent_in_force(i.customer_id, 'location', %(received_at)s)) then '{}' else properties end, context
from rows from (unnest(%(message_ids)s::text[], %(calls)s::text[], %(names)s::text[], %(happened_ats)s::timestamptz[],
                       %(subject_ids)s::bigint[], %(anonymous_ids)s::bigint[], %(session_ids)s::text[], %(skus)s::text[]),
                jsonb_array_elements(%(properties)s::jsonb), jsonb_array_elements(%(contexts)s::jsonb))
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

-- name: count_taken
-- Add what came from a source to its hour.
insert into source_hour as h (source_id, hour, slot, taken, repeated, latest_at, lateness)
values (%(source_id)s, date_trunc('hour', %(at)s::timestamptz, 'UTC'), pg_backend_pid() %% 8, %(taken)s, %(repeated)s,
        %(latest_at)s, %(lateness)s)
on conflict (source_id, hour, slot) do update set
    taken = h.taken + excluded.taken,
    repeated = h.repeated + excluded.repeated,
    latest_at = greatest(h.latest_at, excluded.latest_at),
    lateness = (select array_agg(was + more order by place)
                from unnest(h.lateness, excluded.lateness) with ordinality as step (was, more, place));

-- name: count_refused
-- Add what was set aside of a source to its hour, by why.
insert into source_refusal as r (source_id, hour, reason, slot, calls)
select %(source_id)s, date_trunc('hour', %(at)s::timestamptz, 'UTC'), reason, pg_backend_pid() %% 8, calls
from unnest(%(reasons)s::text[], %(calls)s::bigint[]) as u (reason, calls) order by reason
on conflict (source_id, hour, reason, slot) do update set calls = r.calls + excluded.calls;

-- name: select_source_figures
-- What came from each source since a moment.
select s.source_id, h.taken, h.repeated, h.latest_at, h.lateness,
       (select json_object_agg(reason, calls)
        from (select reason, sum(calls)::bigint as calls from source_refusal r
              where r.source_id = s.source_id and r.hour >= %(since)s group by reason order by reason) by_reason) as refused
from source s cross join lateral (
    select coalesce(sum(taken), 0)::bigint as taken, coalesce(sum(repeated), 0)::bigint as repeated, max(latest_at) as latest_at,
           (select array_agg(events order by place)
            from (select place, sum(events)::bigint as events
                  from source_hour b, unnest(b.lateness) with ordinality as l (events, place)
                  where b.source_id = s.source_id and b.hour >= %(since)s group by place) by_place) as lateness
    from source_hour a where a.source_id = s.source_id and a.hour >= %(since)s
) h
order by s.source_id;

-- name: end_source_hours
-- What is known of a source's hours before a moment.
with gone as (delete from source_hour where %(deleting)s::boolean and hour < %(before)s::timestamptz returning 1),
     old as (select 1 from source_hour where not %(deleting)s::boolean and hour < %(before)s::timestamptz limit %(most)s::bigint)
select (select count(*) from gone) + (select count(*) from old);

-- name: end_source_refusals
-- What was set aside of a source in the hours before a moment.
with gone as (delete from source_refusal where %(deleting)s::boolean and hour < %(before)s::timestamptz returning 1),
     old as (select 1 from source_refusal where not %(deleting)s::boolean and hour < %(before)s::timestamptz limit %(most)s::bigint)
select (select count(*) from gone) + (select count(*) from old);
