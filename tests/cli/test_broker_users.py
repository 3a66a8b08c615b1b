"""Users of the shipped broker: made from the environment, gone with their password, and a device's its own alone."""

import os
import queue
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from millpond.embedded.broker import Broker

DOCKER = Path(__file__).parents[2] / "docker"
COLONS = "aa:bb:cc:01"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    if shutil.which("mosquitto_passwd") is None:
        pytest.skip("no mosquitto: apt-get install mosquitto")
    return tmp_path


def script(folder: Path, name: str, *words: str, **env: str) -> "subprocess.CompletedProcess[str]":
    given = os.environ | {"MILLPOND_BROKER_DATA": str(folder), "MILLPOND_BROKER_CONFIG": str(DOCKER)} | env
    command = ["sh", str(DOCKER / name), *words]
    return subprocess.run(command, env=given, capture_output=True, text=True, timeout=60, check=False)


def start(folder: Path, **env: str) -> set[str]:
    """The broker's users after its start script ran."""
    done = script(folder, "start-broker.sh", "true", MILLPOND_BROKER_PASSWORD="m", **env)
    assert done.returncode == 0, done.stderr
    return {line.partition(":")[0] for line in (folder / "passwords").read_text().splitlines()}


def test_the_simulators_go_when_their_password_is_gone_and_devices_stay(folder: Path) -> None:
    assert start(folder, SIMULATORS_BROKER_PASSWORD="s") == {"millpond", "simulators"}
    assert script(folder, "add-device.sh", "AIR-1", "a").stdout == "AIR-1\n"
    assert start(folder, SIMULATORS_BROKER_PASSWORD="") == {"millpond", "AIR-1"}
    assert start(folder) == {"millpond", "AIR-1"}


@pytest.mark.parametrize("serial", ["millpond", "simulators", "a/b", "a b", "#", "a%b"])
def test_a_device_takes_no_name_that_is_anothers_or_no_serial(folder: Path, serial: str) -> None:
    start(folder)
    assert script(folder, "add-device.sh", serial, "x").returncode == 1
    assert start(folder) == {"millpond"}


@contextmanager
def running(folder: Path) -> Iterator[int]:
    access = {"allow_anonymous": "false", "password_file": folder / "passwords", "acl_file": folder / "acl"}
    with Broker(folder, conf=access) as broker:
        yield broker.port


def publish(port: int, user: str, password: str, topic: str) -> bool:
    """Whether the broker takes a message of this user to that topic."""
    answers: queue.Queue[bool] = queue.Queue()
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.username_pw_set(user, password)
    client.on_connect = lambda c, _u, _f, code, _p: answers.put(False) if code.is_failure else c.publish(topic, b"x", 1)
    client.on_publish = lambda _c, _u, _m, code, _p: answers.put(not code.is_failure)
    client.connect("127.0.0.1", port)
    client.loop_start()
    try:
        return answers.get(timeout=60)
    finally:
        client.disconnect()
        client.loop_stop()


def test_each_device_speaks_in_its_own_name_alone_also_with_colons(folder: Path) -> None:
    start(folder)
    script(folder, "add-device.sh", "AIR-1", "a")
    user = script(folder, "add-device.sh", COLONS, "c").stdout.strip()
    assert user == "aa%3Abb%3Acc%3A01"
    start(folder)
    with running(folder) as port:
        assert publish(port, "AIR-1", "a", "millpond/v1/AIR-1/telemetry")
        assert publish(port, user, "c", f"millpond/v1/{COLONS}/telemetry")
        assert publish(port, user, "c", f"millpond/v1/{COLONS}/command/7/result")
        assert publish(port, "AIR-1", "a", "millpond/v1/AIR-1/raw/miot")
        assert publish(port, user, "c", f"millpond/v1/{COLONS}/raw/miot")
        assert not publish(port, user, "c", "millpond/v1/AIR-1/telemetry")
        assert not publish(port, user, "c", "millpond/v1/AIR-1/raw/miot")
        assert not publish(port, "AIR-1", "a", f"millpond/v1/{COLONS}/telemetry")
        assert not publish(port, user, "wrong", f"millpond/v1/{COLONS}/telemetry")
