"""What a device adds to its cohort's index: one number, its level in percent points per day."""

from dataclasses import dataclass

import numpy as np

from forecasting.cohort import UsageIndex
from forecasting.nouns import Floats
from forecasting.usage import UsageSeries

HALF_LIFE_DAYS = 50.0
PRIOR_DEVICE_DAYS = 25.0


@dataclass(frozen=True, slots=True)
class Levels:
    """Per row: `pct_per_day` on a day of index 1, and the device-days of its own that stand behind it."""

    pct_per_day: Floats
    own_days: Floats


def compute_levels(series: UsageSeries, index: UsageIndex, *, prior_pct_per_day: float, until: int) -> Levels:
    """Each row's exponentially weighted ratio of usage to index over the first `until` days, shrunk to the cohort's.

    The cohort's own level, the mean of its devices, is shrunk to `prior_pct_per_day` in the same way. So a device
    without history has the cohort's level, and a cohort without history the model's.
    """
    age = until - 1 - np.arange(until)
    weight = 0.5 ** (age / HALF_LIFE_DAYS)
    used = series.usage[:, :until] @ weight
    days = series.exposure[:, :until] @ (weight * index.values[:until])
    shared = _shrink(used.sum(), days.sum(), prior_pct_per_day)
    level = np.maximum(_shrink(used, days, shared), 0.0)
    if until == series.usage.shape[1]:
        # What was used since the last step does not show yet: of a device that loses a percent a month, this may be as
        # much as all that is known of it.
        unshown = np.nan_to_num(estimate_unshown(series, level))
        level = np.maximum(_shrink(used + unshown, days, shared), 0.0)
    return Levels(level, days)


def estimate_unshown(series: UsageSeries, pct_per_day: Floats) -> Floats:
    """Percent points used since the reading stepped, less than the next step; NaN where there is no reading."""
    # Nine tenths of a step at most: by a whole one the next percent would have shown.
    since = (series.last_at - series.stepped_at) * pct_per_day
    return np.asarray(np.minimum(since, 0.9 * series.quantum_pct))


def _shrink(used: Floats, days: Floats, prior: Floats | float) -> Floats:
    return np.asarray((used + PRIOR_DEVICE_DAYS * prior) / (days + PRIOR_DEVICE_DAYS))
