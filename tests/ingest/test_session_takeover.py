"""No device's credentials can take ingest's session, on a broker with the configuration and the rules that we ship."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from ingest.broker.client_id import client_id
from ingest.nouns import Lane
from millpond.embedded.broker import find_mosquitto, write_passwords
from millpond.embedded.ports import free_port
from millpond.embedded.process import Process
from millpond.kernel.broker import BrokerAddress, parse_broker_url
from millpond.kernel.settings import Settings
from tests.ingest.conftest import PATIENCE_S, fetch, running_ingest, wait_until

_DOCKER = Path(__file__).parents[2] / "docker"


@contextmanager
def shipped_broker(folder: Path, **passwords: str) -> Iterator[int]:
    """The port of a mosquitto with the shipped configuration and access rules, and these users."""
    mosquitto = find_mosquitto()
    assert mosquitto is not None
    secrets = folder / "passwords"
    write_passwords(secrets, passwords)
    port = free_port()
    conf = (_DOCKER / "mosquitto.conf").read_text().replace("listener 1883", f"listener {port} 127.0.0.1")
    conf = conf.replace("/mosquitto/data/acl", str(_DOCKER / "acl"))
    conf = conf.replace("/mosquitto/data/passwords", str(secrets)).replace("/mosquitto/data/", f"{folder}/")
    (folder / "mosquitto.conf").write_text(("user root\n" if os.geteuid() == 0 else "") + conf)
    with Process([mosquitto, "-c", folder / "mosquitto.conf"], folder / "broker.log"):
        yield port


class Client:
    """A client of the broker with a name, a password and a client id of its choice."""

    def __init__(self, port: int, user: str, password: str, client_id: str, *, clean: bool = True) -> None:
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=clean)
        self._client.username_pw_set(user, password)
        connected = threading.Event()
        self._client.on_connect = lambda *_: connected.set()
        wait_until(lambda: self._dial(port), "the broker to listen")
        self._client.loop_start()
        assert connected.wait(PATIENCE_S)

    def _dial(self, port: int) -> bool:
        try:
            return self._client.connect("127.0.0.1", port) == mqtt.MQTT_ERR_SUCCESS
        except ConnectionRefusedError:
            return False

    def publish(self, topic: str, payload: str) -> None:
        """Publish, and return when the broker has it."""
        self._client.publish(topic, payload, qos=1).wait_for_publish(PATIENCE_S)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.mark.parametrize("lane", Lane)
def test_a_device_that_uses_the_known_part_of_ingests_client_id_takes_nothing(
    settings: Settings, registered: str, tmp_path: Path, lane: Lane
) -> None:
    with shipped_broker(
        tmp_path, millpond="of ingest", **{registered: "of the device", "thief": "of the thief"}
    ) as port:
        url = type(settings.broker_url)(f"mqtt://millpond:of%20ingest@127.0.0.1:{port}")
        with running_ingest(settings.model_copy(update={"broker_url": url})) as session:
            wait_until(lambda: session.subscribed, "ingest to be subscribed")
            lives = session.epoch
            # Again and again, and with a clean session, which would delete what the broker keeps for ingest.
            for _ in range(3):
                Client(port, "thief", "of the thief", f"{settings.consumer_id}-{lane.name.lower()}").close()
            device = Client(port, registered, "of the device", registered)
            device.publish(f"millpond/v1/{registered}/telemetry", '{"metrics":{"fan_level":3}}')
            stored = "select count(*) from reading join device using (device_id) where serial = %s"
            dsn = settings.database_url.get_secret_value()
            wait_until(lambda: fetch(dsn, stored, registered) == [(1,)], "the reading to be stored")
            device.close()
            assert session.epoch == lives
            assert session.connected


def test_the_client_id_needs_the_password_and_stays_the_same() -> None:
    one, other = parse_broker_url("mqtt://u:one@h"), parse_broker_url("mqtt://u:other@h")
    ids = {client_id(name, lane, at) for name in ("a", "b") for lane in Lane for at in (one, other)}
    assert len(ids) == 8
    assert client_id("a", Lane.LIVE, one) == client_id("a", Lane.LIVE, BrokerAddress("elsewhere", 1, True, "v", "one"))
    assert all(found.startswith(("a-live-", "a-backfill-", "b-live-", "b-backfill-")) for found in ids)
    assert client_id("a", Lane.LIVE, parse_broker_url("mqtt://h")) == "a-live"
