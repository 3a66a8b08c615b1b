-- name: record_audit
-- Add an entry for each of some customers; a single null is for nobody in particular.
select record_audit(%(at)s, %(actor)s, %(action)s, %(customer_ids)s::text[], %(because)s, %(detail)s);

-- name: select_entries
-- Entries before a number, newest first, of one customer or all.
select number, at, actor, action, customer_id, because, detail, digest
from audit_entry
where number < %(before)s::bigint
  and (%(customer_ids)s::text[] is null or customer_id = any(%(customer_ids)s::text[]))
  and (%(actor)s::text is null or actor = %(actor)s::text)
order by number desc limit %(limit)s;

-- name: select_head
-- The newest entry, and after which the chain begins since those before it went by their age.
select number, digest, begins_after, begins_from from audit_head;

-- name: select_digest
-- The digest of one entry.
select digest from audit_entry where number = %(number)s;

-- name: check_entries
-- A stretch of the chain after an entry: where it ends, how many entries it has, and the first that is wrong.
with stretch as (
    select e.*, coalesce(lag(e.number) over w, %(after)s::bigint) as number_before,
           coalesce(lag(e.digest) over w, %(digest)s::bytea) as follows
    from audit_entry e
    where e.number > %(after)s::bigint and e.number <= %(upto)s::bigint
    window w as (order by e.number)
)
select count(*) as entries, max(number) as last,
       (array_agg(digest order by number desc))[1] as digest,
       min(number) filter (where number <> number_before + 1 or previous <> follows
           or digest <> audit_digest(previous, number, at, actor, action, customer_id, because, detail)) as wrong
from stretch;

-- name: explain_wrong_entry
-- What is wrong with an entry: the number before it, whether its own digest is right, and which number near would make it so.
select (select max(b.number) from audit_entry b where b.number < e.number) as number_before,
       e.digest = audit_digest(e.previous, e.number, e.at, e.actor, e.action, e.customer_id, e.because, e.detail) as whole,
       (select k from generate_series(greatest(e.number - 5000, 1), e.number + 5000) k
        where e.digest = audit_digest(e.previous, k, e.at, e.actor, e.action, e.customer_id, e.because, e.detail)
        limit 1) as written_as
from audit_entry e where e.number = %(number)s;

-- name: end_audit_entries
-- Entries from before a moment, from the beginning on.
select end_audit_entries(%(before)s::timestamptz, %(most)s::bigint, %(deleting)s::boolean);

-- name: export_audit
-- Who but they themselves looked at them or changed something, by their role.
select at, action, split_part(actor, ':', 1) as role, because from audit_entry
where customer_id = any(%(customer_ids)s::text[]) and actor <> 'customer:' || customer_id order by number;
