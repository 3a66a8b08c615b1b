"""What real models say, through a real broker into a real database."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from devices.aliases import alias_device
from devices.registry import register_device
from millpond.kernel.db import connect
from millpond.kernel.settings import Settings
from tests.ingest.conftest import TestDevice, fetch, running_ingest, wait_until

BEFORE = datetime(2025, 1, 1, tzinfo=UTC)
SPOKEN: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("profiles.yaml").read_text(encoding="utf-8"))
CLOUD = "device/398811223/up/properties_changed/4/3"
OWN_BROKER = "438/NN2-EU-KKA0717A/status/current"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The payloads' times stand still while the calendar goes on."""
    return settings.model_copy(update={"clock_past_days": 36_500.0})


@pytest.fixture
def bridge(broker_url: str) -> Iterator[TestDevice]:
    """What publishes for all of them."""
    made = TestDevice(broker_url, "BRIDGE")
    yield made
    made.close()


def serial_of(number: int) -> str:
    return f"MAKER-{number}"


READ = """
select m.name, r.value, r.state
from reading r join metric m using (metric_id) join device d using (device_id) where d.serial = %s
"""


def read(database: str, serial: str) -> dict[Any, Any]:
    """What is stored of a device, by metric."""
    return {name: state if value is None else value for name, value, state in fetch(database, READ, serial)}


def test_what_each_model_says_is_stored_as_its_profile_means_it(
    settings: Settings, bridge: TestDevice, database: str
) -> None:
    with connect(database) as conn:
        for number, one in enumerate(SPOKEN):
            register_device(conn, serial=serial_of(number), model=one["model"], installed_at=BEFORE, at=BEFORE)
    with running_ingest(settings):
        for number, one in enumerate(SPOKEN):
            bridge.publish(one["payload"], topic=f"millpond/v1/{serial_of(number)}/raw/{one['format']}")
        owed = sum(len(one["reads"]) for one in SPOKEN)
        wait_until(lambda: fetch(database, "select count(*) from reading")[0][0] == owed, "all readings")
    assert fetch(database, "select code, reason from quarantine") == []
    for number, one in enumerate(SPOKEN):
        assert read(database, serial_of(number)) == one["reads"], one["model"]


def test_on_their_own_topics_devices_are_known_by_their_aliases(
    settings: Settings, bridge: TestDevice, database: str
) -> None:
    with connect(database) as conn:
        for serial, model, language, name in [
            ("PURIFIER", "zhimi.airpurifier.mb3", "miot", "398811223"),
            ("TOWER", "dyson.438", "dyson", "NN2-EU-KKA0717A"),
        ]:
            device = register_device(conn, serial=serial, model=model, installed_at=BEFORE, at=BEFORE)
            alias_device(conn, device.device_id, format_name=language, external_id=name, at=BEFORE)
    state = '{"msg": "CURRENT-STATE", "time": "2026-02-16T12:00:00Z", "product-state": {"hflr": "0042", "cflr": "INV"}}'
    with running_ingest(settings):
        bridge.publish('{"params": {"did": "398811223", "siid": 4, "piid": 3, "value": 45}}', topic=CLOUD)
        bridge.publish(state, topic=OWN_BROKER)
        wait_until(lambda: fetch(database, "select count(*) from reading")[0][0] == 3, "all readings")
    assert read(database, "PURIFIER") == {"filter_life_pct": 45}
    assert read(database, "TOWER") == {"hepa_life_pct": 42, "carbon_installed": 0}
