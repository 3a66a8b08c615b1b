"""The broker of docker/, where its users are kept by us: devices of the plugin beside those of its password file."""

import os
import subprocess
from pathlib import Path

from pydantic import SecretStr

from devices.credentials.issuing import issue_credential
from devices.registry import register_device
from devices.store import read_device
from millpond.embedded.broker import Broker, dynamic_security
from millpond.kernel.db import connect
from millpond.kernel.settings import load_settings
from outward.access.control import control_of
from outward.access.keeping import ours_of, sync_access
from tests.outward.clients import Client
from tests.outward.conftest import AT

DOCKER = Path(__file__).parents[2] / "docker"


def script(folder: Path, name: str, *words: str) -> None:
    given = {"MILLPOND_BROKER_DATA": str(folder), "MILLPOND_BROKER_CONFIG": str(DOCKER)}
    given |= {"MILLPOND_BROKER_PASSWORD": "m", "BROKER_ADMIN_PASSWORD": "k"}
    subprocess.run(["sh", str(DOCKER / name), *words], env=os.environ | given, check=True, capture_output=True)


def test_the_shipped_broker_is_kept_and_its_own_users_stay(database: str, tmp_path: Path) -> None:
    script(tmp_path, "start-broker.sh", "true")
    script(tmp_path, "add-device.sh", "OLD-1", "o")
    script(tmp_path, "start-broker.sh", "true")
    access = tmp_path / "dynamic-security.json"
    assert f"plugin_opt_config_file {access}" in (tmp_path / "mosquitto.conf").read_text()
    conf = dynamic_security(access) | {"password_file": tmp_path / "passwords", "acl_file": tmp_path / "acl"}
    with Broker(tmp_path / "broker", conf=conf) as broker, connect(database) as conn:
        settings = load_settings(
            broker_url=f"mqtt://millpond:m@127.0.0.1:{broker.port}",
            broker_admin_url=f"mqtt://keeper:k@127.0.0.1:{broker.port}",
            device_secret=SecretStr("9d1c7be0a24f4c55b1a8e6f30d7729ce4b5a"),
        )
        register_device(conn, serial="AIR-1", model="reed-air-2", installed_at=AT, at=AT)
        issued = issue_credential(conn, settings.device_keys(), read_device(conn, "AIR-1"), at=AT, by="operator:o")
        with control_of(ours_of(settings).admin) as control:
            sync_access(conn, control, settings, AT)
        with Client(broker.port, "AIR-1", "AIR-1", issued.password) as device:
            assert device.may_publish("millpond/v1/AIR-1/telemetry")
            assert not device.may_subscribe("millpond/v1/OLD-1/command")
            assert not device.may_subscribe("#")
        with Client(broker.port, "OLD-1", "OLD-1", "o") as device:
            assert device.may_publish("millpond/v1/OLD-1/telemetry")
