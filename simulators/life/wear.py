"""How one part wears, is replaced, and is spoken of by its metrics. The exact truth stays readable."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from devices.nouns import Measure
from devices.profile import DeviceProfile, LimitProfile, PartProfile
from simulators.life.appliances import typical_flow_a_day
from simulators.life.chance import FloatArray, IntArray, make_key
from simulators.life.households import Habit, Household

_COUNTS = (Measure.USED, Measure.REMAINING)


@dataclass(frozen=True, slots=True)
class PartCycle:
    """The truth about one part in one place: when it came, when it truly passed its threshold, when it went.

    `threshold_at` is None while it has not, or when it was replaced before; `replaced_at` is None for the current one.
    """

    part: str
    cycle: int
    tag: str
    installed_at: datetime
    threshold_at: datetime | None
    replaced_at: datetime | None


@dataclass(frozen=True, slots=True)
class _CycleHours:
    """A cycle in hours since 1970, as the wear loop keeps it."""

    cycle: int
    installed: float
    threshold: float | None = None
    replaced: float | None = None


@dataclass(frozen=True, slots=True)
class WearTrace:
    """One row a limit, one column an hour: what was used at the hour's start, and what the hour adds."""

    starts: FloatArray
    rates: FloatArray
    cycles: IntArray

    def used(self, column: IntArray, share: FloatArray) -> FloatArray:
        """Exact use by limit at that share of those hours."""
        return np.asarray(self.starts[:, column] + self.rates[:, column] * share)


class PartWear:
    """A part's state over time: advance it block by block of hours, then ask what its metrics show."""

    def __init__(self, part: PartProfile, device: DeviceProfile, household: Household, serial: str, hour: int) -> None:
        self.profile = part
        self._household = household
        self._key = make_key(household.seed, serial, part.part)
        counts = [limit for limit in part.limits if limit.measure in _COUNTS]
        # A model that only tells a percentage counts hours too, where nobody sees them.
        hidden = part.prior_life_days * typical_flow_a_day(device.category)
        self._rows = {limit.metric: row for row, limit in enumerate(counts)}
        self._units = [device.metrics[limit.metric].unit for limit in counts] or ["h"]
        self._capacities = np.array([limit.capacity for limit in counts] or [hidden], dtype=np.float64)
        self._used = np.zeros(len(self._capacities))
        self._due: int | None = None
        self._swap: int | None = None
        self._cycles = [_CycleHours(0, hour)]

    def advance(self, flows: dict[str, FloatArray], hours: IntArray) -> WearTrace:
        """Wear by `flows` through `hours` (contiguous, from where the last block ended), replacing when it is time."""
        rates = np.stack([flows[unit] for unit in self._units])
        starts, cycles = np.empty_like(rates), np.empty(len(hours), dtype=np.int64)
        column = 0
        while column < len(hours):
            used = np.cumsum(np.column_stack([self._used, rates[:, column:]]), axis=1)
            end = self._wear_until(used, int(hours[column])) + column
            starts[:, column:end] = used[:, : end - column]
            cycles[column:end] = self._cycles[-1].cycle
            self._used = used[:, end - column]
            column = end
            if self._swap is not None and self._swap == hours[0] + column:
                self._replace(self._swap)
        return WearTrace(starts, rates, cycles)

    def worn(self, used: FloatArray) -> FloatArray:
        """Worn share of the part, 0 when new, 1 at capacity: the limit that is furthest."""
        return np.asarray((used / self._capacities[:, None]).max(axis=0))

    def show(self, limit: LimitProfile, used: FloatArray, cycles: IntArray) -> list[Any]:
        """What the metric of `limit` reads: whole quanta, whole percents rounded down, or the cartridge's id."""
        if limit.measure is Measure.IDENTITY:
            return [self._shown_tag(cycle) for cycle in cycles.tolist()]
        return list(self._read(limit, used).tolist())

    def _read(self, limit: LimitProfile, used: FloatArray) -> NDArray[Any]:
        match limit.measure:
            case Measure.USED:
                return _quantize(used[self._rows[limit.metric]], limit.quantum)
            case Measure.REMAINING:
                row = self._rows[limit.metric]
                return _quantize(np.clip(self._capacities[row] - used[row], 0, None), limit.quantum)
            case Measure.PERCENT_USED:
                return np.asarray(100 - self._percent_remaining(used))
            case Measure.REPLACE_FLAG:
                return np.asarray(self._percent_remaining(used) <= self.profile.threshold_pct)
            case Measure.STATE:
                return np.where(self._percent_remaining(used) <= self.profile.threshold_pct, "replace", "ok")
            case _:
                return self._percent_remaining(used)

    def tag(self, cycle: int) -> str:
        """The id of the cartridge of that cycle, as a chip in it would tell."""
        return f"{make_key(self._key, 'tag', cycle):016x}"

    def _shown_tag(self, cycle: int) -> str:
        cheap = self._household.habit is Habit.CHEAP and cycle > 0
        return "none" if cheap else self.tag(cycle)

    def history(self, until: datetime) -> list[PartCycle]:
        """The cycles that began before `until`, with nothing told of what comes later."""
        hour = until.timestamp() / 3600
        return [self._as_cycle(cycle, hour) for cycle in self._cycles if cycle.installed < hour]

    def _as_cycle(self, cycle: _CycleHours, until: float) -> PartCycle:
        def told(hour: float | None) -> datetime | None:
            return None if hour is None or hour > until else _moment(hour)

        tag = self.tag(cycle.cycle)
        installed_at, threshold_at, replaced_at = _moment(cycle.installed), told(cycle.threshold), told(cycle.replaced)
        return PartCycle(self.profile.part, cycle.cycle, tag, installed_at, threshold_at, replaced_at)

    def _percent_remaining(self, used: FloatArray) -> IntArray:
        # As the firmware does: from whole units used, in whole numbers, so that 35 of 3,500 h is 99 and not 98.
        counted, capacity = np.floor(used + 1e-9).astype(np.int64), np.floor(self._capacities).astype(np.int64)
        remaining = np.clip(capacity[:, None] - counted, 0, None)
        return np.asarray((100 * remaining // capacity[:, None]).min(axis=0))

    def _wear_until(self, used: FloatArray, hour: int) -> int:
        """How many hours of `used` pass before this cycle or the block ends; notes when a replacement is due."""
        worn = self.worn(used)
        current = self._cycles[-1]
        if self._due is None:
            level = 1 - self._household.replacement_level(self._key, current.cycle) / 100
            reached = int(np.searchsorted(worn, level))
            if reached < len(worn):
                self._due = hour + reached
                self._swap = self._household.replacement_hour(self._key, current.cycle, self._due)
        last = len(worn) - 1
        end = last if self._swap is None else min(last, self._swap - hour)
        self._note_threshold(worn[: end + 1], hour)
        return end

    def _note_threshold(self, worn: FloatArray, hour: int) -> None:
        current, level = self._cycles[-1], 1 - self.profile.threshold_pct / 100
        reached = int(np.searchsorted(worn, level))
        if current.threshold is None and 0 < reached < len(worn):
            share = (level - worn[reached - 1]) / (worn[reached] - worn[reached - 1])
            self._cycles[-1] = replace(current, threshold=hour + reached - 1 + float(share))

    def _replace(self, hour: int) -> None:
        self._cycles[-1] = replace(self._cycles[-1], replaced=hour)
        self._cycles.append(_CycleHours(self._cycles[-1].cycle + 1, hour))
        self._used = np.zeros(len(self._capacities))
        self._due = self._swap = None


def _quantize(amount: FloatArray, quantum: float) -> NDArray[Any]:
    """Rounded down to whole quanta; whole numbers when the quantum is one."""
    quanta = np.floor(amount / quantum + 1e-9).astype(np.int64)
    if quantum == int(quantum):
        return np.asarray(quanta * int(quantum))
    return np.asarray(np.round(quanta * quantum, 6))


def _moment(hour: float) -> datetime:
    return datetime.fromtimestamp(hour * 3600, UTC)
