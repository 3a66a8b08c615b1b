"""A hub of household devices that say neither numbers nor times: Zigbee2MQTT, each message with a value of its own.

It sends each message once, with QoS 1, and never again: what its broker did not confirm before their connection ended
may have arrived or not. So it notes what it said, what was confirmed, and when a connection ended.
"""

import contextlib
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from ingest.broker import packets
from ingest.broker.packets import Kind
from millpond.kernel.broker import BrokerAddress
from millpond.kernel.clock import Clock, monotonic

SERIALS = tuple(f"HUB-{number}" for number in range(4))
_CONNECT_S, _AGAIN_S = 2.0, 0.5
_KEEPALIVE_S = 60
_READ_BYTES = 65_536
_MIDS = 65_535


def name_of(serial: str) -> str:
    """What the hub calls a device."""
    return f"household {serial.lower()}"


class Hub:
    """Says `rate` values a second, of one device after the other, as long as there is a connection."""

    def __init__(self, broker: BrokerAddress, journal: Path, rate: float, clock: Clock) -> None:
        self._broker, self._clock, self._rate = broker, clock, rate
        self._file = journal.open("a", encoding="utf-8")
        self._socket: socket.socket | None = None
        self._stream = packets.Stream()
        self._said = self._connections = 0
        self._waits: dict[int, int] = {}
        self._last_s, self._owed, self._next_try_s = monotonic(), 0.0, 0.0

    @property
    def drained(self) -> bool:
        """Whether nothing waits for the broker's word."""
        return not self._waits

    def step(self, *, measuring: bool) -> None:
        """Hear what the broker confirms, and say what is due."""
        now = monotonic()
        owed, self._last_s = self._owed + (now - self._last_s) * self._rate, now
        if self._socket is None and now >= self._next_try_s:
            self._connect()
        if self._socket is None:
            return
        self._owed = owed - int(owed)
        try:
            self._listen(self._socket)
            for _ in range(int(min(owed, self._rate)) if measuring else 0):
                self._say(self._socket)
        except OSError:
            self._end()
        self._file.flush()

    def close(self) -> None:
        """Leave."""
        if self._socket is not None:
            self._socket.close()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connect(self) -> None:
        self._next_try_s = monotonic() + _AGAIN_S
        self._connections += 1
        made: socket.socket | None = None
        try:
            made = socket.create_connection((self._broker.host, self._broker.port), _CONNECT_S)
            made.sendall(packets.connect(f"proof-hub-{self._connections}", None, None, _KEEPALIVE_S))
            self._stream = packets.Stream()
            if any(packet.kind == Kind.CONNACK for packet in self._stream.feed(made.recv(_READ_BYTES)).others):
                made.settimeout(_CONNECT_S)
                self._socket = made
        except OSError:
            if made is not None:
                made.close()

    def _listen(self, broker: socket.socket) -> None:
        broker.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            data = broker.recv(_READ_BYTES)
            if not data:
                raise ConnectionResetError("the broker closed the connection")
            for packet in self._stream.feed(data).others:
                if packet.kind == Kind.PUBACK and (number := self._waits.pop(packet.mid, None)) is not None:
                    self._file.write(f"C {number}\n")
        broker.settimeout(_CONNECT_S)

    def _say(self, broker: socket.socket) -> None:
        self._said += 1
        number, mid = self._said, self._said % _MIDS + 1
        self._waits[mid] = number
        self._file.write(f"S {number} {int(self._clock.now().timestamp() * 1000)}\n")
        self._file.flush()
        # The profile takes minutes: the number is the hours.
        payload = b'{"filter_age":%d}' % (60 * number)
        broker.sendall(packets.publish(mid, f"zigbee2mqtt/{name_of(serial_of(number))}", payload))

    def _end(self) -> None:
        assert self._socket is not None
        self._socket.close()
        self._socket = None
        self._waits.clear()
        self._file.write(f"E {int(self._clock.now().timestamp() * 1000)}\n")


def serial_of(number: int) -> str:
    """The device that says a value."""
    return SERIALS[number % len(SERIALS)]


def hub_file(journal: Path) -> Path:
    """Where the hub of a fleet with this journal writes."""
    return journal.with_suffix(".hub")


def aliases() -> Mapping[str, str]:
    """What the hub calls the devices, by serial."""
    return {serial: name_of(serial) for serial in SERIALS}
