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

-- name: extend_sequences
-- Add a run of numbers, of which all were read, to each boot that goes on without a hole, or begins; returns those boots.
-- The others are locked and left as they are.
insert into sequence (serial, boot, received, first_seen_at, last_seen_at)
select serial, boot, nummultirange(numrange(from_seq, to_seq + 1)), %(at)s, %(at)s
from unnest(%(serials)s::text[], %(boots)s::text[], %(from_seqs)s::bigint[], %(to_seqs)s::bigint[])
     as k (serial, boot, from_seq, to_seq)
order by serial, boot
on conflict (serial, boot) do update
set received = sequence.received + excluded.received, last_seen_at = excluded.last_seen_at
where sequence.given_up = '{}' and sequence.unread = '{}'
  and sequence.received = nummultirange(numrange(lower(sequence.received), upper(sequence.received)))
  and lower(excluded.received) between lower(sequence.received) and upper(sequence.received)
  and upper(sequence.received) < 9223372036854775807
returning serial, boot, lower(received) <= 1 as has_beginning, (upper(received) - 1)::bigint as highest;

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
returning s.serial, s.boot, h.how_many as numbers,
    case when lower(s.received + s.given_up) <= 1
         then (select upper(first) - 1 from unnest(s.received + s.given_up) as first limit 1) end as complete_to;

-- name: count_gaps
-- Say how many gaps there are, for whoever asks this ingest's heartbeat.
update ingest_consumer
set gaps = (select count(*) from watched_gap), devices_with_gaps = (select count(distinct serial) from watched_gap),
    overflowing_boots = (select count(*) from sequence where overflow_at is not null),
    numbers_given_up = numbers_given_up + %(given_up)s
where consumer = %(consumer)s
returning gaps, devices_with_gaps as devices, overflowing_boots as overflowing;
