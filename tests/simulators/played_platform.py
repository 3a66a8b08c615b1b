"""A platform played by the test: it collects what devices say on a real broker and acknowledges it."""

import json
import threading
from collections.abc import Callable
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from devices import wire
from millpond.kernel.broker import parse_broker_url


class PlayedPlatform:
    """Stores messages in order; while `acking`, acknowledges each boot up to where its numbers have no hole."""

    def __init__(self, url: str, serial_prefix: str = "") -> None:
        self.messages: list[tuple[str, bytes, bool]] = []
        self.seen: dict[tuple[str, str], dict[int, Any]] = {}
        self.acking = True
        self._prefix = serial_prefix
        self._changed = threading.Condition()
        self._complete: dict[tuple[str, str], int] = {}
        subscribed = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._on_message
        self._client.on_subscribe = lambda *_: subscribed.set()
        broker = parse_broker_url(url)
        self._client.connect(broker.host, broker.port)
        self._client.loop_start()
        self._client.subscribe("millpond/v1/#", qos=1)
        assert subscribed.wait(10)

    def tell(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload, qos=1)

    def wait_until(self, condition: Callable[[], bool], timeout_s: float = 20) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, timeout_s), f"did not happen; last: {self.messages[-3:]}"

    def payloads(self, topic: str) -> list[Any]:
        return [json.loads(payload) for where, payload, _ in self.messages if where == topic]

    def ack(self, serial: str, boot: str, seq: int) -> None:
        self.tell(wire.build_topic(serial, "ack"), wire.Ack(boot=boot, seq=seq).model_dump_json().encode())

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, _client: Client, _user: Any, message: MQTTMessage) -> None:
        topic = wire.parse_topic(message.topic)
        with self._changed:
            self.messages.append((message.topic, bytes(message.payload), message.retain))
            if topic and topic.channel in ("telemetry", "backfill"):
                self._store(topic.serial, bytes(message.payload))
            self._changed.notify_all()

    def _store(self, serial: str, payload: bytes) -> None:
        try:
            telemetry = wire.parse_message(wire.parse_json(payload))
        except ValueError:
            return
        assert telemetry.boot is not None
        held = self.seen.setdefault((serial, telemetry.boot), {})
        for raw in telemetry.samples:
            sample = wire.parse_sample(raw)
            assert sample.seq is not None
            held[sample.seq] = sample
        if self.acking:
            self._acknowledge(serial, telemetry.boot, held)

    def _acknowledge(self, serial: str, boot: str, held: dict[int, Any]) -> None:
        before = complete = self._complete.get((serial, boot), 0)
        while complete + 1 in held:
            complete += 1
        self._complete[serial, boot] = complete
        if complete > before:
            self.ack(serial, boot, complete)
