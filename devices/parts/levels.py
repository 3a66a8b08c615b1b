"""What is a new part, what is no reading, and what use cannot explain: the one set of rules for replacement and usage.

Pure, on one limit's readings of one part in percent remaining, in which a new part is a rise. Levels are weighed by the
time for which they were read and not by their number, so that readings every hour and two readings a day say the same.

- A jump that comes back to where it was, up or down, within `RETURN_DAYS`, is no reading of the part: a display gone
  wrong, a filter taken out and put back. Until the first reading after it, a jump is not believed.
- A rise that stays is a new part when it is larger than max(5 points, 4 sigma, 1.5 quanta); a counter's, when it is
  larger than max(1 point, 3 quanta) or halves what it counted.
- A counter that falls from just below a power of two has wrapped, and counts on.
- A fall that use cannot explain and that stays is `falls`: the readings after it are there, and in doubt.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from devices.nouns import Measure, PartLimit
from devices.parts.limits import COUNTS, most_pct_per_day, quantum_pct

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SETTLING_DAYS = 1.0
"""A part being put in may flicker so long."""

RETURN_DAYS = 14.0
"""A level that is back within so many days was never left."""

_LOOK_BACK_DAYS = 1.5
_LONGEST_HOLD_DAYS = 1.0  # a reading says little of the days after it
_MIN_RISE_PCT = 5.0
_MIN_CHANGES = 10  # of fewer, a replacement itself would pass for noise
_USE_MEANWHILE_PCT_PER_DAY = 1.0
# Where counters begin again, in their unit: 8 and 16 bits, also of tenths and hundredths; of minutes, seconds and
# milliseconds where the unit is hours.
_WRAPS = (256.0, 65_536.0, 6_553.6, 655.36)
_WRAPS_H = (65_536 / 60, 65_536 / 3600, 2**32 / 3_600_000)
_WRAP_LEAST_REMAINING_PCT = 50.0  # below it, a new part is the likelier reason


@dataclass(frozen=True, slots=True)
class Levels:
    """One limit's readings, read by the rules: `pct` with wraps undone, and whether each reading is believed.

    `resets` are the readings with which a new part began, `falls` those after a fall that use cannot explain, and
    `refuted` those with which a new part seemed to begin until the old level came back: all indices.
    """

    at: Floats
    pct: Floats
    believed: Bools
    resets: list[int] = field(default_factory=list)
    falls: list[int] = field(default_factory=list)
    refuted: list[int] = field(default_factory=list)


def read_levels(limit: PartLimit, at: Floats, pct: Floats, *, prior_life_days: float | None = None) -> Levels:
    """Apply the rules to readings of `limit` at ascending times `at` (days), in percent remaining."""
    pct = _unwrap(limit, at, pct, most_pct_per_day(limit, prior_life_days))
    levels = Levels(at, pct, np.ones(len(pct), dtype=bool))
    _Reader(limit, levels, most_pct_per_day(limit, prior_life_days)).read()
    return levels


def find_jumps(limit: PartLimit, at: Floats, pct: Floats, *, prior_life_days: float | None = None) -> Bools:
    """Whether the step to each reading from the one before could matter to the rules; for many series at once."""
    step, days = np.diff(pct, prepend=pct[:1]), np.diff(at, prepend=at[:1])
    least = _least_rise(limit)
    smallest = 3 * quantum_pct(limit) if limit.measure in COUNTS else least
    most = most_pct_per_day(limit, prior_life_days)
    return np.asarray((step > min(least, smallest)) | (-step > least + most * np.maximum(days, 0)))


def rise_threshold(limit: PartLimit, pct: Floats) -> float:
    """The least rise that is a new part: what noise, learned from the readings themselves, does not reach."""
    if limit.measure in COUNTS or len(pct) <= _MIN_CHANGES:
        return _least_rise(limit)
    changes = np.diff(pct)
    # 1.4826 times the median absolute deviation is sigma for a normal noise, and replacements do not disturb it.
    sigma = 1.4826 * float(np.median(np.abs(changes - np.median(changes))))
    return max(_least_rise(limit), 4 * sigma)


def _least_rise(limit: PartLimit) -> float:
    # A counter is not a noisy sensor, but a device may forget its last hours when it loses power.
    return max(1.0, 3 * quantum_pct(limit)) if limit.measure in COUNTS else max(_MIN_RISE_PCT, 1.5 * quantum_pct(limit))


class _Reader:
    """Goes through the jumps of one series in order; `_began` is where the present part's readings begin."""

    def __init__(self, limit: PartLimit, levels: Levels, most: float) -> None:
        self._limit, self._levels, self._most = limit, levels, most
        self._at, self._pct = levels.at, levels.pct
        self._threshold = rise_threshold(limit, levels.pct)
        self._began = 0

    def read(self) -> None:
        explained = 0
        for i in self._candidates():
            if i > explained:
                explained = self._explain(i)

    def _candidates(self) -> Iterator[int]:
        step, days = np.diff(self._pct), np.diff(self._at)
        rises = step > (3 * quantum_pct(self._limit) if self._limit.measure in COUNTS else self._threshold)
        for i in np.flatnonzero(rises | (-step > self._threshold + self._most * days)):
            yield int(i) + 1

    def _explain(self, i: int) -> int:
        """Judge the jump to reading `i`; up to which reading the matter is settled."""
        before, rising = self._level_before(i), self._pct[i] > self._pct[i - 1]
        if not (self._is_rise(before, self._pct[i]) if rising else self._is_fall(before, i)):
            return i
        back = self._find_return(i, before, rising=rising)
        if back is not None:
            self._levels.believed[i:back] = False
            if rising and back - i > 1:
                self._levels.refuted.append(i)
            return back
        if i == len(self._pct) - 1:
            self._levels.believed[i] = False
        elif not rising:
            self._levels.falls.append(i)
            self._began = i
        elif self._is_rise(before, self._level_after(i)):
            self._levels.resets.append(i)
            self._began = i
        return i

    def _is_rise(self, before: float, now: float) -> bool:
        """Whether `now` is a new part. A counter is fine enough to be believed when it falls to less than half."""
        if self._limit.measure in COUNTS and now - before > 3 * quantum_pct(self._limit):
            return bool(now - before > self._threshold or 100 - now <= (100 - before) / 2)
        return bool(now - before > self._threshold)

    def _is_fall(self, before: float, i: int) -> bool:
        days = self._at[i] - self._at[i - 1]
        return bool(before - self._pct[i] > self._threshold + self._most * days)

    def _find_return(self, i: int, before: float, *, rising: bool) -> int | None:
        """The first reading after `i` that is back where it was before the jump to `i`."""
        end = int(np.searchsorted(self._at, self._at[i] + RETURN_DAYS, side="right"))
        pct, at = self._pct[i + 1 : end], self._at[i + 1 : end]
        jump = abs(float(self._pct[i]) - before)
        tolerance = min(self._threshold, jump / 2)
        low = before - tolerance - _USE_MEANWHILE_PCT_PER_DAY * (at - self._at[i - 1])
        low = low if rising else np.maximum(low, before - jump / 2)
        there = (pct >= low) & (pct <= before + tolerance)
        if rising:
            # What is used up little by little does not come back: it is at the old level by use.
            drop = -np.diff(self._pct[i:end]) - self._most * np.diff(self._at[i:end])
            there &= np.maximum.accumulate(drop > min(self._threshold, jump / 2)) if len(drop) else there
        for found in np.flatnonzero(there):
            once = not rising or found == 0
            if once or (found + 1 < len(there) and there[found + 1]):
                return i + 1 + int(found)
        return None

    def _level_before(self, i: int) -> float:
        """The level up to the reading before `i`, of two readings at least: a drop of one is no level."""
        start = int(np.searchsorted(self._at, self._at[i - 1] - _LOOK_BACK_DAYS))
        start = max(self._began, min(start, i - 2), 0)
        return self._weigh(start, i, high=True)

    def _level_after(self, i: int) -> float:
        """The level in the day after reading `i`, of the next reading at least."""
        end = int(np.searchsorted(self._at, self._at[i] + SETTLING_DAYS, side="right"))
        return self._weigh(i + 1, max(end, i + 2), high=False)

    def _weigh(self, start: int, end: int, *, high: bool) -> float:
        """Median of the believed readings, each for as long as it stood; of two middles, the upper or the lower."""
        held = np.diff(np.append(self._at[start:end], self._at[end] if end < len(self._at) else np.nan))
        held = np.minimum(np.nan_to_num(held, nan=_LONGEST_HOLD_DAYS), _LONGEST_HOLD_DAYS)
        kept = self._levels.believed[start:end]
        pct, held = (self._pct[start:end], held) if not kept.any() else (self._pct[start:end][kept], held[kept])
        order = np.argsort(pct)
        cumulated = np.cumsum(held[order])
        middle = int(np.searchsorted(cumulated, cumulated[-1] / 2, side="right" if high else "left"))
        return float(pct[order][min(middle, len(pct) - 1)])


def _unwrap(limit: PartLimit, at: Floats, pct: Floats, most: float) -> Floats:
    """Readings after a counter began again at zero because it was full, as if it had counted on."""
    if limit.measure is not Measure.USED or limit.capacity is None or len(pct) < 2:
        return pct
    scale, slack = 100 / limit.capacity, 2 * quantum_pct(limit)
    wraps, known = np.array(_WRAPS + (_WRAPS_H if limit.unit == "h" else ())) * scale, np.zeros(0)
    whole = pct.copy()
    for i in np.flatnonzero(np.diff(pct) > 3 * quantum_pct(limit)) + 1:
        full = known if len(known) else wraps
        counted = full - (pct[i] - pct[i - 1])  # what was counted between the two readings, were it this wrap
        fits = (
            (counted >= -slack) & (counted <= most * (at[i] - at[i - 1]) + slack) & (100 - pct[i - 1] <= full + slack)
        )
        if (len(known) or pct[i - 1] > _WRAP_LEAST_REMAINING_PCT) and fits.any():
            known = full[fits][:1]
            whole[i:] -= known[0]
    return whole
