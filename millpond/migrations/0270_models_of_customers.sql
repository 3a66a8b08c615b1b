-- What customers are worth, when they buy again and what they will want: the fitted models, and a row a customer of scores.

create table segment_model (
    model_id   integer generated always as identity primary key,
    kind       text not null constraint segment_model_kind check (kind in ('worth', 'propensity')),
    at         timestamptz not null,
    made_at    timestamptz not null,
    customers  bigint not null constraint segment_model_customers check (customers >= 0),
    parameters jsonb not null constraint segment_model_parameters_are_an_object check (jsonb_typeof(parameters) = 'object'),
    scores     jsonb not null constraint segment_model_scores_are_an_object check (jsonb_typeof(scores) = 'object'),
    body       text,
    constraint segment_model_once unique (kind, at)
);
comment on column segment_model.kind is 'worth: how often customers buy and for how much. propensity: what they will buy of.';
comment on column segment_model.at is 'It was fitted on what was known at this moment.';
comment on column segment_model.customers is 'On how many customers it was fitted.';
comment on column segment_model.scores is 'How good it is on what it was not fitted on, beside a simple reference.';
comment on column segment_model.body is 'The trees of a propensity model, in LightGBM''s own words.';

create table customer_value (
    customer_id        text primary key references customer,
    model_id           integer not null references segment_model,
    at                 timestamptz not null,
    made_at            timestamptz not null,
    purchases          integer not null constraint customer_value_of_a_buyer check (purchases > 0),
    p_alive            double precision not null constraint customer_value_p_alive check (p_alive between 0 and 1),
    expected_purchases double precision not null constraint customer_value_expected check (expected_purchases >= 0),
    value_minor        bigint constraint customer_value_positive check (value_minor >= 0),
    clv_minor          bigint constraint customer_value_clv check (clv_minor >= 0),
    currency           text not null constraint customer_value_currency_is_iso check (currency ~ '^[A-Z]{3}$'),
    constraint customer_value_makes_the_clv check ((value_minor is null) = (clv_minor is null))
) with (fillfactor = 80);
comment on table customer_value is 'One row a customer who bought and may be profiled, renewed with each run; a customer without one is not scored.';
comment on column customer_value.purchases is 'Days on which they bought something.';
comment on column customer_value.p_alive is 'How probable it is that they still buy with us.';
comment on column customer_value.expected_purchases is 'In the 365 days after `at`.';
comment on column customer_value.value_minor is 'What one purchase is expected to be worth; null where too few pay in their currency.';
comment on column customer_value.clv_minor is 'What all purchases of the 365 days after `at` are worth, later ones discounted.';

create table purchase_cycle (
    customer_id      text not null references customer,
    category         text not null,
    at               timestamptz not null,
    purchases        integer not null constraint purchase_cycle_of_a_buyer check (purchases > 0),
    median_days      double precision not null,
    early_days       double precision not null,
    late_days        double precision not null,
    last_bought_at   timestamptz not null,
    next_expected_at timestamptz not null,
    primary key (customer_id, category),
    constraint purchase_cycle_in_order check (0 < early_days and early_days <= median_days and median_days <= late_days)
) with (fillfactor = 80);
comment on table purchase_cycle is 'How long a customer waits before they buy of a category again, renewed with each run of the scores.';
comment on column purchase_cycle.median_days is 'Half of their gaps are shorter: their own, drawn towards the category''s.';
comment on column purchase_cycle.early_days is 'A tenth of the gaps are shorter.';
comment on column purchase_cycle.late_days is 'A tenth of the gaps are longer.';

create table category_propensity (
    customer_id text not null references customer,
    category    text not null,
    model_id    integer not null references segment_model,
    at          timestamptz not null,
    propensity  double precision not null constraint category_propensity_is_one check (propensity between 0 and 1),
    primary key (customer_id, category)
) with (fillfactor = 80);
create index category_propensity_by_category on category_propensity (category, propensity);
comment on table category_propensity is 'How probable it is that a customer buys of a category soon, renewed with each run; what is below one per cent has no row.';
comment on column category_propensity.propensity is 'Calibrated: of a hundred pairs with 0.1 about ten buy, within the days that the model''s parameters say.';

-- All ids under which each of some persons is or was known: their own, and those of accounts that were merged into theirs.
create function known_ids(persons text[])
returns table (customer_id text, known_as text) language sql stable as $$
    select p.customer_id, p.known_as from person p where p.customer_id = any(persons)
$$;

-- Orders of some persons as they were known at a moment: placed and written down by then, with what was given back by
-- then. `undone_at` is when all of it was given back, infinity for an order that stands.
create function orders_known(persons text[], moment timestamptz)
returns table (customer_id text, order_id text, placed_at timestamptz, currency text, net_minor bigint, undone_at timestamptz)
language sql stable as $$
    select k.customer_id, o.order_id, o.placed_at, o.currency, o.amount_minor - r.refunded_minor,
           case when r.refunded_minor >= o.amount_minor then r.last_at else 'infinity' end
    from known_ids(persons) k
    join customer_order o on o.customer_id = k.known_as and o.placed_at <= moment and o.created_at <= moment
    cross join lateral (select coalesce(sum(f.amount_minor), 0)::bigint as refunded_minor, max(f.refunded_at) as last_at
                        from refund f where f.order_id = o.order_id and f.refunded_at <= moment) r
$$;

-- Events of some persons as they were known at a moment: they had come, and whose they are had been said by then.
create function events_known(persons text[], since timestamptz, moment timestamptz)
returns table (customer_id text, name text, sku text, happened_at timestamptz) language sql stable as $$
    select k.customer_id, e.name, e.sku, e.happened_at
    from known_ids(persons) k
    join customer_identifier l on l.customer_id = k.known_as and l.valid_from <= moment
    join event e on e.subject_id = l.identifier_id and e.happened_at >= since and e.happened_at <= moment
                and e.happened_at >= l.counts_from and (l.valid_until is null or e.happened_at < l.valid_until)
    where e.received_at <= moment
$$;
