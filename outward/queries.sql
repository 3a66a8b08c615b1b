-- name: select_devices_to_tell
-- The next devices after a key, with the language of whose they are.
select d.device_id, d.serial, d.model, m.name as model_name, c.locale
from device d join device_model m using (model) left join current_customer c on c.known_as = d.customer_id
where d.device_id > %(after)s::bigint order by d.device_id limit %(limit)s;

-- name: select_consumable_names
-- What consumables are called, by language.
select consumable, name from consumable;

-- name: select_told_topics
-- What some devices and their households were told.
select topic, content_sha256 from told_topic where device_id = any(%(device_ids)s::bigint[]);

-- name: upsert_told_topics
-- What was told now.
insert into told_topic (topic, device_id, content_sha256, told_at)
select topic, device_id, content_sha256, %(at)s::timestamptz
from unnest(%(topics)s::text[], %(device_ids)s::bigint[], %(contents)s::bytea[]) as t (topic, device_id, content_sha256)
on conflict (topic) do update set content_sha256 = excluded.content_sha256, told_at = excluded.told_at;

-- name: delete_told_topics
-- What was taken back.
delete from told_topic where topic = any(%(topics)s::text[]);

-- name: forget_told_topics
-- The broker lost what it was told: all is told again.
delete from told_topic;

-- name: lock_access
-- One keeper of the broker's users works at a time; the lock goes with its connection.
select pg_try_advisory_lock(hashtext('millpond broker access'));
