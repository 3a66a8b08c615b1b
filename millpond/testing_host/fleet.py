"""The simulated devices of a test: each with a connection of its own, moved by the test's clock."""

import threading
from datetime import datetime, timedelta

from devices.profile import shipped_profiles
from devices.registry import register_device
from millpond.kernel.broker import parse_broker_url
from millpond.kernel.clock import StillClock, monotonic
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import InvalidInput, NotFound, Unavailable
from millpond.kernel.ids import CustomerId
from millpond.testing.protocol import DeviceOptions, Now, PartLifeRow, ReadingRow, RegisteredRow
from millpond.testing_host.device import HostedDevice, choose_household

_STEPS_MAX = 60
_STEP_MIN = timedelta(hours=6)
_RESEND_AFTER_S = 5.0
_IDLE_S = 0.05


class HostedFleet:
    """Devices by serial. Everything happens in the caller's thread; `wake` tells of whatever comes in."""

    def __init__(
        self, conn: WriteConnection, clock: StillClock, broker_url: str, wake: threading.Event, stop: threading.Event
    ) -> None:
        self._conn, self._clock, self._wake, self._stop = conn, clock, wake, stop
        self._broker = parse_broker_url(broker_url)
        self._devices: dict[str, HostedDevice] = {}
        self.broker_up = True

    def start_device(self, device: DeviceOptions) -> Now:
        """Register a device and switch it on; what it measured in its history is committed on return."""
        profiles, model, serial = shipped_profiles(), device["model"], device["serial"]
        if model not in profiles:
            raise InvalidInput(f"model {model!r} has no profile: choose from {', '.join(sorted(profiles))}")
        now = self._clock.now()
        installed_at = now - timedelta(days=max(device["installed_days_ago"], device["history_days"]))
        household = choose_household(device["seed"], device["region"], device["household"])
        reports_from = now - timedelta(days=device["history_days"])
        made = HostedDevice(device, profiles[model], household, installed_at=installed_at, reports_from=reports_from)
        self._register(serial, model, device["region"], device["customer_id"], installed_at)
        self._devices[serial] = made
        made.measure(now)
        self._connect(made)
        return self.wait_committed()

    def register_device(
        self, serial: str, model: str, region: str, customer_id: str, installed_at: str | None
    ) -> RegisteredRow:
        """Register a device that is not simulated."""
        at = datetime.fromisoformat(installed_at) if installed_at else self._clock.now()
        return self._register(serial, model, region, customer_id, at)

    def advance(self, to: datetime) -> None:
        """Let time pass: devices measure and publish step by step; what those online measured is then committed."""
        now = self._clock.now()
        step = max(_STEP_MIN, (to - now) / _STEPS_MAX)
        while True:
            now = min(to, now + step)
            self._clock.at = now
            for device in self._devices.values():
                device.measure(now)
            self.wait_committed()
            if now >= to or self._stop.is_set():
                return

    def wait_committed(self, timeout_s: float = 60) -> Now:
        """Return when the platform has acknowledged all that devices online have measured."""
        deadline, silent_since, waiting = monotonic() + timeout_s, monotonic(), -1
        while not self._stop.is_set():
            self.pump()
            before, waiting = waiting, sum(device.waiting for device in self._devices.values())
            if not waiting or not self.broker_up:
                break
            if monotonic() > deadline:
                raise Unavailable(f"{waiting} samples were not committed within {timeout_s:g} s: {self._who_waits()}")
            if waiting != before:
                silent_since = monotonic()
            elif monotonic() - silent_since > _RESEND_AFTER_S:
                self._resend()
                silent_since = monotonic()
            self._wake.wait(_IDLE_S)
            self._wake.clear()
        return {"now": self._clock.now().isoformat()}

    def pump(self) -> None:
        """Send what is there, and take in what came."""
        for device in self._devices.values():
            device.pump(self._clock.now())

    def go_offline(self, serial: str) -> None:
        """The device goes on measuring, with no connection."""
        self._device(serial).disconnect()

    def go_online(self, serial: str) -> Now:
        """The device is back: what it measured meanwhile goes to backfill, and is committed on return."""
        self._connect(self._device(serial))
        return self.wait_committed()

    def restart(self, serial: str) -> Now:
        """The power was cut and is back: a new boot, with the outbox that was in flash."""
        device = self._device(serial)
        device.restart(self._clock.now())
        self._connect(device)
        return self.wait_committed()

    def inject(self, serial: str, faults: str) -> None:
        """From now on the device and its messages suffer these faults; an empty text ends them."""
        device = self._device(serial)
        device.set_faults(faults, self._clock.now())
        if device.online:
            self._connect(device)

    def measured(self, serial: str) -> list[ReadingRow]:
        """Everything the device ever measured, sent or not, oldest first."""
        return self._device(serial).measured()

    def truth(self, serial: str, days: float) -> list[PartLifeRow]:
        """The true life of each part, as far as `days` from now."""
        return self._device(serial).truth(self._clock.now() + timedelta(days=days))

    def remove_devices(self, serials: list[str]) -> None:
        """Switch devices off for good; what they said stays."""
        for serial in serials:
            if device := self._devices.pop(serial, None):
                device.disconnect()

    def close(self) -> None:
        """Switch all off."""
        self.remove_devices(list(self._devices))

    def _register(
        self, serial: str, model: str, region: str, customer_id: str, installed_at: datetime
    ) -> RegisteredRow:
        device = register_device(
            self._conn,
            serial=serial,
            model=model,
            region=region,
            customer_id=CustomerId(customer_id),
            installed_at=installed_at,
            at=self._clock.now(),
        )
        return {"serial": device.serial, "model": device.model}

    def _connect(self, device: HostedDevice) -> None:
        device.connect(self._broker, self._wake, self._clock.now())

    def _resend(self) -> None:
        for device in self._devices.values():
            device.resend()

    def _who_waits(self) -> str:
        return ", ".join(serial for serial, device in self._devices.items() if device.waiting)

    def _device(self, serial: str) -> HostedDevice:
        if serial not in self._devices:
            raise NotFound(f"no simulated device {serial[:80]} runs")
        return self._devices[serial]
