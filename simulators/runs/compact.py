"""Load: tens of thousands of devices from one thread, with payloads put together in advance.

Every device has its serial, boot and rising numbers, and tells what one appliance of its model saw in half a day, over
and over. There is no life behind it and no outbox: what is lost is counted, not sent again. Memory does not grow.
"""

import selectors
import threading
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import orjson

from devices.profile import DeviceProfile
from millpond.kernel.broker import SYSTEM_TRUST, BrokerAddress, TlsFiles
from millpond.kernel.clock import monotonic
from millpond.kernel.ids import new_id
from simulators.life.chance import make_key
from simulators.life.climate import region_named
from simulators.life.households import make_household
from simulators.life.physics import Appliance
from simulators.runs.fleet import Registration
from simulators.runs.summary import FleetSummary, Progress
from simulators.wire.bare_mqtt import BareConnection, topic_bytes
from simulators.wire.device import build_status, parse_ack
from simulators.wire.link import ALL_ACKS
from simulators.wire.open_files import require_open_files
from simulators.wire.pace import Limits, Pace

_SEEN = 24
_BATCH = 200
_IN_FLIGHT = 8_000
_REPORT_S = 0.2
_PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Template:
    """What devices of one model say: `tails` are the ends of a payload, from the metrics on."""

    tails: list[bytes]
    readings: int


@dataclass(slots=True)
class _Lane:
    """One connection, the devices behind it by number, and whose turn it is."""

    connection: BareConnection
    devices: Sequence[int]
    turn: int = 0


class CompactFleet:
    """A fleet's load at a broker. Everything happens in the caller's thread; `stop` ends it within a fraction of a
    second.

    `connections` share the devices; 0 gives each its own, with a Last Will. Raises InvalidInput when the machine's
    limit of open files does not allow that many, Unavailable when the broker does not take us.
    """

    def __init__(
        self,
        manifest: list[Registration],
        profiles: dict[str, DeviceProfile],
        broker: BrokerAddress,
        *,
        seed: int,
        start: datetime,
        interval: timedelta = timedelta(seconds=1),
        connections: int = 8,
        tls: TlsFiles | None = None,
        stop: threading.Event | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self._manifest, self._broker, self._tls, self._seed = manifest, broker, tls or SYSTEM_TRUST, seed
        self._count = min(connections, len(manifest)) or len(manifest)
        self._own = connections == 0
        self._stop, self._on_progress = stop or threading.Event(), on_progress
        self._start_ms = round(start.timestamp() * 1000)
        self._interval_ms = interval / timedelta(milliseconds=1)
        self._templates = {row.model: make_template(profiles[row.model], seed, start) for row in _one_of_each(manifest)}
        self._boot = f"{make_key(seed, start.isoformat(), 'compact'):016x}"[:8]
        self._heads = [self._head(row) for row in manifest]
        self._seqs, self._acked = (array("Q", bytes(8 * len(manifest))) for _ in range(2))
        self._numbers = {row.serial: number for number, row in enumerate(manifest)}
        self._lanes: list[_Lane] = []
        self._selector = selectors.DefaultSelector()
        self._began = self._reported = monotonic()
        self.published = self.readings = self.acked = 0
        require_open_files(self._count)

    def __enter__(self) -> "CompactFleet":
        try:
            for number in range(self._count):
                self._lanes.append(self._open(number))
            self._lanes[0].connection.subscribe(ALL_ACKS)
            self._say_online()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def publish(self, limits: Limits) -> None:
        """Publish until a limit is reached or `stop` is set, then wait until the broker has confirmed everything."""
        self._began = monotonic()
        pace = Pace(limits, self.published)
        while not self._stop.is_set() and not pace.spent(self.published):
            sent = self._publish(pace.allowance(self.published))
            self._exchange(0 if sent else 0.005)
            self._report("load")
        self._settle(_PATIENCE_S, lambda: any(lane.connection.unconfirmed for lane in self._lanes))

    def wait_for_acks(self, timeout_s: float) -> int:
        """Wait until the platform acknowledged everything, at most `timeout_s`; how many samples it did not."""
        self._settle(timeout_s, lambda: self.acked < self.published)
        return self.published - self.acked

    def summary(self) -> FleetSummary:
        """What was done so far; every message is one sample."""
        unacked = self.published - self.acked
        per_sample = self.readings / self.published if self.published else 0
        return FleetSummary(
            devices=len(self._manifest),
            samples=self.published,
            readings=self.readings,
            messages_published=self.published,
            acked=self.acked,
            unacked=unacked,
            unsent=0,
            dropped=0,
            seconds=round(monotonic() - self._began, 3),
            faults={},
            readings_unacked=round(unacked * per_sample),
        )

    def _head(self, row: Registration) -> tuple[bytes, bytes, Template]:
        topic = topic_bytes(f"millpond/v1/{row.serial}/telemetry")
        return topic, b'{"boot":"' + self._boot.encode() + b'","seq":', self._templates[row.model]

    def _open(self, number: int) -> _Lane:
        serial = self._manifest[number].serial
        will = build_status(serial, self._boot, "offline") if self._own else None
        client_id = serial if self._own else new_id("load")
        connection = BareConnection(self._broker, client_id, self._tls, _PATIENCE_S, will)
        self._selector.register(connection, selectors.EVENT_READ, connection)
        return _Lane(connection, range(number, len(self._manifest), self._count))

    def _publish(self, allowed: int) -> int:
        """Up to `allowed` messages, a share of each connection that has room; how many went."""
        window = max(1, _IN_FLIGHT // self._count)
        sent = 0
        for place, lane in enumerate(self._lanes):
            if sent >= allowed:
                # Many connections and a low rate: those that were not served come first next time.
                self._lanes = self._lanes[place:] + self._lanes[:place]
                break
            # No device speaks twice in a turn, so that all get on alike.
            room = min(_BATCH, len(lane.devices), window - lane.connection.unconfirmed, allowed - sent)
            if room > 0 and not lane.connection.backlog:
                self._publish_lane(lane, room)
                lane.connection.flush()
                sent += room
        self.published += sent
        return sent

    def _publish_lane(self, lane: _Lane, count: int) -> None:
        publish, heads, seqs, devices = lane.connection.publish, self._heads, self._seqs, lane.devices
        start_ms, interval_ms, turn = self._start_ms, self._interval_ms, lane.turn
        for _ in range(count):
            number = devices[turn]
            turn = turn + 1 if turn + 1 < len(devices) else 0
            seqs[number] = seq = seqs[number] + 1
            topic, head, template = heads[number]
            ts = int(start_ms + (seq - 1) * interval_ms)
            publish(topic, b'%b%d,"ts":%d,%b' % (head, seq, ts, template.tails[(seq + number) % _SEEN]))
            self.readings += template.readings
        lane.turn = turn

    def _exchange(self, wait_s: float) -> None:
        for key, _ in self._selector.select(wait_s):
            for topic, payload in key.data.receive():
                self._take_ack(topic.decode(), payload)
        for lane in self._lanes:
            if lane.connection.backlog:
                lane.connection.flush()

    def _take_ack(self, topic: str, payload: bytes) -> None:
        number = self._numbers.get(topic.split("/")[2]) if topic.endswith("/ack") else None
        ack = parse_ack(payload) if number is not None else None
        if number is not None and ack and ack.boot == self._boot and ack.seq > self._acked[number]:
            self.acked += ack.seq - self._acked[number]
            self._acked[number] = ack.seq

    def _say_online(self) -> None:
        for lane in self._lanes:
            for number in lane.devices:
                self._say(lane, number, "online")
                if lane.connection.unconfirmed >= _BATCH:
                    lane.connection.flush()
                    self._exchange(0)
        self._settle(_PATIENCE_S, lambda: any(lane.connection.unconfirmed for lane in self._lanes))

    def _settle(self, timeout_s: float, waiting: Callable[[], bool]) -> None:
        deadline = monotonic() + timeout_s
        while waiting() and monotonic() < deadline and not self._stop.is_set():
            self._exchange(0.02)
            self._report("acks")

    def _report(self, phase: str) -> None:
        if self._on_progress and monotonic() - self._reported >= _REPORT_S:
            self._reported = monotonic()
            round_ms = self._start_ms + max(self._seqs) * self._interval_ms
            at = datetime.fromtimestamp(round_ms / 1000, tz=self._manifest[0].installed_at.tzinfo)
            self._on_progress(Progress(phase, at, self.published, self.published, self.acked))

    def _close(self) -> None:
        self._selector.close()
        for lane in self._lanes:
            for number in lane.devices:
                self._say(lane, number, "offline")
            lane.connection.close()

    def _say(self, lane: _Lane, number: int, state: str) -> None:
        said = build_status(self._manifest[number].serial, self._boot, state)
        lane.connection.publish(topic_bytes(said.topic), said.payload, retain=True)


def make_template(profile: DeviceProfile, seed: int, at: datetime) -> Template:
    """What one appliance of that model, a month old, sees in half a day, as ends of payloads."""
    household = make_household("compact", region_named("seoul"), seed)
    appliance = Appliance(profile, household, f"compact-{profile.model}", at - timedelta(days=30))
    times = round(at.timestamp() * 1000) + np.arange(_SEEN, dtype=np.int64) * 1_800_000
    seen = appliance.observe(times).metrics
    rows = [dict(zip(seen, row, strict=True)) for row in zip(*seen.values(), strict=True)]
    return Template([b'"metrics":' + orjson.dumps(row) + b"}" for row in rows], len(seen))


def _one_of_each(manifest: list[Registration]) -> list[Registration]:
    return list({row.model: row for row in manifest}.values())
