"""Who may see a device, and from when on."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from api.auth import Caller, Role
from api.visible.customers import own_customer_id
from api.visible.looks import note_look
from api.visible.roles import refuse, require_role
from devices.nouns import Device
from devices.owners import select_owned_from
from devices.store import select_device
from millpond.kernel.db import ReadConnection
from millpond.kernel.ids import CustomerId

_SINCE_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class VisibleDevice:
    """A device as one caller may see it: nothing of it from before `since`, when they became its owner."""

    device: Device
    since: datetime


def visible_device(conn: ReadConnection, caller: Caller, serial: str) -> VisibleDevice:
    """The device: for its owner from when it became theirs, for operators whole."""
    require_role(caller, Role.OPERATOR, Role.CUSTOMER)
    device = select_device(conn, serial)
    if device is None or (caller.role is Role.CUSTOMER and not caller.is_customer(device.customer_id)):
        refuse("device", serial)
    note_look(caller, device.customer_id)
    if caller.role is Role.OPERATOR:
        return VisibleDevice(device, _SINCE_EVER)
    owned = as_owned(conn, device)
    return VisibleDevice(owned, owned.installed_at)


def device_owner(caller: Caller) -> CustomerId | None:
    """Whose devices the caller may see and act on: their own for a customer, None (everybody's) for operators."""
    require_role(caller, Role.OPERATOR, Role.CUSTOMER)
    return own_customer_id(caller) if caller.role is Role.CUSTOMER else None


def may_register_devices(caller: Caller) -> bool:
    """Do they register devices, as operators do, or claim them, as customers do? NotFound for staff, who do neither."""
    require_role(caller, Role.OPERATOR, Role.CUSTOMER)
    return caller.role is Role.OPERATOR


def as_owned(conn: ReadConnection, device: Device) -> Device:
    """The device as its owner is told of it: installed when it became theirs, where that was later."""
    owned_from = select_owned_from(conn, device.device_id)
    return replace(device, installed_at=max(device.installed_at, owned_from or device.installed_at))
