-- What came for a month just when it was dropped was dropped with it, and its kept day knew nothing of it. Where TimescaleDB
-- is, the chunk is locked before it is counted.

do $do$
begin
    if exists (select from pg_extension where extname = 'timescaledb') then
        return;
    end if;
    -- Drops the oldest readings that are over by `before` and rolled up: a month's table, else a day; how many went, null
    -- when there are none, or when somebody stored more of them just now: it is rolled up first, and they go the next time.
    -- By their age, so that all that is older than live_from is gone.
    create or replace function drop_oldest_readings(before timestamptz) returns bigint language plpgsql as $$
    declare
        h reading_horizon;
        over timestamptz;
        oldest timestamptz;
        whole record;
        is_month boolean;
        dropped bigint;
    begin
        lock table reading_horizon in share row exclusive mode;
        select * into h from reading_horizon;
        oldest := oldest_reading_day();
        if oldest < h.live_from then
            return drop_late_day(oldest);
        end if;
        over := least(readings_droppable_to(before), h.rolled_to,
                      (select min(day) from reading_late where step = 'marked' and day >= h.live_from));
        select partition, to_at into whole from reading_partition p
        where p.to_at <= over and (oldest is null or oldest >= p.from_at) order by to_at limit 1;
        is_month := found;
        if is_month then
            execute format('select count(*) from %s', whole.partition) into dropped;
            -- As dropping does. Whoever waits for these stops all who come later, so they are not waited for long.
            set local lock_timeout = '3s';
            lock table only reading in access exclusive mode;
            execute format('lock table %s in access exclusive mode', whole.partition);
        elsif oldest + interval '24 hours' <= over then
            whole.to_at := oldest + interval '24 hours';
            -- Whoever marks a late day shares this row until its readings are committed.
            perform from reading_horizon for update;
        else
            return null;
        end if;
        -- Nobody stores any more of it from here on; who did so while its lock was waited for has marked the day.
        if exists (select from reading_late where step = 'marked' and day >= h.live_from and day < whole.to_at) then
            return null;
        end if;
        if is_month then
            execute format('drop table %s', whole.partition);
        else
            delete from reading r using device d join metric m using (model)
            where r.device_id = d.device_id and r.metric_id = m.metric_id
              and r.measured_at >= oldest and r.measured_at < whole.to_at;
            get diagnostics dropped = row_count;
        end if;
        update reading_horizon set live_from = greatest(live_from, whole.to_at);
        return dropped;
    end $$;
end $do$;
