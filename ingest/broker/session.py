"""The MQTT session: deliveries in, acknowledgements out, and the epochs that keep the two together.

Each lane has a connection and so a window of its own: a burst of backfill cannot fill the window that live data needs.
The broker keeps both sessions while we are away (clean_session is off, the client ids are fixed).
"""

import logging
import threading
from collections.abc import Sequence

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from devices.wire import PREFIX
from ingest.broker.client_id import client_id
from ingest.broker.inbox import Inbox
from ingest.formats.format import Formats
from ingest.formats.shipped import FORMATS
from ingest.nouns import Delivery, Lane
from millpond.kernel.broker import BrokerAddress, tls_context
from millpond.kernel.clock import Clock, monotonic

_LOG = logging.getLogger(__name__)
_KEEPALIVE_S = 10
_MAX_WAITING_BYTES = 67_108_864
# A broker, or the way to it, that leaves a question unanswered for so long is away, whatever the socket says.
_SILENCE_S = 2.5
# A connection that ends so soon was most likely taken over: a broker keeps one connection a client id.
_TAKEN_OVER_WITHIN_S = 10.0
_UNUSED_TOPIC = f"{PREFIX}/-/nobody"


class LaneConnection:
    """One lane's connection to the broker.

    An epoch is one life of the connection. An acknowledgement of an earlier epoch would name another message by now, so
    it is dropped: the broker sends that message again, and storing it again changes nothing.
    """

    def __init__(
        self,
        lane: Lane,
        topic_filters: Sequence[str],
        address: BrokerAddress,
        client_id: str,
        inbox: Inbox,
        clock: Clock,
    ) -> None:
        self.lane = lane
        self._topic_filters = topic_filters
        self._inbox, self._clock = inbox, clock
        self._address = address
        self._state = threading.Lock()
        self._epoch = 0
        self._connected = False
        self._subscribed = False
        self._paused = False
        self._asked_s: float | None = None
        self._connected_s = 0.0
        self._client = self._make_client(client_id)

    def _make_client(self, client_id: str) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False, manual_ack=True
        )  # MQTT 3.1.1: in paho, version 5 costs twice the CPU a message.
        if self._address.username:
            client.username_pw_set(self._address.username, self._address.password)
        if self._address.tls:
            client.tls_set_context(tls_context(self._address.files))
        client.reconnect_delay_set(1, 4)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        client.on_unsubscribe = self._on_answer
        return client

    @property
    def epoch(self) -> int:
        """How many lives the connection has had."""
        return self._epoch

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted us, has not gone since, and answers."""
        asked_s = self._asked_s
        return self._connected and (asked_s is None or monotonic() - asked_s < _SILENCE_S)

    @property
    def subscribed(self) -> bool:
        """Whether the broker has also confirmed our subscription: from now on it keeps what is published for us."""
        return self._subscribed

    def start(self) -> None:
        """Begin to connect, and keep at it in a thread of paho's."""
        self._client.connect_async(self._address.host, self._address.port, keepalive=_KEEPALIVE_S)
        self._client.loop_start()

    def stop(self) -> None:
        """Say goodbye; the broker keeps what comes in for our return."""
        self._client.disconnect()
        self._client.loop_stop()

    def acknowledge(self, deliveries: Sequence[Delivery]) -> int:
        """Acknowledge committed deliveries in arrival order; returns how many were still ours to acknowledge."""
        with self._state:
            current = [d for d in deliveries if self._connected and d.epoch == self._epoch]
            for delivery in current:
                self._client.ack(delivery.mid, delivery.qos)
        return len(current)

    def publish(self, topic: str, payload: bytes) -> None:
        """Send a message of ours, at least once, now or after the next connect."""
        self._client.publish(topic, payload, qos=1)

    def ask(self) -> None:
        """Ask the broker for a sign of life, unless an answer is still owed.

        A keepalive needs three times as long to notice a dead link. Ending a subscription that never was is the one
        question that MQTT 3.1.1 makes every broker answer (MQTT-3.10.4-5) and that changes nothing.
        """
        if self._connected and self._asked_s is None:
            self._asked_s = monotonic()
            self._client.unsubscribe(_UNUSED_TOPIC)

    def resume_when_drained(self) -> None:
        """Reconnect after a time of not listening, once all that was heard is stored: what was missed comes again."""
        if self._paused and not self._inbox.waiting(self.lane):
            self.stop()
            self.start()

    def _on_connect(
        self, client: mqtt.Client, _user: object, _flags: object, reason: ReasonCode, _props: Properties | None
    ) -> None:
        if reason.is_failure:
            _LOG.error("the broker refused us: %s", reason, extra={"event": "broker_refused", "lane": self.lane.name})
            return
        with self._state:
            self._epoch += 1
            self._connected, self._paused, self._asked_s = True, False, None
            self._connected_s = monotonic()
        client.subscribe([(topic, 1) for topic in self._topic_filters])
        _LOG.info("connected", extra={"event": "broker_connected", "lane": self.lane.name, "epoch": self._epoch})

    def _on_connect_fail(self, _client: mqtt.Client, _user: object) -> None:
        where = f"{self._address.host}:{self._address.port}"
        _LOG.warning(
            "the broker at %s cannot be reached", where, extra={"event": "broker_away", "lane": self.lane.name}
        )

    def _on_disconnect(
        self, _client: mqtt.Client, _user: object, _flags: object, reason: ReasonCode, _props: Properties | None
    ) -> None:
        with self._state:
            lived_s = monotonic() - self._connected_s
            self._connected = self._subscribed = False
            self._asked_s = None
        hint = "; does another process use the same MILLPOND_CONSUMER_ID?" if lived_s < _TAKEN_OVER_WITHIN_S else ""
        extra = {"event": "broker_disconnected", "lane": self.lane.name}
        _LOG.warning("disconnected after %.0f s: %s%s", lived_s, reason, hint, extra=extra)

    def _on_subscribe(
        self, _client: mqtt.Client, _user: object, _mid: int, reasons: Sequence[ReasonCode], _props: Properties | None
    ) -> None:
        self._subscribed = not any(reason.is_failure for reason in reasons)
        if not self._subscribed:
            extra = {"event": "subscription_refused", "lane": self.lane.name}
            _LOG.error("the broker does not let us subscribe to %s", " ".join(self._topic_filters), extra=extra)

    def _on_answer(self, *_: object) -> None:
        self._asked_s = None

    def _on_message(self, _client: mqtt.Client, _user: object, message: mqtt.MQTTMessage) -> None:
        if self._paused:
            return
        # An exception here would end paho's thread while it still says that it is connected.
        try:
            room_left = self._inbox.put(self._delivery(message))
        except Exception:
            _LOG.exception("a message could not be taken", extra={"event": "delivery_failed"})
            return
        if not room_left:
            # Blocking here would stop the keepalive, and leaving would make worthless all that waits, so that a broker
            # which overruns its window could drive us round in circles. What is not heard is not acknowledged.
            self._paused = True
            extra = {"event": "paused", "lane": self.lane.name, "waiting": self._inbox.waiting(self.lane)}
            _LOG.warning("not listening until the backlog is stored", extra=extra)

    def _delivery(self, message: mqtt.MQTTMessage) -> Delivery:
        return Delivery(
            message.topic,
            bytes(message.payload),
            self._clock.now(),
            self.lane,
            message.mid,
            message.qos,
            self._epoch,
            monotonic(),
            message.retain,
            message.dup,
        )


class Session:
    """Both lanes and their inbox; what they subscribe to is what `formats` read."""

    def __init__(
        self,
        address: BrokerAddress,
        consumer_id: str,
        clock: Clock,
        max_waiting: int,
        max_waiting_bytes: int = _MAX_WAITING_BYTES,
        formats: Formats = FORMATS,
    ) -> None:
        self.formats = formats
        self.inbox = Inbox(max_waiting, max_waiting_bytes)
        self._lanes = {
            lane: LaneConnection(
                lane, formats.topic_filters(lane), address, client_id(consumer_id, lane, address), self.inbox, clock
            )
            for lane in Lane
        }

    @property
    def connected(self) -> bool:
        """Whether every lane is connected."""
        return all(lane.connected for lane in self._lanes.values())

    @property
    def subscribed(self) -> bool:
        """Whether every lane is subscribed."""
        return all(lane.subscribed for lane in self._lanes.values())

    @property
    def epoch(self) -> int:
        """How many connections there have been, over all lanes."""
        return sum(lane.epoch for lane in self._lanes.values())

    def start(self) -> None:
        """Connect every lane."""
        for lane in self._lanes.values():
            lane.start()

    def stop(self) -> None:
        """Leave the broker."""
        for lane in self._lanes.values():
            lane.stop()

    def acknowledge(self, deliveries: Sequence[Delivery]) -> int:
        """Acknowledge committed deliveries of one lane, in arrival order."""
        return self._lanes[deliveries[0].lane].acknowledge(deliveries) if deliveries else 0

    def publish(self, topic: str, payload: bytes) -> None:
        """Send a message of ours to a device."""
        self._lanes[Lane.LIVE].publish(topic, payload)

    def ask(self) -> None:
        """Ask for a sign of life on every lane; `connected` is the answer, a few seconds later."""
        for lane in self._lanes.values():
            lane.ask()

    def resume_when_drained(self) -> None:
        """Reconnect lanes that did not listen because of their backlog."""
        for lane in self._lanes.values():
            lane.resume_when_drained()
