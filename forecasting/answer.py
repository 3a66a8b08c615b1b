"""From what a part's limits say to the one answer per installation: three dates, or a reason in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from devices.nouns import ModelPart, PartLimit
from forecasting.interval import default_spread
from forecasting.nouns import ActiveInstallation, Floats, Forecast, Method, from_day, to_day
from forecasting.projection import Depletion
from forecasting.usage import UsageSeries

STALE_DAYS = 14


@dataclass(frozen=True, slots=True)
class LimitForecast:
    """What one limit says of all rows: level (percent points a day), method and dates."""

    limit: PartLimit
    series: UsageSeries
    level: Floats
    method: list[Method]
    depletion: Depletion


def build_answer(
    part: ModelPart, installation: ActiveInstallation, said: Sequence[tuple[LimitForecast, int]], at: datetime
) -> Forecast:
    """The answer for one installation from the limits that speak for it (each with its row); the first reached wins."""
    if not said:
        return _without_readings(part, installation, at)
    cutoff = from_day(max(float(found.series.last_at[row]) for found, row in said))
    first, row = min(said, key=lambda one: _sooner(*one))
    remaining = min(max(float(first.series.reported_pct[row]), 0.0), 100.0)
    p10, p50, p90 = (float(dates[row]) for dates in (first.depletion.p10, first.depletion.p50, first.depletion.p90))
    depleted = not np.isnan(first.series.crossed_at[row])
    reason = None if depleted else _why_not(p50, cutoff, at)
    dates = (None, None, None) if reason else (from_day(p10), from_day(p50), from_day(p90))
    rate = float(first.level[row])
    return Forecast(
        installation.installation_id,
        cutoff,
        first.method[row],
        reason,
        remaining,
        part.threshold_pct,
        rate,
        *dates,
    )


def _sooner(found: LimitForecast, row: int) -> tuple[float, float]:
    p50 = float(found.depletion.p50[row])
    return (np.inf if np.isnan(p50) else p50, float(found.series.reported_pct[row]))


def _why_not(p50: float, cutoff: datetime, at: datetime) -> str | None:
    silent = at - cutoff
    if silent > timedelta(days=STALE_DAYS):
        return f"the last reading is {silent.days} days old, from {cutoff:%Y-%m-%d}: too old to say"
    if np.isnan(p50):
        return "does not deplete within five years at its present use"
    return None


def _without_readings(part: ModelPart, installation: ActiveInstallation, at: datetime) -> Forecast:
    """A part of which nothing was read yet lasts as long as parts of its kind do; a silent device gets no date."""
    age = at - installation.installed_at
    reason = None
    dates: tuple[datetime | None, ...] = (None, None, None)
    if age > timedelta(days=STALE_DAYS):
        reason = f"nothing was read of this part in recent years, installed {age.days} days ago"
    else:
        life = part.prior_life_days * (100 - part.threshold_pct) / 100
        low, high = default_spread().factors(np.array([life]), np.zeros(1))
        start = to_day(installation.installed_at)
        dates = tuple(from_day(start + life * factor) for factor in (float(low[0]), 1.0, float(high[0])))
    rate = 100 / part.prior_life_days
    return Forecast(installation.installation_id, None, Method.PRIOR, reason, None, part.threshold_pct, rate, *dates)
