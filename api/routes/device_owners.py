"""`/v1/devices/{serial}/…`: whose a device is: claim codes, transfer, release, and what an operator corrects."""

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.auth import Role
from api.edge import At, CallerDep, Reads, WriteDep, answer_write
from api.models import Body, Out, Region, Text, Time
from api.told.devices import ClaimCodeOut, DeviceOut, OwnershipOut, OwnersOut
from api.visible.customers import named_customer
from api.visible.devices import device_owner, visible_device
from api.visible.roles import require_role
from devices.nouns import Device
from devices.owners import ClaimKind, issue_claim_code, lock_device, select_owners
from devices.registry import move_device
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import InvalidInput
from offers.ownership import assign_device, offer_transfer

router = APIRouter(prefix="/v1/devices", tags=["devices"])


class DevicePatch(Body):
    """What an operator corrects; what is left out stays. `customer_id` null takes the device from its owner."""

    region: Region | None = None
    customer_id: Text | None = None
    installed_at: Time | None = None


@router.patch("/{serial}", response_model=DeviceOut)
def patch_device(serial: str, body: DevicePatch, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Correct a device's region, owner or date of installation. A new owner sees nothing of the time before."""
    require_role(caller, Role.OPERATOR)
    if not body.model_fields_set:
        raise InvalidInput("body: name what to change: region, customer_id or installed_at")

    def act(conn: WriteConnection) -> tuple[int, Out]:
        visible_device(conn, caller, serial)
        if "customer_id" in body.model_fields_set:
            owner = named_customer(conn, body.customer_id) if body.customer_id else None
            assign_device(conn, serial, owner, at=at, actor=caller.actor)
        return 200, DeviceOut.model_validate(_move(conn, serial, body, at))

    return answer_write(write, act)


def _move(conn: WriteConnection, serial: str, body: DevicePatch, at: datetime) -> Device:
    device = lock_device(conn, serial)
    assert device is not None  # It was found in this transaction, and devices are never deleted.
    region = device.region if body.region is None else body.region
    return move_device(conn, device, region=region, installed_at=body.installed_at or device.installed_at, at=at)


@router.post("/{serial}/claim-codes", status_code=201, response_model=ClaimCodeOut)
def post_claim_code(serial: str, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """A new claim code for the device's label; the one before is worthless."""
    require_role(caller, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        visible_device(conn, caller, serial)
        device = lock_device(conn, serial)
        assert device is not None  # It was found in this transaction, and devices are never deleted.
        code = issue_claim_code(conn, device, ClaimKind.LABEL, at=at, issued_by=caller.actor)
        return 201, ClaimCodeOut(serial=device.serial, claim_code=code, expires_at=None)

    return answer_write(write, act)


@router.post("/{serial}/transfers", status_code=201, response_model=ClaimCodeOut)
def post_transfer(serial: str, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """A code for the buyer, who becomes the owner in place of the one of now and sees nothing of before."""

    def act(conn: WriteConnection) -> tuple[int, Out]:
        visible_device(conn, caller, serial)
        code, expires_at = offer_transfer(conn, serial, at=at, actor=caller.actor, owner=device_owner(caller))
        return 201, ClaimCodeOut(serial=serial, claim_code=code, expires_at=expires_at)

    return answer_write(write, act)


@router.post("/{serial}/release", response_model=DeviceOut)
def post_release(serial: str, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """The device is nobody's any more: its label's claim code makes the next owner, who sees nothing of before."""

    def act(conn: WriteConnection) -> tuple[int, Out]:
        visible_device(conn, caller, serial)
        released = assign_device(conn, serial, None, at=at, actor=caller.actor, owner=device_owner(caller))
        return 200, DeviceOut.model_validate(released)

    return answer_write(write, act)


@router.get("/{serial}/owners", response_model=OwnersOut)
def get_owners(serial: str, reads: Reads, caller: CallerDep) -> OwnersOut:
    """Who owned the device from when until when."""
    require_role(caller, Role.OPERATOR)
    with reads.connection() as conn:
        seen = visible_device(conn, caller, serial)
        owners = select_owners(conn, seen.device.device_id)
    return OwnersOut(items=[OwnershipOut.model_validate(row) for row in owners])
