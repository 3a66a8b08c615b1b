"""Use cases: issue a credential, let it go, and let a device say that it has the new one."""

import hmac
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import class_row, kwargs_row, scalar_row

from devices.credentials.nouns import (
    Access,
    Credential,
    CredentialKind,
    EndedBecause,
    IssuedCredential,
    device_username,
    parse_username,
    password_purpose,
)
from devices.nouns import Device
from devices.owners import lock_device
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.device_keys import DeviceKeys
from millpond.kernel.errors import Conflict, NotFound
from millpond.kernel.ids import DeviceId

_Q = load_queries("devices.credentials")
_SALT_BYTES = 16


def issue_credential(
    conn: WriteConnection,
    keys: DeviceKeys,
    device: Device,
    *,
    at: datetime,
    by: str,
    life: timedelta | None = None,
    kind: CredentialKind = CredentialKind.PASSWORD,
) -> IssuedCredential:
    """A credential more; the one that the device has stays good beside it. Told once, here.

    Raises Conflict when it has two already, or a certificate where its first name is taken.
    """
    lock_device(conn, device.serial)
    conn.execute(_Q["end_expired"], {"device_id": device.device_id, "at": at})
    slot = _free_slot(conn, device, kind)
    salt = secrets.token_bytes(_SALT_BYTES) if kind is CredentialKind.PASSWORD else None
    expires_at = at + life if life else None
    values = {"device_id": device.device_id, "slot": slot, "kind": kind, "salt": salt, "at": at, "by": by}
    key_id = keys.current if salt else None
    conn.execute(_Q["insert_credential"], values | {"key_id": key_id, "expires_at": expires_at})
    access = Access(device.device_id, device.serial, slot, key_id, salt)
    return IssuedCredential(
        device.serial, slot, device_username(device.serial, slot), access_password(keys, access), at, expires_at
    )


def access_password(keys: DeviceKeys, access: Access) -> str | None:
    """The password of a user of the broker; None where it has a certificate."""
    if access.key_id is None or access.salt is None:
        return None
    return keys.derive(access.key_id, password_purpose(access.serial, access.slot), access.salt)


def _free_slot(conn: ReadConnection, device: Device, kind: CredentialKind) -> int:
    taken = {each.slot for each in select_credentials(conn, device.device_id) if each.ended_at is None}
    if kind is CredentialKind.CERTIFICATE and 1 in taken:
        raise Conflict(f"{device.serial} has a credential in slot 1, which is a certificate's: retire that one first")
    free = {1, 2} - taken
    if not free:
        raise Conflict(f"{device.serial} has two credentials: retire one of them first")
    return min(free)


def select_credentials(conn: ReadConnection, device_id: DeviceId) -> list[Credential]:
    """All credentials of a device that are kept, newest first; none of them has a secret."""
    with conn.cursor(row_factory=kwargs_row(_credential)) as cursor:
        return cursor.execute(_Q["select_credentials"], {"device_id": device_id}).fetchall()


def _credential(*, kind: str, ended_because: str | None, **same: Any) -> Credential:
    ended = EndedBecause(ended_because) if ended_because else None
    return Credential(kind=CredentialKind(kind), ended_because=ended, **same)


def select_provisioned(conn: ReadConnection, device_ids: Collection[DeviceId]) -> set[DeviceId]:
    """Those of the devices that have a credential which has not ended."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        return set(cursor.execute(_Q["select_with_credential"], {"device_ids": list(device_ids)}))


def end_credentials(
    conn: WriteConnection, device: Device, *, at: datetime, by: str, because: EndedBecause, slot: int | None = None
) -> int:
    """End what the device has, in one slot or in both; the broker disconnects it. Returns how many ended.

    Raises NotFound when there was none.
    """
    values = {"device_id": device.device_id, "slot": slot, "at": at, "by": by, "because": because}
    ended = conn.execute(_Q["end_credentials"], values).rowcount
    if not ended:
        where = "" if slot is None else f" in slot {slot}"
        raise NotFound(f"device {device.serial} has no credential{where} that is good")
    return ended


def end_expired_credentials(conn: WriteConnection, at: datetime) -> int:
    """End those whose time is over; returns how many."""
    return conn.execute(_Q["end_expired"], {"device_id": None, "at": at}).rowcount


def prove_password(conn: ReadConnection, keys: DeviceKeys, username: str, password: str, at: datetime) -> Access | None:
    """Whose user name and password these are; None when they are nobody's, or not any more."""
    serial, slot = parse_username(username)
    with conn.cursor(row_factory=scalar_row) as cursor:
        device_id = cursor.execute(_Q["select_device_id"], {"serial": serial}).fetchone()
    if device_id is None:
        return None
    for access in select_access(conn, at, [device_id]):
        own = access_password(keys, access)
        if access.slot == slot and own is not None and hmac.compare_digest(own.encode(), password.encode()):
            return access
    return None


def record_credential_used(conn: WriteConnection, access: Access, *, at: datetime) -> None:
    """The device has this credential: the other one, if there is one, ends."""
    values = {"device_id": access.device_id, "slot": access.slot, "at": at, "by": f"device:{access.serial}"}
    conn.execute(_Q["mark_credential_used"], values)
    conn.execute(_Q["end_older_credentials"], values)


def select_access(conn: ReadConnection, at: datetime, device_ids: Collection[int] | None = None) -> list[Access]:
    """The users that the broker should have at that moment: of all devices, or of the given ones."""
    with conn.cursor(row_factory=class_row(Access)) as cursor:
        ids = None if device_ids is None else list(device_ids)
        return cursor.execute(_Q["select_access"], {"at": at, "device_ids": ids}).fetchall()


def select_serials(conn: ReadConnection, device_ids: Collection[int]) -> list[str]:
    """The serials of these devices."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(_Q["select_serials"], {"device_ids": list(device_ids)}).fetchall()
