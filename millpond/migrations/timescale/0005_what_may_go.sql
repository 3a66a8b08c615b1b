-- Whole chunks are dropped: the end of the last one that is over by a moment, null when there is none.
create or replace function readings_droppable_to(before timestamptz) returns timestamptz language sql stable as $$
    select max(range_end) from timescaledb_information.chunks
    where hypertable_schema = current_schema() and hypertable_name = 'reading' and range_end <= before
$$;
