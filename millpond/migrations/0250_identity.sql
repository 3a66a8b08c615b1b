-- Who is one person: merges that can be undone, values that say nothing of anybody, and what was refused.

create table customer_merge (
    merge_id  text primary key,
    absorbed  text not null references customer,
    survivor  text not null references customer,
    merged_at timestamptz not null,
    because   text not null constraint customer_merge_because check (because ~ '^[a-z][a-z0-9_]*$'),
    evidence  jsonb not null constraint customer_merge_evidence_is_an_object check (jsonb_typeof(evidence) = 'object'),
    merged_by text not null,
    undone_at timestamptz,
    undone_by text,
    constraint customer_merge_of_two check (absorbed <> survivor),
    constraint customer_merge_undone_by_somebody check ((undone_at is null) = (undone_by is null)),
    constraint customer_merge_undone_after_it check (undone_at >= merged_at)
);
create unique index customer_merge_in_force on customer_merge (absorbed) where undone_at is null;
create index customer_merge_by_absorbed on customer_merge (absorbed);
create index customer_merge_by_survivor on customer_merge (survivor);
comment on table customer_merge is
    'Two customers who stood for themselves were found to be one. Those not undone are a forest: customer.merged_into is its roots.';
comment on column customer_merge.because is 'What says so: identify, alias, receipt, operator, …';
comment on column customer_merge.evidence is 'What proves it: an event, a scan, an order: ids and words only.';

insert into customer_merge (merge_id, absorbed, survivor, merged_at, because, evidence, merged_by)
select 'mrg_' || substr(md5(customer_id), 1, 20), customer_id, merged_into, created_at, 'operator', '{}', 'operator:unknown'
from customer where merged_into is not null;

create index customer_by_person on customer (coalesce(merged_into, customer_id));

-- Every id that anybody knows, with the customer whose it is now: what was done under any of them is theirs.
create view person as
select customer_id as known_as, coalesce(merged_into, customer_id) as customer_id from customer;

-- The same for one: all ids under which somebody may have done something. An id that nobody has is alone.
create function person_ids(named text) returns text[] language sql stable as $$
    select coalesce((select array_agg(p.known_as) from person p
                     where p.customer_id = (select s.customer_id from person s where s.known_as = named)), array[named])
$$;

alter table identifier
    add column blocked_because text constraint identifier_blocked_because check (blocked_because ~ '^[a-z][a-z_]*$'),
    add column blocked_at timestamptz,
    add constraint identifier_blocked_at_a_moment check ((blocked_because is null) = (blocked_at is null));
create index identifier_blocked on identifier (blocked_at) where blocked_at is not null;
comment on column identifier.blocked_because is 'Why it says nothing of who somebody is: too many have it. It leads to nobody.';

create table refused_link (
    identifier_id bigint references identifier,
    customer_id   text references customer,
    because       text not null constraint refused_link_because check (because ~ '^[a-z][a-z0-9_]*$'),
    reason        text not null constraint refused_link_reason check (reason ~ '^[a-z][a-z_]*$'),
    times         bigint not null constraint refused_link_times_counts check (times >= 1),
    first_at      timestamptz not null,
    last_at       timestamptz not null,
    constraint refused_link_once unique nulls not distinct (identifier_id, customer_id, because, reason)
);
create index refused_link_by_age on refused_link (last_at);
comment on table refused_link is 'Who was said to be whom and was not believed, and why, counted.';
comment on column refused_link.identifier_id is 'Whose link was asked for; null for a value that is not even noted.';
comment on column refused_link.customer_id is 'To whom it was said to belong, where that is known.';
