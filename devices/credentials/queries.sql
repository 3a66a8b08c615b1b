-- name: end_expired
-- Credentials of a device, or of any, whose time is over.
update device_credential set ended_at = expires_at, ended_by = 'time', ended_because = 'expired'
where ended_at is null and expires_at <= %(at)s::timestamptz
  and (%(device_id)s::bigint is null or device_id = %(device_id)s::bigint);

-- name: insert_credential
-- A device has a credential more.
insert into device_credential (device_id, slot, kind, key_id, salt, issued_at, issued_by, expires_at)
values (%(device_id)s, %(slot)s, %(kind)s, %(key_id)s, %(salt)s, %(at)s, %(by)s, %(expires_at)s);

-- name: select_credentials
-- All credentials of a device that are kept, newest first.
select slot, kind, issued_at, issued_by, expires_at, used_at, ended_at, ended_by, ended_because
from device_credential where device_id = %(device_id)s order by credential_id desc;

-- name: select_with_credential
-- Those of the given devices that have a credential that has not ended.
select distinct device_id from device_credential where device_id = any(%(device_ids)s::bigint[]) and ended_at is null;

-- name: end_credentials
-- The credentials of a device that are good end, in one slot or in both.
update device_credential set ended_at = %(at)s, ended_by = %(by)s, ended_because = %(because)s
where device_id = %(device_id)s and ended_at is null and (%(slot)s::int is null or slot = %(slot)s::int);

-- name: end_older_credentials
-- The credentials of a device beside the one that it says it has.
update device_credential set ended_at = %(at)s, ended_by = %(by)s, ended_because = 'replaced'
where device_id = %(device_id)s and ended_at is null and slot <> %(slot)s;

-- name: mark_credential_used
-- The device has this credential.
update device_credential set used_at = coalesce(used_at, %(at)s::timestamptz)
where device_id = %(device_id)s and slot = %(slot)s and ended_at is null;

-- name: select_access
-- The users that devices should have at the broker: all, or those of the given devices.
select c.device_id, d.serial, c.slot, c.key_id, c.salt
from device_credential c join device d using (device_id)
where c.ended_at is null and (c.expires_at is null or c.expires_at > %(at)s::timestamptz)
  and (%(device_ids)s::bigint[] is null or c.device_id = any(%(device_ids)s::bigint[]))
order by d.serial, c.slot;

-- name: select_serials
-- The serials of devices.
select serial from device where device_id = any(%(device_ids)s::bigint[]);

-- name: spend_provision_code
-- A code by which a device gets its credential is used once.
delete from claim_code c using device d
where c.device_id = d.device_id and d.serial = %(serial)s and c.kind = 'provision' and c.code_sha256 = %(code_sha256)s
  and (c.expires_at is null or c.expires_at > %(at)s::timestamptz)
returning d.device_id;

-- name: insert_line_key
-- A production line's key.
insert into line_key (line, model, key_id, salt, devices_max, issued_at, issued_by, expires_at)
values (%(line)s, %(model)s, %(key_id)s, %(salt)s, %(devices_max)s, %(at)s, %(by)s, %(expires_at)s);

-- name: revoke_line_key
-- No device gets a credential by this line's key any more.
update line_key set revoked_at = %(at)s, revoked_by = %(by)s where line = %(line)s and revoked_at is null;

-- name: lock_line_key
-- A line's key while one of its devices is provisioned: they are counted one after the other.
select line, model, key_id, salt, devices_max, expires_at, revoked_at from line_key where line = %(line)s for update;

-- name: select_good_line
-- A line whose key is good at a moment.
select line from line_key where line = %(line)s and revoked_at is null and expires_at > %(at)s::timestamptz;

-- name: select_line_keys
-- All lines with how many devices they have provisioned.
select k.line, k.model, k.devices_max, k.issued_at, k.issued_by, k.expires_at, k.revoked_at, k.revoked_by,
       (select count(distinct p.device_id) from line_proof p where p.line = k.line) as devices
from line_key k order by k.line;

-- name: insert_line_proof
-- A proof was heard.
insert into line_proof (line, nonce, device_id, proved_at) values (%(line)s, %(nonce)s, %(device_id)s, %(at)s);

-- name: select_line_proofs
-- When a device first proved itself by a line's key, and how many devices of the line there are.
select (select min(proved_at) from line_proof where line = %(line)s and device_id = %(device_id)s) as first_at,
       (select count(distinct device_id) from line_proof where line = %(line)s) as devices;

-- name: insert_hub_account
-- A hub's account.
insert into hub_account (name, topics, key_id, salt, issued_at, issued_by)
values (%(name)s, %(topics)s, %(key_id)s, %(salt)s, %(at)s, %(by)s);

-- name: delete_hub_account
-- A hub has no account any more.
delete from hub_account where name = %(name)s;

-- name: select_hub_accounts
-- All hubs' accounts.
select name, topics, key_id, salt, issued_at, issued_by from hub_account order by name;

-- name: end_ended_credentials
-- Credentials that ended before a moment.
with old as (
    select credential_id from device_credential where ended_at < %(before)s::timestamptz
    order by credential_id limit %(most)s::bigint
), gone as (
    delete from device_credential c using old where %(deleting)s::boolean and c.credential_id = old.credential_id returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;

-- name: end_line_proofs
-- Proofs of lines whose key ended before a moment: nobody can use one again.
with old as (
    select p.line, p.nonce from line_proof p join line_key k using (line)
    where least(k.expires_at, coalesce(k.revoked_at, k.expires_at)) < %(before)s::timestamptz
    order by p.line, p.nonce limit %(most)s::bigint
), gone as (
    delete from line_proof p using old
    where %(deleting)s::boolean and (p.line, p.nonce) = (old.line, old.nonce) returning 1
)
select case when %(deleting)s::boolean then (select count(*) from gone) else (select count(*) from old) end;

-- name: select_device_id
-- The key of the device with this serial.
select device_id from device where serial = %(serial)s;
