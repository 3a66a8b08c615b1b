"""The simulated devices of a test: each with a connection of its own, moved by the test's clock."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from devices.profile import shipped_profiles
from devices.registry import register_device
from millpond.kernel.broker import parse_broker_url
from millpond.kernel.clock import StillClock, monotonic
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import InvalidInput, NotFound, Unavailable
from millpond.kernel.ids import CustomerId
from millpond.testing_host.unit import Unit, make_home

_STEPS_MAX = 60
_STEP_MIN = timedelta(hours=6)
_RESEND_AFTER_S = 5.0
_IDLE_S = 0.05


class TestFleet:
    """Devices by serial. Everything happens in the caller's thread; `wake` tells of whatever comes in."""

    def __init__(
        self, conn: WriteConnection, clock: StillClock, broker_url: str, wake: threading.Event, stop: threading.Event
    ) -> None:
        self._conn, self._clock, self._wake, self._stop = conn, clock, wake, stop
        self._broker = parse_broker_url(broker_url)
        self._units: dict[str, Unit] = {}
        self.broker_up = True

    def start(
        self,
        serial: str,
        model: str,
        seed: int,
        *,
        customer_id: str | None = None,
        region: str = "seoul",
        installed_days_ago: float = 0,
        history_days: float = 0,
        interval_s: float = 10_800,
        faults: str = "",
        fault_days: float = 30,
        household: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Register a device and switch it on; what it measured in `history_days` is committed on return."""
        profiles = shipped_profiles()
        if model not in profiles:
            raise InvalidInput(f"model {model!r} has no profile: choose from {', '.join(sorted(profiles))}")
        now = self._clock.now()
        installed_at = now - timedelta(days=max(installed_days_ago, history_days))
        unit = Unit(
            serial,
            profiles[model],
            make_home(seed, region, household or {}),
            seed,
            installed_at=installed_at,
            reports_from=now - timedelta(days=history_days),
            interval=timedelta(seconds=interval_s),
            faults=faults,
            fault_days=fault_days,
        )
        self.register(serial, model, customer_id=customer_id, region=region, installed_at=installed_at)
        self._units[serial] = unit
        unit.measure(now)
        self._connect(unit)
        return self.wait_committed()

    def register(
        self,
        serial: str,
        model: str,
        *,
        customer_id: str | None = None,
        region: str = "",
        installed_at: datetime | None = None,
    ) -> dict[str, Any]:
        """Register a device, simulated or not."""
        now = self._clock.now()
        owner = CustomerId(customer_id) if customer_id else None
        device = register_device(
            self._conn,
            serial=serial,
            model=model,
            region=region,
            customer_id=owner,
            installed_at=installed_at or now,
            at=now,
        )
        return {"serial": device.serial, "model": device.model}

    def advance(self, to: datetime) -> dict[str, Any]:
        """Let time pass: devices measure and publish step by step; what those online measured is then committed."""
        now = self._clock.now()
        step = max(_STEP_MIN, (to - now) / _STEPS_MAX)
        while True:
            now = min(to, now + step)
            self._clock.at = now
            for unit in self._units.values():
                unit.measure(now)
            self.wait_committed()
            if now >= to or self._stop.is_set():
                return {"now": now}

    def wait_committed(self, timeout_s: float = 60) -> dict[str, Any]:
        """Return when the platform has acknowledged all that devices online have measured."""
        deadline, silent_since, waiting = monotonic() + timeout_s, monotonic(), -1
        while not self._stop.is_set():
            self.pump()
            before, waiting = waiting, sum(unit.waiting for unit in self._units.values())
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
        return {"now": self._clock.now()}

    def pump(self) -> None:
        """Send what is there, and take in what came."""
        for unit in self._units.values():
            unit.pump(self._clock.now())

    def go_offline(self, serial: str) -> None:
        """The device goes on measuring, with no connection."""
        self._unit(serial).disconnect()

    def go_online(self, serial: str) -> dict[str, Any]:
        """The device is back: what it measured meanwhile goes to backfill, and is committed on return."""
        self._connect(self._unit(serial))
        return self.wait_committed()

    def restart(self, serial: str) -> dict[str, Any]:
        """The power was cut and is back: a new boot, with the outbox that was in flash."""
        unit = self._unit(serial)
        unit.restart(self._clock.now())
        self._connect(unit)
        return self.wait_committed()

    def inject(self, serial: str, faults: str) -> None:
        """From now on the device and its messages suffer these faults; an empty text ends them."""
        unit = self._unit(serial)
        unit.set_faults(faults, self._clock.now())
        if unit.online:
            self._connect(unit)

    def measured(self, serial: str) -> list[dict[str, Any]]:
        """Everything the device ever measured, sent or not, oldest first."""
        return self._unit(serial).measured()

    def truth(self, serial: str, days: float) -> list[dict[str, Any]]:
        """The true life of each part, as far as `days` from now."""
        return self._unit(serial).truth(self._clock.now() + timedelta(days=days))

    def remove(self, serials: list[str]) -> None:
        """Switch devices off for good; what they said stays."""
        for serial in serials:
            if unit := self._units.pop(serial, None):
                unit.disconnect()

    def close(self) -> None:
        """Switch all off."""
        self.remove(list(self._units))

    @property
    def requests(self) -> dict[str, Callable[..., Any]]:
        """What can be asked of it."""
        return {
            "start_device": self.start,
            "register_device": self.register,
            "wait_committed": self.wait_committed,
            "go_offline": self.go_offline,
            "go_online": self.go_online,
            "restart": self.restart,
            "inject": self.inject,
            "measured": self.measured,
            "truth": self.truth,
            "remove_devices": self.remove,
        }

    def _connect(self, unit: Unit) -> None:
        unit.connect(self._broker, self._wake, self._clock.now())

    def _resend(self) -> None:
        for unit in self._units.values():
            unit.resend()

    def _who_waits(self) -> str:
        return ", ".join(serial for serial, unit in self._units.items() if unit.waiting)

    def _unit(self, serial: str) -> Unit:
        if serial not in self._units:
            raise NotFound(f"no simulated device {serial[:80]} runs")
        return self._units[serial]
