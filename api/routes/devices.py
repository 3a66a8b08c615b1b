"""Devices, their readings and their forecasts."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, ClassVar

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field

from api.auth import Caller, Role, require_role
from api.doubts import select_device_doubt
from api.edge import At, CallerDep, Edge, EdgeDep, Reads, WriteDep, answer_once
from api.idempotency import Write
from api.models import Body, Out, Text, Time
from api.paging import Cursor, Limit, Page, cut_page, decode_cursor, encode_cursor
from api.watch import BEGINNING_OF_TIME
from customers.accounts import select_customer
from devices.nouns import Device, Installation
from devices.owners import ClaimKind, count_claim_try, issue_claim_code, select_owned_from
from devices.registry import register_device
from devices.store import select_device, select_device_status, select_devices, select_installations, select_latest
from millpond.kernel.db import ReadConnection, WriteConnection
from millpond.kernel.errors import InvalidInput, NotFound
from millpond.kernel.ids import CustomerId
from offers.ownership import claim_device

router = APIRouter(prefix="/v1/devices", tags=["devices"])


Region = Annotated[str, Field(max_length=80, pattern=r"^[^\x00]*$")]


class NewDevice(Body):
    """A device to register (an operator) or to claim (a customer, with its code); now, without `installed_at`."""

    serial: Text
    model: Annotated[Text | None, Field(description="An operator has to name it; a claimed device's is known.")] = None
    region: Region = ""
    customer_id: Annotated[Text | None, Field(description="The owner; a customer may only name themselves.")] = None
    installed_at: Time | None = None
    claim_code: Annotated[
        Text | None, Field(description="From the device's label, or from the owner before: a customer needs it.")
    ] = None


class DeviceOut(Out):
    """One unit; `customer_id` is null while nobody owns it."""

    serial: str
    model: str
    region: str
    customer_id: str | None
    installed_at: datetime
    registered_at: datetime


class RegisteredOut(DeviceOut):
    """A new device. The claim code of one without an owner is told once, to be printed on its label."""

    told_once: ClassVar = ("claim_code",)

    claim_code: str | None = None


class InstallationOut(Out):
    """One consumable in the device; `ended_at` is null for the current one.

    `ended_by` is `undone` for one that was never put in: what spoke for it `came_back`, or was `contradicted`.
    """

    installation_id: int
    part: str
    consumable: str
    installed_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    undone_because: str | None


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


class DoubtOut(Out):
    """What is doubtful about the device: samples that came without a good time, holes in its numbers, two units.

    `clock_offset_s` is by how many seconds its clock was last ahead of ours, null when it said nothing.
    `shared_serial_returns` is how often one of the two boots or sessions in `shared_serial_names` came back after the
    other was live: two units publish under this serial. 0 when none was noticed.
    """

    clock_samples: int
    clock_first_at: datetime | None
    clock_last_at: datetime | None
    clock_offset_s: float | None
    gaps: int
    gaps_since: datetime | None
    shared_serial_returns: int
    shared_serial_first_at: datetime | None
    shared_serial_last_at: datetime | None
    shared_serial_names: list[str] | None


class DeviceDetail(DeviceOut):
    """A device with what is in it and what it last said; `doubt` is told to operators."""

    status: StatusOut | None
    installations: list[InstallationOut]
    latest: list[LatestOut]
    doubt: DoubtOut | None


@router.post("", status_code=201, response_model=RegisteredOut)
def post_device(body: NewDevice, edge: EdgeDep, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Register a device with the parts its model comes with (an operator), or claim one with its code (a customer)."""
    require_role(caller, Role.OPERATOR, Role.CUSTOMER)
    if caller.role is Role.OPERATOR:
        return answer_once(write, lambda conn: _register(conn, caller, body, at))
    return _claim(edge, caller, body, write)


def _register(conn: WriteConnection, caller: Caller, body: NewDevice, at: datetime) -> tuple[int, Out]:
    if body.model is None:
        raise InvalidInput("model: name the device's model")
    if body.claim_code is not None:
        raise InvalidInput("claim_code: only a customer claims; name the owner as customer_id instead")
    device = register_device(
        conn,
        serial=body.serial,
        model=body.model,
        region=body.region,
        customer_id=find_named_customer(conn, body.customer_id) if body.customer_id else None,
        installed_at=body.installed_at or at,
        at=at,
        granted_by=caller.actor,
    )
    shown = RegisteredOut.model_validate(device)
    if device.customer_id is None:
        shown.claim_code = issue_claim_code(conn, device, ClaimKind.LABEL, at=at, issued_by=caller.actor)
    return 201, shown


def _claim(edge: Edge, caller: Caller, body: NewDevice, write: Write) -> JSONResponse:
    """The device that is theirs from now on. A try is counted whatever comes of it, so it is committed alone."""
    customer_id = CustomerId(caller.subject)
    if not body.claim_code:
        raise InvalidInput("claim_code: it is on the device's label, or comes from its owner before")
    code = body.claim_code

    def act(conn: WriteConnection) -> tuple[int, Out]:
        if body.customer_id:
            _require_oneself(conn, caller, body.customer_id)
        device = claim_device(
            conn,
            serial=body.serial,
            code=code,
            customer_id=customer_id,
            most=edge.settings.customer_devices_max,
            at=write.at,
            model=body.model,
            region=body.region,
            installed_at=body.installed_at,
        )
        return 201, RegisteredOut.model_validate(tell_owner(conn, device))

    with write.pool.connection() as conn, conn.transaction():
        count_claim_try(conn, customer_id, at=write.at, most=edge.settings.claim_tries_max)
    return answer_once(write, act)


def find_named_customer(conn: ReadConnection, customer_id: str) -> CustomerId:
    """The customer that an operator names by id or key; InvalidInput when there is none."""
    customer = select_customer(conn, customer_id)
    if customer is None:
        raise InvalidInput(f"customer_id: customer {customer_id[:80]} is not known")
    return customer.customer_id


def _require_oneself(conn: ReadConnection, caller: Caller, customer_id: str) -> None:
    customer = select_customer(conn, customer_id)
    if customer is None or customer.customer_id != caller.subject:
        raise NotFound(f"there is no customer {customer_id[:80]} that you may see")


@router.get("", response_model=Page[DeviceOut])
def get_devices(reads: Reads, caller: CallerDep, limit: Limit = 50, cursor: Cursor = None) -> Page[DeviceOut]:
    """All devices for an operator, their own for a customer, in the order they were registered."""
    require_role(caller, Role.OPERATOR, Role.CUSTOMER)
    owner = CustomerId(caller.subject) if caller.role is Role.CUSTOMER else None
    after = decode_cursor(cursor, int)[0] if cursor else 0
    with reads.connection() as conn:
        rows = select_devices(conn, after=after, limit=limit + 1, customer_id=owner)
        shown, following = cut_page(rows, limit, lambda row: encode_cursor(row.device_id))
        told = [tell_owner(conn, row) if owner else row for row in shown]
    return Page(items=[DeviceOut.model_validate(row) for row in told], next_cursor=following)


@router.get("/{serial}", response_model=DeviceDetail)
def get_device(serial: str, reads: Reads, caller: CallerDep) -> DeviceDetail:
    """One device with its installations and the latest value of every metric, as long as it is the caller's."""
    with reads.connection() as conn:
        seen = find_visible_device(conn, caller, serial)
        status = select_device_status(conn, seen.device.device_id)
        installations = select_installations(conn, seen.device.device_id)
        latest = select_latest(conn, seen.device.device_id)
        doubt = select_device_doubt(conn, seen.device.device_id) if caller.role is Role.OPERATOR else None
    return DeviceDetail(
        **DeviceOut.model_validate(seen.device).model_dump(),
        status=StatusOut.model_validate(status) if status and status.changed_at >= seen.since else None,
        installations=[_tell(row, seen.since) for row in installations if (row.ended_at or seen.since) >= seen.since],
        latest=[LatestOut.model_validate(row) for row in latest if row.measured_at >= seen.since],
        doubt=DoubtOut.model_validate(doubt) if doubt else None,
    )


def _tell(installation: Installation, since: datetime) -> InstallationOut:
    shown = InstallationOut.model_validate(installation)
    return shown.model_copy(update={"installed_at": max(shown.installed_at, since)})


@dataclass(frozen=True, slots=True)
class SeenDevice:
    """A device as one caller may see it: nothing of it from before `since`, when they became its owner."""

    device: Device
    since: datetime


def find_visible_device(conn: ReadConnection, caller: Caller, serial: str) -> SeenDevice:
    """The device, for its owner from when it became theirs, for operators whole; NotFound in every other case."""
    require_role(caller, Role.OPERATOR, Role.CUSTOMER)
    device = select_device(conn, serial)
    if device is None or (caller.role is Role.CUSTOMER and device.customer_id != caller.subject):
        raise NotFound(f"there is no device {serial[:80]} that you may see")
    if caller.role is Role.OPERATOR:
        return SeenDevice(device, BEGINNING_OF_TIME)
    told = tell_owner(conn, device)
    return SeenDevice(told, told.installed_at)


def tell_owner(conn: ReadConnection, device: Device) -> Device:
    """The device as its owner is told of it: installed when it became theirs, where that was later."""
    owned_from = select_owned_from(conn, device.device_id)
    return replace(device, installed_at=max(device.installed_at, owned_from or device.installed_at))
