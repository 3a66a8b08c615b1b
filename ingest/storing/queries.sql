-- name: select_effective_times
-- Times that were given to samples when they first came without a good one.
select e.serial, e.boot, e.seq, e.effective_at
from unnest(%(serials)s::text[], %(boots)s::text[], %(seqs)s::numeric[]) as k (serial, boot, seq)
join effective_time e using (serial, boot, seq);

-- name: insert_effective_times
-- Give samples the time at which they were first received, or one before that of which it is kept when they came.
insert into effective_time (serial, boot, seq, effective_at, came_at)
select * from unnest(%(serials)s::text[], %(boots)s::text[], %(seqs)s::numeric[], %(effective_ats)s::timestamptz[],
                     %(came_ats)s::timestamptz[])
on conflict (serial, boot, seq) do nothing;

-- name: select_times_before
-- For each of these samples the time that was given to the one of its boot with the next lower number.
select k.serial, k.boot, k.seq, e.effective_at
from unnest(%(serials)s::text[], %(boots)s::text[], %(seqs)s::numeric[]) as k (serial, boot, seq)
cross join lateral (select effective_at from effective_time
                    where serial = k.serial and boot = k.boot and seq < k.seq order by seq desc limit 1) e;

-- name: select_boot_starts
-- When these boots began, by the uptimes of their devices.
select serial, boot, began_at
from unnest(%(serials)s::text[], %(boots)s::text[]) as k (serial, boot) join sequence using (serial, boot)
where began_at is not null;

-- name: update_boot_starts
-- Remember when boots began; the batch has added numbers to each of them, and so holds their rows.
update sequence s set began_at = n.began_at
from unnest(%(serials)s::text[], %(boots)s::text[], %(began_ats)s::timestamptz[]) as n (serial, boot, began_at)
where s.serial = n.serial and s.boot = n.boot;

-- name: select_read_before
-- Those of the given numbers that readings came of in earlier batches, as ranges with their upper end left out.
select s.serial, s.boot, lower(r) as from_seq, upper(r) as to_seq
from unnest(%(serials)s::text[], %(boots)s::text[], %(numbers)s::text[]) as k (serial, boot, numbers)
join sequence s using (serial, boot)
cross join lateral unnest((s.received - s.unread) * k.numbers::nummultirange) as r;

-- name: lock_clocks
-- Make times up for these devices alone until the commit; in key order, so that two writers never deadlock.
insert into clock_doubt (device_id, samples, first_at, last_at)
select device_id, 0, %(at)s, %(at)s from unnest(%(device_ids)s::bigint[]) as device_id order by device_id
on conflict (device_id) do update set samples = clock_doubt.samples
returning device_id, made_up_to;

-- name: update_clocks
-- Remember the last times that were made up, and count the samples they were made up for.
update clock_doubt c
set made_up_to = n.made_up_to, samples = c.samples + n.samples, last_offset_s = n.offset_s, last_at = %(at)s,
    first_at = case when c.samples = 0 then %(at)s else c.first_at end
from unnest(%(device_ids)s::bigint[], %(made_up_tos)s::timestamptz[], %(samples)s::bigint[], %(offsets)s::float8[])
     as n (device_id, made_up_to, samples, offset_s)
where c.device_id = n.device_id;

-- name: insert_conflicts
-- Keep values that disagree with what is stored; returns of which devices there were new ones, and how many.
with kept as (
insert into reading_conflict (device_id, metric_id, measured_at, value, state, received_at)
select * from unnest(%(device_ids)s::bigint[], %(metric_ids)s::int[], %(measured_ats)s::timestamptz[],
                     %(values)s::float8[], %(states)s::text[], %(received_ats)s::timestamptz[])
on conflict on constraint conflict_once_per_value do nothing
returning device_id
)
select d.serial, count(*) from kept join device d using (device_id) group by d.serial;

-- name: insert_quarantine
-- Say what was refused and why; returns what was not known already, by its message or by its sample.
insert into quarantine (digest, item, serial, boot, code, reason, items, received_at)
select * from unnest(%(digests)s::bytea[], %(items)s::text[], %(serials)s::text[], %(boots)s::text[], %(codes)s::text[],
                     %(reasons)s::text[], %(counts)s::bigint[], %(received_ats)s::timestamptz[])
on conflict do nothing
returning digest, serial, item, items;

-- name: insert_quarantined_messages
-- Keep the original bytes of messages that were refused in whole or in part, in binary: as text they are twice as large.
-- One that is there already is young again, and locked, so that it does not go as old in this moment.
insert into quarantined_message (digest, topic, payload, size_bytes, received_at, retained)
select * from unnest(%(digests)b::bytea[], %(topics)b::text[], %(payloads)b::bytea[], %(sizes)b::bigint[],
                     %(received_ats)b::timestamptz[], %(retained)b::boolean[])
on conflict (digest) do update set received_at = excluded.received_at;

-- name: select_changed_names
-- Registered devices' keys under which a name was heard that is not the live one.
select distinct k.serial, k.kind
from unnest(%(serials)s::text[], %(kinds)s::text[], %(names)s::text[]) as k (serial, kind, name)
left join live_name l using (serial, kind)
where l.name is distinct from k.name and exists (select from device d where d.serial = k.serial);

-- name: insert_first_names
-- Remember what was heard first of devices of which nothing is live, if it is news: a boot of which nothing came before.
-- Returns these; the others that have a live name are locked and left as they are. In key order, so that two writers
-- never deadlock.
insert into live_name as l (serial, kind, name, since)
select serial, kind, name, since
from unnest(%(serials)s::text[], %(kinds)s::text[], %(names)s::text[], %(sinces)s::timestamptz[]) as k (serial, kind, name, since)
where kind = 'session'
   or not exists (select from sequence s where s.serial = k.serial and s.boot = k.name and s.received <> '{}')
   or exists (select from live_name o where o.serial = k.serial and o.kind = k.kind)
order by serial, kind
on conflict (serial, kind) do update set name = l.name where false
returning serial, kind;

-- name: lock_live_names
-- What is known of the names that are live for these, for this transaction alone; in key order, so that two writers never
-- deadlock.
select serial, kind, name, since, before, returned_at, shared_names, shared_first_at, shared_last_at, shared_returns
from live_name l join unnest(%(serials)s::text[], %(kinds)s::text[]) as k (serial, kind) using (serial, kind)
order by serial, kind for update of l;

-- name: select_highest_seqs
-- The highest number that came of each of these boots.
select serial, boot, upper(s.received) - 1 as highest
from unnest(%(serials)s::text[], %(boots)s::text[]) as k (serial, boot) join sequence s using (serial, boot)
where s.received <> '{}';

-- name: upsert_live_names
-- Remember which names are live, what was live before them, and which took turns; in key order like the lock.
insert into live_name (serial, kind, name, since, before, returned_at,
                       shared_names, shared_first_at, shared_last_at, shared_returns)
select serial, kind, name, since, before, returned_at, shared_names, shared_first_at, shared_last_at, shared_returns
from jsonb_to_recordset(%(rows)s) as r (serial text, kind text, name text, since timestamptz, before text[],
     returned_at timestamptz[], shared_names text[], shared_first_at timestamptz, shared_last_at timestamptz,
     shared_returns bigint)
order by serial, kind
on conflict (serial, kind) do update
set name = excluded.name, since = excluded.since, before = excluded.before, returned_at = excluded.returned_at,
    shared_names = excluded.shared_names, shared_first_at = excluded.shared_first_at,
    shared_last_at = excluded.shared_last_at, shared_returns = excluded.shared_returns;

-- name: add_to_minute
-- Count the outcomes of a batch.
insert into ingest_minute (consumer, minute, messages, received, stored, duplicate, conflict, quarantined, waiting, dropped)
values (%(consumer)s, date_trunc('minute', %(at)s::timestamptz), %(messages)s, %(received)s, %(stored)s,
        %(duplicate)s, %(conflict)s, %(quarantined)s, %(waiting)s, %(dropped)s)
on conflict (consumer, minute) do update
set messages = ingest_minute.messages + excluded.messages, received = ingest_minute.received + excluded.received,
    stored = ingest_minute.stored + excluded.stored, duplicate = ingest_minute.duplicate + excluded.duplicate,
    conflict = ingest_minute.conflict + excluded.conflict,
    quarantined = ingest_minute.quarantined + excluded.quarantined, waiting = ingest_minute.waiting + excluded.waiting,
    dropped = ingest_minute.dropped + excluded.dropped;

-- name: add_drops
-- Count what was dropped because its device was beyond an allowance.
insert into ingest_drop (serial, day, allowance, messages, items, bytes, last_at)
select serial, (%(at)s::timestamptz at time zone 'UTC')::date, allowance, messages, items, bytes, %(at)s
from unnest(%(serials)s::text[], %(allowances)s::text[], %(messages)s::bigint[], %(items)s::bigint[],
            %(bytes)s::bigint[]) as t (serial, allowance, messages, items, bytes)
on conflict on constraint drops_are_counted_by_day do update
set messages = ingest_drop.messages + excluded.messages, items = ingest_drop.items + excluded.items,
    bytes = ingest_drop.bytes + excluded.bytes, last_at = excluded.last_at;

-- name: count_to_retry
-- How many messages have items that were refused with a code and are not stored yet; rows of files are not counted.
select count(distinct q.digest)
from quarantine q join quarantined_message m using (digest)
where q.code = %(code)s and q.stored_at is null and not starts_with(m.topic, 'import:')
  and (%(serial)s::text is null or q.serial = %(serial)s::text)
  and (%(model)s::text is null or exists (select from device d where d.serial = q.serial and d.model = %(model)s::text));

-- name: lock_open_items
-- What of a message is refused still, and when that came: for this transaction alone.
select quarantine_id, item, received_at, again from quarantine
where digest = %(digest)s and stored_at is null order by quarantine_id for update;

-- name: count_reasons_to_retry
-- For which reasons messages wait that may be stored after all, and how many of each, most first.
select q.code, count(distinct q.digest) as messages
from quarantine q join quarantined_message m using (digest)
where q.stored_at is null and not starts_with(m.topic, 'import:')
group by q.code order by messages desc, q.code;

-- name: select_to_retry
-- The next of these messages, each at its first such item, oldest first.
select m.digest, m.topic, m.payload, m.size_bytes, m.retained, q.received_at, q.quarantine_id, q.again
from quarantine q join quarantined_message m using (digest)
where q.code = %(code)s and q.stored_at is null and not starts_with(m.topic, 'import:')
  and (%(serial)s::text is null or q.serial = %(serial)s::text)
  and (%(model)s::text is null or exists (select from device d where d.serial = q.serial and d.model = %(model)s::text))
  and (q.received_at, q.quarantine_id) > (%(after_at)s::timestamptz, %(after_id)s::bigint)
  and not exists (select from quarantine e
                  where e.digest = q.digest and e.code = q.code and e.stored_at is null
                    and (%(serial)s::text is null or e.serial = %(serial)s::text)
                    and (%(model)s::text is null
                         or exists (select from device d where d.serial = e.serial and d.model = %(model)s::text))
                    and (e.received_at, e.quarantine_id) < (q.received_at, q.quarantine_id))
order by q.received_at, q.quarantine_id limit %(most)s;

-- name: mark_stored
-- Say which items of a message are stored after all; returns how many of them are refused still.
with refused as (
    select serial, item from unnest(%(serials)s::text[], %(items)s::text[]) as r (serial, item)
), stored as (
    update quarantine set stored_at = %(at)s
    where digest = %(digest)s and (%(code)s::text is null or code = %(code)s::text) and stored_at is null
      and (serial, item) not in (select serial, item from refused)
)
select count(*) from quarantine
where digest = %(digest)s and (%(code)s::text is null or code = %(code)s::text) and stored_at is null
  and (serial, item) in (select serial, item from refused);

-- name: append_times
-- The same bytes of unknown devices came again: keep when; returns whose, and how often. What was stored waits anew.
update quarantine q
set received_at = case when q.stored_at is null then q.received_at else n.ats[1] end,
    again = case when q.stored_at is null then q.again || n.ats else n.ats[2:] end,
    stored_at = null, items = q.items + cardinality(n.ats)
from (select digest, serial, item, array_agg(at order by at) as ats
      from unnest(%(digests)s::bytea[], %(serials)s::text[], %(items)s::text[], %(ats)s::timestamptz[])
           as t (digest, serial, item, at)
      group by digest, serial, item) n
where q.digest = n.digest and q.serial = n.serial and q.item = n.item
returning q.serial, cardinality(n.ats);

-- name: select_hall
-- How many unknown devices wait, and about how many bytes of theirs.
select count(*), coalesce(sum(bytes), 0)::bigint from lobby where state = 'waiting';

-- name: select_places
-- Those of the given names that have a place in the lobby.
select name, state = 'refused' as refused, messages, bytes from lobby where name = any(%(names)s::text[]);

-- name: upsert_callers
-- Remember who spoke and is not registered, and what of it is kept; one that was admitted and is unknown again waits again.
insert into lobby (name, lobby_id, format, identity, by_serial, first_heard_at, last_heard_at, topic, said_model, other_names,
                   messages, bytes, dropped)
select name, lobby_id, format, identity, by_serial, %(at)s, %(at)s, topic, said_model, other_names, messages, bytes, dropped
from unnest(%(names)s::text[], %(lobby_ids)s::text[], %(formats)s::text[], %(identities)s::text[], %(by_serials)s::boolean[],
            %(topics)s::text[], %(said_models)s::text[], %(other_names)s::jsonb[], %(messages)s::bigint[],
            %(bytes)s::bigint[], %(dropped)s::bigint[])
     as c (name, lobby_id, format, identity, by_serial, topic, said_model, other_names, messages, bytes, dropped)
order by name
on conflict (name) do update
set last_heard_at = excluded.last_heard_at, topic = excluded.topic, messages = lobby.messages + excluded.messages,
    bytes = lobby.bytes + excluded.bytes, dropped = lobby.dropped + excluded.dropped,
    said_model = case excluded.said_model when '' then lobby.said_model else excluded.said_model end,
    other_names = case excluded.other_names when '[]' then lobby.other_names else excluded.other_names end,
    state = case lobby.state when 'admitted' then 'waiting' else lobby.state end;

-- name: select_notable_boots
-- Of boots of registered devices those of which samples were given times, and those that are not the live one.
select k.serial, t.made_up is not null as made_up, l.name is distinct from k.boot as not_live
from unnest(%(serials)s::text[], %(boots)s::text[]) as k (serial, boot)
left join lateral (select name from live_name where serial = k.serial and kind = 'boot' limit 1) l on true
left join lateral (select true as made_up from effective_time where serial = k.serial and boot = k.boot limit 1) t on true
where t.made_up or l.name is distinct from k.boot;

-- name: claim_untimed_messages
-- Keep messages with values that have neither number nor time; returns how often each came, more than once if it is known.
-- In key order, so that two writers never deadlock; who comes second waits for the first one's commit, and knows it then.
insert into untimed_message as m (consumer, lane, packet_id, digest, received_at)
select %(consumer)s, %(lane)s, packet_id, digest, received_at
from unnest(%(packet_ids)s::int[], %(digests)s::bytea[], %(received_ats)s::timestamptz[])
     as n (packet_id, digest, received_at)
order by packet_id
on conflict (consumer, lane, packet_id) do update
set (digest, received_at, came) = (
    select excluded.digest, case when same then m.received_at else excluded.received_at end,
           case when same then m.came + 1 else 1 end
    from (select m.digest = excluded.digest
                 and (m.packet_id = any(%(again)s::int[]) or m.received_at = excluded.received_at) as same) as s
)
returning packet_id, came;
