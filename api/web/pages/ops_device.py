"""`/ops/devices/{serial}`: one device: until when its parts last, what is doubtful, what it says, and what came."""

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.auth import Role
from api.edge import At, Reads
from api.reads.fleet import select_device_doubt
from api.told.forecasts import tell_forecast
from api.visible.devices import visible_device
from api.web.doubt_words import clock_words
from api.web.session import require_caller
from api.web.view import make_english_view
from devices.completeness import read_completeness, usual_interval
from devices.presence.states import select_presence
from devices.store import select_installations, select_latest
from forecasting.store import select_current_forecasts

router = APIRouter(prefix="/ops/devices", include_in_schema=False)

_DAYS_SHOWN = timedelta(days=28)


@router.get("/{serial}")
def get_device(serial: str, request: Request, reads: Reads, at: At) -> Response:
    """The device's page."""
    caller = require_caller(request, Role.OPERATOR)
    with reads.connection() as conn:
        device = visible_device(conn, caller, serial).device
        days = read_completeness(conn, device.device_id, at - _DAYS_SHOWN, at, at)
        shown: dict[str, Any] = {
            "device": device,
            "presence": select_presence(conn, device.device_id, at),
            "latest": select_latest(conn, device.device_id),
            "installations": select_installations(conn, device.device_id),
            "forecasts": [tell_forecast(one) for one in select_current_forecasts(conn, [device.device_id], at)],
            "doubt": select_device_doubt(conn, device.device_id),
            "days": days,
            "interval": usual_interval(days),
        }
    return make_english_view(request).render("ops_device.html", clock_words=clock_words, **shown)
