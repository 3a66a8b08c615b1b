"""The only file here that knows paho: a connection that publishes, and gives back what comes in."""

import threading
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from millpond.kernel.broker import BrokerAddress, tls_context
from millpond.kernel.errors import Unavailable
from millpond.kernel.ids import new_id

_KEEPALIVE_S = 20
_WINDOW = 100


class BrokerLink:
    """One life of a connection, for as long as `with` lasts. When it is lost, whoever uses it is told by Unavailable.

    `name` is what its client id begins with; the rest is random, so that nobody takes its place.
    """

    def __init__(
        self, address: BrokerAddress, name: str, *, subscriptions: Sequence[str] = (), patience_s: float = 15
    ) -> None:
        self._address, self._subscriptions = address, subscriptions
        self._where = f"broker {address.host}:{address.port}"
        self._patience_s = patience_s
        self._changed = threading.Condition()
        self._ready = False
        self._refusal: str | None = None
        self._unconfirmed = 0
        self._incoming: list[bytes] = []
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=f"{name}-{new_id('out')}", reconnect_on_failure=False
        )
        if address.username:
            client.username_pw_set(address.username, address.password)
        if address.tls:
            client.tls_set_context(tls_context(address.files))
        client.max_inflight_messages_set(_WINDOW)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_subscribe, client.on_publish, client.on_message = (
            self._on_subscribe,
            self._on_publish,
            self._on_message,
        )
        self._client = client

    def __enter__(self) -> Self:
        try:
            self._client.connect(self._address.host, self._address.port, _KEEPALIVE_S)
        except (OSError, ValueError) as error:
            raise Unavailable(f"{self._where} cannot be reached: {error}") from error
        self._client.loop_start()
        try:
            self._wait(lambda: self._ready, "the connect")
        except Unavailable:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def publish(self, messages: Iterable[tuple[str, bytes]], *, retain: bool = False) -> None:
        """Publish topics and payloads with QoS 1; returns when the broker has confirmed all of them.

        Raises Unavailable when it does not: any of them may have arrived.
        """
        for topic, payload in messages:
            self._wait(lambda: self._unconfirmed < _WINDOW, "a message")
            with self._changed:
                self._unconfirmed += 1
            # Not under our lock: paho calls _on_publish under the one that its publish needs.
            self._client.publish(topic, payload, qos=1, retain=retain)
        self._wait(lambda: not self._unconfirmed, "a message")

    def next_message(self) -> bytes:
        """The next payload that comes in; Unavailable when none comes."""
        self._wait(lambda: bool(self._incoming), "a question")
        with self._changed:
            return self._incoming.pop(0)

    def require_connection(self) -> None:
        """Raise Unavailable when the connection is lost."""
        if self._refusal:
            raise Unavailable(f"{self._where} {self._refusal}")

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        with self._changed:
            self._changed.wait_for(lambda: condition() or self._refusal is not None, self._patience_s)
            self.require_connection()
            if not condition():
                raise Unavailable(f"{self._where} did not answer {what} within {self._patience_s:.0f} s")

    def _end(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(
        self, client: mqtt.Client, _user: object, _flags: object, reason: ReasonCode, _props: Properties | None
    ) -> None:
        if reason.is_failure:
            self._refuse(f"refused the connection: {reason}")
        elif self._subscriptions:
            client.subscribe([(topic, 1) for topic in self._subscriptions])
        else:
            self._set_ready()

    def _on_disconnect(
        self, _client: mqtt.Client, _user: object, _flags: object, reason: ReasonCode, _props: Properties | None
    ) -> None:
        self._refuse(f"ended the connection: {reason}")

    def _on_subscribe(
        self, _client: mqtt.Client, _user: object, _mid: int, reasons: list[ReasonCode], _props: Properties | None
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._refuse(f"does not let {self._address.username or 'us'} subscribe to {' '.join(self._subscriptions)}")
        else:
            self._set_ready()

    def _on_publish(
        self, _client: mqtt.Client, _user: object, _mid: int, _reason: ReasonCode, _props: Properties | None
    ) -> None:
        with self._changed:
            self._unconfirmed -= 1
            self._changed.notify_all()

    def _on_message(self, _client: mqtt.Client, _user: object, message: mqtt.MQTTMessage) -> None:
        with self._changed:
            self._incoming.append(bytes(message.payload))
            self._changed.notify_all()

    def _set_ready(self) -> None:
        with self._changed:
            self._ready = True
            self._changed.notify_all()

    def _refuse(self, sentence: str) -> None:
        with self._changed:
            self._refusal = self._refusal or sentence
            self._changed.notify_all()
