"""How far off a date may be: conformal quantiles of the fleet's own past errors, else a default spread.

A past error is log(predicted usage / actual usage) over a window of h days after an origin, which for steady use is
log(actual days / predicted days) to use the same amount. Scored in usage, no window is censored by a part that was
replaced early or has not run out yet, so slow users are not left out.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from forecasting.cohort import UsageIndex
from forecasting.level import compute_levels
from forecasting.nouns import Floats
from forecasting.usage import UsageSeries

WINDOWS_DAYS = (7, 14, 28, 56, 112)
ORIGINS_DAYS = (28, 84, 140)
_YEAR_DAYS = 365
MIN_ERRORS = 60
LOW, HIGH = 0.1, 0.9
_Z_HIGH = 1.2816  # the 90 % quantile of the normal distribution
# An error beyond a factor of eight counts as eight: a part that was hardly used makes the ratio as large as one likes.
_MOST = float(np.log(8.0))
# The use of one device varies from day to day as much as the levels of devices differ after so many days of averaging.
_NOISE_DAYS = 15
# The history of a typical device behind the fleet's errors: for it the learned interval is right as it is.
_TYPICAL_DAYS = 50


@dataclass(frozen=True, slots=True)
class PastErrors:
    """Log errors of predicted against actual usage, by window."""

    by_window: dict[int, list[Floats]] = field(default_factory=lambda: {days: [] for days in WINDOWS_DAYS})

    def add(self, other: "PastErrors") -> None:
        """Take in another cohort's errors."""
        for days, errors in other.by_window.items():
            self.by_window[days] += errors


def measure_errors(
    series: UsageSeries, fit_index: Callable[[int], UsageIndex], *, prior_pct_per_day: float
) -> PastErrors:
    """Errors that index and levels of earlier origins would have made over the windows that followed them.

    `fit_index` gives the index as it would have been fitted on so many first days: an index that has seen the windows
    would not know how wrong it is about a season to come.
    """
    errors = PastErrors()
    n_days = series.usage.shape[1]
    for back in ORIGINS_DAYS:
        origin = n_days - 1 - back
        if origin < 14:
            continue
        index = fit_index(origin)
        levels = compute_levels(series, index, prior_pct_per_day=prior_pct_per_day, until=origin)
        for window in WINDOWS_DAYS:
            if window <= back:
                errors.by_window[window].append(
                    _errors(series, index, levels.pct_per_day, levels.own_days, origin, window)
                )
    return errors


def _errors(
    series: UsageSeries, index: UsageIndex, level: Floats, own_days: Floats, origin: int, window: int
) -> Floats:
    days = slice(origin, origin + window)
    covered = series.exposure[:, days]
    seen = (covered.sum(axis=1) >= 0.8 * window) & (own_days >= 10)
    predicted = level[seen] * (covered[seen] @ index.values[days])
    actual = series.usage[seen, days].sum(axis=1)
    ratio = np.log(np.maximum(predicted, 1e-9) / np.maximum(actual, 1e-9))
    return np.asarray(np.clip(ratio, -_MOST, _MOST))


@dataclass(frozen=True, slots=True)
class Spread:
    """Log factors on the remaining days at P10 (`low`, not above 0) and P90 (`high`, not below 0), by window."""

    days: Floats
    low: Floats
    high: Floats
    learned: bool

    def factors(self, remaining_days: Floats, own_days: Floats) -> tuple[Floats, Floats]:
        """What to multiply the remaining days with for P10 and P90; wider for devices with little history."""
        at = np.log(np.maximum(remaining_days, 1.0))
        # The variance of an error is one part that no history takes away (what is to come) and one that falls with the
        # device's days (how well its level is known): 1 + 15 / days. The fleet's errors have it at 50 days; a device
        # with fewer gets its own, up to two and a half times as wide, and none is narrower than what was learned.
        variance = 1 + _NOISE_DAYS / (own_days + 1)
        widen = np.sqrt(variance / (1 + _NOISE_DAYS / _TYPICAL_DAYS)).clip(1.0, 2.5)
        low = np.interp(at, np.log(self.days), self.low) * widen
        high = np.interp(at, np.log(self.days), self.high) * widen
        return np.exp(low), np.exp(high)


def build_spread(errors: PastErrors, *, history_days: float) -> Spread:
    """Quantiles of the fleet's errors where there are enough of them, else `default_spread`.

    With less than a year of history it is never narrower than the default: all devices of a cohort will be wrong
    together about a season that none of them has seen.
    """
    known = {days: np.concatenate(found) for days, found in errors.by_window.items() if found}
    enough = {days: found for days, found in known.items() if len(found) >= MIN_ERRORS}
    if not enough:
        return default_spread()
    low = [np.quantile(found, LOW, method="lower") for found in enough.values()]
    high = [np.quantile(found, HIGH, method="higher") for found in enough.values()]
    days = np.array(list(enough), dtype=np.float64)
    # Two percent to either side at the least: else errors of one sign alone would put P50 outside its interval.
    learned = _extend(days, np.minimum(low, -0.02), np.maximum(high, 0.02))
    return learned if history_days >= _YEAR_DAYS else _wider(learned, default_spread())


def _wider(one: Spread, other: Spread) -> Spread:
    days = np.union1d(one.days, other.days)
    low, high = (
        [np.interp(np.log(days), np.log(spread.days), getattr(spread, side)) for spread in (one, other)]
        for side in ("low", "high")
    )
    return Spread(days, np.minimum(*low), np.maximum(*high), learned=True)


def default_spread() -> Spread:
    """While a fleet has no errors of its own: a quarter at a month, more in relation near the end, where steps count.

    The standard deviation in days is sqrt(1.5^2 + (0.22 d)^2 + 0.06^2 d^3 / 30): a step's width, an unsure level, and
    drift that adds up.
    """
    days = np.array([1, 3, 7, 14, 28, 56, 112, 224, 448], dtype=np.float64)
    sigma = np.sqrt(1.5**2 + (0.22 * days) ** 2 + 0.06**2 * days**3 / 30) / days
    sigma = np.minimum(sigma, 0.8)
    return Spread(days, -_Z_HIGH * sigma, _Z_HIGH * sigma, learned=False)


def _extend(days: Floats, low: Floats, high: Floats) -> Spread:
    """Beyond the longest window, errors are taken to grow with the fourth root of time: part level, part drift."""
    far = np.array([2.0, 4.0, 8.0])
    growth = far**0.25
    return Spread(
        np.append(days, days[-1] * far),
        np.append(low, low[-1] * growth),
        np.append(high, high[-1] * growth),
        learned=True,
    )
