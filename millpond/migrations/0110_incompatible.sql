-- The compatibility graph: what never goes together, asked from either side, and no edge of a product to itself.

create view incompatible (sku, with_sku, evidence) as
select from_sku, to_sku, evidence from compatibility where relation = 'incompatible'
union all
select to_sku, from_sku, evidence from compatibility where relation = 'incompatible';
comment on view incompatible is
    'Products that must not be joined, each pair from both sides: one edge of this kind outweighs every other edge between '
    'the two, in either direction. Whoever asks whether something fits asks here, by sku or by (sku, with_sku).';

-- An edge that a database may have already is left for `millpond graph check` to name.
alter table compatibility add constraint compatibility_joins_two check (from_sku <> to_sku) not valid;
create index compatibility_to on compatibility (to_sku);
