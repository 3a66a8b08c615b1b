-- Products with attributes and stock, and prices with their history.

alter table product
    add attributes jsonb not null default '{}'
        constraint product_attributes_are_an_object check (jsonb_typeof(attributes) = 'object'),
    add imported boolean not null default false;
comment on column product.attributes is 'By name, each a text, a number, or true or false: {"colour": "white", "height_cm": 58}.';
comment on column product.imported is
    'True: an operator''s file says what it is. False: it ships with Millpond, and each `millpond migrate` renews it.';

alter table compatibility add imported boolean not null default false;
comment on column compatibility.imported is 'As for a product.';

create table product_stock (
    sku     text primary key references product,
    units   bigint constraint product_stock_not_negative check (units >= 0),
    told_at timestamptz not null
);
comment on table product_stock is 'A product without a row is not counted; units null: it is, and nobody knows how many there are.';

create table product_price (
    sku         text not null references product,
    price_minor bigint not null constraint product_price_positive check (price_minor > 0),
    currency    text not null constraint product_price_currency_is_iso check (currency ~ '^[A-Z]{3}$'),
    valid_from  timestamptz not null,
    valid_until timestamptz,
    constraint product_price_starts_once primary key (sku, valid_from),
    constraint product_price_not_empty check (valid_until is null or valid_until > valid_from),
    constraint product_has_one_price_at_a_time exclude using gist (
        textrange(sku, sku, '[]') with &&, tstzrange(valid_from, valid_until) with &&)
);
comment on table product_price is
    'What one unit costs in [valid_from, valid_until). The first price of a product is valid from -infinity: what it cost '
    'before we were told, nobody knows, and a run for an earlier moment needs one.';

insert into product_price (sku, price_minor, currency, valid_from)
select sku, price_minor, currency, '-infinity' from product;
alter table product drop column price_minor, drop column currency;

create function product_at(at timestamptz)
    returns table (sku text, name jsonb, category text, attributes jsonb, price_minor bigint, currency text)
    language sql stable as $$
select p.sku, p.name, p.category, p.attributes, c.price_minor, c.currency
from product p join product_price c using (sku)
where c.valid_from <= at and (c.valid_until is null or c.valid_until > at)
$$;
comment on function product_at is
    'What is sold at a moment, at the price in force then. Every price is read here, so that none is read of another moment.';
