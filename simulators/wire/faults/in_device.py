"""What goes wrong inside a device: its clock, its power, its connection, its firmware, its counters and its parts."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from devices.nouns import Measure, MetricKind
from devices.profile import DeviceProfile, LimitProfile
from simulators.life.chance import IntArray, draw, make_key, uniforms
from simulators.wire.faults.rates import Faults

CHATTY_FACTOR = 20
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_MS_2099 = 4_070_908_800_000
_PER_DEVICE = (
    "offline",
    "clock_1970",
    "clock_2099",
    "clock_drift",
    "clock_missing",
    "clock_summer_time",
    "boot_loops",
    "unit_change",
    "counter_reset",
    "chatty",
    "late_will",
)
_OTHER_UNITS = {"h": ("min", 60.0), "litres": ("ml", 1000.0), "m2": ("ft2", 10.7639), "pct": ("ratio", 0.01)}
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stretch:
    """The run that the faults are part of, in epoch milliseconds; the last outage ends with it."""

    start_ms: int
    end_ms: int

    def share(self, part: float) -> int:
        """The moment at that part of the stretch."""
        return self.start_ms + int(part * (self.end_ms - self.start_ms))


class DeviceFaults:
    """The faults of one device, the `number`th of its fleet; `struck` counts by fault.

    A fault that strikes a share of the devices strikes that share of any row of neighbours, as evenly as it can.
    """

    def __init__(
        self, faults: Faults, seed: int, profile: DeviceProfile, serial: str, number: int, stretch: Stretch
    ) -> None:
        self._faults, self._profile, self._stretch = faults, profile, stretch
        self._key = make_key(seed, serial, "faults")
        self._has = {fault for fault in _PER_DEVICE if _is_chosen(getattr(faults, fault), seed, fault, number)}
        self._bases: Row = {}
        self._reseated_until_ms = self._reseated_at_ms = -10 * _DAY_MS
        self._left_in_boot = 0
        self._outage_day = -1
        self._counters = [limit.metric for limit in _limits(profile, Measure.USED)] + _lifetime_counters(profile)
        self.struck: Counter[str] = Counter()

    def has(self, fault: str) -> bool:
        """Whether this device is one that the fault strikes."""
        return fault in self._has

    @property
    def pace(self) -> int:
        """How many times as often as it should the device measures."""
        return CHATTY_FACTOR if self.has("chatty") else 1

    def outage(self, day: int) -> tuple[int, int] | None:
        """From when to when (epoch milliseconds) the device is offline on that day since 1970."""
        if not self.has("offline"):
            return None
        begin = day * _DAY_MS + int(draw(self._key, "offline at", day) * 12 * _HOUR_MS)
        end = begin + int((2 + 8 * draw(self._key, "offline for", day)) * _HOUR_MS)
        return (begin, min(end, self._stretch.end_ms)) if begin < self._stretch.end_ms else None

    def is_offline(self, at_ms: int) -> bool:
        """Whether there is no connection at that moment."""
        outage = self.outage(at_ms // _DAY_MS)
        offline = outage is not None and outage[0] <= at_ms < outage[1]
        if offline and at_ms // _DAY_MS != self._outage_day:
            self._outage_day = at_ms // _DAY_MS
            self.struck["offline"] += 1
        return offline

    def back_since(self, at_ms: int) -> int:
        """The end of the last outage of that day; 0 when there was none yet."""
        outage = self.outage(at_ms // _DAY_MS)
        return outage[1] if outage and outage[1] <= at_ms else 0

    def count_until_reboot(self, waiting: int, numbered: int) -> int:
        """How many of `waiting` samples still belong to the boot that has `numbered`; 0 means: restart first."""
        if not self.has("boot_loops"):
            return waiting
        if not self._left_in_boot and numbered:
            self.struck["boot_loops"] += 1
            return 0
        if not self._left_in_boot:
            boot = self.struck["boot_loops"]
            self._left_in_boot = 1 + int(6 * draw(self._key, "boot", boot))
        count = min(waiting, self._left_in_boot)
        self._left_in_boot -= count
        return count

    def distort(self, times_ms: IntArray, rows: list[Row]) -> list[Row]:
        """What the metrics read with these faults, in the order of time."""
        self.struck["chatty"] += len(rows) * self.has("chatty")
        if self._faults.counter_backwards:
            self._forget_steps(times_ms, rows)
        if self._faults.reseated:
            self._reseat(times_ms, rows)
        half = self._stretch.share(0.5)
        if self.has("counter_reset"):
            self._reset_counters([row for at, row in zip(times_ms.tolist(), rows, strict=True) if at >= half])
        if self.has("unit_change"):
            return [self._retell(row) if at >= half else row for at, row in zip(times_ms.tolist(), rows, strict=True)]
        return rows

    def shown_ms(self, times_ms: IntArray) -> IntArray:
        """What the device's clock says at those moments."""
        shown = times_ms
        since = times_ms - self._stretch.start_ms
        if self.has("clock_1970"):
            shown = since
        elif self.has("clock_2099"):
            shown = _MS_2099 + since
        elif self.has("clock_drift"):
            shown = times_ms + (since / _DAY_MS * 1000 * (100 + 500 * draw(self._key, "drift"))).astype(np.int64)
        elif self.has("clock_summer_time"):
            summer = (times_ms >= self._stretch.share(1 / 3)) & (times_ms < self._stretch.share(2 / 3))
            shown = times_ms + summer * _HOUR_MS
        for fault in ("clock_1970", "clock_2099", "clock_drift", "clock_summer_time"):
            if self.has(fault):
                self.struck[fault] += int(np.count_nonzero(shown != times_ms))
        return np.asarray(shown)

    def _forget_steps(self, times_ms: IntArray, rows: list[Row]) -> None:
        struck = uniforms(self._key ^ 1, times_ms) < self._faults.counter_backwards
        for index in np.flatnonzero(struck).tolist():
            for metric in self._counters:
                step = 2 if isinstance(rows[index].get(metric), int) else 0.2
                rows[index][metric] = max(0, round(rows[index][metric] - step, 6))
            self.struck["counter_backwards"] += bool(self._counters)

    def _reseat(self, times_ms: IntArray, rows: list[Row]) -> None:
        limits = [limit for part in self._profile.parts for limit in part.limits]
        starts = uniforms(self._key ^ 2, times_ms) < self._faults.reseated
        for at, starting, row in zip(times_ms.tolist(), starts.tolist(), rows, strict=True):
            # A part is not taken out again at once, and never stays out for as long as a day.
            if starting and limits and at > self._reseated_at_ms + 3 * _DAY_MS:
                self._reseated_at_ms = at
                self._reseated_until_ms = at + int(draw(self._key, "out for", at) * _HOUR_MS) + 1
                self.struck["reseated"] += 1
            if at < self._reseated_until_ms:
                row |= {limit.metric: _as_new(limit) for limit in limits}

    def _reset_counters(self, rows: list[Row]) -> None:
        for row in rows if self._counters else []:
            self.struck["counter_reset"] += not self._bases
            for metric in self._counters:
                base = self._bases.setdefault(metric, row[metric])
                # A real new part begins at zero too, below what was taken off.
                self._bases[metric] = base = base if row[metric] >= base else 0
                row[metric] = round(row[metric] - base, 6)

    def _retell(self, row: Row) -> Row:
        for name, metric in self._profile.metrics.items():
            other = _OTHER_UNITS.get(metric.unit)
            if other and name in row and name.endswith(f"_{metric.unit}"):
                self.struck["unit_change"] += 1
                renamed = name.removesuffix(metric.unit) + other[0]
                return {k: v for k, v in row.items() if k != name} | {renamed: round(row[name] * other[1], 6)}
        return row


def _is_chosen(rate: float, seed: int, fault: str, number: int) -> bool:
    offset = draw(seed, fault)
    return int(rate * (number + 1) + offset) > int(rate * number + offset)


def _limits(profile: DeviceProfile, measure: Measure) -> list[LimitProfile]:
    return [limit for part in profile.parts for limit in part.limits if limit.measure is measure]


def _lifetime_counters(profile: DeviceProfile) -> list[str]:
    spoken_for = {limit.metric for part in profile.parts for limit in part.limits}
    return [
        name
        for name, metric in profile.metrics.items()
        if metric.kind is MetricKind.NUMBER and metric.unit in ("h", "m2", "litres") and name not in spoken_for
    ]


def _as_new(limit: LimitProfile) -> Any:
    match limit.measure:
        case Measure.PERCENT_REMAINING:
            return 100
        case Measure.REMAINING:
            return limit.capacity
        case Measure.REPLACE_FLAG:
            return False
        case Measure.IDENTITY:
            return "unknown"
        case Measure.STATE:
            return "ok"
        case _:
            return 0
