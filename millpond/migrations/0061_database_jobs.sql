-- What the database does by itself, for doctor to look at. Plain PostgreSQL does nothing of the kind.
create view database_job as
select ''::text as name, null::interval as period, null::timestamptz as succeeded_at, null::boolean as failed, null::text as error
where false;
