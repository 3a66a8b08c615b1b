"""The devices of one test: simulated ones, and your own."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from millpond.testing.channel import PlatformError
from millpond.testing.client import Customer
from millpond.testing.platform import Millpond
from millpond.testing.protocol import DeviceOptions
from millpond.testing.rows import PartLife, Quarantined, Reading, read_lives, read_readings


class Device:
    """A device that the platform knows: one of yours, or a simulated one."""

    def __init__(self, millpond: Millpond, serial: str, model: str) -> None:
        self._millpond, self._host = millpond, millpond.channel.host
        self._refusals_seen = 0
        self.serial, self.model = serial, model

    def committed(self, metric: str | None = None) -> list[Reading]:
        """Every reading of the device that is stored, oldest first; of one metric when it is named."""
        found = read_readings(self._host.committed(serial=self.serial))
        return [reading for reading in found if metric in (None, reading.metric)]

    def quarantined(self) -> list[Quarantined]:
        """What the platform refused of the device, and why."""
        refused = self._read_refused()
        self._refusals_seen = len(refused)
        return refused

    def wait_for(self, readings: int, *, timeout_s: float = 30, despite_refusals: bool = False) -> list[Reading]:
        """Wait until at least so many readings are committed, and return them all.

        PlatformError at once, with the reason, when something of the device is refused that no `quarantined()` has
        shown; not so with `despite_refusals`, for a device that also says what cannot be.
        """
        __tracebackhide__ = True

        def committed() -> bool:
            # First, so that no reading that was committed before a refusal is overlooked.
            refused = [] if despite_refusals else self._read_refused()
            done = len(self.committed()) >= readings
            if not done:
                self._require_none_untold(refused)
            return done

        self._millpond.wait_until(committed, timeout_s=timeout_s)
        return self.committed()

    def _read_refused(self) -> list[Quarantined]:
        return [Quarantined(**row) for row in self._host.quarantined(serial=self.serial)]

    def _require_none_untold(self, refused: list[Quarantined]) -> None:
        __tracebackhide__ = True
        if untold := refused[self._refusals_seen :]:
            self._refusals_seen = len(refused)
            first = untold[0]
            what = f"{first.item} of {self.serial}" if first.item else f"a message of {self.serial}"
            raise PlatformError(f"the platform refused {what} ({first.code}): {first.reason}")


class SimulatedDevice(Device):
    """A device that lives in the platform's process: it measures as time is advanced, and publishes through the broker.

    It keeps what it measured until the platform acknowledges it, as a device should.
    """

    def measured(self, metric: str | None = None) -> list[Reading]:
        """Everything it ever measured, sent or not, oldest first: what `committed()` has to become."""
        found = read_readings(self._host.measured(serial=self.serial))
        return [reading for reading in found if metric in (None, reading.metric)]

    def go_offline(self) -> None:
        """It loses its connection, and goes on measuring."""
        self._host.go_offline(serial=self.serial)

    def go_online(self) -> None:
        """It connects again; on return what it measured while offline is committed."""
        self._host.go_online(serial=self.serial)

    def restart(self) -> None:
        """Its power is cut and comes back: a new boot, with what was not yet acknowledged still in its flash."""
        self._host.restart(serial=self.serial)

    def inject(self, **faults: float) -> None:
        """From now on it has these faults, as in `Fleet.start`; none ends them. It connects anew for it.

        For example `device.inject(duplicates=1, malformed=0.1)`.
        """
        self._host.inject(serial=self.serial, faults=_spell(faults))

    def parts(self, days: float = 400) -> list[PartLife]:
        """The truth, as far as `days` from now: when each of its parts comes, has 10 % left, and is replaced."""
        return read_lives(self._host.truth(serial=self.serial, days=days))


class Fleet:
    """Starts the devices of one test, which its customer owns; they are switched off when the test ends."""

    def __init__(self, millpond: Millpond, customer: Customer, seed: int) -> None:
        self.seed = seed
        """Follows from the session's seed and the test's name: the same test has the same households and devices."""
        self._millpond, self._customer, self._host = millpond, customer, millpond.channel.host
        self._started: list[str] = []

    def start(
        self,
        model: str = "generic-purifier-hours",
        *,
        installed_days_ago: float = 0,
        history_days: float = 0,
        region: str = "seoul",
        interval: timedelta = timedelta(hours=3),
        faults: Mapping[str, float] | None = None,
        fault_days: float = 30,
        serial: str | None = None,
        **household: Any,
    ) -> SimulatedDevice:
        """Switch a simulated device on; it has said all of its history, and that is committed, on return.

        Its parts wear since `installed_days_ago`; it tells of the last `history_days`. How its household lives follows
        from the seed, unless you say it: `people` (2 to 5), `pace` (1 is typical use), `homely` (0 to 1),
        `always_on`, `habit` ("on_time", "early", "late", "never" or "cheap": how a worn part is replaced).

        `faults` are those of `millpond simulate --faults`, as shares: of messages (`{"duplicates": 0.1}`), of samples,
        or 1 for a fault of the device itself (`{"clock_1970": 1}`); what comes half-way comes so in `fault_days`.
        """
        serial = serial or f"{model.upper()}-{self.seed}-{len(self._started) + 1:03d}"
        device: DeviceOptions = {
            "serial": serial,
            "model": model,
            "seed": self.seed,
            "customer_id": self._customer.id,
            "region": region,
            "installed_days_ago": installed_days_ago,
            "history_days": history_days,
            "interval_s": interval.total_seconds(),
            "faults": _spell(faults or {}),
            "fault_days": fault_days,
            "household": household,
        }
        self._host.start_device(device=device)
        self._started.append(serial)
        return SimulatedDevice(self._millpond, serial, model)

    def register(
        self,
        serial: str,
        model: str = "generic-purifier-pct",
        *,
        region: str = "",
        installed_at: datetime | None = None,
    ) -> Device:
        """Register a device of your own, which publishes by itself; the test's customer owns it."""
        self._host.register_device(
            serial=serial,
            model=model,
            region=region,
            customer_id=self._customer.id,
            installed_at=installed_at.isoformat() if installed_at else None,
        )
        return Device(self._millpond, serial, model)

    def advance(self, *, to: datetime | None = None, days: float = 0, hours: float = 0, minutes: float = 0) -> datetime:
        """Let time pass, as `millpond.advance` does; what devices online measured meanwhile is committed on return."""
        return self._millpond.advance(to=to, days=days, hours=hours, minutes=minutes)

    def wait_committed(self, *, timeout_s: float = 60) -> None:
        """Wait until the platform has acknowledged all that simulated devices online have measured."""
        self._host.wait_committed(timeout_s=timeout_s)

    def close(self) -> None:
        """Switch all devices off; what they said stays."""
        self._host.remove_devices(serials=self._started)


def _spell(faults: Mapping[str, float]) -> str:
    return ",".join(f"{name}={rate}" for name, rate in faults.items())
