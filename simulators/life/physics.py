"""One appliance in one household: hidden state that advances hour by hour, and what its metrics read at any moment."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from devices.profile import DeviceProfile
from millpond.kernel.errors import InvalidInput
from simulators.life.appliances import Activity, activity_of, filter_water, live_through
from simulators.life.chance import FloatArray, IntArray
from simulators.life.households import Household
from simulators.life.wear import PartCycle, PartWear, WearTrace

_HOUR_MS = 3_600_000
# Living through a day at once costs little more than an hour, and a live fleet asks every few minutes.
_SMALLEST_BLOCK_H = 24


@dataclass(frozen=True, slots=True)
class Observation:
    """What the metrics read, one list entry a moment; `worn` is the hidden truth by part, 0 new to 1 at capacity."""

    times_ms: IntArray
    metrics: dict[str, list[Any]]
    worn: dict[str, FloatArray]


@dataclass(frozen=True, slots=True)
class _Block:
    """Hours that were lived through: `counters` hold the totals at each hour's start."""

    first: int
    hours: int
    activity: Activity
    counters: dict[str, FloatArray]
    wear: list[WearTrace]


class Appliance:
    """A device without its network. Moments must be asked for in rising order, from `installed_at` on.

    What it reads at a moment does not depend on which moments were asked for before.
    """

    def __init__(self, profile: DeviceProfile, household: Household, serial: str, installed_at: datetime) -> None:
        activity_of(profile.category)
        self.profile, self.household, self.serial = profile, household, serial
        self._hour = int(installed_at.timestamp()) // 3600
        self._parts = [PartWear(part, profile, household, serial, self._hour) for part in profile.parts]
        self._totals: dict[str, float] = {}
        self._block = self._live(1)

    def observe(self, times_ms: IntArray) -> Observation:
        """What the metrics read at those moments (epoch milliseconds, rising)."""
        pieces = []
        while len(times_ms):
            end = (self._block.first + self._block.hours) * _HOUR_MS
            inside = int(np.searchsorted(times_ms, end))
            pieces.append(self._read(times_ms[:inside]))
            times_ms = times_ms[inside:]
            if len(times_ms):
                self._block = self._live(int(times_ms[-1]) // _HOUR_MS + 1 - self._hour)
        return _join(pieces)

    def live_until(self, at: datetime) -> None:
        """Live through the hours up to a day after `at` now, so that the first look does not have to."""
        hour = int(at.timestamp()) // 3600
        if hour >= self._hour:
            self._block = self._live(hour + _SMALLEST_BLOCK_H - self._hour)

    def history(self, until: datetime) -> list[PartCycle]:
        """The truth about every part that was in the device before `until`, oldest first within each part."""
        return [cycle for part in self._parts for cycle in part.history(until)]

    def _live(self, count: int) -> _Block:
        count = max(count, _SMALLEST_BLOCK_H)
        hours = np.arange(self._hour, self._hour + count, dtype=np.int64)
        activity = live_through(self.profile.category, self.household, self.serial, hours)
        wear = [self._advance(part, activity, hours) for part in self._parts]
        counters = {name: self._count(name, flow) for name, flow in activity.counters.items()}
        self._hour += count
        return _Block(int(hours[0]), count, activity, counters, wear)

    def _advance(self, part: PartWear, activity: Activity, hours: IntArray) -> WearTrace:
        try:
            return part.advance(activity.flows, hours)
        except KeyError as error:
            raise InvalidInput(
                f"{self.profile.model}: part {part.profile.part} counts in {error.args[0]!r},"
                f" which a simulated {self.profile.category} does not use"
            ) from None

    def _count(self, name: str, flow: FloatArray) -> FloatArray:
        totals = np.cumsum(np.concatenate([[self._totals.get(name, 0.0)], flow]))
        self._totals[name] = float(totals[-1])
        return np.asarray(totals[:-1])

    def _read(self, times_ms: IntArray) -> Observation:
        block = self._block
        column = times_ms // _HOUR_MS - block.first
        share = (times_ms % _HOUR_MS) / _HOUR_MS
        metrics = {name: values[column].tolist() for name, values in block.activity.seen.items()}
        for name, starts in block.counters.items():
            exact = starts[column] + block.activity.counters[name][column] * share
            metrics[name] = (np.floor(exact * 10 + 1e-9) / 10).tolist()
        worn = {}
        for part, trace in zip(self._parts, block.wear, strict=True):
            used = trace.used(column, share)
            worn[part.profile.part] = part.worn(used)
            for limit in part.profile.limits:
                metrics[limit.metric] = part.show(limit, used, trace.cycles[column])
        if "tds_in_ppm" in metrics and worn:
            metrics["tds_out_ppm"] = filter_water(np.array(metrics["tds_in_ppm"]), worn).tolist()
        return Observation(times_ms, self._in_profile_order(metrics), worn)

    def _in_profile_order(self, metrics: dict[str, list[Any]]) -> dict[str, list[Any]]:
        return {name: metrics[name] for name in self.profile.metrics if name in metrics}


def _join(pieces: list[Observation]) -> Observation:
    if len(pieces) == 1:
        return pieces[0]
    if not pieces:
        return Observation(np.empty(0, dtype=np.int64), {}, {})
    return Observation(
        np.concatenate([piece.times_ms for piece in pieces]),
        {name: [value for piece in pieces for value in piece.metrics[name]] for name in pieces[0].metrics},
        {part: np.concatenate([piece.worn[part] for piece in pieces]) for part in pieces[0].worn},
    )
