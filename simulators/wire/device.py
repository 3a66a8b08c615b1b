"""A device that does not exist: it measures on its own clock, keeps what it measured, and speaks our wire."""

import re
from collections import deque
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import orjson
from pydantic import ValidationError

from devices import wire
from devices.profile import DeviceProfile
from simulators.life.chance import IntArray, draw, make_key
from simulators.life.households import Household
from simulators.life.physics import Appliance
from simulators.life.wear import PartCycle
from simulators.wire.faults.in_device import DeviceFaults
from simulators.wire.message import Message as Message
from simulators.wire.outbox import Outbox, StoredSample

PAYLOAD_MAX_BYTES = 256 * 1024
# An id becomes a level of the answer's topic.
_COMMAND_ID = re.compile(r"[^/+#\x00]{1,128}")


class SimulatedDevice:
    """One device in one run from switch-on to switch-off (a boot). Not for several threads at once.

    It measures every `interval` at a phase of its own. It wears from `installed_at` on and tells of what comes after
    `reports_from` (default: the same). A restarted device takes the old `outbox` and a new `boot`; samples of older
    boots are still sent under their own boot and numbers.
    """

    def __init__(
        self,
        serial: str,
        profile: DeviceProfile,
        household: Household,
        seed: int,
        boot: str,
        *,
        installed_at: datetime,
        reports_from: datetime | None = None,
        interval: timedelta = timedelta(hours=3),
        outbox: Outbox | None = None,
        samples_per_message: int = 48,
        faults: DeviceFaults | None = None,
    ) -> None:
        self.serial, self.profile, self.household, self.boot = serial, profile, household, boot
        self.installed_at = installed_at
        self.outbox = Outbox() if outbox is None else outbox
        self.outbox.open_boot(boot)
        self._appliance = Appliance(profile, household, serial, installed_at)
        self._cursor_ms = _ms(max(reports_from or installed_at, installed_at))
        self._phase = draw(seed, serial, "phase")
        self.faults = faults
        self._first_boot, self._numbered = boot, 0
        self._boot_began_ms = self._cursor_ms
        self._knows_uptime = faults is not None and faults.has("clock_missing")
        self._announcements: deque[Message] = deque()
        self.set_interval(interval)
        self._samples_per_message = samples_per_message
        self.samples_measured = self.readings_measured = 0

    def advance(self, to: datetime) -> int:
        """Measure up to (not including) `to`; how many samples that added."""
        if _ms(to) <= self._next_ms:
            return 0
        times_ms = self._next_times(_ms(to))
        if not len(times_ms):
            return 0
        seen = self._appliance.observe(times_ms).metrics
        rows = [dict(zip(seen, row, strict=True)) for row in zip(*seen.values(), strict=True)]
        if self.faults is None:
            self._store(times_ms, times_ms, rows)
        else:
            self._store(times_ms, self.faults.shown_ms(times_ms), self.faults.distort(times_ms, rows))
        return len(rows)

    def prepare(self) -> None:
        """Live through the time before reporting begins, so that a paced run does not start with that work."""
        self._appliance.live_until(datetime.fromtimestamp(self._cursor_ms / 1000, UTC))

    def set_interval(self, interval: timedelta) -> None:
        """Measure at another pace from now on, for example more often once live."""
        self._interval_ms = interval / timedelta(milliseconds=1) / (self.faults.pace if self.faults else 1)
        self._next_ms = self._cursor_ms

    @property
    def is_offline(self) -> bool:
        """Whether a fault keeps the device from speaking now."""
        return self.faults is not None and self.faults.is_offline(self._cursor_ms)

    @property
    def unsent(self) -> int:
        """How many samples could be sent now and were not."""
        return 0 if self.is_offline else self.outbox.unsent

    def next_message(self, live_since: datetime | None) -> Message | None:
        """The next unsent samples as a publish: one sample measured since `live_since` goes to `telemetry`, as many
        older ones as fit go to `backfill`. None when all is sent; None as `live_since` means that nothing is live.
        """
        samples = [] if self.is_offline else self.outbox.take(self._samples_per_message)
        if not samples:
            return None
        edge = self._live_edge(live_since)
        if edge is not None and samples[0].ts_ms >= edge:
            return self._message("telemetry", self._first(samples, 1))
        old = sum(1 for sample in samples if edge is None or sample.ts_ms < edge)
        return self._message("backfill", self._first(samples, min(old, _count_that_fits(samples))))

    def on_ack(self, boot: str, seq: int) -> int:
        """Everything of `boot` up to and including `seq` is committed: forget it. How many samples that were."""
        return self.outbox.forget(boot, seq)

    def on_command(self, command: wire.ResendCommand) -> list[Message]:
        """Answer a resend: what is still here goes out again, what is not is called gone, each with its exact range."""
        wanted = (command.from_seq, command.to_seq)
        here = self.outbox.held(command.boot, *wanted)
        if here is None:
            return [self._result(command, "gone", *wanted)]
        answers = [self._result(command, "gone", wanted[0], here[0] - 1)] if wanted[0] < here[0] else []
        samples = list(self.outbox.samples(command.boot, *here))
        answers.append(self._result(command, "resending", *here))
        while samples:
            fits = min(self._samples_per_message, _count_that_fits(samples))
            answers.append(self._message("backfill", samples[:fits]))
            samples = samples[fits:]
        return answers

    def on_reconnect(self) -> None:
        """The connection is new: whatever is not acknowledged goes out again."""
        self.outbox.rewind()

    def status(self, state: str) -> Message:
        """The retained `online` or `offline` of this boot; the offline one is the device's Last Will."""
        return build_status(self.serial, self.boot, state)

    def birth(self) -> list[Message]:
        """What the device says of itself when it comes online, and what a late will says after it."""
        born = [self.status("online")]
        if self.faults and self.faults.has("late_will"):
            self.faults.struck["late_will"] += 1
            born.append(build_status(self.serial, f"{make_key(self.boot, 'before'):016x}"[:8], "offline"))
        return born

    def announcements(self) -> list[Message]:
        """What has to be said before anything else, since the device restarted."""
        return [self._announcements.popleft() for _ in range(len(self._announcements))]

    def foresee(self, until: datetime) -> list[PartCycle]:
        """Live on to `until`, for a truth to score forecasts by. It is the last thing that the device does."""
        self._appliance.live_until(until)
        return self._appliance.history(until)

    def truth(self, until: datetime) -> list[PartCycle]:
        """What nobody else knows: when each part truly came, passed its threshold, and went."""
        return self._appliance.history(until)

    def _store(self, times_ms: IntArray, shown_ms: IntArray, rows: list[dict[str, Any]]) -> None:
        done = 0
        while done < len(rows):
            left = len(rows) - done
            count = self.faults.count_until_reboot(left, self._numbered) if self.faults else left
            if not count:
                self._reboot(int(times_ms[done]))
                continue
            piece = slice(done, done + count)
            measured = list(zip(times_ms[piece].tolist(), rows[piece], strict=True))
            stored = self._append(measured, times_ms[piece], shown_ms[piece])
            self._numbered += count
            self.samples_measured += count
            self.readings_measured += sum(sample.readings for sample in stored)
            done += count

    def _append(
        self, measured: list[tuple[int, dict[str, Any]]], times_ms: IntArray, shown_ms: IntArray
    ) -> list[StoredSample]:
        if self.faults is None or not self._knows_uptime:
            return self.outbox.append(self.boot, measured, shown_ms.tolist())
        self.faults.struck["clock_missing"] += len(measured)
        uptimes_s = ((times_ms - self._boot_began_ms) / 1000).tolist()
        return self.outbox.append(self.boot, measured, [None] * len(measured), uptimes_s)

    def _reboot(self, at_ms: int) -> None:
        self._boot_began_ms = at_ms
        self.boot = f"{make_key(self._first_boot, self.samples_measured):016x}"[:8]
        self._numbered = 0
        self.outbox.open_boot(self.boot)
        self._announcements.extend(self.birth())

    def _live_edge(self, live_since: datetime | None) -> int | None:
        if live_since is None:
            return None
        edge = _ms(live_since)
        return max(edge, self.faults.back_since(self._cursor_ms)) if self.faults else edge

    def _next_times(self, end_ms: int) -> IntArray:
        """Moments of measurement from the cursor to `end_ms`, which becomes the cursor; `_next_ms` is the one after."""
        begin_ms, step, phase = self._cursor_ms, self._interval_ms, self._phase
        ticks = np.arange(begin_ms // step - 1, end_ms // step + 3, dtype=np.float64)
        times = np.floor((ticks + phase) * step).astype(np.int64)
        self._cursor_ms = max(begin_ms, end_ms)
        self._next_ms = int(times[np.searchsorted(times, self._cursor_ms)])
        return np.asarray(times[(times >= begin_ms) & (times < end_ms)])

    def _first(self, samples: list[StoredSample], count: int) -> list[StoredSample]:
        if count < len(samples):
            self.outbox.put_back(samples[count])
        return samples[:count]

    def _message(self, channel: wire.Channel, samples: list[StoredSample]) -> Message:
        boot = b'{"boot":' + orjson.dumps(samples[0].boot)
        # How long an earlier boot would be on by now means nothing.
        says_uptime = self._knows_uptime and channel == "backfill" and samples[0].boot == self.boot
        if says_uptime:
            boot += b',"uptime_s":' + orjson.dumps((self._cursor_ms - self._boot_began_ms) / 1000)
        if len(samples) == 1 and not says_uptime:
            payload = boot + b"," + samples[0].body[1:]
        else:
            payload = boot + b',"samples":[' + b",".join(sample.body for sample in samples) + b"]}"
        readings = sum(sample.readings for sample in samples)
        return Message(wire.build_topic(self.serial, channel), payload, samples=len(samples), readings=readings)

    def _result(self, command: wire.ResendCommand, status: str, first: int, last: int) -> Message:
        result = wire.ResendResult.model_validate(
            {"status": status, "boot": command.boot, "from": first, "to": last}
        ).model_dump_json(by_alias=True)
        return Message(wire.build_result_topic(self.serial, command.id), result.encode())


def build_status(serial: str, boot: str, state: str) -> Message:
    """The retained status message of a device."""
    payload = wire.Status.model_validate({"state": state, "session": boot}).model_dump_json().encode()
    return Message(wire.build_topic(serial, "status"), payload, retain=True)


def parse_ack(payload: bytes) -> wire.Ack | None:
    """An acknowledgement, or None when it is not one."""
    try:
        return wire.Ack.model_validate_json(payload)
    except ValidationError:
        return None


def parse_command(payload: bytes) -> wire.ResendCommand | None:
    """A resend command, or None for one that this device does not know or that could not be answered."""
    try:
        command = wire.ResendCommand.model_validate_json(payload)
    except ValidationError:
        return None
    answerable = _COMMAND_ID.fullmatch(command.id) and 1 <= len(command.boot) <= 64 and "\0" not in command.boot
    return command if answerable and 0 <= command.from_seq <= command.to_seq <= wire.SEQ_MAX else None


def _count_that_fits(samples: list[StoredSample]) -> int:
    """How many of the samples stay below the largest payload together; at least one."""
    room = PAYLOAD_MAX_BYTES - 256
    for count, sample in enumerate(samples):
        room -= len(sample.body) + 1
        if room < 0:
            return max(1, count)
    return len(samples)


def _ms(at: datetime) -> int:
    return (at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
