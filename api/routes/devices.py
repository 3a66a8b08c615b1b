"""`/v1/devices`: registering, claiming, listing and showing devices."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field

from api.auth import Caller
from api.edge import At, CallerDep, Edge, EdgeDep, Reads, WriteDep, answer_write
from api.idempotency import IdempotentWrite
from api.models import Body, Out, Region, Text, Time
from api.paging import Cursor, Limit, Page, cut_page, decode_cursor, encode_cursor
from api.reads.fleet import select_device_doubt
from api.told.devices import (
    DeviceDetail,
    DeviceOut,
    DoubtOut,
    LatestOut,
    PresenceOut,
    RegisteredOut,
    StatusOut,
    show_installations,
)
from api.visible.customers import named_customer, own_customer_id, visible_account
from api.visible.devices import as_owned, device_owner, may_register_devices, visible_device
from api.visible.roles import may_see_workings, owns_nothing
from devices.owners import ClaimKind, count_claim_try, issue_claim_code
from devices.presence.states import select_devices_present, select_presence
from devices.registry import register_device
from devices.store import select_device_status, select_devices, select_installations, select_latest
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import InvalidInput
from offers.ownership import claim_device

router = APIRouter(prefix="/v1/devices", tags=["devices"])


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


@router.post("", status_code=201, response_model=RegisteredOut)
def post_device(body: NewDevice, edge: EdgeDep, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Register a device with the parts its model comes with (an operator), or claim one with its code (a customer)."""
    if may_register_devices(caller):
        return answer_write(write, lambda conn: _register(conn, caller, body, at))
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
        customer_id=named_customer(conn, body.customer_id) if body.customer_id else None,
        installed_at=body.installed_at or at,
        at=at,
        granted_by=caller.actor,
    )
    shown = RegisteredOut.model_validate(device)
    if device.customer_id is None:
        shown.claim_code = issue_claim_code(conn, device, ClaimKind.LABEL, at=at, issued_by=caller.actor)
    return 201, shown


def _claim(edge: Edge, caller: Caller, body: NewDevice, write: IdempotentWrite) -> JSONResponse:
    """The device that is theirs from now on. A try is counted whatever comes of it, so it is committed alone."""
    if not body.claim_code:
        raise InvalidInput("claim_code: it is on the device's label, or comes from its owner before")
    customer_id, code = own_customer_id(caller), body.claim_code

    def act(conn: WriteConnection) -> tuple[int, Out]:
        if body.customer_id:
            visible_account(conn, caller, body.customer_id)
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
        return 201, RegisteredOut.model_validate(as_owned(conn, device))

    with write.pool.connection() as conn, conn.transaction():
        count_claim_try(conn, customer_id, at=write.at, most=edge.settings.claim_tries_max)
    return answer_write(write, act)


@router.get("", response_model=Page[DeviceOut])
def get_devices(
    reads: Reads,
    caller: CallerDep,
    at: At,
    connection: Literal["online", "offline", "unknown"] | None = None,
    reporting: Literal["reporting", "quiet", "never_heard"] | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[DeviceOut]:
    """All devices for an operator, their own for a customer, in the order they were registered; or those in a state."""
    if owns_nothing(caller):
        return Page(items=[], next_cursor=None)
    owner = device_owner(caller)
    after = decode_cursor(cursor, int)[0] if cursor else 0
    with reads.connection() as conn:
        page: dict[str, Any] = {"after": after, "limit": limit + 1, "customer_id": owner}
        if connection or reporting:
            rows = select_devices_present(conn, at, connection=connection, reporting=reporting, **page)
        else:
            rows = select_devices(conn, **page)
        shown, following = cut_page(rows, limit, lambda row: encode_cursor(row.device_id))
        told = [as_owned(conn, row) if owner else row for row in shown]
    return Page(items=[DeviceOut.model_validate(row) for row in told], next_cursor=following)


@router.get("/{serial}", response_model=DeviceDetail)
def get_device(serial: str, reads: Reads, caller: CallerDep, at: At) -> DeviceDetail:
    """One device with its installations and the latest value of every metric, as long as it is the caller's."""
    with reads.connection() as conn:
        seen = visible_device(conn, caller, serial)
        status = select_device_status(conn, seen.device.device_id)
        presence = select_presence(conn, seen.device.device_id, at, seen.since)
        installations = select_installations(conn, seen.device.device_id)
        latest = select_latest(conn, seen.device.device_id)
        doubt = select_device_doubt(conn, seen.device.device_id) if may_see_workings(caller) else None
    return DeviceDetail(
        **DeviceOut.model_validate(seen.device).model_dump(),
        status=StatusOut.model_validate(status) if status and status.changed_at >= seen.since else None,
        presence=PresenceOut.model_validate(presence),
        installations=show_installations(installations, seen.since),
        latest=[LatestOut.model_validate(row) for row in latest if row.measured_at >= seen.since],
        doubt=DoubtOut.model_validate(doubt) if doubt else None,
    )
