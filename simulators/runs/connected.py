"""A fleet at a broker: months of history at full speed, then live on a clock, until told to stop."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from millpond.kernel.broker import TlsFiles, parse_broker_url
from millpond.kernel.clock import AcceleratedClock, Clock, monotonic
from millpond.kernel.errors import InvalidInput
from simulators.runs.fleet import Fleet
from simulators.runs.summary import FleetSummary, Progress
from simulators.wire.faults import Faults
from simulators.wire.link import Link
from simulators.wire.pace import Limits, Pace

MOST_OWN_CONNECTIONS = 300
_PROGRESS_EVERY_S = 0.2
_HISTORY_STEP = timedelta(days=6)
_IDLE_S = 0.02


class ConnectedFleet:
    """The connections of a fleet, open inside `with`. Everything happens in the caller's thread; setting `stop` from
    another one ends whatever is under way within a fraction of a second.

    `gateways` connections share the devices; 0 gives every device a connection with a Last Will of its own.
    """

    def __init__(
        self,
        fleet: Fleet,
        broker_url: str,
        *,
        stop: threading.Event | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        gateways: int = 1,
        window: int = 500,
        faults: Faults | None = None,
        tls: TlsFiles | None = None,
    ) -> None:
        self._fleet = fleet
        self._stop = stop or threading.Event()
        self._wake = threading.Event()
        self._on_progress = on_progress
        self._began = monotonic()
        self._reported = 0.0
        if not gateways and len(fleet.devices) > MOST_OWN_CONNECTIONS:
            raise InvalidInput(
                f"a connection for each of {len(fleet.devices):,} devices: {MOST_OWN_CONNECTIONS} at most with outboxes"
                " (paho's select() sees no file above 1,024); share them with --connections 8, or use --compact"
            )
        broker, count = parse_broker_url(broker_url), gateways or len(fleet.devices)
        self._faults = faults or fleet.faults
        self._links = [
            Link(
                broker,
                devices,
                wake=self._wake,
                gateway=gateways > 0,
                window=window,
                tls=tls,
                faults=self._faults,
                seed=fleet.seed + number,
            )
            for number in range(count)
            if (devices := fleet.devices[number::count])
        ]

    def __enter__(self) -> Self:
        try:
            for link in self._links:
                link.open()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def replay(
        self,
        to: datetime,
        *,
        step: timedelta = _HISTORY_STEP,
        live_since: datetime | None = None,
        limits: Limits | None = None,
        most_unacked: int | None = 20_000,
        resend_after_s: float = 30,
        give_up_after_s: float | None = None,
    ) -> None:
        """Measure and publish everything up to `to`, `step` by step of virtual time, as fast as the broker takes it.

        Memory is bounded: above `most_unacked` samples it waits for acknowledgements, and at the end it waits for all
        of them, sending again what stays silent for `resend_after_s`. None waits for nothing, and after a silence of
        `give_up_after_s` nothing is waited for any more.
        """
        pace = Pace(limits or Limits(), self._published)
        for link in self._links:
            link.live_since = live_since
        at = self._fleet.start
        while at < to and not self._done(pace):
            at = min(at + step, to)
            self._measure(at)
            if not self._send_all("history", at, pace, most_unacked, resend_after_s, give_up_after_s):
                most_unacked = None
        if most_unacked is not None:
            self._send_all("acks", at, pace, 0, resend_after_s, give_up_after_s)

    def follow(
        self,
        clock: Clock,
        *,
        limits: Limits | None = None,
        live_since: datetime | None = None,
        until: datetime | None = None,
    ) -> None:
        """Measure and publish as `clock` goes, until stopped or a limit is reached, and nothing measured after `until`.

        What was measured before `live_since` (default: now) goes to backfill.
        """
        pace = Pace(limits or Limits(), self._published)
        for link in self._links:
            link.live_since = live_since or clock.now()
        while not self._done(pace):
            at = clock.now() if until is None else min(clock.now(), until)
            self._measure(at)
            if not self._exchange(at, pace):
                self._idle()
            self._report("live", at)

    def live_through(self, to: datetime, clock: Clock, speed: float) -> None:
        """Live from the fleet's start up to `to`, `speed` seconds of the fleet in one real second, all of it live."""
        own = AcceleratedClock(self._fleet.start, clock.now(), speed)
        self.follow(own, limits=Limits(duration_s=(to - self._fleet.start).total_seconds() / speed), until=to)

    def wait_for_acks(self, timeout_s: float, *, at: datetime) -> int:
        """Wait until all that was sent is acknowledged, at most `timeout_s`; how many samples still are not."""
        end = monotonic() + timeout_s
        while self._unacked and monotonic() < end and not self._stop.is_set():
            self._exchange(at, None)
            self._idle()
            self._report("acks", at)
        return self._unacked

    def summary(self) -> FleetSummary:
        """What was done so far."""
        devices = self._fleet.devices
        return FleetSummary(
            devices=len(devices),
            samples=sum(device.samples_measured for device in devices),
            readings=sum(device.readings_measured for device in devices),
            messages_published=self._published,
            acked=sum(link.acked for link in self._links),
            unacked=self._unacked,
            unsent=sum(device.outbox.unsent for device in devices),
            dropped=sum(device.outbox.dropped for device in devices),
            seconds=round(monotonic() - self._began, 3),
            readings_unacked=sum(d.outbox.readings + d.outbox.dropped_readings for d in devices),
            faults=self._struck(),
        )

    def _struck(self) -> dict[str, int]:
        counts = [link.struck for link in self._links]
        return {name: sum(struck.get(name, 0) for struck in counts) for name in self._faults.active()}

    @property
    def _published(self) -> int:
        return sum(link.published for link in self._links)

    @property
    def _unacked(self) -> int:
        return sum(link.unacked for link in self._links)

    def _measure(self, at: datetime) -> None:
        for device in self._fleet.devices:
            device.advance(at)

    def _exchange(self, at: datetime, pace: Pace | None) -> int:
        """One round of every connection: what came in, then what may go out. How many messages went."""
        sent = 0
        for link in self._links:
            link.settle(at)
            sent += link.pump(pace.allowance(self._published) if pace else 0)
        return sent

    def _send_all(
        self,
        phase: str,
        at: datetime,
        pace: Pace,
        most_unacked: int | None,
        resend_after_s: float,
        give_up_after_s: float | None,
    ) -> bool:
        """Publish until all is sent and few enough samples are unacknowledged; False when that was given up."""
        silent_since = acked_at = monotonic()
        acked = -1
        while not self._done(pace):
            sent = self._exchange(at, pace)
            self._report(phase, at)
            waiting = any(link.unsent for link in self._links)
            if not waiting and (most_unacked is None or self._unacked <= most_unacked):
                return True
            if acked != (acked := sum(link.acked for link in self._links)):
                silent_since = acked_at = monotonic()
            elif give_up_after_s is not None and not waiting and monotonic() - acked_at > give_up_after_s:
                return False
            elif sent:
                silent_since = monotonic()
            elif monotonic() - silent_since > resend_after_s:
                for link in self._links:
                    link.resend_unacked()
                silent_since = monotonic()
            else:
                self._idle()
        return True

    def _done(self, pace: Pace) -> bool:
        return self._stop.is_set() or pace.spent(self._published)

    def _idle(self) -> None:
        self._wake.wait(_IDLE_S)
        self._wake.clear()

    def _report(self, phase: str, at: datetime) -> None:
        if self._on_progress and monotonic() - self._reported >= _PROGRESS_EVERY_S:
            self._reported = monotonic()
            done = self.summary()
            self._on_progress(Progress(phase, at, done.samples, done.messages_published, done.acked))

    def _close(self) -> None:
        for link in self._links:
            link.close()
