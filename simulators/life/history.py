"""Readings without a broker: what a device would have said over some days, and the truth to score forecasts against."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from devices.profile import DeviceProfile
from simulators.life.chance import FloatArray, IntArray
from simulators.life.climate import region_named
from simulators.life.households import make_household
from simulators.life.physics import Appliance
from simulators.life.wear import PartCycle


class SimulatedReading(NamedTuple):
    """One metric value at a moment; a state metric's value is a string, a boolean's a bool."""

    serial: str
    metric: str
    ts: datetime
    value: float | bool | str


@dataclass(frozen=True, slots=True)
class Truth:
    """What nobody but the simulator knows. `worn` is by part, 0 new to 1 at capacity, one value a moment.

    `cycles` reach beyond the readings as far as was asked for, so that the next depletion is known.
    """

    serial: str
    times_ms: IntArray
    worn: dict[str, FloatArray]
    cycles: list[PartCycle]

    def depletion_after(self, part: str, at: datetime) -> datetime | None:
        """When the part that is in place at `at` truly passes its threshold; None when it is replaced before."""
        for cycle in self.cycles:
            if (
                cycle.part == part
                and cycle.installed_at <= at
                and (cycle.replaced_at is None or at < cycle.replaced_at)
            ):
                return cycle.threshold_at
        return None


def simulate_readings(
    profile: DeviceProfile,
    *,
    seed: int,
    start: datetime,
    days: float,
    interval: timedelta = timedelta(hours=3),
    region: str = "seoul",
    devices: int = 1,
    metrics: Iterable[str] | None = None,
) -> Iterator[SimulatedReading]:
    """Readings of devices that were new at `start`, device by device, each in the order of time.

    Each device lives in a household of its own; serials are `sim-{seed}-{number}` from 0. `metrics` narrows
    what is told. Raises InvalidInput for an unknown region or category.
    """
    times_ms = rising_times_ms(start, start + timedelta(days=days), interval)
    moments = [start + k * interval for k in range(len(times_ms))]
    for number in range(devices):
        appliance = _appliance(profile, seed, start, region, number)
        seen = appliance.observe(times_ms).metrics
        for metric in seen if metrics is None else metrics:
            for ts, value in zip(moments, seen[metric], strict=True):
                yield SimulatedReading(appliance.serial, metric, ts, value)


def simulate_truth(
    profile: DeviceProfile,
    *,
    seed: int,
    start: datetime,
    days: float,
    interval: timedelta = timedelta(hours=3),
    region: str = "seoul",
    devices: int = 1,
    ahead_days: float = 400,
) -> list[Truth]:
    """The truth about the same devices that `simulate_readings` tells of, looking `ahead_days` beyond the readings."""
    times_ms = rising_times_ms(start, start + timedelta(days=days), interval)
    horizon = start + timedelta(days=days + ahead_days)
    truths = []
    for number in range(devices):
        appliance = _appliance(profile, seed, start, region, number)
        seen = appliance.observe(times_ms)
        appliance.observe(np.array([_ms(horizon)], dtype=np.int64))
        truths.append(Truth(appliance.serial, times_ms, seen.worn, appliance.history(horizon)))
    return truths


def rising_times_ms(start: datetime, end: datetime, interval: timedelta) -> IntArray:
    """Epoch milliseconds of `start`, `start + interval`, ... before `end`."""
    return np.arange(_ms(start), _ms(end), interval // timedelta(milliseconds=1), dtype=np.int64)


def _appliance(profile: DeviceProfile, seed: int, start: datetime, region: str, number: int) -> Appliance:
    household = make_household(f"household-{seed}-{number}", region_named(region), seed)
    return Appliance(profile, household, f"sim-{seed}-{number}", start)


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
