"""`/v1/devices/{serial}/forecasts`: when what is in a device will be used up."""

from fastapi import APIRouter

from api.edge import At, CallerDep, Reads
from api.told.forecasts import ForecastsOut, tell_forecast
from api.visible.devices import visible_device
from forecasting.store import select_current_forecasts

router = APIRouter(prefix="/v1/devices", tags=["devices"])


@router.get("/{serial}/forecasts", response_model=ForecastsOut)
def get_forecasts(serial: str, reads: Reads, caller: CallerDep, at: At) -> ForecastsOut:
    """For each part that is installed now, when it will be down to its threshold: P10, P50 and P90."""
    with reads.connection() as conn:
        seen = visible_device(conn, caller, serial)
        forecasts = select_current_forecasts(conn, [seen.device.device_id], at)
    return ForecastsOut(items=[tell_forecast(found) for found in forecasts if found.at >= seen.since])
