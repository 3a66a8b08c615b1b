-- name: upsert_product
-- Add or renew a product of the catalogue.
insert into product (sku, name, category, price_minor, currency)
values (%(sku)s, %(name)s, %(category)s, %(price_minor)s, %(currency)s)
on conflict (sku) do update set name = excluded.name, category = excluded.category,
    price_minor = excluded.price_minor, currency = excluded.currency;

-- name: upsert_compatibility
-- Add or renew a compatibility edge.
insert into compatibility (from_sku, to_sku, relation, weight, condition, evidence)
values (%(from_sku)s, %(to_sku)s, %(relation)s, %(weight)s, %(condition)s, %(evidence)s)
on conflict (from_sku, to_sku, relation) do update
set weight = excluded.weight, condition = excluded.condition, evidence = excluded.evidence;

-- name: select_product
-- One product.
select sku, name, category, price_minor, currency from product where sku = %(sku)s;
