-- What erasing a person needs: who asked for it, customers without a name, owners of whom nothing is known, and a memory of
-- identifiers that keeps late events out and tells nobody who they were.

alter table customer add column erased_at timestamptz;
comment on column customer.erased_at is 'When all that was known of them went: the row is a pseudonym for their orders from then on.';

create table erasure (
    erasure_id   text primary key,
    customer_ids text[] not null constraint erasure_is_of_somebody check (cardinality(customer_ids) > 0),
    requested_at timestamptz not null,
    requested_by text not null,
    finished_at  timestamptz,
    report       jsonb not null default '{}' constraint erasure_report_is_an_object check (jsonb_typeof(report) = 'object')
);
create unique index one_erasure_of_a_customer on erasure ((customer_ids[1])) where finished_at is null;
create index erasure_by_customer on erasure using gin (customer_ids);
create index erasure_unfinished on erasure (requested_at) where finished_at is null;
comment on column erasure.customer_ids is 'The id that was found; once it is finished, all ids of the person.';
comment on column erasure.report is 'How many rows of which table went.';

create table erasure_key (
    one boolean primary key default true constraint erasure_key_is_one check (one),
    key bytea not null constraint erasure_key_is_long check (length(key) >= 32)
);
comment on table erasure_key is 'With what identifiers are hashed when they are erased; made by chance for this database.';
insert into erasure_key (key)
values (sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));

create table erased_identifier (
    digest    bytea primary key constraint erased_identifier_is_sha256 check (length(digest) = 32),
    erased_at timestamptz not null
);
create index erased_identifier_by_time on erased_identifier (erased_at);
comment on table erased_identifier is 'What was done under these before they were erased is not stored when it comes late.';

create function erased_digest(namespace text, key text) returns bytea language sql stable as $$
    select sha256(k.key || convert_to($1 || E'\n' || $2, 'UTF8')) from erasure_key k
$$;

-- What proves a consent may go, and nothing else of it.
drop trigger consent_only_grows on consent;
create trigger consent_only_grows before delete or truncate on consent
    for each statement execute function consent_only_grows();
create function consent_loses_only_its_evidence() returns trigger language plpgsql as $$
begin
    -- A yes that an operator wrote down has to say how and where: these are words, then.
    if new.evidence = '{"erased": true, "how": "erased", "reference": "erased"}'
       and to_jsonb(new) - 'evidence' = to_jsonb(old) - 'evidence' then return new; end if;
    raise exception 'consent takes no update: add a new row instead'
        using errcode = 'check_violation', constraint = 'consent_only_grows';
end $$;
create trigger consent_loses_only_its_evidence before update on consent
    for each row execute function consent_loses_only_its_evidence();

-- A period of an owner who was erased stays, so that the next one sees nothing of it.
alter table device_owner
    alter column customer_id drop not null,
    add constraint device_owner_of_now_is_known check (customer_id is not null or owned_until is not null);
comment on column device_owner.customer_id is 'Null once they were erased.';

create view owned_device as
select w.customer_id, w.device_id, d.serial, d.model, w.owned_from, w.owned_until
from device_owner w join device d using (device_id);
comment on view owned_device is 'Who owned which device from when until when.';

create view device_name as
select device_id, serial as name from device
union all
select device_id, format || '/' || external_id from device_alias;
comment on view device_name is 'What a device is called in quarantine and lobby: its serial, or how a format calls it.';
