-- How often a device usually speaks, learnt from its own days, so that "quiet" means quiet for this device.

create table reporting_interval (
    device_id  bigint primary key constraint reporting_interval_is_of_a_device references device,
    interval_s double precision not null constraint reporting_interval_is_some_time check (interval_s > 0),
    learnt_at  timestamptz not null
);

-- A device as it is there now: what it says of its connection, and whether it speaks as often as it usually does. Both are
-- judged by our own clock alone. An offline is not believed once the device spoke after it: a will may come late, when
-- the device has long been back in the same session.
create function device_presence(of_device bigint, at timestamptz, since timestamptz default '-infinity')
returns table (connection text, connection_since timestamptz, reporting text, heard_at timestamptz, interval_s double precision)
language sql stable as $$
    select case when s.state is null then 'unknown'
                when s.state = 'offline' and h.heard_at > s.changed_at then 'online' else s.state end,
           case when s.state = 'offline' and h.heard_at > s.changed_at then h.heard_at else s.changed_at end,
           case when h.heard_at is null then 'never_heard'
                when h.heard_at >= at - case when i.interval_s is null then 172800 else greatest(3 * i.interval_s, 900) end * interval '1 second' then 'reporting'
                else 'quiet' end,
           h.heard_at, i.interval_s
    from (select max(l.received_at) filter (where l.received_at >= since) as heard_at
          from reading_latest l where l.device_id = of_device) h
    left join device_status s on s.device_id = of_device and s.changed_at >= since
    left join reporting_interval i on i.device_id = of_device
$$;
comment on function device_presence is
    'reporting: within three of its own intervals, at least 15 minutes; of a device without an interval, within two days.';
