-- The shared nouns: products and what fits what, device models and their parts, devices and what is installed in them.

create table product (
    sku         text primary key,
    name        jsonb not null,
    category    text not null,
    price_minor bigint not null constraint product_price_positive check (price_minor > 0),
    currency    text not null constraint product_currency_is_iso check (currency ~ '^[A-Z]{3}$')
);

create table compatibility (
    from_sku  text not null references product,
    to_sku    text not null references product,
    relation  text not null constraint compatibility_relation check (relation in
              ('consumable_for', 'required_part', 'accessory', 'part_of_set', 'often_bought_with', 'substitute', 'incompatible')),
    weight    double precision not null constraint compatibility_weight_is_a_ratio check (weight between 0 and 1),
    condition text,
    evidence  text not null,
    primary key (from_sku, to_sku, relation)
);
comment on table compatibility is 'from_sku is what a household has, to_sku what would join it.';

create table device_model (
    model    text primary key,
    name     jsonb not null,
    category text not null,
    sku      text references product
);

create table metric (
    metric_id integer generated always as identity primary key,
    model     text not null references device_model,
    name      text not null,
    kind      text not null constraint metric_kind check (kind in ('number', 'boolean', 'state')),
    unit      text not null,
    min_value double precision,
    max_value double precision,
    states    text[],
    constraint metric_once_per_model unique (model, name)
);

create table consumable (
    consumable text primary key,
    name       jsonb not null,
    sku        text not null references product
);

create table model_part (
    model         text not null references device_model,
    part          text not null,
    consumable    text not null references consumable,
    threshold_pct double precision not null default 10
                  constraint part_threshold_pct check (threshold_pct > 0 and threshold_pct < 100),
    prior_life_days double precision not null constraint part_prior_positive check (prior_life_days > 0),
    primary key (model, part)
);
comment on column model_part.prior_life_days is 'Typical life in days, the prior while a fleet has no history of its own.';

create table part_limit (
    model     text not null,
    part      text not null,
    metric_id integer not null references metric,
    measure   text not null constraint part_limit_measure check (measure in
              ('percent_remaining', 'percent_used', 'remaining', 'used', 'replace_flag', 'state', 'identity')),
    capacity  double precision constraint part_limit_capacity_positive check (capacity > 0),
    quantum   double precision not null default 1,
    primary key (model, part, metric_id),
    foreign key (model, part) references model_part,
    constraint part_limit_counts_need_capacity check (measure not in ('remaining', 'used') or capacity is not null)
);

create table device (
    device_id     bigint generated always as identity primary key,
    serial        text not null constraint device_serial_unique unique
                  constraint device_serial_fits_a_topic check (serial ~ '^[A-Za-z0-9._:-]{1,64}$'),
    model         text not null references device_model,
    region        text not null default '',
    customer_id   text references customer,
    installed_at  timestamptz not null,
    registered_at timestamptz not null
);
create index device_by_customer on device (customer_id);

create table device_status (
    device_id  bigint primary key references device,
    state      text not null constraint device_status_state check (state in ('online', 'offline')),
    session    text not null,
    changed_at timestamptz not null
);

create table installation (
    installation_id bigint generated always as identity primary key,
    device_id       bigint not null references device,
    part            text not null,
    consumable      text not null references consumable,
    installed_at    timestamptz not null,
    ended_at        timestamptz,
    ended_by        text constraint installation_ended_by check (ended_by in
                    ('percent_rise', 'counter_fall', 'identity_change', 'replaced_event')),
    constraint installation_not_empty check (ended_at is null or ended_at > installed_at),
    constraint installation_end_has_a_cause check ((ended_at is null) = (ended_by is null))
);
create unique index one_current_installation on installation (device_id, part) where ended_at is null;
create unique index installation_starts_once on installation (device_id, part, installed_at);

create table reading (
    device_id   bigint not null,
    metric_id   integer not null,
    measured_at timestamptz not null,
    value       double precision,
    state       text,
    received_at timestamptz not null,
    corrected   boolean not null default false,
    constraint reading_is_unique primary key (device_id, metric_id, measured_at),
    constraint reading_has_one_value check (num_nonnulls(value, state) = 1)
);
comment on column reading.corrected is 'The device''s clock was absent or implausible; measured_at is when we first received it.';

create table reading_latest (
    device_id   bigint not null,
    metric_id   integer not null,
    measured_at timestamptz not null,
    value       double precision,
    state       text,
    received_at timestamptz not null,
    primary key (device_id, metric_id)
);

create view reading_day as
select device_id, metric_id,
       date_bin('1 day', measured_at, timestamptz '2000-01-01 00:00:00+00') as day,
       (array_agg(value order by measured_at))[1] as first_value,
       (array_agg(value order by measured_at desc))[1] as last_value,
       min(value) as min_value,
       max(value) as max_value,
       avg(value) as avg_value,
       count(*) as readings,
       min(measured_at) as first_at,
       max(measured_at) as last_at
from reading
where value is not null
group by device_id, metric_id, date_bin('1 day', measured_at, timestamptz '2000-01-01 00:00:00+00');

-- Brings reading_day up to date where it is materialised; a plain view always is.
create procedure refresh_reading_day() language sql as $$ $$;
