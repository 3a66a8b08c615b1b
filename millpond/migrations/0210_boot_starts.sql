-- A device without a clock knows how long it is on. So its samples can be dated, once it is known when its boot began.

alter table sequence add column began_at timestamptz;
comment on column sequence.began_at is 'When the boot began by what its device says of its uptime: a live message came then, less the uptime. Null when it says nothing.';

-- Such a sample is given a time before it came, and that time is kept as long as any other.
alter table effective_time add column came_at timestamptz;
comment on column effective_time.came_at is 'When the sample came, where that is not its time.';
drop index effective_time_by_time;
create index effective_time_by_time on effective_time (coalesce(came_at, effective_at));
