-- Times that we give to samples without a good one: of each device one at a time, and never one twice.

alter table sequence add column unread nummultirange not null default '{}';
comment on column sequence.unread is 'Those of received of which no reading came: all that we have of them is in quarantine.';

create table clock_doubt (
    device_id     bigint primary key references device on delete cascade,
    made_up_to    timestamptz,
    samples       bigint not null,
    first_at      timestamptz not null,
    last_at       timestamptz not null,
    last_offset_s double precision
);
comment on table clock_doubt is 'Devices whose samples came without a plausible time. Its row is locked while times are made up.';
comment on column clock_doubt.made_up_to is 'The last time that was made up for the device: the next one is later.';
comment on column clock_doubt.samples is 'How many samples were given a time of ours, each counted once.';
comment on column clock_doubt.last_offset_s is 'How far the device''s clock was ahead of ours when it was last wrong; null when it said nothing.';
