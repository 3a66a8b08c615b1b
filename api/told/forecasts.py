"""When parts will be used up, as people are told."""

from dataclasses import asdict
from datetime import datetime

from api.models import Out
from devices.depletion import name_dates
from forecasting.nouns import CurrentForecast


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


def tell_forecast(found: CurrentForecast) -> ForecastOut:
    """The body of a forecast."""
    return ForecastOut.model_validate(asdict(found) | name_dates(found.dates))
