"""`/v1/devices/{serial}/aliases`: what the languages of hubs and makers call a device."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.auth import Role
from api.edge import At, CallerDep, EdgeDep, Reads, WriteDep, answer_write
from api.models import Body, Out, Text
from api.paging import Page
from api.told.lobby import AliasOut
from api.visible.devices import visible_device
from api.visible.roles import require_role
from devices.aliases import alias_device, select_aliases_of_device
from ingest.formats.shipped import language_named
from millpond.kernel.db import WriteConnection

router = APIRouter(prefix="/v1/devices", tags=["devices"])


class NewAlias(Body):
    """What a format calls the device."""

    format: Text
    external_id: Text


@router.get("/{serial}/aliases", response_model=Page[AliasOut])
def get_aliases(serial: str, reads: Reads, caller: CallerDep) -> Page[AliasOut]:
    """What formats call this device."""
    require_role(caller, Role.OPERATOR)
    with reads.connection() as conn:
        names = select_aliases_of_device(conn, visible_device(conn, caller, serial).device.device_id)
    return Page(items=[AliasOut.model_validate(name) for name in names])


@router.post("/{serial}/aliases", status_code=201, response_model=AliasOut)
def post_alias(serial: str, body: NewAlias, edge: EdgeDep, caller: CallerDep, write: WriteDep, at: At) -> JSONResponse:
    """From now on messages of a format that speak of this name are the device's; what waited is stored soon."""
    require_role(caller, Role.OPERATOR)

    def act(conn: WriteConnection) -> tuple[int, Out]:
        device = visible_device(conn, caller, serial).device
        language = language_named(edge.settings, body.format)
        alias_device(conn, device.device_id, format_name=language, external_id=body.external_id, at=at)
        return 201, AliasOut(format=language, external_id=body.external_id, aliased_at=at)

    return answer_write(write, act)
