"""Cohorts: devices that share a season and a week shape, and the index of use by day that they share."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from forecasting.nouns import Bools, Floats, Ints, Method
from forecasting.usage import UsageSeries

MIN_DEVICES = 5
MIN_DAYS = 60
# Fourier terms of the yearly season by days of history: one shrunk harmonic of less than a year is better than none.
YEARLY_TERMS = ((730, 4), (365, 2), (150, 1))
YEARLY_MIN_DEVICE_DAYS = 1_000
_MIN_OWN_DAYS = 14
_LEAST, _MOST = 0.2, 4.0

FitIndex = Callable[[Ints, Floats, int, int, int], Floats]
"""(observed days, observed index, first day, number of days, yearly terms) to the fitted index of all days."""


@dataclass(frozen=True, slots=True)
class UsageIndex:
    """How much a cohort uses on each day from `first_day`, about 1 on average; the past and the future."""

    first_day: int
    values: Floats
    method: Method

    def cumulated(self) -> tuple[Floats, Floats]:
        """Midnights (days since 1970) and the index cumulated up to each."""
        days = self.first_day + np.arange(len(self.values) + 1, dtype=np.float64)
        return days, np.append(0.0, np.cumsum(self.values))


def build_flat_index(first_day: int, n_days: int) -> UsageIndex:
    """Every day alike: what the fixed-rate forecaster projects on."""
    return UsageIndex(first_day, np.ones(n_days), Method.FIXED_RATE)


def group_cohorts(regions: Ints, exposure: Floats) -> list[tuple[Bools, Bools, bool]]:
    """(members, those it is fitted on, one region) for cohorts that cover all rows, each once.

    A region with too few devices of some history borrows the shape of all regions, without their seasons.
    """
    seasoned = exposure.sum(axis=1) >= _MIN_OWN_DAYS
    codes, counts = np.unique(regions[seasoned], return_counts=True)
    large = codes[counts >= MIN_DEVICES]
    cohorts = [(regions == code, (regions == code) & seasoned, True) for code in large]
    rest = ~np.isin(regions, large)
    if rest.any():
        cohorts.append((rest, seasoned, False))
    return cohorts


def build_index(
    series: UsageSeries, fitted_on: Bools, until: int, n_days: int, *, one_region: bool, fit: FitIndex
) -> UsageIndex:
    """The index of a cohort over `n_days` from the series' first day, fitted on the first `until` of them.

    Flat when the cohort is too small or its history too short.
    """
    usage, exposure = series.usage[fitted_on, :until], series.exposure[fitted_on, :until]
    observed = np.flatnonzero(exposure.sum(axis=0) >= max(1.0, 0.2 * len(usage)))
    if len(usage) < MIN_DEVICES or len(observed) < MIN_DAYS or usage.sum() <= 0:
        return build_flat_index(series.first_day, n_days)
    index = observe_index(usage, exposure)[observed]
    terms = _yearly_terms(int(np.ptp(observed)) + 1, float(exposure.sum())) if one_region else 0
    fitted = fit(series.first_day + observed, index, series.first_day, n_days, terms)
    level = fitted[observed].mean()
    return UsageIndex(series.first_day, np.clip(fitted / level, _LEAST, _MOST), Method.COHORT_PROPHET)


def _yearly_terms(days: int, device_days: float) -> int:
    if device_days < YEARLY_MIN_DEVICE_DAYS:
        return 0
    return next((terms for least, terms in YEARLY_TERMS if days >= least), 0)


def observe_index(usage: Floats, exposure: Floats) -> Floats:
    """Usage by day relative to the devices' own levels: usage is level x index, solved by turns.

    Without the levels, a heavy user who joins late would look like a season.
    """
    index = np.ones(usage.shape[1])
    for _ in range(4):
        level = usage.sum(axis=1) / np.maximum(exposure @ index, 1e-9)
        expected = np.maximum(level, 0) @ exposure
        index = np.divide(usage.sum(axis=0), expected, out=np.ones_like(expected), where=expected > 0)
    return index
