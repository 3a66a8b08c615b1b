"""A fleet's registry, a running ingest, and a device of the test's own on the real broker."""

import queue
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import paho.mqtt.client as mqtt
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from devices.registry import register_device
from devices.wire import Ack, build_topic
from ingest.broker.session import Session
from ingest.formats.format import Formats
from ingest.formats.shipped import FORMATS
from ingest.service import run_ingest
from millpond.kernel import waiting
from millpond.kernel.broker import parse_broker_url
from millpond.kernel.clock import SystemClock, monotonic
from millpond.kernel.db import connect
from millpond.kernel.settings import Settings, load_settings

PATIENCE_S = 20.0


@pytest.fixture
def broker_url(own_broker: str) -> str:
    """A broker without a past: what other tests left at a shared one would be counted here too."""
    return own_broker


@pytest.fixture
def serial() -> str:
    """A serial that no other test uses: they share the broker."""
    return f"T-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def settings(database: str, broker_url: str) -> Settings:
    """Settings of an ingest of the test's own."""
    return load_settings(
        database_url=database, broker_url=broker_url, consumer_id=f"test-{uuid.uuid4().hex[:8]}", batch_max_wait_ms=5
    )


@pytest.fixture
def registered(database: str, serial: str) -> str:
    """A registered air purifier."""
    at = datetime(2025, 1, 1, tzinfo=UTC)
    with connect(database) as conn:
        register_device(conn, serial=serial, model="reed-air-2", installed_at=at, at=at)
    return serial


@contextmanager
def running_ingest(settings: Settings, formats: Formats = FORMATS) -> Iterator[Session]:
    """An ingest in a thread, connected before the test goes on."""
    clock = SystemClock()
    session = Session(
        parse_broker_url(settings.broker_url.get_secret_value()),
        settings.consumer,
        clock,
        settings.in_flight_max_messages,
        settings.in_flight_max_bytes,
        formats,
        settings.make_shard(),
    )
    stop = threading.Event()
    thread = threading.Thread(target=run_ingest, args=(settings, session, clock, stop))
    thread.start()
    try:
        wait_until(lambda: session.connected, "ingest to connect")
        yield session
    finally:
        stop.set()
        thread.join(30)
        assert not thread.is_alive(), "ingest did not stop"


@pytest.fixture
def ingest(settings: Settings) -> Iterator[Session]:
    """A running ingest."""
    with running_ingest(settings) as session:
        yield session


class TestDevice:
    """A device that publishes what a test says and keeps what the platform tells it."""

    __test__ = False

    def __init__(self, broker_url: str, serial: str) -> None:
        address = parse_broker_url(broker_url)
        self.serial = serial
        self.acks: queue.Queue[Ack] = queue.Queue()
        self.commands: queue.Queue[bytes] = queue.Queue()
        subscribed = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.message_callback_add(build_topic(serial, "ack"), self._on_ack)
        self._client.message_callback_add(build_topic(serial, "command"), self._on_command)
        self._client.connect(address.host, address.port)
        self._client.loop_start()
        self._client.subscribe([(build_topic(serial, "ack"), 1), (build_topic(serial, "command"), 1)])
        assert subscribed.wait(PATIENCE_S)

    def _on_ack(self, _client: object, _user: object, message: mqtt.MQTTMessage) -> None:
        self.acks.put(Ack.model_validate_json(message.payload))

    def _on_command(self, _client: object, _user: object, message: mqtt.MQTTMessage) -> None:
        self.commands.put(bytes(message.payload))

    def publish(
        self, payload: bytes | str, channel: str = "telemetry", topic: str | None = None, *, retain: bool = False
    ) -> None:
        """Publish with QoS 1 and return when the broker has it."""
        sent = self._client.publish(topic or f"millpond/v1/{self.serial}/{channel}", payload, qos=1, retain=retain)
        sent.wait_for_publish(PATIENCE_S)

    def wait_for_ack(self, seq: int) -> Ack:
        """The next acknowledgement of `seq`; earlier ones are passed over, a later one fails."""
        deadline = monotonic() + PATIENCE_S
        while True:
            ack = self.acks.get(timeout=max(0.01, deadline - monotonic()))
            assert ack.seq <= seq, f"acknowledged {ack.seq} before {seq}"
            if ack.seq == seq:
                return ack

    def listen(self, topic: str) -> "queue.Queue[bytes]":
        """What comes on a topic from now on."""
        heard: queue.Queue[bytes] = queue.Queue()
        subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.message_callback_add(topic, lambda _client, _user, message: heard.put(bytes(message.payload)))
        self._client.subscribe(topic, 1)
        assert subscribed.wait(PATIENCE_S)
        return heard

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def device(broker_url: str, registered: str) -> Iterator[TestDevice]:
    """A device on the broker, registered in the database."""
    made = TestDevice(broker_url, registered)
    yield made
    made.close()


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Return when `condition` holds; fail after a generous while."""
    waiting.wait_until(condition, what, timeout_s=PATIENCE_S, every_s=0.02)


def fetch(database: str, query: str, *values: object) -> list[tuple[object, ...]]:
    """Rows of an ad-hoc query."""
    with psycopg.connect(database) as conn:
        return conn.execute(query, values).fetchall()
