"""One MQTT connection and the devices behind it: what they have to say goes out, what they are told comes in."""

import threading
from collections import Counter, deque
from datetime import datetime

from devices import wire
from millpond.kernel.broker import BrokerAddress, TlsFiles
from millpond.kernel.ids import new_id
from simulators.wire.device import SimulatedDevice, parse_ack, parse_command
from simulators.wire.faults import FaultInjector, Faults
from simulators.wire.message import Message
from simulators.wire.publisher import Publisher

ALL_ACKS, ALL_COMMANDS = f"{wire.PREFIX}/+/ack", f"{wire.PREFIX}/+/command"


class Link:
    """A device's own connection (with its Last Will), or a gateway's for many. For one thread, except `wake`.

    `published` counts telemetry messages, `acked` the samples that the platform acknowledged.
    """

    def __init__(
        self,
        broker: BrokerAddress,
        devices: list[SimulatedDevice],
        *,
        wake: threading.Event,
        gateway: bool = True,
        window: int = 500,
        tls: TlsFiles | None = None,
        faults: Faults | None = None,
        seed: int = 0,
    ) -> None:
        self.devices = {device.serial: device for device in devices}
        self.published = self.acked = 0
        self.live_since: datetime | None = None
        first = devices[0]
        self._publisher = Publisher(
            broker,
            new_id("fleet") if gateway else first.serial,
            subscriptions=[ALL_ACKS, ALL_COMMANDS] if gateway else _topics(first.serial),
            will=None if gateway else first.status("offline"),
            tls=tls,
            window=window,
            wake=wake,
        )
        self._injector = FaultInjector(faults or Faults(), seed)
        self._session = 0
        self._outgoing: deque[Message] = deque()
        self._turns = deque(devices)

    @property
    def struck(self) -> dict[str, int]:
        """How often each fault struck, on the wire and in the devices."""
        inside = (device.faults.struck for device in self._turns if device.faults)
        return dict(sum(inside, Counter(self._injector.struck)))

    @property
    def unsent(self) -> int:
        """Samples, answers and held-back messages that still have to go out."""
        return len(self._outgoing) + self._injector.held + sum(device.unsent for device in self._turns)

    @property
    def unacked(self) -> int:
        """Samples that were sent and are not acknowledged."""
        return sum(len(device.outbox) - device.outbox.unsent for device in self._turns)

    def open(self, timeout_s: float = 10) -> None:
        """Connect, and say that every device is online; Unavailable when the broker does not take us."""
        self._publisher.connect(timeout_s)
        self.settle(None)

    def settle(self, at: datetime | None) -> None:
        """Take in acknowledgements and commands, and after a reconnect send again what nobody acknowledged.

        `at` is the moment from which samples are live again once the connection is new.
        """
        if self._publisher.sessions != self._session:
            self._on_connect(at)
        for topic, payload in self._publisher.received():
            self._on_message(topic, payload)

    def pump(self, most: int) -> int:
        """Publish up to `most` telemetry messages, as far as the window has room; how many went."""
        self._flush()
        sent = idle = 0
        while sent < most and idle < len(self._turns) and self._publisher.room and not self._outgoing:
            device = self._turns[0]
            self._outgoing.extend(device.announcements())
            message = device.next_message(self.live_since)
            self._turns.rotate(-1)
            if message is None:
                # Nothing follows a message that was held back to be overtaken: it must not wait for ever.
                self._outgoing.extend(self._injector.release(device.serial))
                idle += 1
                continue
            idle = 0
            sent += 1
            self._outgoing.extend(self._injector.apply(message, device.serial))
            self._flush()
        if not most:
            self._release()
        self._flush()
        self.published += sent
        return sent

    def resend_unacked(self) -> None:
        """Make everything that is not acknowledged go out again."""
        for device in self._turns:
            device.on_reconnect()

    def close(self) -> None:
        """Say that every device is offline, and end the connection."""
        if self._publisher.sessions:
            for device in self._turns:
                self._publisher.publish(device.status("offline"))
        self._publisher.close()

    def _release(self) -> None:
        for serial in self.devices:
            self._outgoing.extend(self._injector.release(serial))

    def _flush(self) -> None:
        while self._outgoing and self._publisher.room:
            self._publisher.publish(self._outgoing.popleft())

    def _on_connect(self, at: datetime | None) -> None:
        first = self._session == 0
        self._session = self._publisher.sessions
        births = [message for device in self._turns for message in device.birth()]
        self._outgoing.extendleft(reversed(births))
        if not first:
            self.resend_unacked()
            self.live_since = at

    def _on_message(self, topic: str, payload: bytes) -> None:
        parsed = wire.parse_topic(topic)
        device = self.devices.get(parsed.serial) if parsed else None
        if parsed is None or device is None:
            return
        if parsed.channel == "ack" and (ack := parse_ack(payload)):
            self.acked += device.on_ack(ack.boot, ack.seq)
        elif parsed.channel == "command" and (command := parse_command(payload)):
            self._outgoing.extend(device.on_command(command))


def _topics(serial: str) -> list[str]:
    return [wire.build_topic(serial, "ack"), wire.build_topic(serial, "command")]
