"""A device changes hands: one owner's period ends, the next begins, and offers to the old one are withdrawn."""

from datetime import datetime

from customers.accounts import lock_customer
from devices.nouns import Device
from devices.owners import (
    TRANSFER_LIFE,
    ClaimKind,
    clear_claim_tries,
    count_devices_of,
    find_claim_kind,
    issue_claim_code,
    lock_device,
    set_owner,
)
from devices.registry import move_device, require_installed_at
from devices.store import select_device
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import Conflict, InvalidInput, NotFound
from millpond.kernel.ids import CustomerId
from offers.life import withdraw_offers_of_device


def claim_device(
    conn: WriteConnection,
    *,
    serial: str,
    code: str,
    customer_id: CustomerId,
    most: int,
    at: datetime,
    model: str | None = None,
    region: str = "",
    installed_at: datetime | None = None,
) -> Device:
    """Make the customer the owner of a device whose claim code they hold; a device that is theirs is answered as it is.

    Raises NotFound, alike for an unknown serial and a wrong code; Conflict when the device has an owner and the code
    is its label's, or when the customer has `most` devices.
    """
    require_installed_at(installed_at or at, at)
    with conn.transaction():
        _require_code(conn, serial, code, at)
        device = _lock_household(conn, serial, customer_id)
        # Again, now that nobody else can use it: a transfer's code may have been spent while we waited.
        kind = _require_code(conn, serial, code, at)
        if device.customer_id != customer_id:
            _require_claimable(conn, device, kind, customer_id, model, most)
            device = _hand_over(conn, device, customer_id, at=at, actor=f"customer:{customer_id}", since=installed_at)
        clear_claim_tries(conn, customer_id)
        if region and not device.region:
            device = move_device(conn, device, region=region, installed_at=device.installed_at, at=at)
        return device


def _require_code(conn: WriteConnection, serial: str, code: str, at: datetime) -> ClaimKind:
    kind = find_claim_kind(conn, serial, code, at=at)
    if kind is None:
        raise NotFound("no device of this serial waits for this claim code: look at both again")
    return kind


def _require_claimable(
    conn: WriteConnection, device: Device, kind: ClaimKind, customer_id: CustomerId, model: str | None, most: int
) -> None:
    if device.customer_id is not None and kind is ClaimKind.LABEL:
        raise Conflict(f"device {device.serial} has an owner: ask them to release it, or for a transfer code")
    if model is not None and model != device.model:
        raise InvalidInput(f"model: {device.serial} is a {device.model}, not a {model}")
    if count_devices_of(conn, customer_id) >= most:
        raise Conflict(f"a customer may own {most} devices at most: release one first")


def assign_device(
    conn: WriteConnection,
    serial: str,
    customer_id: CustomerId | None,
    *,
    at: datetime,
    actor: str,
    owner: CustomerId | None = None,
) -> Device:
    """Say who owns a device (None: nobody). The first owner has had it since it was installed.

    `owner` is whose it must still be, where one asks for it. Raises NotFound for an unknown device or customer.
    """
    with conn.transaction():
        device = _lock_household(conn, serial, customer_id)
        _require_still(device, owner)
        if device.customer_id == customer_id:
            return device
        return _hand_over(conn, device, customer_id, at=at, actor=actor, since=device.installed_at)


def offer_transfer(
    conn: WriteConnection, serial: str, *, at: datetime, actor: str, owner: CustomerId | None = None
) -> tuple[str, datetime]:
    """A code with which a buyer becomes the owner in place of the one of now, and until when; a newer voids an older.

    `owner` is whose the device must still be, where one asks for it: who sold it must not take it back.

    Raises NotFound for an unknown device, Conflict for one without an owner: its label's code is enough there.
    """
    with conn.transaction():
        device = lock_device(conn, serial)
        if device is None:
            raise NotFound(f"device {serial[:80]} is not known")
        _require_still(device, owner)
        if device.customer_id is None:
            raise Conflict(f"device {serial} has no owner: whoever has its claim code may claim it")
        code = issue_claim_code(conn, device, ClaimKind.TRANSFER, at=at, issued_by=actor, life=TRANSFER_LIFE)
        return code, at + TRANSFER_LIFE


def _require_still(device: Device, owner: CustomerId | None) -> None:
    """Whoever asked was the owner before the lock was waited for; the device may be another's now."""
    if owner is not None and device.customer_id != owner:
        raise NotFound(f"there is no device {device.serial} that you may see")


def _lock_household(conn: WriteConnection, serial: str, new_owner: CustomerId | None) -> Device:
    """The device, locked, and before it the customers it concerns, by id: so that nobody waits in a circle."""
    seen = select_device(conn, serial)
    if seen is None:
        raise NotFound(f"device {serial[:80]} is not known")
    for customer_id in sorted({each for each in (seen.customer_id, new_owner) if each is not None}):
        lock_customer(conn, customer_id)
    device = lock_device(conn, serial)
    if device is None or device.customer_id not in (seen.customer_id, new_owner):
        raise Conflict(f"device {serial} changed hands at this moment: look again")
    return device


def _hand_over(
    conn: WriteConnection, device: Device, to: CustomerId | None, *, at: datetime, actor: str, since: datetime | None
) -> Device:
    if device.customer_id is not None:
        withdraw_offers_of_device(conn, device.customer_id, device.device_id, at=at, actor=actor)
    return set_owner(conn, device, to, at=at, granted_by=actor, first_from=since)
