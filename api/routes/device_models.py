"""`/v1/device-models`: what devices can be, and what each model means by what it says."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.auth import Role
from api.edge import CallerDep, Reads
from api.paging import Cursor, Limit, Page, after_id, cut_page, encode_cursor
from api.told.models import DeviceModelDetail, DeviceModelOut, show_model, show_whole_model
from api.visible.roles import require_role
from devices.models import require_device_model, select_device_models, select_metrics_of, select_parts_of

router = APIRouter(prefix="/v1/device-models", tags=["devices"])


@router.get("", response_model=Page[DeviceModelOut])
def get_device_models(
    reads: Reads,
    caller: CallerDep,
    search: Annotated[str, Query(max_length=80, description="Only those in whose names this stands.")] = "",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[DeviceModelOut]:
    """The models whose profiles are known, by model: those that ship, and your own."""
    require_role(caller, Role.OPERATOR)
    with reads.connection() as conn:
        rows = select_device_models(conn, after=after_id(cursor), search=search.replace("\x00", ""), limit=limit + 1)
    shown, following = cut_page(rows, limit, lambda row: encode_cursor(row.model))
    return Page(items=[show_model(row) for row in shown], next_cursor=following)


@router.get("/{model}", response_model=DeviceModelDetail)
def get_device_model(model: str, reads: Reads, caller: CallerDep) -> DeviceModelDetail:
    """One model: its metrics, what is used up in it, and what its properties mean in each language."""
    require_role(caller, Role.OPERATOR)
    with reads.connection() as conn:
        one = require_device_model(conn, model)
        return show_whole_model(one, select_metrics_of(conn, model), select_parts_of(conn, model))
