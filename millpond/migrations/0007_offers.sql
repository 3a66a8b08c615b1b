-- Proposals to customers, their life, and why each was made or not made.

create table decision (
    decision_id text primary key,
    customer_id text references customer,
    trigger     text not null constraint decision_trigger check (trigger in ('depletion', 'new_device')),
    device_id   bigint not null references device,
    installation_id bigint references installation,
    sku         text not null references product,
    decided_at  timestamptz not null,
    outcome     text not null constraint decision_outcome check (outcome in ('issued', 'not_issued')),
    failed_gate text,
    candidates  jsonb not null,
    gates       jsonb not null,
    constraint decision_no_has_a_gate check ((outcome = 'issued') = (failed_gate is null))
);
comment on column decision.failed_gate is 'The first rule that stood against an offer.';
create index decision_by_customer on decision (customer_id, decided_at desc);
create index decision_by_thing on decision (device_id, sku, trigger, decided_at desc);

create table offer (
    offer_id         text primary key,
    decision_id      text not null references decision constraint one_offer_per_decision unique,
    customer_id      text not null references customer,
    device_id        bigint not null references device,
    installation_id  bigint references installation,
    sku              text not null references product,
    reason_code      text not null constraint offer_reason_code check (reason_code in ('depletion', 'fits_new_device')),
    facts            jsonb not null,
    state            text not null constraint offer_state check (state in
                     ('open', 'seen', 'accepted', 'ordered', 'declined', 'expired', 'withdrawn')),
    list_price_minor bigint not null,
    price_minor      bigint not null constraint offer_price_positive check (price_minor > 0),
    currency         text not null constraint offer_currency_is_iso check (currency ~ '^[A-Z]{3}$'),
    valid_from       timestamptz not null,
    reply_by         timestamptz not null,
    valid_until      timestamptz not null,
    binding_id       text references binding,
    credited_to      text references staff,
    issued_at        timestamptz not null,
    constraint offer_price_not_raised check (price_minor <= list_price_minor),
    constraint offer_validity_in_order check (valid_from <= reply_by and reply_by <= valid_until)
);
create unique index one_open_offer_per_installation on offer (installation_id)
    where state in ('open', 'seen') and installation_id is not null;
create unique index one_open_offer_per_device_and_product on offer (device_id, sku) where state in ('open', 'seen');
create index offer_by_device on offer (device_id, sku);
create index offer_by_customer on offer (customer_id, issued_at desc, offer_id);

alter table customer_order add constraint order_of_an_offer foreign key (offer_id) references offer;

create table offer_event (
    offer_id text not null references offer,
    state    text not null,
    at       timestamptz not null,
    actor    text not null,
    constraint offer_event_once primary key (offer_id, state)
);
