-- Orders and refunds that another system tells us of, under its own id, so that each counts once whichever way it comes.

alter table customer_order
    add column external_id text constraint order_external_id_bounds check (length(external_id) between 1 and 255),
    add column discount_minor bigint not null default 0 constraint order_discount_not_negative check (discount_minor >= 0),
    add column coupon text;
create unique index order_external_id_once on customer_order (coalesce(store_id, ''), external_id) where external_id is not null;
comment on column customer_order.external_id is 'What the brand''s own systems call it: a receipt of its store, or else an order of the brand.';
comment on column customer_order.discount_minor is 'What was taken off the sum of its lines; amount_minor is what is left.';
comment on column customer_order.coupon is 'The code that took it off, as it was told.';

-- What is given away with an order is a line of it.
alter table order_line drop constraint order_line_price_positive;
alter table order_line add constraint order_line_price_not_negative check (unit_price_minor >= 0);

alter table refund add column external_id text constraint refund_external_id_bounds check (length(external_id) between 1 and 255);
create unique index refund_external_id_once on refund (order_id, external_id) where external_id is not null;
comment on column refund.external_id is 'What the brand''s own systems call it, such as the receipt of a return.';
