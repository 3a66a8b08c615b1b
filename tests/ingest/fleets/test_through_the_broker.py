"""Each fleet's language once through a real broker into a real database: a value, its unit, and who is there."""

from datetime import UTC, datetime
from typing import Any

import pytest

from devices.aliases import alias_device
from devices.profile import DeviceProfile
from devices.registry import register_device, register_model
from ingest.formats.fleets import Fleets
from ingest.formats.shipped import listened_formats
from ingest.formats.sparkplug.payload import read_payload
from ingest.storing.retry import retry_quarantine
from ingest.storing.retry_store import Chosen
from ingest.storing.terms import Terms
from millpond.kernel.clock import SystemClock
from millpond.kernel.db import connect
from millpond.kernel.errors import ConfigurationError
from millpond.kernel.settings import Settings, load_settings
from millpond.kernel.yaml_file import read_yaml
from tests.ingest.conftest import PATIENCE_S, TestDevice, fetch, running_ingest, wait_until
from tests.ingest.fleets.edge_node import encode, metric

AT = datetime(2026, 2, 16, 12, tzinfo=UTC)
PROFILE = """
model: air-of-all
name: {en: Air of all, ko: 공기청정기, zh: 空气净化器}
category: air_purifier
metrics:
  filter_used_h: {unit: h, min: 0, max: 200000}
  energy_kwh: {unit: kWh, min: 0, max: 100000}
  filter_left_h: {unit: h, min: 0, max: 10000}
  filter_life_pct: {unit: pct, min: 0, max: 100}
speaks:
  zigbee2mqtt: {filter_age: {metric: filter_used_h, unit: min}}
  tasmota: {ENERGY.Total: energy_kwh}
  valetudo: {ConsumableMonitoringCapability.filter-main: {metric: filter_left_h, unit: s}}
  shelly: {"switch:0.aenergy.total": {metric: energy_kwh, unit: Wh}}
  homeassistant: {sensor.filter_life: filter_life_pct}
  sparkplug: {Filter/Life: filter_life_pct}
  homie: {filter.remaining: filter_life_pct}
  esphome: {sensor.filter_life: filter_life_pct}
"""
NOW_MS = int(SystemClock().now().timestamp() * 1000)
BD_SEQ = metric("bdSeq", 3, 4)
SHELLY = "shellyplusplugs-a8032ab1d2e4"
# By language: what it calls the device, its message and what becomes of it, and the one that says that the device left.
Message = tuple[str, str | bytes]
FLEETS: dict[str, tuple[str, Message, tuple[str, float], Message]] = {
    "zigbee2mqtt": (
        "0x94deb8fffe760f3d",
        ("zigbee2mqtt/0x94deb8fffe760f3d", '{"filter_age": 90}'),
        ("filter_used_h", 1.5),
        ("zigbee2mqtt/0x94deb8fffe760f3d/availability", '{"state": "offline"}'),
    ),
    "tasmota": (
        "plug",
        ("tele/plug/SENSOR", '{"ENERGY": {"Total": 49.766}}'),
        ("energy_kwh", 49.766),
        ("tele/plug/LWT", "Offline"),
    ),
    "valetudo": (
        "Rob",
        ("valetudo/Rob/ConsumableMonitoringCapability/filter-main", "29520"),
        ("filter_left_h", 8.2),
        ("valetudo/Rob/$state", "lost"),
    ),
    "shelly": (
        SHELLY,
        (f"{SHELLY}/status/switch:0", '{"aenergy": {"total": 1502.25}}'),
        ("energy_kwh", 1.50225),
        (f"{SHELLY}/online", "false"),
    ),
    "homie": ("air", ("homie/5/air/filter/remaining", "64"), ("filter_life_pct", 64), ("homie/5/air/$state", "lost")),
    "sparkplug": (
        "G/E",
        ("spBv1.0/G/NBIRTH/E", encode([BD_SEQ, metric("Filter/Life", 64.5, timestamp=NOW_MS)], 0)),
        ("filter_life_pct", 64.5),
        ("spBv1.0/G/NDEATH/E", encode([BD_SEQ])),
    ),
    "esphome": (
        "air-kitchen",
        ("air-kitchen/sensor/filter_life/state", "87"),
        ("filter_life_pct", 87),
        ("air-kitchen/status", "offline"),
    ),
}


def register(database: str, language: str, name: str) -> None:
    with connect(database) as conn:
        register_model(conn, read_yaml(DeviceProfile, PROFILE, "air-of-all.yaml"))
        device = register_device(conn, serial="AIR-A", model="air-of-all", installed_at=AT, at=AT)
        alias_device(conn, device.device_id, format_name=language, external_id=name, at=AT)


@pytest.mark.parametrize("language", FLEETS)
def test_what_a_fleet_says_is_stored_in_the_metrics_unit(
    settings: Settings, device: TestDevice, database: str, language: str
) -> None:
    name, (topic, payload), stored, left = FLEETS[language]
    register(database, language, name)
    with running_ingest(settings, listened_formats(settings)):
        device.publish(payload, topic=topic)
        query = "select m.name, r.value from reading r join metric m using (metric_id)"
        wait_until(lambda: fetch(database, query), "the reading")
        assert fetch(database, query) == [(stored[0], pytest.approx(stored[1]))]
        device.publish(left[1], topic=left[0], retain=True)
        state = "select state from device_status join device using (device_id) where serial = 'AIR-A'"
        wait_until(lambda: fetch(database, state) == [("offline",)], "its leaving")


def test_a_renamed_device_goes_on_as_itself(settings: Settings, device: TestDevice, database: str) -> None:
    register(database, "zigbee2mqtt", "0x94deb8fffe760f3d")

    def named(name: str) -> str:
        return f'[{{"ieee_address": "0x94deb8fffe760f3d", "friendly_name": "{name}", "definition": null}}]'

    with running_ingest(settings, listened_formats(settings)):
        for name in ("kitchen/air", "Luft"):
            device.publish(named(name), topic="zigbee2mqtt/bridge/devices", retain=True)
            device.publish('{"filter_age": 90}', topic=f"zigbee2mqtt/{name}")
        wait_until(lambda: fetch(database, "select count(*) from reading") == [(2,)], "both")
    # What its hub said is known to an ingest that starts later, whatever the broker kept.
    with running_ingest(settings, listened_formats(settings)):
        device.publish('{"filter_age": 95}', topic="zigbee2mqtt/Luft")
        wait_until(lambda: fetch(database, "select count(*) from reading") == [(3,)], "the third")


def test_what_describes_itself_to_home_assistant_is_heard_where_that_is_allowed(
    settings: Settings, device: TestDevice, database: str
) -> None:
    register(database, "homeassistant", "218FF9")
    allowed = settings.model_copy(update={"homeassistant_state_topics": "home/#"})
    config = '{"stat_t": "home/air", "dev": {"ids": ["218FF9"]}, "val_tpl": "{{ value_json.life | int }}"}'
    device.publish(config, topic="homeassistant/sensor/218FF9/filter_life/config", retain=True)
    with running_ingest(allowed, listened_formats(allowed)):
        wait_until(lambda: fetch(database, "select key from format_description") == [("home/air",)], "the config")
        device.publish('{"life": "64"}', topic="home/air")
        wait_until(lambda: fetch(database, "select value from reading") == [(64,)], "the value")


def test_an_edge_node_is_asked_for_its_birth_and_what_waited_for_it_is_stored(
    settings: Settings, device: TestDevice, database: str
) -> None:
    register(database, "sparkplug", "G/E")
    life = metric("Filter/Life", 64.5, timestamp=NOW_MS, alias=7)

    def data(seq: int, value: float) -> bytes:
        return encode([metric("", value, timestamp=NOW_MS + seq, alias=7)], seq)

    with running_ingest(settings, listened_formats(settings)):
        commands = device.listen("spBv1.0/G/NCMD/E")
        for seq in (40, 41):
            device.publish(data(seq, 63.5), topic="spBv1.0/G/NDATA/E")
        assert read_payload(commands.get(timeout=PATIENCE_S)).metrics[0].name == "Node Control/Rebirth"
        device.publish(encode([BD_SEQ, life], 0), topic="spBv1.0/G/NBIRTH/E")
        device.publish(data(1, 62.5), topic="spBv1.0/G/NDATA/E")
        wait_until(lambda: fetch(database, "select count(*) from reading") == [(2,)], "the birth and what follows")
        assert commands.empty(), "one question is enough for a while"
    assert fetch(database, "select code, item from quarantine") == [("undescribed", "#7")] * 2
    with connect(database) as conn:
        summary = retry_quarantine(conn, Chosen("undescribed"), Terms.from_settings(settings), at=AT)
    assert (summary.stored, summary.tally.stored) == (2, 2)
    assert fetch(database, "select value from reading order by measured_at") == [(64.5,), (62.5,), (63.5,), (63.5,)]


def test_only_the_languages_that_are_named_are_listened_to() -> None:
    def names(**chosen: Any) -> list[str]:
        return listened_formats(load_settings(**chosen)).names

    assert names(formats="millpond-v1, zigbee2mqtt") == ["millpond-v1", "zigbee2mqtt"]
    assert set(FLEETS) < set(names())
    with pytest.raises(ConfigurationError, match="MILLPOND_FORMATS names zigbee, which is none of millpond-v1"):
        names(formats="zigbee")


def test_topics_are_as_the_operator_set_them() -> None:
    chosen = load_settings(zigbee2mqtt_base_topics="attic/z2m/ , z2m", tasmota_zone="Asia/Seoul", shelly_prefixes="")
    fleets = Fleets.from_settings(chosen)
    assert (fleets.zigbee2mqtt_bases, fleets.shelly_prefixes) == (("attic/z2m", "z2m"), ())
    assert str(fleets.tasmota_zone) == "Asia/Seoul"
    with pytest.raises(ConfigurationError, match="MILLPOND_TASMOTA_ZONE is wrong"):
        load_settings(tasmota_zone="Mars/Olympus")
