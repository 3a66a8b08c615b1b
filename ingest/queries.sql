-- name: beat
-- Say that this ingest is alive and connected, on the database's clock, which readers of the beat share.
insert into ingest_consumer (consumer, epoch, connected, in_flight, lag_s, trouble, beat_at)
values (%(consumer)s, %(epoch)s, %(connected)s, %(in_flight)s, %(lag_s)s, %(trouble)s, clock_timestamp())
on conflict (consumer) do update
set epoch = excluded.epoch, connected = excluded.connected, in_flight = excluded.in_flight, lag_s = excluded.lag_s,
    trouble = excluded.trouble, beat_at = excluded.beat_at;

-- name: select_newest_beat
-- How long ago, on the database's own clock, the liveliest ingest gave a sign of life, and how it is.
select consumer, connected, extract(epoch from clock_timestamp() - beat_at)::float8 as silent_s, lag_s, trouble
from ingest_consumer order by beat_at desc limit 1;

-- name: select_beats
-- The same of the ingests that are named.
select consumer, connected, extract(epoch from clock_timestamp() - beat_at)::float8 as silent_s, lag_s, trouble
from ingest_consumer where consumer = any(%(consumers)s::text[]);

-- name: select_answer
-- The least a database can do.
select 1;

-- name: end_quarantine
-- Items that were refused before a moment, but for those that the database refused or that wait in the lobby.
with old as (
    select quarantine_id from quarantine
    where received_at < %(before)s::timestamptz
      and (code not in ('refused', 'unknown_serial', 'unknown_device') or stored_at is not null)
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

-- name: end_waiting
-- What unknown devices sent before a moment, and not again after it; their rows in the lobby say what is left of it.
with old as (
    select quarantine_id from quarantine
    where received_at < %(before)s::timestamptz
      and coalesce(again[cardinality(again)], received_at) < %(before)s::timestamptz
      and code in ('unknown_serial', 'unknown_device') and stored_at is null
    order by received_at, quarantine_id limit %(most)s::bigint
), held as (
    select quarantine_id from quarantine q join old using (quarantine_id)
    where %(deleting)s::boolean for update of q skip locked
), gone as (
    delete from quarantine q using held where q.quarantine_id = held.quarantine_id
    returning q.serial, q.digest, 1 + cardinality(q.again) as messages
), less as (
    select g.serial, sum(g.messages) as messages, sum(octet_length(m.payload) + 500) as bytes
    from gone g join quarantined_message m using (digest) group by g.serial
), told as (
    update lobby l set messages = greatest(0, l.messages - less.messages), bytes = greatest(0, l.bytes - less.bytes)
    from less where l.name = less.serial
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;

-- name: end_lobby
-- Unknown devices that were last heard of before a moment, and those that are registered since; what waited went before.
with old as (
    select name from lobby where last_heard_at < %(before)s::timestamptz
    order by last_heard_at, name limit %(most)s::bigint
), held as (
    select name from lobby l join old using (name)
    where %(deleting)s::boolean and l.last_heard_at < %(before)s::timestamptz for update of l skip locked
), gone as (
    delete from lobby l using held where l.name = held.name returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;

-- name: end_quarantined_messages
-- Messages of before a moment of which no item is in quarantine after it; one that is just being referred to stays.
with old as (
    select digest from quarantined_message m
    where received_at < %(before)s::timestamptz
      and not exists (select from quarantine q
                      where q.digest = m.digest
                        and (%(deleting)s::boolean
                             or q.code in ('refused', 'unknown_serial', 'unknown_device') and q.stored_at is null
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
-- Times given to samples that came before a moment; what comes again after that is known by its number alone. While a boot speaks,
-- those that it was not told to be safe stay: it sends them again, maybe with a mended clock.
with old as (
    select serial, boot, seq from effective_time e
    where coalesce(came_at, effective_at) < %(before)s::timestamptz
      and not exists (select from sequence s
                      where s.serial = e.serial and s.boot = e.boot and s.last_seen_at >= %(before)s::timestamptz
                        and not s.received + s.given_up @> numrange(least(1, e.seq), e.seq, '[]'))
    order by coalesce(came_at, effective_at) limit %(most)s::bigint
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

-- name: end_crowded_boots
-- Of devices with more boots than are kept of one those that were silent longest, unless they spoke since a moment.
with crowded as (
    select serial from sequence group by serial having count(*) > %(boots_max)s::bigint
), old as (
    select s.serial, s.boot
    from crowded c
    cross join lateral (select serial, boot, last_seen_at from sequence where serial = c.serial
                        order by last_seen_at desc, boot desc offset %(boots_max)s::bigint) s
    where s.last_seen_at < %(before)s::timestamptz order by s.serial, s.boot limit %(most)s::bigint
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
    insert into ingest_minute (consumer, minute, messages, received, stored, duplicate, conflict, quarantined, waiting, dropped)
    select consumer, date_trunc('day', minute, 'UTC'), sum(messages), sum(received), sum(stored), sum(duplicate),
           sum(conflict), sum(quarantined), sum(waiting), sum(dropped)
    from gone group by 1, 2
    on conflict (consumer, minute) do update
    set messages = ingest_minute.messages + excluded.messages, received = ingest_minute.received + excluded.received,
        stored = ingest_minute.stored + excluded.stored, duplicate = ingest_minute.duplicate + excluded.duplicate,
        conflict = ingest_minute.conflict + excluded.conflict,
        quarantined = ingest_minute.quarantined + excluded.quarantined, waiting = ingest_minute.waiting + excluded.waiting,
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

-- name: end_descriptions
-- What nobody described again for so long.
with old as (
    select format, key from format_description
    where described_at < %(before)s
    order by format, key limit %(most)s::bigint
), held as (
    select format, key from format_description d join old using (format, key)
    where %(deleting)s::boolean and d.described_at < %(before)s
    for update of d skip locked
), gone as (
    delete from format_description d using held where (d.format, d.key) = (held.format, held.key) returning 1
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

-- name: end_untimed_messages
-- Stored messages that the broker would have delivered again long ago.
with old as (
    select consumer, lane, packet_id from untimed_message
    where received_at < %(before)s::timestamptz
    order by consumer, lane, packet_id limit %(most)s::bigint
), held as (
    select consumer, lane, packet_id from untimed_message m join old using (consumer, lane, packet_id)
    where %(deleting)s::boolean and m.received_at < %(before)s::timestamptz
    for update of m skip locked
), gone as (
    delete from untimed_message m using held
    where (m.consumer, m.lane, m.packet_id) = (held.consumer, held.lane, held.packet_id) returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;

-- name: forget_untimed_messages
-- End what is known of packet ids that come next, and of those of a session that the broker has forgotten.
delete from untimed_message
where consumer = %(consumer)s and lane = %(lane)s
  and (packet_id between %(low)s and %(high)s or packet_id between %(low_2)s and %(high_2)s
       or received_at < %(all_before)s::timestamptz);
