-- name: select_lobby
-- A page of unknown devices in one state, those heard of last first.
select lobby_id, name, format, identity, by_serial, state, first_heard_at, last_heard_at, topic, messages, bytes, dropped,
       decided_at, decided_by, trouble, said_model, other_names
from lobby
where state = %(state)s::text and (%(search)s::text = '' or strpos(lower(name), lower(%(search)s::text)) > 0)
  and (last_heard_at, name) < (%(before_at)s::timestamptz, %(before_name)s::text)
order by last_heard_at desc, name desc limit %(most)s;

-- name: find_unknown
-- The unknown devices that an id, a name or an identity may mean, the name before the identity.
select lobby_id, name, format, identity, by_serial, state, first_heard_at, last_heard_at, topic, messages, bytes, dropped,
       decided_at, decided_by, trouble, said_model, other_names
from lobby
where lobby_id = %(wanted)s::text or name = %(wanted)s::text or identity = %(wanted)s::text
order by lobby_id = %(wanted)s::text desc, name = %(wanted)s::text desc, name limit 2;

-- name: lock_unknown
-- One unknown device, for this transaction alone.
select lobby_id, name, format, identity, by_serial, state, first_heard_at, last_heard_at, topic, messages, bytes, dropped,
       decided_at, decided_by, trouble, said_model, other_names
from lobby where name = %(name)s for update;

-- name: count_lobby
-- How many unknown devices there are in each state, and what waits of those that wait.
select count(*) filter (where state = 'waiting') as waiting, count(*) filter (where state = 'refused') as refused,
       coalesce(sum(messages), 0)::bigint as messages, coalesce(sum(bytes), 0)::bigint as bytes
from lobby where state <> 'admitted';

-- name: decide_unknown
-- Say what was decided about an unknown device, and by whom.
update lobby set state = %(state)s, decided_at = %(at)s, decided_by = %(by)s, trouble = null where name = %(name)s;

-- name: note_trouble
-- Say why a rule could not admit it.
update lobby set trouble = %(trouble)s where name = %(name)s;

-- name: delete_unknown
-- Forget an unknown device.
delete from lobby where name = %(name)s;

-- name: delete_waiting
-- What waited of it goes too; its messages that nothing else refers to follow.
with gone as (
    delete from quarantine where serial = %(name)s and stored_at is null and code in ('unknown_serial', 'unknown_device')
    returning digest, quarantine_id
)
delete from quarantined_message m using gone
where m.digest = gone.digest
  and not exists (select from quarantine q where q.digest = m.digest and q.quarantine_id not in (select quarantine_id from gone));

-- name: select_known
-- Those in the lobby who are registered by now, and as which device; nobody else's turn at the moment.
select l.name, d.serial
from lobby l
cross join lateral (select d.serial from device d where l.by_serial and d.serial = l.identity
                    union all
                    (select d.serial from device_alias a join device d using (device_id)
                     where not l.by_serial and a.format = l.format
                       and (a.external_id = l.identity or l.other_names ? a.external_id)
                     order by a.external_id = l.identity desc limit 1)) d
where l.state <> 'admitted' order by l.name limit %(most)s for update of l skip locked;

-- name: select_registered
-- Whether one of the lobby is registered by now, and as which device.
select d.serial
from lobby l
cross join lateral (select d.serial from device d where l.by_serial and d.serial = l.identity
                    union all
                    (select d.serial from device_alias a join device d using (device_id)
                     where not l.by_serial and a.format = l.format
                       and (a.external_id = l.identity or l.other_names ? a.external_id)
                     order by a.external_id = l.identity desc limit 1)) d
where l.name = %(name)s;

-- name: lock_waiting
-- The oldest messages that wait of one unknown device, for this transaction alone. Those that somebody else stores just
-- now, or that come again just now, are left for the next look.
select m.digest, m.topic, m.payload, m.size_bytes, m.retained, q.received_at, q.quarantine_id, q.again
from quarantine q join quarantined_message m using (digest)
where q.serial = %(name)s and q.stored_at is null and q.code in ('unknown_serial', 'unknown_device')
  and not starts_with(m.topic, 'import:')
order by q.received_at, q.quarantine_id limit %(most)s for update of q skip locked;

-- name: select_newest_waiting
-- The newest messages that wait of one unknown device.
select m.digest, m.topic, m.payload, m.size_bytes, m.retained, q.received_at, q.quarantine_id, q.again
from quarantine q join quarantined_message m using (digest)
where q.serial = %(name)s and q.stored_at is null and q.code in ('unknown_serial', 'unknown_device')
  and not starts_with(m.topic, 'import:')
order by q.received_at desc, q.quarantine_id desc limit %(most)s;

-- name: mark_waiting_stored
-- These items are stored after all.
update quarantine set stored_at = %(at)s where quarantine_id = any(%(ids)s::bigint[]);

-- name: mark_waiting_refused
-- An item of a device that is known now, and that cannot be stored all the same.
update quarantine set code = 'refused', reason = %(reason)s where quarantine_id = %(quarantine_id)s;

-- name: count_out
-- So many messages of it wait no longer; when nothing does, it is admitted.
update lobby l
set messages = n.messages, bytes = case n.messages when 0 then 0 else l.bytes end,
    state = case n.messages when 0 then 'admitted' else l.state end,
    decided_at = case n.messages when 0 then coalesce(l.decided_at, %(at)s::timestamptz) else l.decided_at end,
    decided_by = case n.messages when 0 then coalesce(l.decided_by, 'registered') else l.decided_by end,
    trouble = null
from (select coalesce(sum(1 + cardinality(q.again)), 0)::bigint as messages
      from quarantine q join quarantined_message m using (digest)
      where q.serial = %(name)s and q.stored_at is null and q.code in ('unknown_serial', 'unknown_device')
        and not starts_with(m.topic, 'import:')) n
where l.name = %(name)s
returning l.messages;

-- name: insert_rule
-- Admit by a rule from now on.
insert into lobby_rule (rule_id, format, pattern, model, region, made_at, made_by)
values (%(rule_id)s, %(format)s, %(pattern)s, %(model)s, %(region)s, %(at)s, %(by)s);

-- name: select_rules
-- All rules, in the order of what they match.
select rule_id, format, pattern, model, region, made_at, made_by, admitted from lobby_rule order by format, pattern;

-- name: delete_rule
-- Admit nobody by this rule any more.
delete from lobby_rule where rule_id = %(rule_id)s
returning rule_id, format, pattern, model, region, made_at, made_by, admitted;

-- name: select_matched
-- Those who wait and whom a rule matches, each with its narrowest rule: the one with most characters that are no wildcards.
select distinct on (l.name) l.name, r.rule_id, r.model, r.region
from lobby l join lobby_rule r using (format)
where l.state = 'waiting' and l.trouble is null and l.decided_at is null and r.admitted < %(most_of_rule)s
  and l.identity like replace(replace(replace(replace(replace(r.pattern, '\', '\\'), '%%', '\%%'), '_', '\_'), '*', '%%'), '?', '_')
order by l.name, length(translate(r.pattern, '*?', '')) desc, r.pattern
limit %(most)s;

-- name: count_rule
-- A rule admitted one more.
update lobby_rule set admitted = admitted + 1 where rule_id = %(rule_id)s and admitted < %(most_of_rule)s;

-- name: clear_trouble
-- A rule is new: whom one could not admit is tried again.
update lobby set trouble = null where trouble is not null;
