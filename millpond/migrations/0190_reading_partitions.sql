-- reading is divided by month, so that what is old goes by dropping a table and not by deleting rows. What an existing
-- database has stays where it is, as the first partition. Where TimescaleDB is, its own migrations divide it.

do $$
declare
    until timestamptz;
begin
    if exists (select from pg_extension where extname = 'timescaledb') then
        return;
    end if;
    drop view reading_day, reading_day_live;
    alter table reading rename to reading_before;
    alter table reading_before rename constraint reading_is_unique to reading_before_is_unique;
    -- Widest columns first: in any other order each row is 8 bytes longer.
    create table reading (
        device_id   bigint not null,
        measured_at timestamptz not null,
        value       double precision,
        received_at timestamptz not null,
        metric_id   integer not null,
        corrected   boolean not null default false,
        state       text,
        constraint reading_is_unique primary key (device_id, metric_id, measured_at),
        constraint reading_has_one_value check (num_nonnulls(value, state) = 1)
    ) partition by range (measured_at);
    comment on column reading.corrected is
        'The device''s clock was absent or implausible; measured_at is when we first received it.';
    create table reading_stray partition of reading default;
    select date_trunc('month', max(measured_at), 'UTC') + interval '1 month' into until from reading_before;
    if until is null then
        drop table reading_before;
    else
        execute format('alter table reading attach partition reading_before for values from (minvalue) to (%L)', until);
    end if;
    create view reading_day_live as
    select device_id, metric_id,
           date_bin('1 day', measured_at, timestamptz '2000-01-01 00:00:00+00') as day,
           (array_agg(value order by measured_at))[1] as first_value,
           (array_agg(value order by measured_at desc))[1] as last_value,
           min(value) as min_value,
           max(value) as max_value,
           avg(value) as avg_value,
           count(*) as readings,
           min(measured_at) as first_at,
           max(measured_at) as last_at
    from reading
    where value is not null
    group by device_id, metric_id, date_bin('1 day', measured_at, timestamptz '2000-01-01 00:00:00+00');
    create view reading_day as
    select device_id, metric_id, day, first_value, last_value, min_value, max_value, avg_value, readings, first_at, last_at
    from reading_day_kept
    union all
    select device_id, metric_id, day, first_value, last_value, min_value, max_value, avg_value, readings, first_at, last_at
    from reading_day_live
    where day >= coalesce((select live_from from reading_horizon), '-infinity');
end $$;

-- The partitions of reading and their spans, without the one for what belongs to no other. The oldest may have no beginning.
create view reading_partition as
select partition, case when bounds[1] = 'MINVALUE' then '-infinity' else trim(bounds[1], '''')::timestamptz end as from_at,
       trim(bounds[2], '''')::timestamptz as to_at
from (select i.inhrelid::regclass as partition,
             regexp_match(pg_get_expr(c.relpartbound, c.oid), 'FROM \((.+)\) TO \((.+)\)') as bounds
      from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = 'reading'::regclass and c.relpartbound is not null) p
where bounds is not null;

-- Makes one partition that `at` needs soon, or that what belongs to none needs; its name, null when all are there. Readings
-- of a month go to it only when they are many: a few with a bad time make no partition.
create function make_reading_partition(at timestamptz) returns text language plpgsql as $$
declare
    from_at timestamptz;
    name text;
begin
    if (select relkind from pg_class where oid = 'reading'::regclass) <> 'p' then
        return null;
    end if;
    select m.month into from_at
    from (select date_trunc('month', at, 'UTC') + n * interval '1 month' as month from generate_series(0, 2) n
          union
          select date_trunc('month', measured_at, 'UTC') from reading_stray group by 1 having count(*) >= 10000) m
    where not exists (select from reading_partition p where p.from_at <= m.month and p.to_at > m.month)
    order by m.month limit 1;
    if not found then
        return null;
    end if;
    -- Whoever waits for this lock would stop all who come later, so it is not waited for long.
    set local lock_timeout = '1s';
    lock table reading_stray in access exclusive mode;
    name := 'reading_' || to_char(from_at at time zone 'UTC', 'YYYY_MM');
    execute format('create table %I (like reading including all)', name);
    execute format('with gone as (delete from reading_stray where measured_at >= %L and measured_at < %L returning *)'
                   ' insert into %I select * from gone', from_at, from_at + interval '1 month', name);
    execute format('alter table reading attach partition %I for values from (%L) to (%L)',
                   name, from_at, from_at + interval '1 month');
    return name;
end $$;
