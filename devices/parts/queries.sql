-- name: select_current_parts
-- A page of installations that are not ended; those that followed another lately are read from when that one began.
select i.installation_id, i.device_id, d.model, i.part, i.installed_at,
       p.installation_id as previous_id, coalesce(p.installed_at, i.installed_at) as read_from,
       exists (select 1 from installation e
               where e.device_id = i.device_id and e.part = i.part and e.ended_by is distinct from 'undone'
                 and e.ended_at = coalesce(p.installed_at, i.installed_at)) as settled
from installation i join device d using (device_id)
left join installation p on p.device_id = i.device_id and p.part = i.part and p.ended_at = i.installed_at
                        and p.ended_by is distinct from 'undone' and p.ended_at > %(review_from)s::timestamptz
where i.ended_at is null and i.installed_at <= %(at)s::timestamptz and i.installation_id > %(after)s::bigint
  and (%(of_devices)s::bigint[] is null or i.device_id = any(%(of_devices)s::bigint[]))
order by i.installation_id limit %(limit)s::int;

-- name: select_limit_days
-- The days of some limits of some installations, from the day each began. Devices and metrics are given besides, because
-- a view that groups takes in a restriction but no join; the keys are arrays, so that the planner knows how many they are.
select k.installation_id, r.metric_id, r.day, r.first_at, r.first_value, r.last_at, r.last_value, r.min_value, r.max_value
from reading_day r
join unnest(%(installation_ids)s::bigint[], %(of_devices)s::bigint[], %(of_metrics)s::int[], %(began)s::timestamptz[])
     as k (installation_id, device_id, metric_id, began) using (device_id, metric_id)
where r.device_id = any(%(device_ids)s::bigint[]) and r.metric_id = any(%(metric_ids)s::int[])
  and r.last_at >= k.began and r.first_at <= %(at)s::timestamptz
order by k.installation_id, r.metric_id, r.day;

-- name: select_limit_readings
-- The raw readings of some spans of some limits of some installations. Each span is looked up where it lies in time, and
-- parts of a divided table that lie before or after all of them are left out when the query is planned.
select k.installation_id, k.metric_id, r.measured_at, r.value
from unnest(%(installation_ids)s::bigint[], %(of_devices)s::bigint[], %(metric_ids)s::int[], %(from_ats)s::timestamptz[],
            %(to_ats)s::timestamptz[]) as k (installation_id, device_id, metric_id, from_at, to_at)
cross join lateral (
    select t.measured_at, t.value from reading t
    where t.device_id = k.device_id and t.metric_id = k.metric_id
      and t.measured_at >= k.from_at and t.measured_at < k.to_at
      and t.measured_at >= %(first_at)s::timestamptz and t.measured_at < %(last_at)s::timestamptz
      and t.measured_at <= %(at)s::timestamptz and t.value is not null
    offset 0
) r
order by 1, 2, 3;

-- name: select_word_days
-- The days of some limits that are told in words, of some installations, from the day each began.
select k.installation_id, s.metric_id, s.day, s.first_at, s.first_state, s.last_at, s.last_state,
       s.min_state = s.max_state as same
from state_day s
join unnest(%(installation_ids)s::bigint[], %(of_devices)s::bigint[], %(of_metrics)s::int[], %(began)s::timestamptz[])
     as k (installation_id, device_id, metric_id, began) using (device_id, metric_id)
where s.device_id = any(%(device_ids)s::bigint[]) and s.metric_id = any(%(metric_ids)s::int[])
  and s.last_at >= k.began and s.first_at <= %(at)s::timestamptz
order by k.installation_id, s.metric_id, s.day;

-- name: select_word_readings
-- What was told in words in some spans of some limits of some installations.
select k.installation_id, k.metric_id, r.measured_at, r.state
from unnest(%(installation_ids)s::bigint[], %(of_devices)s::bigint[], %(metric_ids)s::int[], %(from_ats)s::timestamptz[],
            %(to_ats)s::timestamptz[]) as k (installation_id, device_id, metric_id, from_at, to_at)
cross join lateral (
    select t.measured_at, t.state from reading t
    where t.device_id = k.device_id and t.metric_id = k.metric_id
      and t.measured_at >= k.from_at and t.measured_at < k.to_at
      and t.measured_at >= %(first_at)s::timestamptz and t.measured_at < %(last_at)s::timestamptz
      and t.measured_at <= %(at)s::timestamptz and t.state is not null
    offset 0
) r
order by 1, 2, 3;

-- name: end_installation
-- The current installation of a part is over.
update installation set ended_at = %(at)s::timestamptz, ended_by = %(ended_by)s::text
where device_id = %(device_id)s::bigint and part = %(part)s::text and ended_at is null
  and installed_at < %(at)s::timestamptz;

-- name: begin_installation
-- Another one of the same consumable that the part was replaced by.
insert into installation (device_id, part, consumable, installed_at)
select i.device_id, i.part, i.consumable, %(at)s::timestamptz
from installation i
where i.device_id = %(device_id)s::bigint and i.part = %(part)s::text and i.ended_at = %(at)s::timestamptz
  and i.ended_by is distinct from 'undone'
on conflict (device_id, part, installed_at) where ended_by is distinct from 'undone' do nothing;

-- name: undo_installation
-- What seemed to be put in never was.
update installation set ended_at = %(at)s::timestamptz, ended_by = 'undone', undone_because = %(why)s::text
where installation_id = %(installation_id)s::bigint and ended_at is null;

-- name: restore_installation
-- What seemed to be replaced is still there.
update installation set ended_at = null, ended_by = null where installation_id = %(installation_id)s::bigint;
