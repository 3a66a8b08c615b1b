"""From what a part's limits say to the one answer per installation: three dates, or a reason in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from devices.depletion import DepletionDates
from devices.nouns import ModelPart, PartLimit
from devices.parts.doubts import Doubt
from forecasting.flags import FlagState
from forecasting.interval import default_spread
from forecasting.nouns import ActiveInstallation, Floats, Forecast, Method, NoDate, Reason, from_day, to_day
from forecasting.projection import DepletionDays
from forecasting.usage import UsageSeries

STALE_DAYS = 14
_STILL_GOOD_PCT = 50.0  # a part of which so much is left is not to be replaced, whatever a flag says
_DOUBTS = {
    Doubt.SUDDEN_FALL: "it fell further than use can explain, and nothing has confirmed it yet",
    Doubt.COUNTER_OUTRUNS_TIME: "its counter counts faster than time passes",
    Doubt.MEANS_NO_VALUE: "its counter shows a number that means that there is no value",
    Doubt.LIMITS_CONTRADICT: "what it says of this part contradicts itself",
}


@dataclass(frozen=True, slots=True)
class LimitForecast:
    """What one limit says of all rows: level (percent points a day), method and dates."""

    limit: PartLimit
    series: UsageSeries
    level: Floats
    method: list[Method]
    depletion: DepletionDays


def build_answer(
    part: ModelPart,
    installation: ActiveInstallation,
    limits: Sequence[tuple[LimitForecast, int]],
    at: datetime,
    doubt: Doubt | None = None,
    flag: FlagState | None = None,
) -> Forecast:
    """The answer for one installation from the limits that speak for it (each with its row); the first reached wins.

    There are no dates where there is a `doubt`, whatever the limits say. What the device asks for by a `flag` is due.
    """
    if flag is not None and flag.due_since is not None and at - from_day(flag.read_at) <= timedelta(days=STALE_DAYS):
        left = [float(found.series.reported_pct[row]) for found, row in limits]
        if max(left, default=0.0) <= _STILL_GOOD_PCT and doubt is None:
            return _as_said(part, installation, flag, left)
        doubt = doubt or Doubt.LIMITS_CONTRADICT
    if not limits:
        return _without_levels(part, installation, at, flag)
    cutoff = from_day(max(float(found.series.last_at[row]) for found, row in limits))
    first, row = min(limits, key=lambda one: _sooner(*one))
    remaining = min(max(float(first.series.reported_pct[row]), 0.0), 100.0)
    p10, p50, p90 = (float(dates[row]) for dates in (first.depletion.p10, first.depletion.p50, first.depletion.p90))
    depleted = not np.isnan(first.series.crossed_at[row])
    reason = Reason(doubt, _DOUBTS[doubt]) if doubt else None if depleted else _why_not(p50, cutoff, at)
    return Forecast(
        installation.installation_id,
        part.threshold_pct,
        first.method[row],
        dates=None if reason else DepletionDates(from_day(p10), from_day(p50), from_day(p90)),
        reason=reason,
        data_cutoff=cutoff,
        remaining_pct=remaining,
        usage_pct_per_day=float(first.level[row]),
    )


def _sooner(found: LimitForecast, row: int) -> tuple[float, float]:
    p50 = float(found.depletion.p50[row])
    return (np.inf if np.isnan(p50) else p50, float(found.series.reported_pct[row]))


def _why_not(p50: float, cutoff: datetime, at: datetime) -> Reason | None:
    silent = at - cutoff
    if silent > timedelta(days=STALE_DAYS):
        text = f"the last reading is {silent.days} days old, from {cutoff:%Y-%m-%d}: too old to say"
        return Reason(NoDate.STALE, text)
    if np.isnan(p50):
        return Reason(NoDate.NEVER_DEPLETES, "does not deplete within five years at its present use")
    return None


def _as_said(part: ModelPart, installation: ActiveInstallation, flag: FlagState, left: Sequence[float]) -> Forecast:
    """What the device asks for is due since it asked."""
    assert flag.due_since is not None
    since = from_day(flag.due_since)
    return Forecast(
        installation.installation_id,
        part.threshold_pct,
        Method.SAID,
        DepletionDates(since, since, since),
        data_cutoff=from_day(flag.read_at),
        remaining_pct=max(min([*left, part.threshold_pct]), 0.0) if left else None,
        usage_pct_per_day=100 / part.prior_life_days,
    )


def _without_levels(
    part: ModelPart, installation: ActiveInstallation, at: datetime, flag: FlagState | None
) -> Forecast:
    """A part of which no level was read yet lasts as long as parts of its kind do; a silent device gets no date.

    While its flag says that it is good, it is not used up yet.
    """
    age, rate = at - installation.installed_at, 100 / part.prior_life_days
    silent = age if flag is None else at - from_day(flag.read_at)
    if silent > timedelta(days=STALE_DAYS):
        what = "nothing was read" if flag is None else f"nothing was read for {silent.days} days"
        text = f"{what} of this part, which was put in {age.days} days ago"
        reason = Reason(NoDate.NOTHING_READ, text)
        return Forecast.refused(
            installation.installation_id, reason, threshold_pct=part.threshold_pct, usage_pct_per_day=rate
        )
    life = part.prior_life_days * (100 - part.threshold_pct) / 100
    low, high = default_spread().factors(np.array([life]), np.zeros(1))
    start, earliest = to_day(installation.installed_at), -np.inf if flag is None else to_day(at)
    p10, p50, p90 = (from_day(max(start + life * f, earliest)) for f in (float(low[0]), 1.0, float(high[0])))
    return Forecast(
        installation.installation_id,
        part.threshold_pct,
        Method.PRIOR,
        DepletionDates(p10, p50, p90),
        data_cutoff=None if flag is None else from_day(flag.read_at),
        usage_pct_per_day=rate,
    )
