"""The air cleaner: what it measures stays in its outbox until the platform has committed it."""

import json
import threading
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion


class AirCleaner:
    """One device in one run, from switch-on to switch-off: `boot` names the run."""

    def __init__(self, serial: str, broker_url: str, boot: str) -> None:
        self.serial, self.boot = serial, boot
        self.outbox: dict[int, dict[str, Any]] = {}
        self._seq = 0
        self._changed = threading.Condition()
        self._broker = urlsplit(broker_url)
        self._connected = False
        self._client = self._make_client()

    def connect(self) -> None:
        """Connect, and from then on again and again whenever the connection is lost."""
        self._client.connect(self._broker.hostname or "", self._broker.port or 1883)
        self._client.loop_start()

    def disconnect(self) -> None:
        """Leave; measuring goes on."""
        self._client.disconnect()
        self._client.loop_stop()

    def measure(self, at: datetime, **metrics: float | bool) -> None:
        """Take one sample: into the outbox first, then on its way."""
        with self._changed:
            self._seq += 1
            self.outbox[self._seq] = {"seq": self._seq, "ts": at.isoformat(), "metrics": metrics}
            if self._connected:
                self._publish("telemetry", {"boot": self.boot, **self.outbox[self._seq]})

    def wait_until_safe(self, timeout_s: float = 30) -> None:
        """Return when the platform has committed everything that was measured."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self.outbox, timeout_s):
                raise TimeoutError(f"{len(self.outbox)} samples are not safe after {timeout_s:g} s")

    def _make_client(self) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, client_id=self.serial)
        client.reconnect_delay_set(1, 5)
        client.will_set(self._topic("status"), self._status("offline"), qos=1, retain=True)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_message = self._on_ack
        return client

    def _on_connect(self, client: Client, *_: Any) -> None:
        client.subscribe(self._topic("ack"), qos=1)
        client.publish(self._topic("status"), self._status("online"), qos=1, retain=True)
        with self._changed:
            self._connected = True
            if self.outbox:
                self._publish("backfill", {"boot": self.boot, "samples": list(self.outbox.values())})

    def _on_disconnect(self, *_: Any) -> None:
        with self._changed:
            self._connected = False

    def _on_ack(self, _client: Client, _user: Any, message: MQTTMessage) -> None:
        ack = json.loads(message.payload)
        if ack["boot"] != self.boot:
            return
        with self._changed:
            self.outbox = {seq: sample for seq, sample in self.outbox.items() if seq > ack["seq"]}
            self._changed.notify_all()

    def _publish(self, channel: str, payload: dict[str, Any]) -> None:
        self._client.publish(self._topic(channel), json.dumps(payload), qos=1)

    def _topic(self, channel: str) -> str:
        return f"millpond/v1/{self.serial}/{channel}"

    def _status(self, state: str) -> str:
        return json.dumps({"state": state, "session": self.boot})
