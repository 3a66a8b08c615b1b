-- The latest values of a device are one row, so that what a message costs is one row's renewal and not one for each reading.
-- What reads them by metric reads the view, which has the name of the table that was.

alter table reading_latest rename to reading_latest_before;

create table device_latest (
    device_id    bigint primary key,
    newest_at    timestamptz not null,
    received_at  timestamptz not null,
    metric_ids   integer[] not null,
    measured_ats timestamptz[] not null,
    values       double precision[] not null,
    states       text[],
    constraint latest_has_one_of_each_a_metric
        check (cardinality(measured_ats) = cardinality(metric_ids) and cardinality(values) = cardinality(metric_ids)
               and coalesce(cardinality(states), cardinality(metric_ids)) = cardinality(metric_ids))
) with (fillfactor = 70);
comment on table device_latest is 'The newest value of each metric of a device, by metric_id; that of a state is NaN, and its text in states.';
comment on column device_latest.newest_at is 'The newest of measured_ats.';
comment on column device_latest.received_at is 'When the last of them came.';
comment on column device_latest.states is 'Null when none of the metrics is a state.';

insert into device_latest (device_id, newest_at, received_at, metric_ids, measured_ats, values, states)
select device_id, max(measured_at), max(received_at), array_agg(metric_id order by metric_id),
       array_agg(measured_at order by metric_id), array_agg(coalesce(value, 'NaN') order by metric_id),
       case when count(state) > 0 then array_agg(state order by metric_id) end
from reading_latest_before group by device_id order by device_id;

drop table reading_latest_before;

create view reading_latest as
select l.device_id, v.metric_id, v.measured_at, nullif(v.value, 'NaN') as value, v.state
from device_latest l
cross join lateral unnest(l.metric_ids, l.measured_ats, l.values, l.states) as v (metric_id, measured_at, value, state);

create or replace function device_presence(of_device bigint, at timestamptz, since timestamptz default '-infinity')
returns table (connection text, connection_since timestamptz, reporting text, heard_at timestamptz, interval_s double precision)
language sql stable as $$
    select case when s.state is null then 'unknown'
                when s.state = 'offline' and h.heard_at > s.changed_at then 'online' else s.state end,
           case when s.state = 'offline' and h.heard_at > s.changed_at then h.heard_at else s.changed_at end,
           case when h.heard_at is null then 'never_heard'
                when h.heard_at >= at - case when i.interval_s is null then 172800 else greatest(3 * i.interval_s, 900) end * interval '1 second' then 'reporting'
                else 'quiet' end,
           h.heard_at, i.interval_s
    from (select max(l.received_at) as heard_at
          from device_latest l where l.device_id = of_device and l.received_at >= since) h
    left join device_status s on s.device_id = of_device and s.changed_at >= since
    left join reporting_interval i on i.device_id = of_device
$$;
