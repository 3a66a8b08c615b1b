"""One simulated device of a test, its connection while it has one, and everything it ever measured."""

import threading
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson

from devices.profile import DeviceProfile
from devices.wire_time import parse_ts
from millpond.kernel.broker import BrokerAddress
from millpond.kernel.errors import InvalidInput
from millpond.testing.protocol import DeviceOptions, PartLifeRow, ReadingRow
from simulators.life.climate import region_named
from simulators.life.households import Habit, Household, make_household
from simulators.life.wear import PartCycle
from simulators.wire.device import SimulatedDevice
from simulators.wire.faults import DeviceFaults, Faults, parse_faults
from simulators.wire.faults.in_device import Stretch
from simulators.wire.link import Link
from simulators.wire.outbox import Outbox, StoredSample

_PUMP_MESSAGES = 1_000
_BEHAVIOUR = ("people", "homely", "pace", "always_on", "habit")


class HostedDevice:
    """A simulated device that a test switches on and off, restarts and breaks."""

    def __init__(
        self,
        options: DeviceOptions,
        profile: DeviceProfile,
        household: Household,
        *,
        installed_at: datetime,
        reports_from: datetime,
    ) -> None:
        self.serial, self._seed = options["serial"], options["seed"]
        self._profile, self._household = profile, household
        self._installed_at, self._interval = installed_at, timedelta(seconds=options["interval_s"])
        self._outbox = KeptOutbox()
        self._fault_span = timedelta(days=options["fault_days"])
        self._boots = 0
        self._link: Link | None = None
        self._faults, self._device_faults = self._read_faults(options["faults"], reports_from)
        self._device = self._switch_on(reports_from)

    @property
    def online(self) -> bool:
        """Whether it has a connection, or tries to have one again."""
        return self._link is not None

    @property
    def waiting(self) -> int:
        """Samples that are not acknowledged though there is a connection for them."""
        return self._link.unsent + self._link.unacked if self._link else 0

    def measure(self, to: datetime) -> None:
        """Measure up to `to`."""
        self._device.advance(to)

    def pump(self, at: datetime) -> None:
        """Send what is there, take in what came."""
        if self._link:
            self._link.settle(at)
            self._link.pump(_PUMP_MESSAGES)

    def resend(self) -> None:
        """Send again what nobody acknowledged."""
        if self._link:
            self._link.resend_unacked()

    def connect(self, broker: BrokerAddress, wake: threading.Event, at: datetime) -> None:
        """Connect anew; what was measured before `at` goes to backfill."""
        self.disconnect()
        self._device.on_reconnect()
        link = Link(broker, [self._device], wake=wake, gateway=False, faults=self._faults, seed=self._seed)
        link.live_since = at
        link.open()
        self._link = link

    def disconnect(self) -> None:
        """Say that it is offline, and leave; safe to repeat."""
        link, self._link = self._link, None
        if link:
            link.close()

    def restart(self, at: datetime) -> None:
        """Off and on again."""
        self.disconnect()
        self._device = self._switch_on(at)

    def set_faults(self, faults: str, at: datetime) -> None:
        """Which faults the device has from `at` on, and its next connection."""
        self._faults, self._device_faults = self._read_faults(faults, at)
        self._device.faults = self._device_faults
        self._device.set_interval(self._interval)

    def measured(self) -> list[ReadingRow]:
        """Everything that was measured, value by value."""
        return [row for sample in self._outbox.kept for row in _read(sample)]

    def truth(self, until: datetime) -> list[PartLifeRow]:
        """The lives of its parts, from a twin that has lived on to `until`."""
        twin = SimulatedDevice(
            self.serial,
            self._profile,
            self._household,
            self._seed,
            "twin",
            installed_at=self._installed_at,
            interval=timedelta(days=1),
        )
        return [_tell(cycle) for cycle in twin.foresee(until)]

    def _read_faults(self, text: str, at: datetime) -> tuple[Faults, DeviceFaults | None]:
        faults = parse_faults(text)
        if not faults.active():
            return faults, None
        stretch = Stretch(_ms(at), _ms(at + self._fault_span))
        return faults, DeviceFaults(faults, self._seed, self._profile, self.serial, 0, stretch)

    def _switch_on(self, at: datetime) -> SimulatedDevice:
        self._boots += 1
        return SimulatedDevice(
            self.serial,
            self._profile,
            self._household,
            self._seed,
            f"boot-{self._boots}",
            installed_at=self._installed_at,
            reports_from=at,
            interval=self._interval,
            outbox=self._outbox,
            faults=self._device_faults,
        )


class KeptOutbox(Outbox):
    """Also remembers what was committed long ago: a test compares it with what is stored."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[StoredSample] = []

    def append(self, *arguments: Any) -> list[StoredSample]:
        """Store, and remember."""
        samples = super().append(*arguments)
        self.kept.extend(samples)
        return samples


def choose_household(seed: int, region: str, behaviour: dict[str, Any]) -> Household:
    """The household of `seed`, with what the test says of it; InvalidInput for a behaviour that nobody has."""
    if unknown := set(behaviour) - set(_BEHAVIOUR):
        raise InvalidInput(f"behaviour {sorted(unknown)[0]!r} is not known: choose from {', '.join(_BEHAVIOUR)}")
    if "habit" in behaviour:
        if behaviour["habit"] not in set(Habit):
            raise InvalidInput(f"habit {behaviour['habit']!r} is none of {', '.join(Habit)}")
        behaviour = behaviour | {"habit": Habit(behaviour["habit"])}
    return replace(make_household(f"household-{seed}", region_named(region), seed), **behaviour)


def _read(sample: StoredSample) -> list[ReadingRow]:
    body = orjson.loads(sample.body)
    at = parse_ts(body["ts"])
    assert at is not None  # A simulated device always says when.
    return [
        {"metric": metric, "at": at.isoformat(), "value": value} for metric, value in sorted(body["metrics"].items())
    ]


def _tell(cycle: PartCycle) -> PartLifeRow:
    return {
        "part": cycle.part,
        "installed_at": cycle.installed_at.isoformat(),
        "threshold_at": _text(cycle.threshold_at),
        "replaced_at": _text(cycle.replaced_at),
    }


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
