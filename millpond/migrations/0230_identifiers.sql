-- Every value by which anybody was ever known, and apart from it whom the value leads to, since when, and why.

create table identifier (
    identifier_id bigint generated always as identity primary key,
    namespace     text not null constraint identifier_namespace check (namespace ~ '^[a-z][a-z0-9_]*$'),
    key           text not null,
    seen_at       timestamptz not null,
    constraint identifier_once unique (namespace, key)
);
comment on table identifier is
    'A login, an anonymous id, a card, …; what people would be found by elsewhere (e-mail, phone) only as an HMAC.';
comment on column identifier.seen_at is 'When it was seen first.';

insert into identifier (namespace, key, seen_at)
select namespace, key, min(valid_from) from customer_identifier group by namespace, key order by min(valid_from), key;

alter table customer_identifier rename column identifier_id to link_id;
alter table customer_identifier
    add column identifier_id bigint references identifier,
    add column counts_from timestamptz,
    add column because text not null default 'registered'
        constraint customer_identifier_because check (because ~ '^[a-z][a-z_]*$'),
    add column evidence jsonb not null default '{}'
        constraint customer_identifier_evidence_is_an_object check (jsonb_typeof(evidence) = 'object');
update customer_identifier l set
    identifier_id = i.identifier_id,
    counts_from = case when exists (select 1 from customer_identifier b where (b.namespace, b.key) = (l.namespace, l.key)
                                      and (b.valid_from, b.link_id) < (l.valid_from, l.link_id))
                       then l.valid_from else '-infinity' end
from identifier i where (i.namespace, i.key) = (l.namespace, l.key);
alter table customer_identifier
    alter column identifier_id set not null,
    alter column counts_from set not null,
    alter column because drop default,
    alter column evidence drop default;

create or replace view current_customer as
select known.customer_id as known_as,
       c.customer_id,
       (select i.key from customer_identifier l join identifier i using (identifier_id)
        where l.customer_id = c.customer_id and i.namespace = 'external' and l.valid_until is null
        order by l.valid_from, i.key limit 1) as external_key,
       c.name,
       c.locale,
       c.time_zone,
       c.created_at
from customer known
join customer c on c.customer_id = coalesce(known.merged_into, known.customer_id);

drop index customer_identifier_current;
drop index customer_identifier_by_customer;
alter table customer_identifier drop column namespace, drop column key;
create unique index customer_identifier_current on customer_identifier (identifier_id) where valid_until is null;
create index customer_identifier_by_customer on customer_identifier (customer_id);
create index customer_identifier_by_identifier on customer_identifier (identifier_id, counts_from);
comment on table customer_identifier is
    'To whom an identifier leads, from when until when; one without an end is in force and leads to one customer.';
comment on column customer_identifier.counts_from is
    'From when on what was done under the identifier was theirs: the first link of an identifier reaches back over all of it.';
comment on column customer_identifier.because is
    'What linked them: registered, identify, alias, login, scan, receipt, device, operator, …';
comment on column customer_identifier.evidence is 'What proves it: an event, an order, a scan, whoever said it.';

-- Whose what was done under an identifier is, by the time at which it was done: join on the id, and `at` within the bounds.
create view identified as
select l.identifier_id, coalesce(c.merged_into, c.customer_id) as customer_id, l.counts_from, l.valid_until, l.link_id
from customer_identifier l join customer c using (customer_id);
