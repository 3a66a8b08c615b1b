-- By what a device proves at the broker who it is. No password is kept, nor a hash of one: it is derived from
-- MILLPOND_DEVICE_SECRET (which key_id names) and the salt, so that a broker that lost its file can be told again.

create table device_credential (
    credential_id bigint generated always as identity primary key,
    device_id     bigint not null constraint device_credential_is_of_a_device references device,
    slot          smallint not null constraint device_credential_slot check (slot in (1, 2)),
    kind          text not null constraint device_credential_kind check (kind in ('password', 'certificate')),
    key_id        text,
    salt          bytea,
    issued_at     timestamptz not null,
    issued_by     text not null,
    expires_at    timestamptz,
    used_at       timestamptz,
    ended_at      timestamptz,
    ended_by      text,
    ended_because text constraint device_credential_ended_because check (ended_because in
                  ('revoked', 'retired', 'replaced', 'expired')),
    constraint device_credential_expires_later check (expires_at is null or expires_at > issued_at),
    constraint device_credential_end_is_whole check (num_nonnulls(ended_at, ended_by, ended_because) in (0, 3)),
    constraint device_credential_password_has_a_salt
        check (num_nonnulls(key_id, salt) = case kind when 'password' then 2 else 0 end),
    -- The user name of slot 1 is the serial, which is what a certificate says.
    constraint device_credential_certificate_is_first check (kind = 'password' or slot = 1)
);
comment on column device_credential.slot is 'A device has at most two at a time, so that it can change from one to the other.';
comment on column device_credential.used_at is 'When the device said, with this one, that it has it; the older one ended then.';
create unique index device_credential_one_in_a_slot on device_credential (device_id, slot) where ended_at is null;
create index device_credential_by_device on device_credential (device_id);
create index device_credential_by_expiry on device_credential (expires_at) where ended_at is null and expires_at is not null;
create index device_credential_by_end on device_credential (ended_at) where ended_at is not null;

create table line_key (
    line        text primary key constraint line_key_name_fits check (line ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
    model       text not null constraint line_key_makes_a_model references device_model,
    key_id      text not null,
    salt        bytea not null,
    devices_max integer not null constraint line_key_makes_some check (devices_max between 1 and 1000000),
    issued_at   timestamptz not null,
    issued_by   text not null,
    expires_at  timestamptz not null,
    revoked_at  timestamptz,
    revoked_by  text,
    constraint line_key_expires_later check (expires_at > issued_at),
    constraint line_key_end_is_whole check (num_nonnulls(revoked_at, revoked_by) in (0, 2))
);
comment on table line_key is 'A key that all devices of a production line share, good for one thing: to get a credential of their own.';

create table line_proof (
    line      text not null constraint line_proof_is_of_a_line references line_key,
    nonce     text not null,
    device_id bigint not null constraint line_proof_is_of_a_device references device,
    proved_at timestamptz not null,
    constraint line_proof_is_new primary key (line, nonce)
);
comment on table line_proof is 'A proof that was heard once, so that whoever overheard it cannot say it again.';
create index line_proof_by_device on line_proof (device_id);

create table hub_account (
    name      text primary key constraint hub_account_name_fits check (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
    topics    text[] not null constraint hub_account_has_topics check (cardinality(topics) between 1 and 20),
    key_id    text not null,
    salt      bytea not null,
    issued_at timestamptz not null,
    issued_by text not null
);
comment on table hub_account is 'A hub that keeps topics of its own, such as zigbee2mqtt/#, and speaks for the devices behind it.';

-- A code by which a device gets its first credential: used once, then gone.
alter table claim_code drop constraint claim_code_kind;
alter table claim_code add constraint claim_code_kind check (kind in ('label', 'transfer', 'provision'));

-- Whoever keeps the broker to this listens, and is told whose access changed.
create function tell_access_changed() returns trigger language plpgsql as $$
begin
    perform pg_notify('access_changed', coalesce(to_jsonb(new) ->> 'device_id', ''));
    return null;
end $$;
create trigger device_credential_tells after insert or update on device_credential
    for each row execute function tell_access_changed();
create trigger hub_account_tells after insert or update or delete on hub_account
    for each row execute function tell_access_changed();
