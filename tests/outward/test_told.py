"""Devices and households are told when their parts will be used up: retained, once, and in their language."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from jinja2 import Environment
from pydantic import SecretStr

from customers.accounts import register_customer
from devices.nouns import Device
from devices.owners import lock_device, set_owner
from forecasting.job import run_forecasts
from millpond.embedded.broker import Broker
from millpond.kernel.broker import parse_broker_url
from millpond.kernel.clock import StillClock
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import Unavailable
from millpond.kernel.settings import Settings, load_settings
from millpond.scheduler import make_jobs
from outward.told.store import forget_told
from outward.told.telling import Telling, tell_devices
from tests.forecasting.fleet_in_database import DAY, add_device, add_readings
from tests.outward.clients import Client

AT = datetime(2026, 2, 16, 12, tzinfo=UTC)
SERIAL = "AIR:1"
TOPIC = f"millpond/v1/{SERIAL}/forecast"
# What Home Assistant's documentation names for a sensor over MQTT; it refuses a config with any other key.
DOCUMENTED = {
    "availability",
    "availability_mode",
    "availability_template",
    "availability_topic",
    "default_entity_id",
    "device",
    "device_class",
    "enabled_by_default",
    "encoding",
    "entity_category",
    "entity_picture",
    "expire_after",
    "force_update",
    "icon",
    "json_attributes_template",
    "json_attributes_topic",
    "last_reset_value_template",
    "name",
    "object_id",
    "options",
    "origin",
    "payload_available",
    "payload_not_available",
    "platform",
    "qos",
    "state_class",
    "state_topic",
    "suggested_display_precision",
    "unique_id",
    "unit_of_measurement",
    "value_template",
}
DOCUMENTED_DEVICE = {
    "configuration_url",
    "connections",
    "hw_version",
    "identifiers",
    "manufacturer",
    "model",
    "model_id",
    "name",
    "serial_number",
    "suggested_area",
    "sw_version",
    "via_device",
}


@dataclass
class Household:
    """A device with 120 days of use, and a broker."""

    conn: WriteConnection
    settings: Settings
    device: Device

    def tell(self, at: datetime = AT, **changed: Any) -> Telling:
        return tell_devices(self.conn, at, self.settings.model_copy(update=changed))

    def heard(self) -> dict[str, Any]:
        """What waits at the broker for whoever subscribes now."""
        port = parse_broker_url(self.settings.broker_url.get_secret_value()).port
        with Client(port, "dashboard", "anybody", "") as client:
            assert client.may_subscribe("millpond/v1/+/forecast")
            assert client.may_subscribe("homeassistant/#")
            # What is published after them comes after what was retained.
            client.may_subscribe("end")
            client.may_publish("end")
            client.wait(lambda: any(topic == "end" for topic, _ in client.heard))
            return {topic: json.loads(payload) for topic, payload in client.heard if topic != "end"}


@pytest.fixture
def household(database: str, own_broker: str) -> Iterator[Household]:
    with connect(database) as conn:
        device = add_device(conn, SERIAL, "reed-air-2", AT - 120 * DAY)
        add_readings(conn, device, "filter_used_h", [20.0 * day for day in range(120)], AT - 120 * DAY)
        run_forecasts(conn, AT, made_at=AT)
        yield Household(conn, load_settings(database_url=database, broker_url=own_broker), device)


def test_a_device_is_told_its_forecast_once_and_it_stays(household: Household) -> None:
    assert household.tell() == Telling(devices=1, told=1)
    heard = household.heard()[TOPIC]
    part = heard["parts"]["filter"]
    assert (heard["serial"], heard["made_at"]) == (SERIAL, "2026-02-16T12:00:00Z")
    assert part["depletes_p10"] <= part["depletes_p50"] <= part["depletes_p90"]
    p10, order = (datetime.fromisoformat(part[name]) for name in ("depletes_p10", "reorder_by"))
    assert p10 - order == timedelta(days=household.settings.delivery_days + household.settings.margin_days)
    assert 0 < part["remaining_pct"] < 100
    assert household.tell() == Telling(devices=1)


def test_a_forecast_that_says_the_same_is_not_told_again(household: Household) -> None:
    household.tell()
    run_forecasts(household.conn, AT, made_at=AT + timedelta(hours=1))
    assert household.tell().told == 0
    add_readings(household.conn, household.device, "filter_used_h", [2400.0 + 20 * day for day in range(9)], AT)
    run_forecasts(household.conn, AT + 9 * DAY, made_at=AT + 9 * DAY)
    assert household.tell(AT + 9 * DAY).told == 1


def test_a_part_without_a_date_says_why(household: Household) -> None:
    household.conn.execute(
        "update depletion_forecast set depletes_p10 = null, depletes_p50 = null, depletes_p90 = null,"
        " reason = 'no reading for 40 days', reason_code = 'stale', usage_pct_per_day = null"
    )
    household.tell()
    part = household.heard()[TOPIC]["parts"]["filter"]
    assert (part["depletes_p50"], part["reorder_by"], part["reason_code"]) == (None, None, "stale")


def test_home_assistant_finds_two_sensors_a_part_in_the_language_of_the_household(household: Household) -> None:
    customer = register_customer(household.conn, name="Ben", locale="ko-KR", time_zone="Asia/Seoul", at=AT)
    with household.conn.transaction():
        lock_device(household.conn, SERIAL)
        set_owner(household.conn, household.device, customer.customer_id, at=AT, granted_by="operator:o")
    household.tell(homeassistant_discovery=True)
    configs = {topic: config for topic, config in household.heard().items() if topic != TOPIC}
    until = configs["homeassistant/sensor/millpond_AIR_3a_1_filter/config"]
    left = configs["homeassistant/sensor/millpond_AIR_3a_1_filter_remaining/config"]
    assert until["name"].endswith("사용 가능 기한")
    assert (until["device_class"], left["unit_of_measurement"], left["state_class"]) == (
        "timestamp",
        "%",
        "measurement",
    )
    for config in (until, left):
        assert config["state_topic"] == TOPIC
        assert config.keys() <= DOCUMENTED
        assert config["device"].keys() <= DOCUMENTED_DEVICE
    assert until["unique_id"] != left["unique_id"]


def test_the_templates_of_home_assistant_find_what_the_device_is_told(household: Household) -> None:
    household.tell(homeassistant_discovery=True)
    heard = household.heard()
    said = heard.pop(TOPIC)
    rendered = {
        config["name"]: Environment().from_string(config["value_template"]).render(value_json=said)
        for config in heard.values()
    }
    part = said["parts"]["filter"]
    assert part["depletes_p50"] in rendered.values()
    assert str(part["remaining_pct"]) in rendered.values()


def test_what_is_not_wanted_any_more_is_taken_back(household: Household) -> None:
    household.tell(homeassistant_discovery=True)
    assert len(household.heard()) > 1
    done = household.tell()
    assert done.taken_back == len(household.heard()) + 1
    assert list(household.heard()) == [TOPIC]
    household.conn.execute("update installation set ended_at = %s, ended_by = 'replaced_event'", [AT])
    assert household.tell().taken_back == 1
    assert household.heard() == {}


def test_a_broker_that_is_away_is_told_when_it_is_back(household: Household, tmp_path: Any) -> None:
    broker = Broker(tmp_path / "other")
    url = SecretStr(broker.url)
    with pytest.raises(Unavailable, match="cannot be reached"):
        household.tell(broker_url=url)
    with broker:
        assert household.tell(broker_url=url).told == 1
    assert forget_told(household.conn) == 1
    assert household.tell().told == 1


def test_devices_are_told_some_at_a_time(household: Household) -> None:
    add_device(household.conn, "AIR-2", "reed-air-2", AT - DAY)
    done = tell_devices(household.conn, AT, household.settings, chunk=1)
    assert (done.devices, done.told) == (2, 1)


def test_the_scheduler_tells_where_there_is_a_broker(household: Household) -> None:
    clock = StillClock(AT)
    assert "tell" in [job.name for job in make_jobs(household.settings, clock)]
    assert "tell" not in [job.name for job in make_jobs(load_settings(broker_url=""), clock)]
