-- A batch that began before midnight and was committed when its day was over marked nothing, since its readings were of
-- today when it looked. Now whoever stores readings of a day that is not over holds the day until the commit, and the mark
-- waits for those who hold a day that it makes over. Days are held one by one, so that it waits for nobody of today.

-- Holds the readings' own day for this transaction; whether it is over all the same, so that they have to be marked.
create function hold_day(of_day timestamptz) returns boolean language plpgsql as $$
begin
    perform pg_advisory_xact_lock_shared(7164, (extract(epoch from of_day) / 86400)::integer);
    return of_day < (select marked_to from reading_horizon);
end $$;

-- From now on what comes for days that are over marks them: those before the newest reading's, and before `at_least`. Whoever
-- is storing such readings at the moment is waited for, so that what is rolled up next has them.
create or replace function advance_late_mark(at_least timestamptz) returns void language plpgsql as $$
declare
    over timestamptz := greatest(at_least, (select date_bin('1 day', max(measured_at) - interval '1 hour',
                                                            timestamptz '2000-01-01 00:00:00+00') from reading_latest));
    marked timestamptz := (select marked_to from reading_horizon);
begin
    if over > marked then
        -- No transaction is open for a week.
        perform pg_advisory_xact_lock(7164, (extract(epoch from day) / 86400)::integer)
        from generate_series(greatest(date_trunc('day', marked, 'UTC'), date_trunc('day', over, 'UTC') - interval '7 days'),
                             over - interval '1 microsecond', interval '1 day') day;
        update reading_horizon set marked_to = over where marked_to < over;
    end if;
end $$;
