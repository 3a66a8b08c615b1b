-- Who owned which device from when until when, and the codes by which a household proves that a device is in its hands.

create table device_owner (
    device_id   bigint not null references device,
    customer_id text not null references customer,
    owned_from  timestamptz not null,
    owned_until timestamptz,
    granted_by  text not null,
    constraint device_owner_ends_after_it_began check (owned_until is null or owned_until >= owned_from),
    constraint device_has_one_owner_at_a_time exclude using gist (
        int8range(device_id, device_id, '[]') with &&, tstzrange(owned_from, owned_until) with &&)
);
comment on table device_owner is 'Half-open periods; what a household may see of a device ends where its period does, at both ends.';
comment on column device_owner.granted_by is 'Who made them the owner: operator:…, customer:… with a claim code, or migration.';
create unique index device_owner_now on device_owner (device_id) where owned_until is null;
create index device_owner_by_customer on device_owner (customer_id, device_id);

-- Owners of today have owned their device for as long as it is known to them.
insert into device_owner (device_id, customer_id, owned_from, granted_by)
select device_id, customer_id, installed_at, 'migration' from device where customer_id is not null;

-- device.customer_id is the owner of now, for all that asks for no other moment. At the end of each transaction both agree.
create function device_owner_agrees() returns trigger language plpgsql as $$
begin
    if exists (select 1 from device d
               left join device_owner w on w.device_id = d.device_id and w.owned_until is null
               where d.device_id = new.device_id and d.customer_id is distinct from w.customer_id) then
        raise exception 'device % and its periods of ownership name different owners', new.device_id
            using errcode = 'integrity_constraint_violation', constraint = 'device_owner_agrees';
    end if;
    return null;
end $$;
create constraint trigger device_owner_agrees after insert or update of customer_id on device
    deferrable initially deferred for each row execute function device_owner_agrees();
create constraint trigger device_owner_agrees after insert or update on device_owner
    deferrable initially deferred for each row execute function device_owner_agrees();

create table claim_code (
    device_id   bigint not null references device,
    kind        text not null constraint claim_code_kind check (kind in ('label', 'transfer')),
    code_sha256 bytea not null,
    issued_at   timestamptz not null,
    issued_by   text not null,
    expires_at  timestamptz,
    constraint one_claim_code_of_a_kind primary key (device_id, kind)
);
comment on table claim_code is 'A label''s code makes an owner where there is none; a transfer''s, once and for some days, in place of the owner who asked for it.';

-- Wrong codes in a row, so that nobody can try many: one row a customer, gone with the next right code.
create table claim_failures (
    customer_id text primary key references customer,
    began_at    timestamptz not null,
    failures    integer not null
);
