-- What a customer is known by, and one customer that was merged into another.

-- A merged customer leads to the one that stays, which is itself merged into nobody: so one step always finds them.
-- The foreign key says so: a merged row points to (merged_into, false), and no row of a merged customer has that false.
alter table customer
    add column merged_into text,
    add column is_merged boolean not null generated always as (merged_into is not null) stored,
    add column into_is_merged boolean generated always as (case when merged_into is not null then false end) stored,
    add constraint customer_merged_or_not unique (customer_id, is_merged),
    add constraint customer_merges_into_another check (merged_into <> customer_id),
    add constraint customer_merges_into_one_that_stays foreign key (merged_into, into_is_merged)
        references customer (customer_id, is_merged);
create index customer_by_merged_into on customer (merged_into) where merged_into is not null;
comment on column customer.merged_into is 'The customer that this one was found to be; null for one that stands for itself.';
comment on column customer.into_is_merged is 'Only for the foreign key: whom one is merged into is merged into nobody.';

create table customer_identifier (
    identifier_id bigint generated always as identity primary key,
    namespace     text not null constraint customer_identifier_namespace check (namespace ~ '^[a-z][a-z0-9_]*$'),
    key           text not null,
    customer_id   text not null references customer,
    valid_from    timestamptz not null,
    valid_until   timestamptz,
    constraint customer_identifier_not_empty check (valid_until is null or valid_until > valid_from)
);
create unique index customer_identifier_current on customer_identifier (namespace, key) where valid_until is null;
create index customer_identifier_by_customer on customer_identifier (customer_id, namespace);
comment on table customer_identifier is
    'Namespace `external` is the brand''s own key. A key with no end is in force and leads to one customer.';

insert into customer_identifier (namespace, key, customer_id, valid_from)
select 'external', external_key, customer_id, created_at from customer where external_key is not null;
alter table customer drop column external_key;

-- Every id that anybody knows, with the customer it leads to now: their own row, or the one they were merged into.
-- Reads of a customer go through this view; only customers/ itself reads the table.
create view current_customer as
select known.customer_id as known_as,
       c.customer_id,
       (select i.key from customer_identifier i
        where i.customer_id = c.customer_id and i.namespace = 'external' and i.valid_until is null
        order by i.valid_from, i.key limit 1) as external_key,
       c.name,
       c.locale,
       c.time_zone,
       c.created_at
from customer known
join customer c on c.customer_id = coalesce(known.merged_into, known.customer_id);
