"""`/v1/devices/…/credentials` for operators, and `/v1/devices/provision` for the devices themselves."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from api.auth import Role
from api.edge import At, CallerDep, DeviceWriteDep, Edge, EdgeDep, Reads, WriteDep, answer_write, to_response
from api.models import Body, Out, Text
from api.told.credentials import CredentialOut, CredentialsOut, EndedOut, IssuedCredentialOut, ProvisionCodeOut, UsedOut
from api.visible.devices import visible_device
from api.visible.roles import require_role
from devices.credentials.issuing import (
    access_password,
    end_credentials,
    issue_credential,
    prove_password,
    record_credential_used,
    select_access,
    select_credentials,
)
from devices.credentials.lines import LineProof, is_line_good, provision_by_line
from devices.credentials.nouns import Access, CredentialKind, EndedBecause, IssuedCredential
from devices.credentials.provisioning import PROVISION_LIFE, REFUSED, provision_by_code, renew_credential
from devices.owners import ClaimKind, issue_claim_code
from devices.store import read_device
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import InvalidInput, Unauthenticated

router = APIRouter(prefix="/v1/devices", tags=["devices"])

_TOLD_AGAIN = timedelta(hours=1)


class NewCredential(Body):
    """A credential for a device: a password of ours, or a certificate that says its serial as its common name."""

    kind: Literal["password", "certificate"] = "password"
    days: Annotated[float | None, Field(gt=0, le=36_500, description="For how long; for good without.")] = None


class FirstContact(Body):
    """What a device proves itself by: its code; or its line with a nonce and a proof; or what it signs in with now."""

    serial: Text | None = None
    claim_code: Text | None = None
    line: Text | None = None
    nonce: Annotated[Text | None, Field(min_length=8, max_length=64, description="New at each try.")] = None
    proof: Annotated[
        str | None,
        Field(pattern="^[0-9a-fA-F]{64}$", description="HMAC-SHA256 of serial, line feed, nonce; in hexadecimal."),
    ] = None
    username: Text | None = None
    password: Text | None = None


class UsedCredential(Body):
    """What the device signs in with from now on."""

    username: Text
    password: Text


@router.post("/{serial}/credentials", status_code=201, response_model=IssuedCredentialOut)
def post_credential(
    serial: str, body: NewCredential, edge: EdgeDep, caller: CallerDep, write: WriteDep, at: At
) -> JSONResponse:
    """Issue a credential, told once. The one that the device has stays good until it is retired or replaced."""
    require_role(caller, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        device = visible_device(conn, caller, serial).device
        life = timedelta(days=body.days) if body.days else None
        keys = edge.settings.device_keys()
        issued = issue_credential(conn, keys, device, at=at, by=caller.actor, life=life, kind=CredentialKind(body.kind))
        return 201, IssuedCredentialOut.model_validate(issued)

    return answer_write(write, act)


@router.get("/{serial}/credentials", response_model=CredentialsOut)
def get_credentials(serial: str, reads: Reads, caller: CallerDep) -> CredentialsOut:
    """The device's credentials without their secrets, newest first."""
    require_role(caller, Role.OPERATOR)
    with reads.connection() as conn:
        device = visible_device(conn, caller, serial).device
        rows = select_credentials(conn, device.device_id)
    return CredentialsOut(items=[CredentialOut.model_validate(row) for row in rows])


@router.delete("/{serial}/credentials", response_model=EndedOut)
def delete_credentials(serial: str, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Revoke all that the device has: the broker disconnects it and lets it in no more."""
    require_role(caller, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        device = visible_device(conn, caller, serial).device
        ended = end_credentials(conn, device, at=at, by=caller.actor, because=EndedBecause.REVOKED)
        return 200, EndedOut(serial=device.serial, ended=ended)

    return answer_write(write, act)


@router.delete("/{serial}/credentials/{slot}", response_model=EndedOut)
def delete_credential(serial: str, slot: str, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """Retire the credential in one slot; the other one stays good."""
    require_role(caller, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        device = visible_device(conn, caller, serial).device
        if slot not in ("1", "2"):
            raise InvalidInput("slot: a device has the slots 1 and 2")
        because = EndedBecause.RETIRED
        ended = end_credentials(conn, device, at=at, by=caller.actor, because=because, slot=int(slot))
        return 200, EndedOut(serial=device.serial, ended=ended)

    return answer_write(write, act)


@router.post("/{serial}/provision-codes", status_code=201, response_model=ProvisionCodeOut)
def post_provision_code(serial: str, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """A code by which the device gets its credential, once; the code before is worthless."""
    require_role(caller, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        device = visible_device(conn, caller, serial).device
        code = issue_claim_code(conn, device, ClaimKind.PROVISION, at=at, issued_by=caller.actor, life=PROVISION_LIFE)
        return 201, ProvisionCodeOut(serial=device.serial, claim_code=code, expires_at=at + PROVISION_LIFE)

    return answer_write(write, act)


@router.post("/provision", status_code=201, response_model=IssuedCredentialOut)
def post_provision(request: Request, body: FirstContact, edge: EdgeDep, write: DeviceWriteDep, at: At) -> JSONResponse:
    """A device's credential for what it proves itself by, without a token; what proves nothing is answered alike.

    An address, and all together, may be wrong so often a minute (429).
    """
    with edge.tries.counted(_address(request)):
        answer = write.run(lambda conn: (201, IssuedCredentialOut.model_validate(_provision(conn, edge, body, at))))
    if answer.replayed:
        _tell_again(edge, body, answer.body, at)
    return to_response(answer)


def _tell_again(edge: Edge, body: FirstContact, told: dict[str, Any], at: datetime) -> None:
    """A device whose answer was lost asks again, with the same key and proof: the password is told for an hour.

    By a line only as long as the line's own key is good.
    """
    issued_at = datetime.fromisoformat(told["issued_at"])
    if at - issued_at > _TOLD_AGAIN:
        return
    with edge.reads.connection() as conn:
        if body.line is not None and not is_line_good(conn, body.line, at):
            return
        device = read_device(conn, told["serial"])
        good = select_access(conn, at, [device.device_id])
        newest = select_credentials(conn, device.device_id)[0]
    for access in good:
        if (access.slot, newest.slot, newest.issued_at) == (told["slot"], told["slot"], issued_at):
            told["password"] = access_password(edge.settings.device_keys(), access)


def _provision(conn: WriteConnection, edge: Edge, body: FirstContact, at: datetime) -> IssuedCredential:
    keys = edge.settings.device_keys()
    match body:
        case FirstContact(serial=str(serial), claim_code=str(code)):
            return provision_by_code(conn, keys, serial, code, at=at)
        case FirstContact(serial=str(serial), line=str(line), nonce=str(nonce), proof=str(proof)):
            return provision_by_line(conn, keys, LineProof(serial, line, nonce, proof), at=at)
        case FirstContact(username=str(username), password=str(password)):
            access = _proven(conn, edge, username, password, at)
            return renew_credential(conn, keys, read_device(conn, access.serial), at=at)
    raise InvalidInput("body: say serial and claim_code; or serial, line, nonce and proof; or username and password")


@router.post("/provision/used", response_model=UsedOut)
def post_provision_used(
    request: Request, body: UsedCredential, edge: EdgeDep, write: DeviceWriteDep, at: At
) -> JSONResponse:
    """The device has its new credential and signs in with it from now on: the one before ends."""

    def act(conn: WriteConnection) -> tuple[int, Out]:
        access = _proven(conn, edge, body.username, body.password, at)
        record_credential_used(conn, access, at=at)
        return 200, UsedOut(serial=access.serial, slot=access.slot)

    with edge.tries.counted(_address(request)):
        return answer_write(write, act)


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def _proven(conn: WriteConnection, edge: Edge, username: str, password: str, at: datetime) -> Access:
    access = prove_password(conn, edge.settings.device_keys(), username, password, at)
    if access is None:
        raise Unauthenticated(REFUSED)
    return access
