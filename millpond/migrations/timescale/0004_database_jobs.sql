-- TimescaleDB compresses and refreshes by itself, and says only here when it cannot. Its reports to its maker are left out.
create or replace view database_job as
select j.proc_name::text collate "default" as name, j.schedule_interval as period,
       nullif(s.last_successful_finish, '-infinity') as succeeded_at,
       s.last_run_status = 'Failed' as failed,
       (select e.err_message collate "default" from timescaledb_information.job_errors e
        where e.job_id = j.job_id order by e.finish_time desc limit 1) as error
from timescaledb_information.jobs j left join timescaledb_information.job_stats s using (job_id)
where j.scheduled and j.proc_name <> 'policy_telemetry';
