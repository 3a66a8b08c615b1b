-- Prices that follow each other, held by B-trees: an exclusion constraint over text ranges made 100,000 new prices take minutes.

alter table product_price
    drop constraint product_has_one_price_at_a_time,
    -- Each price that ended is followed by the one that begins at that moment, and one follows it at most. Since every
    -- end lies after its beginning, the prices of a product are one chain up to the one of now: no two hold at once.
    add constraint product_price_ends_once unique (sku, valid_until),
    add constraint product_price_is_followed foreign key (sku, valid_until)
        references product_price (sku, valid_from) deferrable initially deferred;
create unique index product_has_one_price_now on product_price (sku) where valid_until is null;
