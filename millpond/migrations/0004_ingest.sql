-- What ingest keeps besides readings: numbers seen per boot, corrected times, what it refused, what disagreed, and its tally.

create table sequence (
    serial    text not null,
    boot      text not null,
    received  nummultirange not null default '{}',
    given_up  nummultirange not null default '{}',
    asked_at  timestamptz,
    first_seen_at timestamptz not null,
    last_seen_at  timestamptz not null,
    primary key (serial, boot)
);
comment on column sequence.received is 'Sequence numbers committed or quarantined, as half-open ranges: 1..3 and 7 are {[1,4),[7,8)}.';
comment on column sequence.given_up is 'Numbers that the device said it no longer has.';

create index sequence_with_a_gap on sequence (last_seen_at)
    where nummultirange(range_merge(received + given_up)) <> received + given_up or lower(received + given_up) > 1;

-- A boot counts from 0 or 1; what is missing between there and the highest number seen is a gap.
create view sequence_gap as
select serial, boot, lower(hole) as from_seq, upper(hole) - 1 as to_seq, asked_at, last_seen_at
from sequence,
     unnest(nummultirange(numrange(least(1, lower(received + given_up)), upper(received + given_up)))
            - (received + given_up)) as hole
where nummultirange(range_merge(received + given_up)) <> received + given_up or lower(received + given_up) > 1;

create table effective_time (
    serial       text not null,
    boot         text not null,
    seq          numeric(20, 0) not null,
    effective_at timestamptz not null,
    primary key (serial, boot, seq)
);

create table quarantined_message (
    digest      bytea primary key,
    topic       text not null,
    payload     bytea not null,
    received_at timestamptz not null
);

create table quarantine (
    quarantine_id bigint generated always as identity primary key,
    digest        bytea not null references quarantined_message,
    item          text not null,
    serial        text not null,
    code          text not null,
    reason        text not null,
    received_at   timestamptz not null,
    constraint quarantine_once_per_item unique (digest, item)
);
comment on column quarantine.item is 'What of the message: empty for all of it, else "seq/metric" or "#index/metric".';
create index quarantine_by_time on quarantine (received_at desc, quarantine_id desc);

create table reading_conflict (
    device_id   bigint not null,
    metric_id   integer not null,
    measured_at timestamptz not null,
    value       double precision,
    state       text,
    received_at timestamptz not null,
    constraint conflict_once_per_value unique nulls not distinct (device_id, metric_id, measured_at, value, state)
);
comment on table reading_conflict is 'Same key as a stored reading, another value: the first stays in reading, the other is kept here.';

create table ingest_minute (
    consumer    text not null,
    minute      timestamptz not null,
    messages    bigint not null,
    received    bigint not null,
    stored      bigint not null,
    duplicate   bigint not null,
    conflict    bigint not null,
    quarantined bigint not null,
    primary key (consumer, minute),
    constraint every_item_has_one_outcome check (received = stored + duplicate + conflict + quarantined)
);

create table ingest_consumer (
    consumer  text primary key,
    epoch     bigint not null,
    connected boolean not null,
    in_flight bigint not null,
    lag_s     double precision not null,
    beat_at   timestamptz not null
);
