"""What a broker's settings are, as far as a client can observe them: its window, and whether it keeps a session."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from devices.wire import build_topic
from millpond.kernel.broker import BrokerAddress, tls_context
from millpond.kernel.errors import Unavailable
from millpond.kernel.ids import new_id

PROBE_MESSAGES = 128
_PATIENCE_S = 5.0
_QUIET_S = 0.5


@dataclass(frozen=True, slots=True)
class BrokerProbe:
    """What was seen: `window` messages came before the first was acknowledged (`PROBE_MESSAGES` means that many or
    more, 0 that none came back), and of all that were published while we were away or unacknowledged, `kept` came."""

    window: int
    published: int
    kept: int


def probe_broker(address: BrokerAddress) -> BrokerProbe:
    """Publish to a topic of the probe's own and look at what comes back; it leaves nothing at the broker.

    Raises Unavailable with one sentence when the broker cannot be reached or refuses us.
    """
    client_id = new_id("doctor").replace("_", "-")
    topic = build_topic(client_id, "ack")
    with _connected(address, f"{client_id}-speaker", clean=True) as speaker:
        try:
            with _connected(address, client_id, clean=False) as listener:
                listener.subscribe(topic)
                speaker.publish(topic, range(PROBE_MESSAGES))
                window = listener.wait_for(PROBE_MESSAGES)
            speaker.publish(topic, range(PROBE_MESSAGES, PROBE_MESSAGES + 1))
            with _connected(address, client_id, clean=False, acknowledge=True) as listener:
                kept = listener.wait_for(PROBE_MESSAGES + 1)
        finally:
            # A clean session takes the place of the kept one, and ends with its connection.
            with _connected(address, client_id, clean=True):
                pass
    return BrokerProbe(window, PROBE_MESSAGES + 1, kept)


def takes_payload(address: BrokerAddress, size_bytes: int) -> bool:
    """Whether the broker hands on a payload of this size; some confirm one that is too large, and drop it.

    Raises Unavailable with one sentence when the broker cannot be reached or refuses us.
    """
    client_id = new_id("doctor").replace("_", "-")
    topic = build_topic(client_id, "ack")
    with _connected(address, client_id, clean=True, acknowledge=True) as client:
        client.subscribe(topic)
        # What is sent last comes last: when it is there and the large one is not, that one was dropped.
        return client.sees_first(topic, bytes(size_bytes), b"end")


class _Client:
    """A connection whose messages are counted, once each, and acknowledged only when it is told to."""

    def __init__(self, address: BrokerAddress, client_id: str, *, clean: bool, acknowledge: bool) -> None:
        self._where = f"broker {address.host}:{address.port}"
        self._address = address
        self._changed = threading.Condition()
        self._answer: ReasonCode | None = None
        self._granted: ReasonCode | None = None
        self._seen: set[bytes] = set()
        self._confirmed = 0
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=clean, manual_ack=not acknowledge
        )
        if address.username:
            client.username_pw_set(address.username, address.password)
        if address.tls:
            client.tls_set_context(tls_context(address.files))
        client.max_inflight_messages_set(0)
        client.on_connect, client.on_subscribe = self._on_connect, self._on_subscribe
        client.on_publish, client.on_message = self._on_publish, self._on_message
        self._client = client

    def connect(self) -> None:
        try:
            self._client.connect(self._address.host, self._address.port)
        except (OSError, ValueError) as error:
            raise Unavailable(f"{self._where} cannot be reached: {error}") from error
        self._client.loop_start()
        if not self._wait(lambda: self._answer is not None):
            raise Unavailable(f"{self._where} did not answer the connect within {_PATIENCE_S:.0f} s")
        if self._answer is not None and self._answer.is_failure:
            raise Unavailable(f"{self._where} refused the connection: {self._answer}")

    def subscribe(self, topic: str) -> None:
        self._client.subscribe(topic, qos=1)
        if not self._wait(lambda: self._granted is not None):
            raise Unavailable(f"{self._where} did not answer the subscription to {topic}")
        if self._granted is not None and self._granted.is_failure:
            raise Unavailable(f"{self._where} does not let this user subscribe to {topic}")

    def publish(self, topic: str, numbers: range) -> None:
        """Publish each number; returns when the broker has confirmed them all."""
        expected = self._confirmed + len(numbers)
        for number in numbers:
            self._client.publish(topic, str(number).encode(), qos=1)
        if not self._wait(lambda: self._confirmed >= expected):
            taken = f"{self._where} took {self._confirmed} of {expected} messages"
            raise Unavailable(f"{taken} to {topic}: may this user publish there?")

    def sees_first(self, topic: str, first: bytes, last: bytes) -> bool:
        """Publish both; whether the first came back by the time that the last one did."""
        for payload in (first, last):
            self._client.publish(topic, payload, qos=1)
        self._wait(lambda: last in self._seen)
        return first in self._seen

    def wait_for(self, most: int) -> int:
        """How many different messages have come: `most`, or as many as when nothing came for a while."""
        while len(self._seen) < most and self._another_comes():
            pass
        return len(self._seen)

    def _another_comes(self) -> bool:
        before = len(self._seen)
        return self._wait(lambda: len(self._seen) > before, _QUIET_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _wait(self, condition: Callable[[], bool], patience_s: float = _PATIENCE_S) -> bool:
        with self._changed:
            return self._changed.wait_for(condition, patience_s)

    def _on_connect(
        self, _client: mqtt.Client, _user: object, _flags: object, reason: ReasonCode, _props: Properties | None
    ) -> None:
        with self._changed:
            self._answer = reason
            self._changed.notify_all()

    def _on_subscribe(
        self, _client: mqtt.Client, _user: object, _mid: int, reasons: list[ReasonCode], _props: Properties | None
    ) -> None:
        with self._changed:
            self._granted = reasons[0]
            self._changed.notify_all()

    def _on_publish(
        self, _client: mqtt.Client, _user: object, _mid: int, _reason: ReasonCode, _props: Properties | None
    ) -> None:
        with self._changed:
            self._confirmed += 1
            self._changed.notify_all()

    def _on_message(self, _client: mqtt.Client, _user: object, message: mqtt.MQTTMessage) -> None:
        with self._changed:
            self._seen.add(bytes(message.payload))
            self._changed.notify_all()


@contextmanager
def _connected(address: BrokerAddress, client_id: str, *, clean: bool, acknowledge: bool = False) -> Iterator[_Client]:
    client = _Client(address, client_id, clean=clean, acknowledge=acknowledge)
    try:
        client.connect()
        yield client
    finally:
        client.close()
