-- name: erase_messages
-- What was refused of their devices while these were theirs; a message that speaks of others' too goes for all of them.
with theirs as (
    select distinct q.digest
    from owned_device o join device_name n using (device_id) join quarantine q on q.serial = n.name
    where o.customer_id = any(%(customer_ids)s::text[]) and q.received_at >= o.owned_from
      and (o.owned_until is null or q.received_at < o.owned_until)
), items as (
    delete from quarantine q using theirs where q.digest = theirs.digest
)
delete from quarantined_message m using theirs where m.digest = theirs.digest;

-- name: erase_lobby
-- How their devices spoke before they were registered.
delete from lobby l where l.name in (
    select n.name from owned_device o join device_name n using (device_id)
    where o.customer_id = any(%(customer_ids)s::text[]));

-- name: erase_descriptions
-- What their devices said of themselves.
delete from format_description f using owned_device o join device_name n using (device_id)
where o.customer_id = any(%(customer_ids)s::text[]) and f.format || '/' || f.owner = n.name;
