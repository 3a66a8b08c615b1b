"""One MQTT connection that some devices share, as behind a home's gateway."""

import contextlib
import threading
from collections import deque

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from devices.wire import build_topic
from millpond.kernel.broker import BrokerAddress

_WINDOW = 1000


class Gateway:
    """Publishes with QoS 1, never further ahead than its window; what comes in waits for `received`."""

    def __init__(self, broker: BrokerAddress, client_id: str, serials: list[str]) -> None:
        self.serials = serials
        self._broker = broker
        self._lock = threading.Lock()
        self._unconfirmed = self._sessions = self._seen = 0
        self._connected = False
        self._inbox: deque[tuple[str, bytes]] = deque()
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id)
        client.suppress_exceptions = True
        client.max_inflight_messages_set(_WINDOW)
        client.reconnect_delay_set(1, 2)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_message, client.on_publish = self._on_message, self._on_publish
        self._client = client

    @property
    def room(self) -> int:
        """How many messages may be published now."""
        return max(0, _WINDOW - self._unconfirmed) if self._connected else 0

    def start(self) -> None:
        """Connect, again and again, in a thread of paho's."""
        self._client.connect_async(self._broker.host, self._broker.port, keepalive=5)
        self._client.loop_start()

    def stop(self) -> None:
        """Leave."""
        with contextlib.suppress(ValueError):
            self._client.disconnect()
        self._client.loop_stop()

    def is_new(self) -> bool:
        """Whether there was a connect since the last question, other than the first."""
        seen, self._seen = self._seen, self._sessions
        return 0 < seen < self._sessions

    def publish(self, topic: str, payload: bytes) -> None:
        """Hand over one message; ask for `room` first."""
        with self._lock:
            self._unconfirmed += 1
        self._client.publish(topic, payload, qos=1)

    def received(self) -> list[tuple[str, bytes]]:
        """What came since the last call."""
        return [self._inbox.popleft() for _ in range(len(self._inbox))]

    def _on_connect(self, client: mqtt.Client, _user: object, _flags: object, reason: object, _props: object) -> None:
        if not getattr(reason, "is_failure", False):
            client.subscribe([(build_topic(s, channel), 1) for s in self.serials for channel in ("ack", "command")])
            self._connected, self._sessions = True, self._sessions + 1

    def _on_disconnect(self, *_: object) -> None:
        self._connected = False

    def _on_message(self, _client: mqtt.Client, _user: object, message: mqtt.MQTTMessage) -> None:
        self._inbox.append((message.topic, bytes(message.payload)))

    def _on_publish(self, *_: object) -> None:
        with self._lock:
            self._unconfirmed -= 1
