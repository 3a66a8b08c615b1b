-- name: select_descriptions
-- What was described under these keys.
select d.format, d.key, d.body
from unnest(%(formats)s::text[], %(keys)s::text[]) as k (format, key) join format_description d using (format, key);

-- name: count_descriptions
-- How many descriptions there are of these formats, and of these owners.
select format, null as owner, count(*) from format_description where format = any(%(formats)s::text[]) group by format
union all
select d.format, d.owner, count(*)
from unnest(%(owner_formats)s::text[], %(owners)s::text[]) as o (format, owner)
join format_description d using (format, owner) group by d.format, d.owner;

-- name: upsert_descriptions
-- Keep the newest word, and once a day that it was said again; in key order, so that two writers never deadlock.
insert into format_description as d (format, key, owner, body, described_at)
select * from unnest(%(formats)s::text[], %(keys)s::text[], %(owners)s::text[], %(bodies)s::bytea[],
                     %(described_ats)s::timestamptz[])
on conflict (format, key) do update
set owner = excluded.owner, body = excluded.body, described_at = excluded.described_at
where (d.owner, d.body) is distinct from (excluded.owner, excluded.body)
   or d.described_at < excluded.described_at - interval '1 day';

-- name: delete_descriptions
-- Forget what was taken back.
delete from format_description d using unnest(%(formats)s::text[], %(keys)s::text[]) as k (format, key)
where d.format = k.format and d.key = k.key;
