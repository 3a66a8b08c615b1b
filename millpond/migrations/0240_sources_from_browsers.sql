-- From which pages a source may be told, and what came of what each source told, by the hour.

alter table source add column origins text[] not null default '{}'
    constraint source_origins_are_addresses check (array_to_string(origins, ' ') ~ '^(https?://[^ /?#]+( |$))*$'),
    add constraint source_origins_are_of_pages check (origins = '{}' or kind in ('web', 'app'));
comment on column source.origins is 'The pages that may send for it, as browsers name them (https://shop.example); none: any.';

create table source_hour (
    source_id   integer not null references source,
    hour        timestamptz not null,
    slot        smallint not null,
    taken       bigint not null,
    repeated    bigint not null,
    latest_at   timestamptz,
    lateness    bigint[] not null constraint source_hour_has_all_bounds check (cardinality(lateness) = 11),
    primary key (source_id, hour, slot)
);
comment on table source_hour is 'What came from a source in an hour; in several slots, so that those who write at once do not wait.';
comment on column source_hour.latest_at is 'When the newest of its events happened.';
comment on column source_hour.lateness is
    'How many came up to 1, 5, 15 s, 1, 5, 15 min, 1, 6 h, 1, 7 days after they happened, and later.';

create table source_refusal (
    source_id integer not null references source,
    hour      timestamptz not null,
    reason    text not null,
    slot      smallint not null,
    calls     bigint not null,
    primary key (source_id, hour, reason, slot)
);
comment on table source_refusal is 'How many calls of a source were set aside in an hour, by the word for why.';
