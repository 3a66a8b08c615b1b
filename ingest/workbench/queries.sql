-- name: select_refused_items
-- A page of refused items, newest first, each with the beginning of the message it came from.
select q.quarantine_id, q.received_at, q.serial, d.model, q.item, q.items, q.code, q.reason, q.stored_at, m.topic,
       substring(m.payload from 1 for 600) as beginning, m.size_bytes
from quarantine q join quarantined_message m using (digest) left join device d on d.serial = q.serial
where (q.received_at, q.quarantine_id) < (%(before_at)s::timestamptz, %(before_id)s::bigint)
  and (%(stored)s::boolean or q.stored_at is null)
  and (%(code)s::text is null or q.code = %(code)s::text) and (%(serial)s::text is null or q.serial = %(serial)s::text)
  and (%(model)s::text is null or d.model = %(model)s::text)
  and (%(topic)s::text is null or starts_with(m.topic, %(topic)s::text))
  and (%(since)s::timestamptz is null or q.received_at >= %(since)s::timestamptz)
  and (%(until)s::timestamptz is null or q.received_at < %(until)s::timestamptz)
order by q.received_at desc, q.quarantine_id desc limit %(most)s;

-- name: select_refused_groups
-- What is refused by its reason and its device's model, most first.
select q.code, coalesce(d.model, '') as model, count(distinct q.digest) as messages, sum(q.items)::bigint as items,
       count(distinct q.serial) as serials, min(q.received_at) as first_at, max(q.received_at) as last_at,
       (array_agg(q.reason order by q.received_at desc))[1] as example
from quarantine q left join device d on d.serial = q.serial
where q.stored_at is null group by 1, 2 order by items desc, q.code, 2 limit %(most)s;

-- name: select_refused_message
-- A refused item's whole message.
select m.digest, m.topic, m.payload, m.size_bytes, m.retained, q.received_at, q.quarantine_id, q.again
from quarantine q join quarantined_message m using (digest) where q.quarantine_id = %(quarantine_id)s;

-- name: lock_refused_message
-- The message, for this transaction alone: who mends it waits for who does so now.
select digest from quarantined_message where digest = %(digest)s for update;

-- name: select_items_of_message
-- All that was refused of a message.
select q.quarantine_id, q.received_at, q.serial, d.model, q.item, q.items, q.code, q.reason, q.stored_at, m.topic,
       substring(m.payload from 1 for 600) as beginning, m.size_bytes
from quarantine q join quarantined_message m using (digest) left join device d on d.serial = q.serial
where q.digest = %(digest)s order by q.quarantine_id limit 200;

-- name: insert_edit
-- Keep what a message was mended to; the same once.
insert into quarantine_edit (digest, edited, topic, payload, note, edited_at, edited_by)
values (%(digest)s, %(edited)s, %(topic)s, %(payload)s, %(note)s, %(at)s, %(by)s)
on conflict on constraint quarantine_edit_once do nothing;

-- name: select_edits
-- What a message was mended to, by whom and when, the last first.
select topic, payload, note, edited_at, edited_by from quarantine_edit
where digest = %(digest)s order by edited_at desc, edited limit 50;

-- name: select_refused_lately
-- How many items were refused since then; what waits in the lobby was not.
select coalesce(sum(quarantined - waiting), 0)::bigint
from ingest_minute where minute >= date_trunc('minute', %(since)s::timestamptz);
