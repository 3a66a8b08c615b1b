-- What was dropped because its device was beyond an allowance: never stored, never acknowledged, counted here.

create table ingest_drop (
    serial    text not null,
    day       date not null,
    allowance text not null,
    messages  bigint not null,
    items     bigint not null,
    bytes     bigint not null,
    last_at   timestamptz not null,
    constraint drops_are_counted_by_day primary key (serial, day, allowance),
    constraint drop_names_an_allowance check (allowance in ('boots', 'quarantine', 'values'))
);
comment on column ingest_drop.serial is 'Empty for all serials that are not registered: they share one allowance.';
create index ingest_drop_by_time on ingest_drop (last_at);

alter table ingest_minute add column dropped bigint not null default 0;
comment on column ingest_minute.dropped is 'Messages beyond an allowance; they and their items are in no other column.';
