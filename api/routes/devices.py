"""Devices, their readings and their forecasts."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field

from api.auth import Caller, Role, require_role
from api.edge import At, CallerDep, Reads, WriteDep, answer_once
from api.models import Body, Out, Text, Time
from api.paging import Cursor, Limit, Page, cut_page, decode_cursor, encode_cursor
from attribution.people import select_customer
from devices.nouns import Device
from devices.registry import register_device
from devices.store import (
    select_device,
    select_device_status,
    select_devices,
    select_installations,
    select_latest,
)
from millpond.kernel.db import ReadConnection, WriteConnection
from millpond.kernel.errors import InvalidInput, NotFound
from millpond.kernel.ids import CustomerId

router = APIRouter(prefix="/v1/devices", tags=["devices"])


class NewDevice(Body):
    """A device to register. Without `installed_at` it is installed now."""

    serial: Text
    model: Text
    region: Annotated[str, Field(max_length=80, pattern=r"^[^\x00]*$")] = ""
    customer_id: Text | None = None
    installed_at: Time | None = None


class DeviceOut(Out):
    """One unit; `customer_id` is null while nobody owns it."""

    serial: str
    model: str
    region: str
    customer_id: str | None
    installed_at: datetime
    registered_at: datetime


class InstallationOut(Out):
    """One consumable in the device; `ended_at` is null for the current one."""

    installation_id: int
    part: str
    consumable: str
    installed_at: datetime
    ended_at: datetime | None
    ended_by: str | None


class LatestOut(Out):
    """The newest value of one metric."""

    metric: str
    unit: str
    measured_at: datetime
    value: float | None
    state: str | None


class StatusOut(Out):
    """What the device last said of itself."""

    state: str
    changed_at: datetime


class DeviceDetail(DeviceOut):
    """A device with what is in it and what it last said."""

    status: StatusOut | None
    installations: list[InstallationOut]
    latest: list[LatestOut]


@router.post("", status_code=201, response_model=DeviceOut)
def post_device(body: NewDevice, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Register a device with the parts its model comes with: an operator for anyone, a customer for themselves."""
    require_role(caller, Role.OPERATOR, Role.CUSTOMER)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        device = register_device(
            conn,
            serial=body.serial,
            model=body.model,
            region=body.region,
            customer_id=_owner_for(conn, caller, body.customer_id),
            installed_at=body.installed_at or at,
            at=at,
        )
        return 201, DeviceOut.model_validate(device)

    return answer_once(write, act)


def _owner_for(conn: ReadConnection, caller: Caller, customer_id: str | None) -> CustomerId | None:
    if not customer_id:
        return CustomerId(caller.subject) if caller.role is Role.CUSTOMER else None
    customer = select_customer(conn, customer_id)
    if customer is None and caller.role is Role.OPERATOR:
        raise InvalidInput(f"customer_id: customer {customer_id} is not known")
    if customer is None or (caller.role is Role.CUSTOMER and customer.customer_id != caller.subject):
        raise NotFound(f"there is no customer {customer_id} that you may see")
    return customer.customer_id


@router.get("", response_model=Page[DeviceOut])
def get_devices(reads: Reads, caller: CallerDep, limit: Limit = 50, cursor: Cursor = None) -> Page[DeviceOut]:
    """All devices for an operator, their own for a customer, in the order they were registered."""
    require_role(caller, Role.OPERATOR, Role.CUSTOMER)
    owner = CustomerId(caller.subject) if caller.role is Role.CUSTOMER else None
    after = decode_cursor(cursor, int)[0] if cursor else 0
    with reads.connection() as conn:
        rows = select_devices(conn, after=after, limit=limit + 1, customer_id=owner)
    shown, following = cut_page(rows, limit, lambda row: encode_cursor(row.device_id))
    return Page(items=[DeviceOut.model_validate(row) for row in shown], next_cursor=following)


@router.get("/{serial}", response_model=DeviceDetail)
def get_device(serial: str, reads: Reads, caller: CallerDep) -> DeviceDetail:
    """One device with its installations and the latest value of every metric."""
    with reads.connection() as conn:
        device = find_visible_device(conn, caller, serial)
        status = select_device_status(conn, device.device_id)
        installations = select_installations(conn, device.device_id)
        latest = select_latest(conn, device.device_id)
    return DeviceDetail(
        **DeviceOut.model_validate(device).model_dump(),
        status=StatusOut.model_validate(status) if status else None,
        installations=[InstallationOut.model_validate(row) for row in installations],
        latest=[LatestOut.model_validate(row) for row in latest],
    )


def find_visible_device(conn: ReadConnection, caller: Caller, serial: str) -> Device:
    """The device, if it exists and the caller is its owner or an operator; NotFound in every other case."""
    require_role(caller, Role.OPERATOR, Role.CUSTOMER)
    device = select_device(conn, serial)
    if device is None or (caller.role is Role.CUSTOMER and device.customer_id != caller.subject):
        raise NotFound(f"there is no device {serial[:80]} that you may see")
    return device
