-- Two units under one serial are noticed, where their boots or their sessions take turns; and what is in doubt is found by time.

create table live_name (
    serial          text not null constraint live_name_of_a_device references device (serial) on delete cascade,
    kind            text not null constraint live_name_kind check (kind in ('boot', 'session')),
    name            text not null,
    since           timestamptz not null,
    before          text[] not null default '{}',
    returned_at     timestamptz[] not null default '{}',
    shared_names    text[],
    shared_first_at timestamptz,
    shared_last_at  timestamptz,
    shared_returns  bigint not null default 0,
    primary key (serial, kind),
    constraint live_name_is_shared_whole
        check (num_nulls(shared_names, shared_first_at, shared_last_at) = case when shared_returns = 0 then 3 else 0 end)
);
comment on table live_name is 'The boot, and the session of a status, that is live for each serial, and those that were so before it.';
comment on column live_name.since is 'When what made it live was measured.';
comment on column live_name.before is 'Names that were live before it, newest first; a few.';
comment on column live_name.returned_at is 'When names last came back after another was live, newest first; a few.';
comment on column live_name.shared_returns is 'How many such returns were too many to be chance: two units share the serial.';
create index live_name_shared on live_name (shared_last_at) where shared_last_at is not null;

create index clock_doubt_by_time on clock_doubt (last_at) where samples > 0;
