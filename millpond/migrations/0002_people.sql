-- Customers, stores, staff, and who is credited for whom.

create table customer (
    customer_id  text primary key,
    external_key text constraint customer_external_key_unique unique,
    name         text not null,
    locale       text not null default 'en',
    time_zone    text not null default 'UTC',
    created_at   timestamptz not null
);

create table store (
    store_id   text primary key,
    name       text not null,
    currency   text not null constraint store_currency_is_iso check (currency ~ '^[A-Z]{3}$'),
    time_zone  text not null default 'UTC',
    created_at timestamptz not null
);

create table staff (
    staff_id      text primary key,
    store_id      text not null references store,
    name          text not null,
    customer_id   text references customer,
    badge_version integer not null default 1,
    employed_from timestamptz not null,
    left_at       timestamptz,
    constraint staff_leaves_after_joining check (left_at is null or left_at > employed_from)
);
comment on column staff.customer_id is 'The customer account of this person, so that a self-scan can be refused.';

-- A one-point range of a text key gives an exclusion constraint without any extension (btree_gist is not everywhere).
create type textrange as range (subtype = text, collation = "C");

create table binding_policy (
    policy_id           integer generated always as identity primary key,
    take_over           text not null constraint binding_policy_take_over check (take_over in ('never', 'after_protection', 'always')),
    protection_days     integer not null default 0,
    validity_days       integer,
    max_transfers       integer not null default 2,
    transfer_window_days integer not null default 90,
    transfer_delay_hours integer not null default 24,
    leaver_days         integer not null default 365,
    valid_from          timestamptz not null
);
-- First binding wins, for good: the default until an operator adds a newer policy.
comment on column binding_policy.leaver_days is 'How long after a person left their customers may still be handed over.';
insert into binding_policy (take_over, valid_from) values ('never', '-infinity');

create table binding (
    binding_id  text primary key,
    customer_id text not null references customer,
    staff_id    text not null references staff,
    bound_from  timestamptz not null,
    bound_until timestamptz,
    source      text not null constraint binding_source check (source in ('badge', 'screen', 'transfer')),
    follows     text references binding,
    reason      text,
    refused_at  timestamptz,
    created_at  timestamptz not null,
    constraint binding_not_empty check (bound_until is null or bound_until > bound_from),
    constraint binding_never_overlaps exclude using gist (
        textrange(customer_id, customer_id, '[]') with &&, tstzrange(bound_from, bound_until) with &&)
        where (refused_at is null),
    constraint only_a_transfer_is_refused check (refused_at is null or (source = 'transfer' and refused_at < bound_from))
);
create index binding_by_staff on binding (staff_id, bound_from);
create index binding_by_customer on binding (customer_id, bound_from);

create table scan (
    scan_id     bigint generated always as identity primary key,
    customer_id text not null references customer,
    staff_id    text not null references staff,
    scanned_at  timestamptz not null,
    source      text not null constraint scan_source check (source in ('badge', 'screen')),
    outcome     text not null constraint scan_outcome check (outcome in ('bound', 'already_bound'))
);

create table spent_nonce (
    nonce    text constraint nonce_spent_once primary key,
    spent_by text not null references customer,
    spent_at timestamptz not null
);
