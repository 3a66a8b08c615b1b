"""A fleet that publishes at a given rate and sees when each sample is safe: the delay from publish to commit."""

import selectors
import uuid
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from benchmarks.stream import PACED, make_payload, topic_of
from devices.wire import Ack, build_topic, parse_topic
from millpond.kernel.broker import BrokerAddress
from millpond.kernel.clock import monotonic
from millpond.kernel.errors import Unavailable
from simulators.wire.bare_mqtt import BareConnection, topic_bytes

_PATIENCE_S = 30.0
_TICK_S = 0.005


@dataclass(frozen=True, slots=True)
class Delays:
    """From publish to acknowledgement, and the rate that was really published."""

    messages_per_s: float
    p50_ms: float
    p99_ms: float


class PacedFleet:
    """Devices `bench-0` and on over one connection, in turn. Each sample has the time at which it was published."""

    def __init__(self, address: BrokerAddress, devices: int, now: datetime) -> None:
        self._boot, self._start = f"paced-{uuid.uuid4().hex[:8]}", now - PACED
        self._topics = [topic_bytes(topic_of(device)) for device in range(devices)]
        self._sent_s: list[list[float]] = [[] for _ in range(devices)]
        self._delays_s: list[list[float]] = [[] for _ in range(devices)]
        self._connection = BareConnection(address, f"paced-{uuid.uuid4().hex[:8]}", address.files, _PATIENCE_S, None)
        self._connection.subscribe(build_topic("+", "ack"))

    def publish(self, rate: float, messages: int) -> Delays:
        """Publish so many messages, `rate` a second; returns when the last one is acknowledged."""
        sent, began = 0, monotonic()
        with selectors.DefaultSelector() as selector:
            selector.register(self._connection, selectors.EVENT_READ)
            while sent < messages or self._waiting():
                due = min(messages, int((monotonic() - began) * rate) + 1)
                for number in range(sent, due):
                    self._publish_one(*divmod(number, len(self._topics)))
                if due > sent:
                    sent, published_s = due, monotonic() - began
                self._connection.flush()
                selector.select(_TICK_S)
                self._take_acks()
                if monotonic() - began > messages / rate + _PATIENCE_S:
                    raise Unavailable(f"{self._waiting():,} samples were not acknowledged within {_PATIENCE_S:g} s")
        self._connection.close()
        return self._summary(messages / published_s)

    def _publish_one(self, seq: int, device: int) -> None:
        self._sent_s[device].append(monotonic())
        self._connection.publish(self._topics[device], make_payload(self._boot, seq + 1, self._start))

    def _take_acks(self) -> None:
        at = monotonic()
        for topic, payload in self._connection.receive():
            ack, parsed = Ack.model_validate_json(payload), parse_topic(topic.decode())
            if parsed is None or ack.boot != self._boot:
                continue
            device = int(parsed.serial.removeprefix("bench-"))
            sent, delays = self._sent_s[device], self._delays_s[device]
            delays += [at - moment for moment in sent[len(delays) : ack.seq]]

    def _waiting(self) -> int:
        return sum(map(len, self._sent_s)) - sum(map(len, self._delays_s))

    def _summary(self, rate: float) -> Delays:
        delays_ms = 1000 * np.concatenate([np.asarray(each) for each in self._delays_s])
        p50, p99 = np.percentile(delays_ms, [50, 99])
        return Delays(rate, float(p50), float(p99))
