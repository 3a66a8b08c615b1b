"""A noisy percentage, smoothed: what a sensor shows goes up and down, what is left of a part only goes down."""

import numpy as np

from devices.nouns import PartLimit
from devices.parts.limits import quantum_pct
from forecasting.nouns import Bools, Floats, Ints

_LEAST_DAYS, _MOST_DAYS = 14.0, 60.0  # of the window, on either side
_WANTED_PCT = 0.75  # how sure the newest level is to be
_MIN_CHANGES = 10
_NOISY_RATIO = 0.1


def find_noisy(limit: PartLimit, pct: Floats, run: Ints) -> Bools:
    """Which readings are of runs that rise by more than a quantum so often that it must be noise."""
    same = np.append(False, run[1:] == run[:-1])
    rises = same & (np.diff(pct, prepend=pct[:1]) > 1.5 * quantum_pct(limit))
    _, index = np.unique(run, return_inverse=True)
    changes, risen = np.bincount(index, same), np.bincount(index, rises)
    noisy = (changes >= _MIN_CHANGES) & (risen > _NOISY_RATIO * changes)
    return np.asarray(noisy[index])


def smooth(at: Floats, pct: Floats, run: Ints, noisy: Bools) -> Floats:
    """The noisy readings' values on a straight line through what was read around each, within its own run."""
    smoothed = pct.copy()
    for one in np.unique(run[noisy]):
        of_run = run == one
        smoothed[of_run] = _fit_lines(at[of_run], pct[of_run], _choose_window(at[of_run], pct[of_run]))
    return smoothed


def _choose_window(at: Floats, pct: Floats) -> float:
    """Days on either side, so that the end of a line through n readings, which is off by 2 sigma / sqrt(n), is sure."""
    changes = np.diff(pct)
    sigma = 1.4826 * float(np.median(np.abs(changes - np.median(changes)))) / np.sqrt(2)
    readings = (2 * sigma / _WANTED_PCT) ** 2
    return float(np.clip(readings * (at[-1] - at[0]) / len(at), _LEAST_DAYS, _MOST_DAYS))


def _fit_lines(at: Floats, pct: Floats, window: float) -> Floats:
    """At each time, the value of the least-squares line through the readings up to `window` days away."""
    x, y = at - at[0], pct - pct[0]
    start = np.searchsorted(x, x - window, side="left")
    end = np.searchsorted(x, x + window, side="right")

    def windowed(values: Floats) -> Floats:
        cumulated = np.append(0.0, np.cumsum(values))
        return np.asarray(cumulated[end] - cumulated[start])

    n, sx, sy, sxx, sxy = (windowed(v) for v in (np.ones_like(x), x, y, x * x, x * y))
    variance = np.maximum(n * sxx - sx * sx, 1e-9)
    slope = np.minimum((n * sxy - sx * sy) / variance, 0.0)
    return np.asarray(pct[0] + (sy - slope * sx) / n + slope * x)
