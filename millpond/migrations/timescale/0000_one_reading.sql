-- A database that was there before the extension has divided reading by itself; it is made one table again, to be divided anew.
do $$
begin
    if (select relkind from pg_class where oid = 'reading'::regclass) <> 'p' then
        return;
    end if;
    drop view if exists reading_hour, reading_day, reading_day_live, state_day, reading_partition;
    alter table reading rename to reading_divided;
    alter table reading_divided rename constraint reading_is_unique to reading_divided_is_unique;
    create table reading (like reading_divided including all);
    alter index reading_pkey rename to reading_is_unique;
    insert into reading select * from reading_divided;
    drop table reading_divided;
    -- The migrations that follow replace it.
    create view reading_day as select from reading;
end $$;
