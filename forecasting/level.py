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
    return Levels(np.maximum(_shrink(used, days, shared), 0.0), days)


def _shrink(used: Floats, days: Floats, prior: Floats | float) -> Floats:
    return np.asarray((used + PRIOR_DEVICE_DAYS * prior) / (days + PRIOR_DEVICE_DAYS))
