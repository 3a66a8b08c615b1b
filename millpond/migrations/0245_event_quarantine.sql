-- What a source told and could not be taken, with its bytes and why; and events of which the tracking plan says nothing.

create table event_quarantine (
    quarantine_id bigint generated always as identity primary key,
    source_id     integer not null references source,
    known_as      text not null,
    call          text,
    name          text not null,
    reason        text not null constraint event_quarantine_reason check (reason ~ '^[a-z][a-z_]*$'),
    detail        text not null,
    raw           bytea not null,
    size_bytes    integer not null,
    event         jsonb,
    subject_id    bigint,
    anonymous_id  bigint,
    first_at      timestamptz not null,
    last_at       timestamptz not null,
    times         integer not null default 1,
    replayed_at   timestamptz,
    constraint event_quarantine_once unique (source_id, known_as)
);
create index event_quarantine_by_time on event_quarantine (first_at, quarantine_id);
create index event_quarantine_by_source on event_quarantine (source_id, first_at);
create index event_quarantine_by_subject on event_quarantine (subject_id) where subject_id is not null;
create index event_quarantine_by_anonymous on event_quarantine (anonymous_id) where anonymous_id is not null;
comment on column event_quarantine.known_as is 'The message id, or where none could be read the SHA-256 of its bytes.';
comment on column event_quarantine.call is 'Which call it was, where the address said it.';
comment on column event_quarantine.name is 'Of a track call what happened; empty where that could not be read.';
comment on column event_quarantine.raw is 'The call as it came; of a large one its beginning.';
comment on column event_quarantine.event is 'The call as it was read, for one that violates the plan or makes no order.';
comment on column event_quarantine.times is 'How often it came.';
comment on column event_quarantine.replayed_at is 'When it was taken after all.';

create table unknown_event (
    source_id integer not null references source,
    name      text not null,
    events    bigint not null,
    first_at  timestamptz not null,
    last_at   timestamptz not null,
    primary key (source_id, name)
);
comment on table unknown_event is 'Events that are kept although the tracking plan says nothing of them.';
comment on column unknown_event.name is 'Empty for all names beyond the first thousand of a source.';
