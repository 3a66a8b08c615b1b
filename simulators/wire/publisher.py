"""The only file here that knows paho: one MQTT 3.1.1 connection that never runs further ahead than its window.

paho's thread only counts and queues; whoever owns the publisher works in a thread of their own and calls `received`.
"""

import logging
import socket
import threading
from collections import deque
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from millpond.kernel.broker import SYSTEM_TRUST, BrokerAddress, TlsFiles, tls_context
from millpond.kernel.clock import monotonic
from millpond.kernel.errors import Unavailable
from simulators.wire.message import Message

_log = logging.getLogger(__name__)
# paho says so of its own farewell, as an error.
_log.addFilter(lambda record: not str(record.msg).startswith("Client is not connected"))
_KEEPALIVE_S = 30
_CLOSING_S = 2.0


class Publisher:
    """A QoS 1 connection. `room` is how many messages may be published before the broker has to confirm some.

    `sessions` counts the connects, so that the owner sees that there was a new one. `wake` is set whenever something
    happened: a connect, a confirmation, a message. It connects again by itself, at most `reconnect_max_s` apart.
    """

    def __init__(
        self,
        broker: BrokerAddress,
        client_id: str,
        *,
        subscriptions: list[str],
        will: Message | None = None,
        tls: TlsFiles | None = None,
        window: int = 500,
        reconnect_max_s: int = 10,
        wake: threading.Event | None = None,
    ) -> None:
        self.wake = wake or threading.Event()
        self.sessions = 0
        self._broker, self._tls, self._window = broker, tls or SYSTEM_TRUST, window
        self._reconnect_max_s = reconnect_max_s
        self._topics = [(topic, 1) for topic in subscriptions]
        self._lock = threading.Lock()
        self._unconfirmed = 0
        self._connected = False
        self._refusal: str | None = None
        self._inbox: deque[tuple[str, bytes]] = deque()
        self._client = self._make_client(client_id, will)

    def connect(self, timeout_s: float = 10) -> None:
        """Connect and subscribe; Unavailable with one sentence when the broker does not answer or refuses us."""
        where = f"broker {self._broker.host}:{self._broker.port}"
        try:
            self._client.connect(self._broker.host, self._broker.port, _KEEPALIVE_S)
        except (OSError, ValueError) as error:
            raise Unavailable(f"{where} cannot be reached: {error}") from error
        self._client.loop_start()
        end = monotonic() + timeout_s
        while not self._connected and self._refusal is None and monotonic() < end:
            self.wake.wait(0.05)
            self.wake.clear()
        if not self._connected:
            self.close()
            raise Unavailable(f"{where} {self._refusal or 'did not answer the connect'}")

    @property
    def room(self) -> int:
        """How many messages may be published now; 0 while there is no connection."""
        return max(0, self._window - self._unconfirmed) if self._connected else 0

    @property
    def unconfirmed(self) -> int:
        """How many messages the broker has not confirmed yet."""
        return self._unconfirmed

    def publish(self, message: Message) -> None:
        """Hand over one message; ask for `room` first, since paho would queue without end."""
        with self._lock:
            self._unconfirmed += 1
        self._client.publish(message.topic, message.payload, qos=1, retain=message.retain)

    def received(self) -> list[tuple[str, bytes]]:
        """Topic and payload of what came in since the last call, in order."""
        return [self._inbox.popleft() for _ in range(len(self._inbox))]

    def close(self) -> None:
        """Wait shortly for confirmations, disconnect, and end the thread. Safe to call twice."""
        end = monotonic() + _CLOSING_S
        while self._connected and self._unconfirmed and monotonic() < end:
            self.wake.wait(0.05)
            self.wake.clear()
        self._client.disconnect()
        self._client.loop_stop()

    def _make_client(self, client_id: str, will: Message | None) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=MQTTv311)
        # An exception in a callback would end the loop's thread while the client still calls itself connected.
        client.suppress_exceptions = True
        client.enable_logger(_log)
        client.max_inflight_messages_set(self._window)
        client.max_queued_messages_set(0)
        client.reconnect_delay_set(min_delay=1, max_delay=self._reconnect_max_s)
        if self._broker.username is not None:
            client.username_pw_set(self._broker.username, self._broker.password)
        if self._broker.tls:
            client.tls_set_context(tls_context(self._tls))
        if will:
            client.will_set(will.topic, will.payload, qos=1, retain=will.retain)
            # A device of its own says little and waits for the answer; a gateway's packets are better merged.
            client.on_socket_open = _send_at_once
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_message, client.on_publish = self._on_message, self._on_publish
        return client

    def _on_connect(
        self, client: Client, _user: Any, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._refusal = f"refused the connection: {reason}"
        else:
            client.subscribe(self._topics)
            self._connected, self.sessions = True, self.sessions + 1
        self.wake.set()

    def _on_disconnect(
        self, _client: Client, _user: Any, _flags: DisconnectFlags, _reason: ReasonCode, _properties: Properties | None
    ) -> None:
        self._connected = False
        self.wake.set()

    def _on_message(self, _client: Client, _user: Any, message: MQTTMessage) -> None:
        self._inbox.append((message.topic, bytes(message.payload)))
        self.wake.set()

    def _on_publish(
        self, _client: Client, _user: Any, _mid: int, _reason: ReasonCode, _properties: Properties | None
    ) -> None:
        with self._lock:
            self._unconfirmed -= 1
        self.wake.set()


def _send_at_once(_client: Client, _user: Any, connection: Any) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
