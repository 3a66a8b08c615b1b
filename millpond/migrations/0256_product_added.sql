-- Since when a product is sold here, so that what is new can be shown to everybody.
alter table product add column added_at timestamptz;
comment on column product.added_at is 'When it came into the catalogue; null for what was there before anybody noted it.';
