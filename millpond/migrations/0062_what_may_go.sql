-- Up to where readings would be dropped for a moment: the end of the last day that is over by it.
create function readings_droppable_to(before timestamptz) returns timestamptz language sql stable as $$
    select date_bin('1 day', before, timestamptz '2000-01-01 00:00:00+00')
$$;
