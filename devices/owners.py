"""Who owns a device: periods that never overlap, and the codes that prove that a device is in somebody's hands.

A code has 80 random bits, is kept as a digest only, and comes in two kinds for people. A label's code is printed on the
device and makes its holder the owner while nobody is. A transfer's code is made for one sale: it puts the buyer in the
place of the owner who asked for it, once. A third kind is for the device itself, which gets its credential by it
(`devices/credentials/provisioning.py`), and makes nobody an owner.
"""

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum

import psycopg
from psycopg.rows import class_row, scalar_row

from devices.nouns import Device, Ownership
from devices.store import read_device, select_device
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.errors import NotFound, TooManyTries
from millpond.kernel.ids import CustomerId, DeviceId

_Q = load_queries("devices")
TRANSFER_LIFE = timedelta(days=14)
# Crockford's alphabet: no letter that is read as another.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans("OIL", "011", "- ")
_CODE_LENGTH, _GROUP = 16, 4
_WINDOW = timedelta(hours=1)


class ClaimKind(StrEnum):
    """What a claim code is for."""

    LABEL = "label"
    TRANSFER = "transfer"
    PROVISION = "provision"


def lock_device(conn: WriteConnection, serial: str) -> Device | None:
    """The device with this serial; until the transaction ends nobody else changes its owner or its place."""
    conn.execute(_Q["lock_device"], {"serial": serial})
    return select_device(conn, serial)


def begin_first_period(conn: WriteConnection, device: Device, granted_by: str) -> None:
    """A device that is registered with an owner has been theirs since it was installed."""
    if device.customer_id is not None:
        _insert_owner(conn, device, device.customer_id, device.installed_at, granted_by)


def set_owner(
    conn: WriteConnection,
    device: Device,
    customer_id: CustomerId | None,
    *,
    at: datetime,
    granted_by: str,
    first_from: datetime | None = None,
) -> Device:
    """End the period of the owner of now, and begin the next one's; the caller has locked the device.

    The first owner's period begins at `first_from` (else at `at`), which may lie in the past, since no other customer
    had the device then. A later owner's begins now, so that they see nothing of the household before.
    """
    conn.execute(_Q["end_owner"], {"device_id": device.device_id, "at": at})
    conn.execute(_Q["delete_transfer_code"], {"device_id": device.device_id})
    if customer_id is not None:
        over = _last_owned(conn, device.device_id)
        # `at` was read before the lock was waited for, and whoever held it may have ended a period after it.
        _insert_owner(conn, device, customer_id, max(at, over) if over else first_from or at, granted_by)
    conn.execute(_Q["update_device_owner"], {"device_id": device.device_id, "customer_id": customer_id})
    return read_device(conn, device.serial)


def _insert_owner(
    conn: WriteConnection, device: Device, customer_id: CustomerId, owned_from: datetime, granted_by: str
) -> None:
    values = {"device_id": device.device_id, "customer_id": customer_id, "owned_from": owned_from}
    conn.execute(_Q["insert_owner"], values | {"granted_by": granted_by})


def _last_owned(conn: ReadConnection, device_id: DeviceId) -> datetime | None:
    with conn.cursor(row_factory=scalar_row) as cursor:
        over: datetime | None = cursor.execute(_Q["select_last_owned"], {"device_id": device_id}).fetchone()
    return over


def select_owners(conn: ReadConnection, device_id: DeviceId) -> list[Ownership]:
    """Who owned the device from when until when, oldest first."""
    with conn.cursor(row_factory=class_row(Ownership)) as cursor:
        return cursor.execute(_Q["select_owners"], {"device_id": device_id}).fetchall()


def select_owned_from(conn: ReadConnection, device_id: DeviceId) -> datetime | None:
    """Since when the owner of now has owned the device; None while nobody does."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        since: datetime | None = cursor.execute(_Q["select_owned_from"], {"device_id": device_id}).fetchone()
    return since


def count_devices_of(conn: ReadConnection, customer_id: CustomerId) -> int:
    """How many devices the customer owns now."""
    [(owned,)] = conn.execute(_Q["count_devices_of"], {"customer_id": customer_id})
    return int(owned)


def issue_claim_code(
    conn: WriteConnection,
    device: Device,
    kind: ClaimKind,
    *,
    at: datetime,
    issued_by: str,
    life: timedelta | None = None,
) -> str:
    """A new code like `7K3M-9QRT-0XWE-4H2B`, of which only the digest is kept; it voids an older one of its kind."""
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
    values = {
        "device_id": device.device_id,
        "kind": kind,
        "code_sha256": claim_code_digest(device.serial, code),
        "at": at,
        "issued_by": issued_by,
        "expires_at": at + life if life else None,
    }
    conn.execute(_Q["upsert_claim_code"], values)
    return "-".join(code[start : start + _GROUP] for start in range(0, _CODE_LENGTH, _GROUP))


def find_claim_kind(conn: ReadConnection, serial: str, code: str, *, at: datetime) -> ClaimKind | None:
    """Of which kind the code of this serial is; None alike for an unknown device, a wrong code and one that is over."""
    values = {"serial": serial, "code_sha256": claim_code_digest(serial, code), "at": at}
    with conn.cursor(row_factory=scalar_row) as cursor:
        kind = cursor.execute(_Q["select_claim_kind"], values).fetchone()
    return ClaimKind(kind) if kind else None


def select_labelled(conn: ReadConnection, device_ids: Collection[DeviceId]) -> set[DeviceId]:
    """Those of the devices for which a label's code was issued."""
    with conn.cursor(row_factory=scalar_row) as cursor:
        return set(cursor.execute(_Q["select_labelled"], {"device_ids": list(device_ids)}))


def count_claim_try(conn: WriteConnection, customer_id: CustomerId, *, at: datetime, most: int) -> None:
    """Count a try before it is made, so that many at once count too. Raises TooManyTries above `most` in an hour."""
    values = {"customer_id": customer_id, "at": at, "hour_ago": at - _WINDOW}
    try:
        [(tries,)] = conn.execute(_Q["count_claim_failure"], values)
    except psycopg.errors.ForeignKeyViolation as error:
        raise NotFound(f"customer {customer_id[:80]} is not known") from error
    if tries > most:
        raise TooManyTries("too many claims in the last hour: look at the code again, and try once more in an hour")


def clear_claim_tries(conn: WriteConnection, customer_id: CustomerId) -> None:
    """Count the customer's wrong codes anew; called when they gave a right one."""
    conn.execute(_Q["delete_claim_failures"], {"customer_id": customer_id})


def claim_code_digest(serial: str, code: str) -> bytes:
    """What is kept of a code. A plain hash is enough: a code has 80 random bits, too many to try."""
    plain = code.upper().translate(_READ_AS)
    return hashlib.sha256(f"{serial}\n{plain}".encode()).digest()
