-- Orders, refunds, and the double-entry ledger of commission. The ledger only ever grows.

create table customer_order (
    order_id       text primary key,
    customer_id    text not null references customer,
    channel        text not null constraint order_channel check (channel in ('app', 'store', 'web')),
    store_id       text references store,
    sold_by        text references staff,
    offer_id       text,
    binding_id     text references binding,
    credited_to    text references staff,
    amount_minor   bigint not null constraint order_amount_positive check (amount_minor > 0),
    refunded_minor bigint not null default 0,
    currency       text not null constraint order_currency_is_iso check (currency ~ '^[A-Z]{3}$'),
    placed_at      timestamptz not null,
    created_at     timestamptz not null,
    constraint refund_within_order check (refunded_minor between 0 and amount_minor),
    constraint order_credit_needs_a_binding check ((credited_to is null) = (binding_id is null)),
    constraint order_in_a_store_names_it check ((channel = 'store') = (store_id is not null)),
    constraint one_order_per_offer unique (offer_id),
    constraint order_has_one_currency unique (order_id, currency)
);
create index order_by_customer on customer_order (customer_id, placed_at desc);
create index order_by_store on customer_order (store_id, placed_at desc) where store_id is not null;
create index order_by_time on customer_order (placed_at desc);
create index order_by_credited on customer_order (credited_to, placed_at desc);

create table order_line (
    order_id         text not null references customer_order,
    line             integer not null,
    sku              text not null references product,
    quantity         integer not null constraint order_line_quantity_positive check (quantity > 0),
    unit_price_minor bigint not null constraint order_line_price_positive check (unit_price_minor > 0),
    primary key (order_id, line)
);

create table refund (
    refund_id    text primary key,
    order_id     text not null references customer_order,
    amount_minor bigint not null constraint refund_amount_positive check (amount_minor > 0),
    currency     text not null,
    refunded_at  timestamptz not null,
    reason       text,
    constraint refund_in_order_currency foreign key (order_id, currency) references customer_order (order_id, currency)
);
create index refund_by_order on refund (order_id);

create table commission_plan (
    plan_id            integer generated always as identity primary key,
    rate_bp            integer not null constraint plan_rate_bp check (rate_bp between 0 and 10000),
    return_window_days integer not null constraint plan_return_window check (return_window_days >= 0),
    valid_from         timestamptz not null constraint one_plan_at_a_time unique
);
insert into commission_plan (rate_bp, return_window_days, valid_from) values (300, 14, '-infinity');

create table account (
    account_id bigint generated always as identity primary key,
    kind       text not null constraint account_kind check (kind in
               ('commission_expense', 'commission_pending', 'commission_available', 'commission_paid')),
    staff_id   text references staff,
    currency   text not null constraint account_currency_is_iso check (currency ~ '^[A-Z]{3}$'),
    constraint account_once unique nulls not distinct (kind, staff_id, currency),
    constraint account_has_one_currency unique (account_id, currency),
    constraint account_of_staff check ((kind = 'commission_expense') = (staff_id is null))
);

create table ledger_entry (
    entry_id    text primary key,
    kind        text not null constraint ledger_entry_kind check (kind in ('earned', 'clawed_back', 'released', 'paid_out')),
    order_id    text references customer_order,
    refund_id   text references refund,
    plan_id     integer references commission_plan,
    happened_at timestamptz not null,
    posted_at   timestamptz not null
);
create unique index commission_earned_once on ledger_entry (order_id) where kind = 'earned';
create unique index commission_released_once on ledger_entry (order_id) where kind = 'released';
create unique index commission_clawed_back_once on ledger_entry (refund_id) where kind = 'clawed_back';

create table posting (
    entry_id     text not null references ledger_entry,
    line         integer not null,
    account_id   bigint not null references account,
    amount_minor bigint not null constraint posting_not_zero check (amount_minor <> 0),
    currency     text not null,
    primary key (entry_id, line),
    constraint posting_in_account_currency foreign key (account_id, currency) references account (account_id, currency)
);
create index ledger_entry_by_order on ledger_entry (order_id);
create index posting_by_account on posting (account_id);

create function ledger_entry_must_balance() returns trigger language plpgsql as $$
begin
    if exists (select 1 from posting where entry_id = new.entry_id group by currency having sum(amount_minor) <> 0)
       or not exists (select 1 from posting where entry_id = new.entry_id) then
        raise exception 'ledger entry % does not balance', new.entry_id
            using errcode = 'check_violation', constraint = 'ledger_entry_balances';
    end if;
    return null;
end $$;
create constraint trigger ledger_entry_balances after insert on ledger_entry
    deferrable initially deferred for each row execute function ledger_entry_must_balance();
create constraint trigger posting_balances after insert on posting
    deferrable initially deferred for each row execute function ledger_entry_must_balance();

create function ledger_only_grows() returns trigger language plpgsql as $$
begin
    raise exception 'the ledger takes no % of %: post a correcting entry instead', lower(tg_op), tg_table_name
        using errcode = 'check_violation', constraint = 'ledger_only_grows';
end $$;
create trigger ledger_entry_only_grows before update or delete or truncate on ledger_entry
    for each statement execute function ledger_only_grows();
create trigger posting_only_grows before update or delete or truncate on posting
    for each statement execute function ledger_only_grows();
