"""One lane's connection to the broker, kept up by a thread of its own: deliveries in, answers and messages out.

Here and nowhere else are the rules of acknowledgement. An epoch is one life of the connection. A packet id names a
message in its epoch only, so an acknowledgement of an earlier one would name another message: it is dropped, the
broker sends the message again, and storing it again changes nothing. What a batch acknowledges goes out in arrival
order and in one write (MQTT 4.6).

We subscribe with QoS 1 at most. Should a broker send with QoS 2 all the same, the message is stored and answered as
that asks for: no worse than at least once, and nothing is stored twice.
"""

import logging
import threading
from collections.abc import Iterable, Sequence

from ingest.broker import packets
from ingest.broker.inbox import Inbox
from ingest.broker.link import Link
from ingest.broker.outbox import Outbox
from ingest.broker.packet_ids import PacketIds
from ingest.broker.packets import Answer, Kind, Packet, Parsed, Published
from ingest.broker.shards import shard_key
from ingest.nouns import Delivery, Lane
from millpond.kernel.broker import BrokerAddress, tls_context
from millpond.kernel.clock import Clock, monotonic
from millpond.kernel.shard import Shard

_LOG = logging.getLogger(__name__)
_KEEPALIVE_S = 10
# A broker, or the way to it, that leaves a question unanswered for so long is away, whatever the socket says.
_SILENCE_S = 2.5
# A connection that ends so soon was most likely taken over: a broker keeps one connection a client id.
_TAKEN_OVER_WITHIN_S = 10.0
_RETRY_S = (1.0, 2.0, 4.0)
_LOOK_EVERY_S = 0.5
_LOOK_FOR_ROOM_S = 0.02
_FEW_BYTES, _GATHER_S = 16_384, 0.002
_OUTBOX_MAX = 100_000
_SUBSCRIPTION = 65_535


class _Life:
    """One connection: its number, its link, and what was asked and heard on it."""

    def __init__(self, epoch: int, link: Link) -> None:
        self.epoch, self.link = epoch, link
        self.stream = packets.Stream()
        self.began_s = self.heard_s = self.said_s = monotonic()
        self.asked_s: float | None = None
        self.accepted = self.subscribed = self.paused = False


class LaneConnection:
    """What one lane is subscribed to, delivered into the inbox until it is full: then the rest waits at the broker."""

    def __init__(
        self,
        lane: Lane,
        topic_filters: Sequence[str],
        address: BrokerAddress,
        client_id: str,
        inbox: Inbox,
        clock: Clock,
        shard: Shard = Shard(),
    ) -> None:
        self.lane = lane
        self._shard = shard
        self._topic_filters = topic_filters
        self._address, self._client_id = address, client_id
        self._tls = tls_context(address.files) if address.tls else None
        self._inbox, self._clock = inbox, clock
        self._outbox = Outbox(_OUTBOX_MAX)
        # Held for what must not happen between the end of one life and the beginning of the next.
        self._lock = threading.Lock()
        self._epoch = 0
        self._packet_ids = PacketIds()
        self._life: _Life | None = None
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def epoch(self) -> int:
        """How many lives the connection has had."""
        return self._epoch

    @property
    def packet_ids(self) -> PacketIds:
        """Which packet ids the broker uses."""
        return self._packet_ids

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted us, has not gone since, and answers."""
        life = self._life
        if life is None or not life.accepted:
            return False
        asked_s = life.asked_s
        return asked_s is None or monotonic() - asked_s < _SILENCE_S

    @property
    def subscribed(self) -> bool:
        """Whether the broker has also confirmed our subscription: from now on it keeps what is published for us."""
        life = self._life
        return life is not None and life.subscribed

    def start(self) -> None:
        """Begin to connect, and keep at it."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._keep_connected, name=f"mqtt-{self.lane.name.lower()}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye; the broker keeps what comes in for our return."""
        self._stop.set()
        if (life := self._life) is not None:
            life.link.wake()
        if self._thread is not None:
            self._thread.join()

    def acknowledge(self, deliveries: Sequence[Delivery]) -> int:
        """Acknowledge committed deliveries in arrival order; returns how many were still ours to acknowledge."""
        life = self._life
        if life is None:
            return 0
        current = [delivery for delivery in deliveries if delivery.epoch == life.epoch]
        # Into the link of that life: when it has ended meanwhile, the answers end with it.
        life.link.send(_answers(current))
        return len(current)

    def publish(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Send messages of ours, at least once each, now or after the next connect."""
        with self._lock:
            self._outbox.put(messages)
            self._send_what_waits()

    def ask(self) -> None:
        """Ask the broker for a sign of life, unless one is still owed; a keepalive needs much longer to notice."""
        life = self._life
        if life is not None and life.accepted and not life.paused and life.asked_s is None:
            life.asked_s = life.said_s = monotonic()
            life.link.send(packets.PINGREQ)

    def _send_what_waits(self) -> None:
        life = self._life
        if life is not None and life.accepted:
            life.link.send(self._outbox.next_packets())

    def _keep_connected(self) -> None:
        failures = 0
        while not self._stop.is_set():
            life = self._connect()
            if life is not None:
                self._live(life)
                failures = 0 if life.accepted else failures
            self._stop.wait(_RETRY_S[min(failures, len(_RETRY_S) - 1)])
            failures += 1

    def _connect(self) -> _Life | None:
        try:
            link = Link(self._address, self._tls)
        except (OSError, ValueError) as error:
            where = f"{self._address.host}:{self._address.port}"
            extra = {"event": "broker_away", "lane": self.lane.name}
            _LOG.warning("the broker at %s cannot be reached: %s", where, error, extra=extra)
            return None
        link.send(packets.connect(self._client_id, self._address.username, self._address.password, _KEEPALIVE_S))
        self._life = _Life(self._epoch + 1, link)
        return self._life

    def _live(self, life: _Life) -> None:
        """One life of the connection, to its end."""
        reason = ""
        try:
            while not self._stop.is_set():
                self._listen(life)
        except OSError as error:
            reason = str(error)
        except Exception as error:  # Whatever it is: a thread that ends is a lane that nobody reads any longer.
            _LOG.exception("the connection failed", extra={"event": "lane_failed", "lane": self.lane.name})
            reason = repr(error)
        with self._lock:
            self._life = None
        life.link.close(packets.DISCONNECT if self._stop.is_set() else b"")
        if life.accepted:
            self._tell_end(life, reason)

    def _listen(self, life: _Life) -> None:
        life.link.wait(_LOOK_FOR_ROOM_S if life.paused else _LOOK_EVERY_S, reading=not life.paused)
        if life.paused:
            life.paused = not self._inbox.has_room(self.lane)
        elif data := life.link.receive():
            life.heard_s, life.asked_s = monotonic(), None
            self._hear(life, life.stream.feed(data))
            if len(data) < _FEW_BYTES:
                # What comes piece by piece is dear: a look at the socket costs as much as two messages.
                self._stop.wait(_GATHER_S)
        self._keep_alive(life)

    def _keep_alive(self, life: _Life) -> None:
        now = monotonic()
        if life.paused:
            life.heard_s = now
        if now - life.heard_s > 1.5 * _KEEPALIVE_S:
            raise ConnectionAbortedError("the broker does not answer")
        if now - life.said_s > _KEEPALIVE_S / 2:
            life.said_s = now
            life.link.send(packets.PINGREQ)

    def _hear(self, life: _Life, parsed: Parsed) -> None:
        with self._lock:
            for packet in parsed.others:
                self._take(life, packet)
            self._send_what_waits()
        if parsed.published:
            self._note_packet_id(parsed.published[-1])
        if published := parsed.published if self._shard.of == 1 else self._pick(life, parsed.published):
            self._deliver(life, published)
        if parsed.fault:
            raise ConnectionAbortedError(f"the broker sent what is no MQTT: {parsed.fault}")

    def _note_packet_id(self, newest: Published) -> None:
        """One message of a read says enough of how the broker counts."""
        if newest.qos == 1 and not newest.redelivered:
            self._packet_ids = self._packet_ids.used(newest.mid)

    def _pick(self, life: _Life, published: Sequence[Published]) -> list[Published]:
        """What is of our shard; the rest is another ingest's, whose own session has it too."""
        ours: list[Published] = []
        others: list[Published] = []
        for one in published:
            (ours if self._shard.takes(shard_key(one.topic)) else others).append(one)
        life.link.send(_answers(others))
        return ours

    def _deliver(self, life: _Life, published: Sequence[Published]) -> None:
        lane, epoch, at, arrived_s = self.lane, life.epoch, self._clock.now(), monotonic()
        deliveries = [
            Delivery(topic, payload, at, lane, mid, qos, epoch, arrived_s, retained, redelivered)
            for topic, payload, mid, qos, retained, redelivered in published
        ]
        if not self._inbox.put(lane, deliveries):
            life.paused, life.asked_s = True, None
            extra = {"event": "paused", "lane": lane.name, "waiting": self._inbox.waiting(lane)}
            _LOG.warning("not reading until the backlog is smaller", extra=extra)

    def _take(self, life: _Life, packet: Packet) -> None:
        if packet.kind == Kind.PUBACK:
            self._outbox.confirm(packet.mid)
        elif packet.kind == Kind.PUBREL:
            life.link.send(packets.answer(Answer.PUBCOMP, [packet.mid]))
        elif packet.kind == Kind.CONNACK:
            self._begin(life, packet)
        elif packet.kind == Kind.SUBACK:
            self._take_subscription(life, packet)

    def _begin(self, life: _Life, connack: Packet) -> None:
        if reason := packets.refusal(connack):
            extra = {"event": "broker_refused", "lane": self.lane.name}
            _LOG.error("the broker refused us: %s", reason, extra=extra)
            raise ConnectionRefusedError(reason)
        self._packet_ids = self._packet_ids.connected(None if packets.goes_on(connack) else self._clock.now())
        self._epoch, life.accepted = life.epoch, True
        life.subscribed = not self._topic_filters
        if self._topic_filters:
            life.link.send(packets.subscribe(_SUBSCRIPTION, self._topic_filters))
        life.link.send(self._outbox.packets_again())
        _LOG.info("connected", extra={"event": "broker_connected", "lane": self.lane.name, "epoch": self._epoch})

    def _take_subscription(self, life: _Life, suback: Packet) -> None:
        refused = packets.refused_filters(suback, self._topic_filters)
        life.subscribed = not refused
        if refused:
            extra = {"event": "subscription_refused", "lane": self.lane.name}
            _LOG.error("the broker does not let us subscribe to %s", " ".join(refused), extra=extra)

    def _tell_end(self, life: _Life, reason: str) -> None:
        extra = {"event": "broker_disconnected", "lane": self.lane.name}
        lived_s = monotonic() - life.began_s
        if self._stop.is_set():
            _LOG.info("disconnected after %.0f s: we are stopping", lived_s, extra=extra)
            return
        hint = "; does another process use the same MILLPOND_CONSUMER_ID?" if lived_s < _TAKEN_OVER_WITHIN_S else ""
        _LOG.warning("disconnected after %.0f s: %s%s", lived_s, reason, hint, extra=extra)


def _answers(messages: Sequence[Published | Delivery]) -> bytes:
    once = packets.answer(Answer.PUBACK, [message.mid for message in messages if message.qos == 1])
    return once + packets.answer(Answer.PUBREC, [message.mid for message in messages if message.qos == 2])
