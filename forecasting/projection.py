"""From remaining percent to dates: first passage of the threshold on the cumulated index."""

from dataclasses import dataclass

import numpy as np

from forecasting.cohort import UsageIndex
from forecasting.interval import Spread
from forecasting.level import Levels, estimate_unshown
from forecasting.nouns import Bools, Floats
from forecasting.usage import UsageSeries

HORIZON_DAYS = 5 * 365
MIN_STEPS = 3


@dataclass(frozen=True, slots=True)
class DepletionDays:
    """`DepletionDates` of many rows, in days since 1970: NaN without a reading, or a crossing within the horizon."""

    p10: Floats
    p50: Floats
    p90: Floats


def project_depletion(
    series: UsageSeries, index: UsageIndex, levels: Levels, spread: Spread, *, threshold_pct: float, horizon: float
) -> DepletionDays:
    """Dates of all rows; a part that is at its threshold gets the time it got there.

    The last reading is where the projection starts, whatever time has passed since.
    """
    start, crossed = series.last_at, series.crossed_at
    need = series.reported_pct - estimate_unshown(series, levels.pct_per_day) - threshold_pct
    p50 = _first_passage(index, start, need, levels.pct_per_day, horizon)
    # A quarter of a day at the least: the factors of the interval have nothing to multiply at the very end.
    ahead = np.maximum(p50 - start, 0.25)
    low, high = spread.factors(ahead, levels.own_days)
    done = ~np.isnan(crossed)
    p10 = np.where(done, crossed, np.minimum(start + ahead * low, p50))
    p90 = np.where(done, crossed, np.minimum(np.maximum(start + ahead * high, p50), np.maximum(horizon, p50)))
    return DepletionDays(p10, np.where(done, crossed, p50), p90)


def _first_passage(index: UsageIndex, start: Floats, need: Floats, level: Floats, horizon: float) -> Floats:
    days, cumulated = index.cumulated()
    with np.errstate(divide="ignore", invalid="ignore"):
        target = np.interp(start, days, cumulated) + np.maximum(need, 0.0) / level
    passage = np.interp(target, cumulated, days, right=np.inf)
    reached: Bools = passage <= horizon
    return np.where(reached & ~np.isnan(start), passage, np.nan)
