-- name: lock_catalogue
-- Who writes to the catalogue takes turns until the transaction ends; who reads it or sells from it does not wait.
select pg_advisory_xact_lock(hashtextextended('catalogue', 0));

-- name: select_imported_skus
-- Those of the given products that came from an operator's file.
select sku from product where imported and sku = any(%(skus)s::text[]);

-- name: upsert_products
-- Add or renew products; a name or an attribute that is given as null goes, and one that is not given stays.
insert into product (sku, name, category, attributes, imported, added_at)
select g.sku, jsonb_strip_nulls(coalesce(p.name, '{}') || g.name), g.category,
       jsonb_strip_nulls(coalesce(p.attributes, '{}') || g.attributes), %(imported)s::boolean, %(at)s::timestamptz
from jsonb_to_recordset(%(products)s::jsonb) as g (sku text, name jsonb, category text, attributes jsonb)
left join product p using (sku)
on conflict (sku) do update set name = excluded.name, category = excluded.category, attributes = excluded.attributes,
    imported = excluded.imported
where (product.name, product.category, product.attributes, product.imported)
      is distinct from (excluded.name, excluded.category, excluded.attributes, excluded.imported)
returning sku, (xmax = 0) as added;

-- name: end_prices
-- End the prices of now that are not the given ones any more.
update product_price p set valid_until = %(at)s::timestamptz
from jsonb_to_recordset(%(products)s::jsonb) as g (sku text, price_minor bigint, currency text)
where p.sku = g.sku and p.valid_until is null and (p.price_minor, p.currency) <> (g.price_minor, g.currency)
returning p.sku;

-- name: insert_prices
-- Begin the given prices where none is in force; a product's first price also stands for the time before it was told.
insert into product_price (sku, price_minor, currency, valid_from)
select g.sku, g.price_minor, g.currency,
       case when exists (select from product_price p where p.sku = g.sku) then %(at)s::timestamptz else '-infinity' end
from jsonb_to_recordset(%(products)s::jsonb) as g (sku text, price_minor bigint, currency text)
where not exists (select from product_price p where p.sku = g.sku and p.valid_until is null);

-- name: select_product
-- One product at the price of a moment.
select sku, name, category, attributes, price_minor, currency from product_at(%(at)s::timestamptz) where sku = %(sku)s;

-- name: select_products_of
-- Those of some products that are sold at a moment, at the price of then.
select sku, name, category, attributes, price_minor, currency from product_at(%(at)s::timestamptz)
where sku = any(%(skus)s::text[]);

-- name: select_products
-- A page of what is sold at a moment, after a SKU.
select sku, name, category, attributes, price_minor, currency from product_at(%(at)s::timestamptz)
where sku > %(after)s order by sku limit %(limit)s;

-- name: select_prices
-- What the given products cost at a moment.
select sku, price_minor, currency from product_at(%(at)s::timestamptz) where sku = any(%(skus)s::text[]);

-- name: select_names
-- What the given products are called, by language.
select sku, name from product where sku = any(%(skus)s::text[]);

-- name: select_known_skus
-- Those of the given SKUs that are products.
select sku from product where sku = any(%(skus)s::text[]);

-- name: select_products_of_numbers
-- Products by a number of the trade: one of the attributes named so, or the SKU; zeros in front say nothing.
select g.number, p.sku
from unnest(%(numbers)s::text[]) as g (number)
join product p on upper(ltrim(g.number, '0')) = any(
    array(select upper(ltrim(a.value, '0')) from jsonb_each_text(p.attributes) as a (name, value)
          where a.name in ('gtin', 'gtin8', 'gtin13', 'gtin14', 'ean', 'upc', 'oem', 'mpn'))
    || upper(ltrim(p.sku, '0')))
order by g.number, p.sku;

-- name: upsert_stock
-- Keep how many units there are; returns the products of which something else was known.
with told as (
    select * from jsonb_to_recordset(%(levels)s::jsonb) as t (sku text, units bigint)
), kept as (
    insert into product_stock (sku, units, told_at) select sku, units, %(at)s::timestamptz from told
    on conflict (sku) do update set units = excluded.units, told_at = excluded.told_at
)
select t.sku from told t left join product_stock s using (sku)
where s.sku is null or s.units is distinct from t.units;

-- name: delete_stock
-- Units that are not counted any more.
delete from product_stock where sku = any(%(skus)s::text[]) returning sku;

-- name: select_edges
-- The whole graph.
select from_sku, to_sku, relation, weight, condition, evidence from compatibility order by from_sku, to_sku, relation;

-- name: select_edge
-- Whether there is an edge.
select 1 from compatibility
where from_sku = %(from_sku)s and relation = %(relation)s and to_sku = %(to_sku)s;

-- name: delete_imported_edge
-- Take an edge out that came from an operator's file.
delete from compatibility
where from_sku = %(from_sku)s and relation = %(relation)s and to_sku = %(to_sku)s and imported;

-- name: select_imported_edges
-- The edges that came from an operator's file.
select from_sku, to_sku, relation from compatibility where imported;

-- name: upsert_edges
-- Add or renew edges; returns, for each that is other than before, whether it is new.
insert into compatibility (from_sku, to_sku, relation, weight, condition, evidence, imported)
select from_sku, to_sku, relation, weight, condition, evidence, %(imported)s::boolean
from jsonb_to_recordset(%(edges)s::jsonb)
     as g (from_sku text, to_sku text, relation text, weight float8, condition text, evidence text)
on conflict (from_sku, to_sku, relation) do update
set weight = excluded.weight, condition = excluded.condition, evidence = excluded.evidence, imported = excluded.imported
where (compatibility.weight, compatibility.condition, compatibility.evidence, compatibility.imported)
      is distinct from (excluded.weight, excluded.condition, excluded.evidence, excluded.imported)
returning (xmax = 0) as added;
