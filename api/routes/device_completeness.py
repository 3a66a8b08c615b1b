"""`/v1/devices/{serial}/completeness`: how much of what a device should have sent came, day by day."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from api.edge import At, CallerDep, Reads
from api.models import Time
from api.told.completeness import CompletenessOut, show_completeness
from api.visible.devices import visible_device
from devices.completeness import read_completeness
from millpond.kernel.errors import InvalidInput

router = APIRouter(prefix="/v1/devices", tags=["devices"])

_USUALLY, _WIDEST = timedelta(days=28), timedelta(days=366)


@router.get("/{serial}/completeness", response_model=CompletenessOut)
def get_completeness(
    serial: str,
    reads: Reads,
    caller: CallerDep,
    at: At,
    from_at: Annotated[Time | None, Query(alias="from", description="Default: 28 days before `to`.")] = None,
    to_at: Annotated[Time | None, Query(alias="to", description="Default: now.")] = None,
) -> CompletenessOut:
    """What came of each day (UTC), against what the device's own interval makes one expect."""
    until = to_at or at
    since = from_at or until - _USUALLY
    _require_sensible(since, until)
    with reads.connection() as conn:
        seen = visible_device(conn, caller, serial)
        days = read_completeness(conn, seen.device.device_id, max(since, seen.since), until, at)
    return show_completeness(serial, days)


def _require_sensible(since: datetime, until: datetime) -> None:
    if since >= until:
        raise InvalidInput("from: it must be before `to`")
    if until - since > _WIDEST:
        raise InvalidInput(f"from: at most {_WIDEST.days} days before `to`")
