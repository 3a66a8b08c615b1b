-- Who sends events, and the events: what people did in the app, on the web, in a shop.

create table source (
    source_id  integer generated always as identity primary key,
    name       text not null constraint source_name_once unique constraint source_name_bounds check (name ~ '\S' and length(name) <= 100),
    kind       text not null constraint source_kind check (kind in ('web', 'app', 'server', 'pos', 'store')),
    scopes     text[] not null constraint source_scopes check (scopes <@ array['events', 'identify', 'orders'] and scopes && array['events']),
    created_at timestamptz not null,
    constraint source_in_public_hands_only_tells check (kind not in ('web', 'app') or scopes = array['events'])
);
comment on column source.scopes is
    'events: may tell what happened. identify: may say who somebody is, which links identifiers. orders: makes orders.';

create table source_key (
    key_id     bigint generated always as identity primary key,
    source_id  integer not null references source,
    digest     bytea not null constraint source_key_digest_once unique constraint source_key_digest_is_sha256 check (length(digest) = 32),
    hint       text not null,
    valid_from timestamptz not null,
    ended_at   timestamptz,
    constraint source_key_not_empty check (ended_at is null or ended_at >= valid_from)
);
create index source_key_by_source on source_key (source_id);
comment on column source_key.digest is 'SHA-256 of the write key, which itself is shown once and kept nowhere.';
comment on column source_key.hint is 'The last characters of the key, so that people know which it is.';

create table event (
    event_id     bigint generated always as identity primary key,
    source_id    integer not null,
    message_id   text not null,
    call         text not null constraint event_call check (call in ('track', 'identify', 'page', 'screen', 'group', 'alias')),
    name         text not null,
    happened_at  timestamptz not null,
    received_at  timestamptz not null,
    subject_id   bigint,
    anonymous_id bigint,
    session_id   text,
    sku          text,
    properties   jsonb not null,
    context      jsonb not null,
    constraint event_counts_once unique (source_id, message_id)
);
-- No foreign keys: rows come in thousands a second, behind a key that was looked up and identifiers that were just noted.
create index event_by_subject on event (subject_id, happened_at) where subject_id is not null;
create index event_by_anonymous on event (anonymous_id, happened_at) where anonymous_id is not null;
create index event_by_arrival on event using brin (received_at);
comment on column event.name is 'Of a track call what happened, of a page or screen its name; else empty.';
comment on column event.happened_at is 'By the client''s clock, corrected by how wrong that was when it sent the event.';
comment on column event.subject_id is 'The identifier it was done under: the login where there was one, else the anonymous id.';
comment on column event.anonymous_id is 'The anonymous id that it had, also beside a login.';

-- Events of people: each event with the customer whose it is now, by the links of its subject at the time of the event.
create view customer_event as
select i.customer_id, e.*
from event e join identified i on i.identifier_id = e.subject_id
where e.happened_at >= i.counts_from and (i.valid_until is null or e.happened_at < i.valid_until);
