-- name: select_effective_times
-- Times that were given to samples when they first came without a good one.
select e.serial, e.boot, e.seq, e.effective_at
from unnest(%(serials)s::text[], %(boots)s::text[], %(seqs)s::numeric[]) as k (serial, boot, seq)
join effective_time e using (serial, boot, seq);

-- name: insert_effective_times
-- Give samples the time at which they were first received.
insert into effective_time (serial, boot, seq, effective_at)
select * from unnest(%(serials)s::text[], %(boots)s::text[], %(seqs)s::numeric[], %(effective_ats)s::timestamptz[])
on conflict (serial, boot, seq) do nothing;

-- name: select_read_before
-- Those of the given numbers that readings came of in earlier batches, as ranges with their upper end left out.
select s.serial, s.boot, lower(r), upper(r)
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
-- Keep values that disagree with what is stored; returns those that were not kept already.
insert into reading_conflict (device_id, metric_id, measured_at, value, state, received_at)
select * from unnest(%(device_ids)s::bigint[], %(metric_ids)s::int[], %(measured_ats)s::timestamptz[],
                     %(values)s::float8[], %(states)s::text[], %(received_ats)s::timestamptz[])
on conflict on constraint conflict_once_per_value do nothing
returning device_id;

-- name: insert_quarantine
-- Say what was refused and why; returns what was not known already, by its message or by its sample.
insert into quarantine (digest, item, serial, boot, code, reason, items, received_at)
select * from unnest(%(digests)s::bytea[], %(items)s::text[], %(serials)s::text[], %(boots)s::text[], %(codes)s::text[],
                     %(reasons)s::text[], %(counts)s::bigint[], %(received_ats)s::timestamptz[])
on conflict do nothing
returning digest, items;

-- name: insert_quarantined_messages
-- Keep the original bytes of messages that were refused in whole or in part, in binary: as text they are twice as large.
-- One that is there already is young again, and locked, so that it does not go as old in this moment.
insert into quarantined_message (digest, topic, payload, size_bytes, received_at)
select * from unnest(%(digests)b::bytea[], %(topics)b::text[], %(payloads)b::bytea[], %(sizes)b::bigint[],
                     %(received_ats)b::timestamptz[])
on conflict (digest) do update set received_at = excluded.received_at;

-- name: select_changed_names
-- Registered devices' keys under which a name was heard that is not the live one.
select distinct k.serial, k.kind
from unnest(%(serials)s::text[], %(kinds)s::text[], %(names)s::text[]) as k (serial, kind, name)
left join live_name l using (serial, kind)
where l.name is distinct from k.name and exists (select from device d where d.serial = k.serial);

-- name: lock_live_names
-- What is known of the names that are live for these, for this transaction alone; in key order, so that two writers never
-- deadlock.
select serial, kind, name, since, before, returned_at, shared_names, shared_first_at, shared_last_at, shared_returns
from live_name l join unnest(%(serials)s::text[], %(kinds)s::text[]) as k (serial, kind) using (serial, kind)
order by serial, kind for update of l;

-- name: select_highest_seqs
-- The highest number that came of each of these boots.
select serial, boot, upper(s.received) - 1
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

-- name: upsert_sequences
-- Add the sequence numbers of a batch; returns up to where each boot is complete, and whether numbers were left out.
-- A device gives up only what is missing, so nothing beyond its highest number. What a boot has is kept in at most
-- so many ranges, the first ones: those that follow were never received, for all that we know. Of what was not read
-- the last ones are merged instead: a number too many there costs a look, one too few a sample.
with proposed as (
    select t.serial, t.boot, t.received, t.received - t.read as unread,
           t.gone * nummultirange(numrange(0, upper(t.received + coalesce(s.received, '{}')))) as given_up
    from (select serial, boot, received::nummultirange, read::nummultirange, gone::nummultirange
          from unnest(%(serials)s::text[], %(boots)s::text[], %(received)s::text[], %(read)s::text[], %(gone)s::text[])
               as columns (serial, boot, received, read, gone)) t
    left join sequence s using (serial, boot)
    where t.received <> '{}' or s.received <> '{}'
)
insert into sequence (serial, boot, received, unread, given_up, first_seen_at, last_seen_at, overflow_at)
select serial, boot, first_ranges(received, %(most)s), first_ranges(received, %(most)s) * merged_ranges(unread, %(most)s),
       first_ranges(given_up, %(most)s),
       %(at)s, %(at)s, case when has_more_ranges(received, %(most)s) then %(at)s::timestamptz end
from proposed order by serial, boot
on conflict (serial, boot) do update
set received = first_ranges(sequence.received + excluded.received, %(most)s),
    given_up = first_ranges(sequence.given_up + excluded.given_up, %(most)s),
    unread = first_ranges(sequence.received + excluded.received, %(most)s)
             * merged_ranges(sequence.unread - (excluded.received - excluded.unread)
                             + (excluded.unread - sequence.received), %(most)s),
    last_seen_at = excluded.last_seen_at,
    overflow_at = case when excluded.overflow_at is not null
                            or has_more_ranges(sequence.received + excluded.received, %(most)s)
                            or has_more_ranges(sequence.given_up + excluded.given_up, %(most)s)
                       then excluded.last_seen_at else sequence.overflow_at end
returning serial, boot,
    case when lower(received + given_up) <= 1
         then (select upper(first) - 1 from unnest(received + given_up) as first limit 1) end as complete_to,
    overflow_at = last_seen_at as overflows;

-- name: watch_gaps
-- Watch the first gaps of these boots, and forget those that are no more; one that has moved is given time anew.
with boot as materialized (
    select s.serial, s.boot, s.received + s.given_up as numbers
    from unnest(%(serials)s::text[], %(boots)s::text[]) as k (serial, boot) join sequence s using (serial, boot)
), gap as materialized (
    select b.serial, b.boot, lower(hole) as from_seq, upper(hole) - 1 as to_seq
    from boot b
    cross join lateral (
        select hole from unnest(nummultirange(numrange(least(1, lower(b.numbers)), upper(b.numbers))) - b.numbers) as hole
        limit %(most)s) as first_holes
    where b.numbers <> '{}'
), gone as (
    delete from watched_gap w using boot b
    where w.serial = b.serial and w.boot = b.boot
      and not exists (select from gap g where g.serial = w.serial and g.boot = w.boot and g.from_seq = w.from_seq)
)
insert into watched_gap (serial, boot, from_seq, to_seq, since, ask_at)
select serial, boot, from_seq, to_seq, clock_timestamp(), clock_timestamp() + %(patience)s::interval
from gap order by serial, boot, from_seq
on conflict (serial, boot, from_seq) do update
set to_seq = excluded.to_seq, since = excluded.since, ask_at = excluded.ask_at, asks = 0, asked_at = null,
    awaits_answer = false, answered = 0
where watched_gap.to_seq <> excluded.to_seq;

-- name: ask_gaps
-- The gaps to ask for now, the longest due of each boot and of each device first; each is then left alone twice as long.
-- The other gaps of a boot that has its turn wait a little, so that each boot of a device comes to its own.
with due as (
    select serial, boot, from_seq, ask_at,
           row_number() over (partition by serial, boot order by ask_at, from_seq) as of_boot
    from watched_gap where ask_at <= clock_timestamp()
), ranked as (
    select serial, boot, from_seq, ask_at,
           row_number() over (partition by serial order by of_boot, ask_at, boot) as of_device
    from due where of_boot <= %(of_device)s
), chosen as (
    select serial, boot, from_seq from ranked where of_device <= %(of_device)s order by of_device, ask_at limit %(limit)s
), mine as (
    select w.serial, w.boot, w.from_seq, c.from_seq is not null as has_turn
    from watched_gap w
    join (select distinct serial, boot from chosen) b using (serial, boot)
    left join chosen c using (serial, boot, from_seq)
    where w.ask_at <= clock_timestamp() for update of w skip locked
), moved as (
    update watched_gap w
    set ask_at = clock_timestamp() + case when has_turn
            then least(%(patience)s::interval * 2 ^ least(w.asks + 1, 30), %(longest)s::interval)
            else %(patience)s::interval end,
        asks = w.asks + has_turn::integer, awaits_answer = w.awaits_answer or has_turn,
        asked_at = case when has_turn then clock_timestamp() else w.asked_at end
    from mine m where w.serial = m.serial and w.boot = m.boot and w.from_seq = m.from_seq
    returning w.serial, w.boot, w.from_seq, w.to_seq, has_turn
)
select serial, boot, from_seq, to_seq from moved where has_turn;

-- name: note_unreadable
-- What came of these boots, or of any of a serial's, has numbers that nobody can read: it may be the answer to what
-- was asked for.
update watched_gap w set answered = answered + 1, awaits_answer = false
where awaits_answer
  and exists (select from unnest(%(serials)s::text[], %(boots)s::text[]) as k (serial, boot)
              where k.serial = w.serial and (k.boot is null or k.boot = w.boot));

-- name: give_up_gaps
-- Wait no longer for gaps that were answered so often by what nobody can read; that is in quarantine.
with hopeless as (
    select serial, boot, range_agg(numrange(from_seq, to_seq + 1)) as numbers, sum(to_seq - from_seq + 1) as how_many
    from watched_gap where answered >= %(times)s and answered > 0
    group by serial, boot
)
update sequence s set given_up = s.given_up + h.numbers
from hopeless h where s.serial = h.serial and s.boot = h.boot
returning s.serial, s.boot, h.how_many,
    case when lower(s.received + s.given_up) <= 1
         then (select upper(first) - 1 from unnest(s.received + s.given_up) as first limit 1) end as complete_to;

-- name: count_gaps
-- Say how many gaps there are, for whoever asks this ingest's heartbeat.
update ingest_consumer
set gaps = (select count(*) from watched_gap), devices_with_gaps = (select count(distinct serial) from watched_gap),
    overflowing_boots = (select count(*) from sequence where overflow_at is not null),
    numbers_given_up = numbers_given_up + %(given_up)s
where consumer = %(consumer)s
returning gaps, devices_with_gaps, overflowing_boots;

-- name: add_to_minute
-- Count the outcomes of a batch.
insert into ingest_minute (consumer, minute, messages, received, stored, duplicate, conflict, quarantined, dropped)
values (%(consumer)s, date_trunc('minute', %(at)s::timestamptz), %(messages)s, %(received)s, %(stored)s,
        %(duplicate)s, %(conflict)s, %(quarantined)s, %(dropped)s)
on conflict (consumer, minute) do update
set messages = ingest_minute.messages + excluded.messages, received = ingest_minute.received + excluded.received,
    stored = ingest_minute.stored + excluded.stored, duplicate = ingest_minute.duplicate + excluded.duplicate,
    conflict = ingest_minute.conflict + excluded.conflict,
    quarantined = ingest_minute.quarantined + excluded.quarantined, dropped = ingest_minute.dropped + excluded.dropped;

-- name: add_drops
-- Count what was dropped because its device was beyond an allowance.
insert into ingest_drop (serial, day, allowance, messages, items, bytes, last_at)
select serial, (%(at)s::timestamptz at time zone 'UTC')::date, allowance, messages, items, bytes, %(at)s
from unnest(%(serials)s::text[], %(allowances)s::text[], %(messages)s::bigint[], %(items)s::bigint[],
            %(bytes)s::bigint[]) as t (serial, allowance, messages, items, bytes)
on conflict on constraint drops_are_counted_by_day do update
set messages = ingest_drop.messages + excluded.messages, items = ingest_drop.items + excluded.items,
    bytes = ingest_drop.bytes + excluded.bytes, last_at = excluded.last_at;

-- name: beat
-- Say that this ingest is alive and connected, on the database's clock, which readers of the beat share.
insert into ingest_consumer (consumer, epoch, connected, in_flight, lag_s, trouble, beat_at)
values (%(consumer)s, %(epoch)s, %(connected)s, %(in_flight)s, %(lag_s)s, %(trouble)s, clock_timestamp())
on conflict (consumer) do update
set epoch = excluded.epoch, connected = excluded.connected, in_flight = excluded.in_flight, lag_s = excluded.lag_s,
    trouble = excluded.trouble, beat_at = excluded.beat_at;

-- name: select_answer
-- The least a database can do.
select 1;

-- name: create_import_row
-- Where the rows of a file are before they are readings; each session has its own, and a commit empties it.
create temporary table if not exists import_row (
    line bigint, device_id bigint, metric_id integer, measured_at timestamptz, value double precision, state text
) on commit delete rows;

-- name: copy_import_rows
-- The quick way in.
copy import_row (line, device_id, metric_id, measured_at, value, state) from stdin (format binary);

-- name: insert_imported_readings
-- Store what is new of a file's rows, the first of a key, and keep the latest values; key order keeps writers apart.
with new as (
    insert into reading (device_id, metric_id, measured_at, value, state, received_at, corrected)
    select distinct on (device_id, metric_id, measured_at)
           device_id, metric_id, measured_at, value, state, %(at)s::timestamptz, false
    from import_row order by device_id, metric_id, measured_at, line
    on conflict (device_id, metric_id, measured_at) do nothing
    returning device_id, metric_id, measured_at, value, state, received_at
), latest as (
    insert into reading_latest (device_id, metric_id, measured_at, value, state, received_at)
    select distinct on (device_id, metric_id) device_id, metric_id, measured_at, value, state, received_at
    from new order by device_id, metric_id, measured_at desc
    on conflict (device_id, metric_id) do update
    set measured_at = excluded.measured_at, value = excluded.value, state = excluded.state,
        received_at = excluded.received_at
    where excluded.measured_at > reading_latest.measured_at
)
select count(*) from new;

-- name: insert_import_conflicts
-- Keep rows of a file that disagree with what is stored; span and lateral lookup bound it as in `select_readings_by_key`.
insert into reading_conflict (device_id, metric_id, measured_at, value, state, received_at)
select distinct i.device_id, i.metric_id, i.measured_at, i.value, i.state, %(at)s::timestamptz
from import_row i
cross join lateral (
    select t.value, t.state from reading t
    where t.device_id = i.device_id and t.metric_id = i.metric_id and t.measured_at = i.measured_at
      and t.measured_at between %(from_at)s::timestamptz and %(to_at)s::timestamptz
    limit 1
) r
where (i.value, i.state) is distinct from (r.value, r.state)
on conflict on constraint conflict_once_per_value do nothing;

-- name: end_quarantine
-- Items that were refused before a moment, but for messages that the database refused and that are not stored yet.
with old as (
    select quarantine_id from quarantine
    where received_at < %(before)s::timestamptz and (code <> 'refused' or stored_at is not null)
    order by received_at, quarantine_id limit %(most)s::bigint
), held as (
    select quarantine_id from quarantine q join old using (quarantine_id)
    where %(deleting)s::boolean for update of q skip locked
), gone as (
    delete from quarantine q using held where q.quarantine_id = held.quarantine_id returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;

-- name: end_refused
-- Items of messages that the database refused before a moment, and that were never stored after all.
with old as (
    select quarantine_id from quarantine
    where received_at < %(before)s::timestamptz and code = 'refused' and stored_at is null
    order by received_at, quarantine_id limit %(most)s::bigint
), held as (
    select quarantine_id from quarantine q join old using (quarantine_id)
    where %(deleting)s::boolean for update of q skip locked
), gone as (
    delete from quarantine q using held where q.quarantine_id = held.quarantine_id returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;

-- name: end_quarantined_messages
-- Messages of before a moment of which no item is in quarantine after it; one that is just being referred to stays.
with old as (
    select digest from quarantined_message m
    where received_at < %(before)s::timestamptz
      and not exists (select from quarantine q
                      where q.digest = m.digest
                        and (%(deleting)s::boolean or q.code = 'refused' and q.stored_at is null
                             or q.received_at >= %(before)s::timestamptz))
    order by received_at limit %(most)s::bigint
), held as (
    select digest from quarantined_message m join old using (digest)
    where %(deleting)s::boolean and m.received_at < %(before)s::timestamptz for update of m skip locked
), gone as (
    delete from quarantined_message m using held where m.digest = held.digest returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;

-- name: end_conflicts
-- Values that disagreed with what was stored, kept aside before a moment.
with old as (
    select device_id, metric_id, measured_at, value, state from reading_conflict
    where received_at < %(before)s::timestamptz
    order by received_at limit %(most)s::bigint
), gone as (
    delete from reading_conflict c using old
    where %(deleting)s::boolean
      and (c.device_id, c.metric_id, c.measured_at) = (old.device_id, old.metric_id, old.measured_at)
      and (c.value, c.state) is not distinct from (old.value, old.state)
    returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;

-- name: end_effective_times
-- Times given to samples before a moment; what comes again after that is known by its number alone. While a boot speaks,
-- those that it was not told to be safe stay: it sends them again, maybe with a mended clock.
with old as (
    select serial, boot, seq from effective_time e
    where effective_at < %(before)s::timestamptz
      and not exists (select from sequence s
                      where s.serial = e.serial and s.boot = e.boot and s.last_seen_at >= %(before)s::timestamptz
                        and not s.received + s.given_up @> numrange(least(1, e.seq), e.seq, '[]'))
    order by effective_at limit %(most)s::bigint
), gone as (
    delete from effective_time e using old
    where %(deleting)s::boolean and (e.serial, e.boot, e.seq) = (old.serial, old.boot, old.seq) returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;

-- name: end_boots
-- Boots silent since a moment. A registered device's newest stays, and one of its that lacks numbers for as long again;
-- one that speaks in this very moment is locked by its batch and left alone.
with old as (
    select s.serial, s.boot from sequence s
    where s.last_seen_at < %(before)s::timestamptz
      and not exists (
          select from device d
          where d.serial = s.serial
            and (not exists (select from sequence n
                             where n.serial = s.serial and (n.last_seen_at, n.boot) > (s.last_seen_at, s.boot))
                 or (s.last_seen_at >= %(before)s::timestamptz - (%(at)s::timestamptz - %(before)s::timestamptz)
                     and exists (select from sequence_gap g where g.serial = s.serial and g.boot = s.boot))))
    order by s.serial, s.boot limit %(most)s::bigint
), held as (
    select s.serial, s.boot from sequence s join old using (serial, boot)
    where %(deleting)s::boolean and s.last_seen_at < %(before)s::timestamptz for update of s skip locked
), gone as (
    delete from sequence s using held where (s.serial, s.boot) = (held.serial, held.boot) returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;

-- name: fold_minutes
-- Add the minutes of days before a moment to the first minute of their day, so that every sum stays what it was.
with old as (
    select consumer, minute from ingest_minute
    where minute < date_trunc('day', %(before)s::timestamptz, 'UTC') and minute <> date_trunc('day', minute, 'UTC')
    order by consumer, minute limit %(most)s::bigint
), gone as (
    delete from ingest_minute m using old
    where %(deleting)s::boolean and (m.consumer, m.minute) = (old.consumer, old.minute) returning m.*
), folded as (
    insert into ingest_minute (consumer, minute, messages, received, stored, duplicate, conflict, quarantined, dropped)
    select consumer, date_trunc('day', minute, 'UTC'), sum(messages), sum(received), sum(stored), sum(duplicate),
           sum(conflict), sum(quarantined), sum(dropped)
    from gone group by 1, 2
    on conflict (consumer, minute) do update
    set messages = ingest_minute.messages + excluded.messages, received = ingest_minute.received + excluded.received,
        stored = ingest_minute.stored + excluded.stored, duplicate = ingest_minute.duplicate + excluded.duplicate,
        conflict = ingest_minute.conflict + excluded.conflict,
        quarantined = ingest_minute.quarantined + excluded.quarantined,
        dropped = ingest_minute.dropped + excluded.dropped
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;

-- name: end_drops
-- Counts of dropped messages of the days before a moment.
with old as (
    select serial, day, allowance from ingest_drop
    where last_at < %(before)s::timestamptz order by serial, day, allowance limit %(most)s::bigint
), held as (
    select serial, day, allowance from ingest_drop d join old using (serial, day, allowance)
    where %(deleting)s::boolean and d.last_at < %(before)s::timestamptz for update of d skip locked
), gone as (
    delete from ingest_drop d using held
    where (d.serial, d.day, d.allowance) = (held.serial, held.day, held.allowance) returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;

-- name: end_heartbeats
-- Ingests that gave no sign of life for so long, on the database's clock, which they beat on.
with old as (
    select consumer from ingest_consumer
    where beat_at < clock_timestamp() - (%(at)s::timestamptz - %(before)s::timestamptz)
    order by consumer limit %(most)s::bigint
), held as (
    select consumer from ingest_consumer c join old using (consumer)
    where %(deleting)s::boolean and c.beat_at < clock_timestamp() - (%(at)s::timestamptz - %(before)s::timestamptz)
    for update of c skip locked
), gone as (
    delete from ingest_consumer c using held where c.consumer = held.consumer returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;

-- name: count_to_retry
-- How many messages have items that were refused with a code and are not stored yet; rows of files are not counted.
select count(distinct q.digest)
from quarantine q join quarantined_message m using (digest)
where q.code = %(code)s and q.stored_at is null and not starts_with(m.topic, 'import:');

-- name: count_reasons_to_retry
-- For which reasons messages wait that may be stored after all, and how many of each, most first.
select q.code, count(distinct q.digest) as messages
from quarantine q join quarantined_message m using (digest)
where q.stored_at is null and not starts_with(m.topic, 'import:')
group by q.code order by messages desc, q.code;

-- name: select_to_retry
-- The next of these messages, each at its first such item, oldest first.
select m.digest, m.topic, m.payload, m.size_bytes, q.received_at, q.quarantine_id
from quarantine q join quarantined_message m using (digest)
where q.code = %(code)s and q.stored_at is null and not starts_with(m.topic, 'import:')
  and (q.received_at, q.quarantine_id) > (%(after_at)s::timestamptz, %(after_id)s::bigint)
  and not exists (select from quarantine e
                  where e.digest = q.digest and e.code = q.code and e.stored_at is null
                    and (e.received_at, e.quarantine_id) < (q.received_at, q.quarantine_id))
order by q.received_at, q.quarantine_id limit %(most)s;

-- name: mark_stored
-- Say which items of a message are stored after all; returns how many of them are refused still.
with stored as (
    update quarantine set stored_at = %(at)s
    where digest = %(digest)s and code = %(code)s and stored_at is null and item <> all (%(refused)s::text[])
)
select count(*) from quarantine
where digest = %(digest)s and code = %(code)s and stored_at is null and item = any (%(refused)s::text[]);

-- name: select_newest_beat
-- How long ago, on the database's own clock, the liveliest ingest gave a sign of life, and how it is.
select consumer, connected, extract(epoch from clock_timestamp() - beat_at)::float8 as silent_s, lag_s, trouble
from ingest_consumer order by beat_at desc limit 1;
