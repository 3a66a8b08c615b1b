"""When what is in a device will be used up."""

from datetime import datetime

from fastapi import APIRouter

from api.edge import At, CallerDep, Reads
from api.models import Out
from api.routes.devices import find_visible_device
from forecasting.store import select_current_forecasts

router = APIRouter(prefix="/v1/devices", tags=["devices"])


class ForecastOut(Out):
    """When a part will be down to its threshold, as known at `at`; `reason` says why there is no date.

    `reason_code` says the same for programs: `stale`, `never_depletes`, `nothing_read`, `failed`; and where the
    readings cannot be right `sudden_fall`, `counter_outruns_time`, `means_no_value`, `limits_contradict`.
    """

    installation_id: int
    part: str
    consumable: str
    remaining_pct: float | None
    threshold_pct: float
    usage_pct_per_day: float | None
    depletes_p10: datetime | None
    depletes_p50: datetime | None
    depletes_p90: datetime | None
    method: str
    reason: str | None
    reason_code: str | None
    data_cutoff: datetime | None
    at: datetime
    made_at: datetime


class ForecastsOut(Out):
    """The newest forecast of each part that is installed now."""

    items: list[ForecastOut]


@router.get("/{serial}/forecasts", response_model=ForecastsOut)
def get_forecasts(serial: str, reads: Reads, caller: CallerDep, at: At) -> ForecastsOut:
    """For each part that is installed now, when it will be down to its threshold: P10, P50 and P90."""
    with reads.connection() as conn:
        seen = find_visible_device(conn, caller, serial)
        forecasts = select_current_forecasts(conn, [seen.device.device_id], at)
    return ForecastsOut(items=[ForecastOut.model_validate(row) for row in forecasts if row.at >= seen.since])
