-- name: repeat_set_aside
-- Count those of some calls that were set aside before, with what they are refused for now; what they are known as.
update event_quarantine q
set times = q.times + 1, last_at = greatest(q.last_at, %(at)s::timestamptz), reason = t.reason, detail = t.detail
from unnest(%(known_as)s::text[], %(reasons)s::text[], %(details)s::text[]) as t (known_as, reason, detail)
where q.source_id = %(source_id)s and q.known_as = t.known_as
returning q.known_as;

-- name: insert_set_aside
-- Set calls aside, as many as a source may in a day; one that somebody else sets aside just now is that one.
insert into event_quarantine (source_id, known_as, call, name, reason, detail, raw, size_bytes, event, subject_id,
                              anonymous_id, first_at, last_at)
select %(source_id)s, known_as, call, name, reason, detail, raw, size_bytes, event, subject_id, anonymous_id, %(at)s, %(at)s
from unnest(%(known_as)s::text[], %(calls)s::text[], %(names)s::text[], %(reasons)s::text[], %(details)s::text[],
            %(raws)s::bytea[], %(sizes)s::integer[], %(events)s::jsonb[], %(subject_ids)s::bigint[],
            %(anonymous_ids)s::bigint[])
     with ordinality as t (known_as, call, name, reason, detail, raw, size_bytes, event, subject_id, anonymous_id, place)
where place <= %(most)s::bigint - (
    select count(*) from (select 1 from event_quarantine
                          where source_id = %(source_id)s and first_at > %(at)s::timestamptz - interval '1 day'
                          limit %(most)s::bigint) today)
order by known_as
on conflict (source_id, known_as) do update set times = event_quarantine.times + 1;

-- name: select_set_aside
-- A page of calls that were set aside, newest first.
select q.quarantine_id, q.source_id, s.name as source, q.known_as, q.call, q.name, q.reason, q.detail, q.raw, q.size_bytes,
       q.event::text as event, q.first_at, q.last_at, q.times, q.replayed_at
from event_quarantine q join source s using (source_id)
where (%(reason)s::text is null or q.reason = %(reason)s) and (%(source)s::text is null or s.name = %(source)s)
  and (%(name)s::text is null or q.name = %(name)s) and (%(replayed)s::boolean or q.replayed_at is null)
  and (q.first_at, q.quarantine_id) < (%(before_at)s::timestamptz, %(before_id)s::bigint)
order by q.first_at desc, q.quarantine_id desc limit %(most)s;

-- name: select_set_aside_call
-- One call that was set aside.
select q.quarantine_id, q.source_id, s.name as source, q.known_as, q.call, q.name, q.reason, q.detail, q.raw, q.size_bytes,
       q.event::text as event, q.first_at, q.last_at, q.times, q.replayed_at
from event_quarantine q join source s using (source_id) where q.quarantine_id = %(quarantine_id)s;

-- name: lock_set_aside
-- Some calls that wait, oldest first, after a number; locked, so that two who replay do it one after the other.
select q.quarantine_id, q.source_id, s.name as source, q.known_as, q.call, q.name, q.reason, q.detail, q.raw, q.size_bytes,
       q.event::text as event, q.first_at, q.last_at, q.times, q.replayed_at
from event_quarantine q join source s using (source_id)
where q.replayed_at is null and q.quarantine_id > %(after)s and (%(only)s::bigint is null or q.quarantine_id = %(only)s)
  and (%(reason)s::text is null or q.reason = %(reason)s) and (%(source)s::text is null or s.name = %(source)s)
  and (%(name)s::text is null or q.name = %(name)s)
order by q.quarantine_id limit %(most)s for no key update of q;

-- name: mark_replayed
-- A call was taken after all.
update event_quarantine set replayed_at = %(at)s where quarantine_id = %(quarantine_id)s;

-- name: mark_refused_still
-- What a call is refused for now.
update event_quarantine set reason = %(reason)s, detail = %(detail)s where quarantine_id = %(quarantine_id)s;

-- name: delete_set_aside
-- Let calls go that nobody wants: how many.
delete from event_quarantine q using source s
where s.source_id = q.source_id and (%(only)s::bigint is null or q.quarantine_id = %(only)s)
  and (%(reason)s::text is null or q.reason = %(reason)s) and (%(source)s::text is null or s.name = %(source)s)
  and (%(name)s::text is null or q.name = %(name)s) and (%(replayed)s::boolean or q.replayed_at is null);

-- name: select_set_aside_groups
-- What waits by its reason, its source and its event, most first.
select q.reason, s.name as source, q.name, count(*)::bigint as calls, min(q.first_at) as first_at, max(q.last_at) as last_at,
       min(q.detail) as example
from event_quarantine q join source s using (source_id) where q.replayed_at is null
group by q.reason, s.name, q.name order by calls desc, q.reason, s.name, q.name limit %(most)s;

-- name: note_unknown_events
-- Count events of which the plan says nothing; beyond so many names of a source they are counted under none.
insert into unknown_event as u (source_id, name, events, first_at, last_at)
select %(source_id)s, known, sum(events), %(at)s, %(at)s
from (select case when exists (select 1 from unknown_event k where k.source_id = %(source_id)s and k.name = t.name)
                       or place <= %(most)s::bigint - (select count(*) from unknown_event k where k.source_id = %(source_id)s)
                  then name else '' end as known, events
      from unnest(%(names)s::text[], %(counts)s::bigint[]) with ordinality as t (name, events, place)) named
group by known order by known
on conflict (source_id, name) do update
set events = u.events + excluded.events, last_at = greatest(u.last_at, excluded.last_at);

-- name: select_unknown_events
-- Events of which the plan says nothing, most first.
select s.name as source, u.name, u.events, u.first_at, u.last_at
from unknown_event u join source s using (source_id) order by u.events desc, s.name, u.name limit %(most)s;

-- name: end_event_quarantine
-- Calls that were set aside before a moment.
with old as (
    select quarantine_id from event_quarantine where first_at < %(before)s::timestamptz
    order by first_at limit %(most)s::bigint
), gone as (
    delete from event_quarantine q using old where %(deleting)s::boolean and q.quarantine_id = old.quarantine_id returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;

-- name: end_unknown_events
-- Unknown events that did not come since a moment.
with old as (
    select source_id, name from unknown_event where last_at < %(before)s::timestamptz order by last_at limit %(most)s::bigint
), gone as (
    delete from unknown_event u using old
    where %(deleting)s::boolean and (u.source_id, u.name) = (old.source_id, old.name) returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;
