"""Profiles of real models in fleets' own languages: what the model says becomes the readings that are meant."""

from datetime import timedelta
from typing import Any

import pytest

from devices.profile import shipped_profiles
from ingest.formats.dry_run import make_registry
from ingest.formats.fleets import Fleets
from ingest.formats.shipped import make_formats
from ingest.formats.vocabulary import guess, vocabulary_of
from ingest.nouns import Limits
from tests.ingest.fleets.edge_node import AT_MS, encode, metric
from tests.ingest.fleets.speaking import AT, described_by, made, say

FORMATS = make_formats(Fleets(homeassistant_state_topics=("home/#",)))
LIMITS = Limits(262_144, timedelta(days=365), timedelta(minutes=5))
PROFILES = shipped_profiles()
CONSUMABLE = "valetudo/Rob/ConsumableMonitoringCapability"
PLUG = {"ENERGY": {"Total": 49.766, "Power": 31}}
AIR = {"filter_age": 180_244, "device_age": 403_920, "replace_filter": False, "pm25": 65_535, "fan_state": "ON"}
SPOKEN: list[tuple[str, str, object, dict[str, Any]]] = [
    (
        "ikea.starkvind",
        "zigbee2mqtt/air",
        AIR,
        {"filter_used_h": 3004.066667, "on_time_h": 6732, "filter_replace": 0, "power": 1},
    ),
    (
        "aqara.wsdcgq11lm",
        "zigbee2mqtt/attic",
        {"battery": 91, "temperature": 21.5},
        {"battery_pct": 91, "temperature_c": 21.5},
    ),
    ("tasmota.purifier-plug", "tele/plug/SENSOR", PLUG, {"energy_kwh": 49.766, "power_w": 31}),
    ("tasmota.purifier-plug", "stat/plug/POWER", "ON", {"power": 1}),
    (
        "shelly.plus-plug-s",
        "shellyplusplugs-a8032ab1d2e4/status/switch:0",
        {"output": True, "apower": 41.2, "aenergy": {"total": 1502.25}},
        {"energy_kwh": 1.50225, "power_w": 41.2, "power": 1},
    ),
    (
        "shelly.plus-ht",
        "shellyplusht-c049ef8d6a10/status/devicepower:0",
        {"battery": {"V": 5.3, "percent": 71}, "external": {"present": False}},
        {"battery_pct": 71},
    ),
    ("roborock.vacuum.s5", f"{CONSUMABLE}/filter-main", "29520", {"filter_used_h": 141.8}),
    ("roborock.vacuum.s6", f"{CONSUMABLE}/brush-main", "1080000", {"main_brush_used_h": 0}),
    ("roborock.vacuum.a15", f"{CONSUMABLE}/bin-dock", "59", {"dust_bag_life_pct": 59}),
    ("roborock.vacuum.a38", f"{CONSUMABLE}/brush-side_right", "0", {"side_brush_used_h": 200}),
    ("dreame.vacuum.p2009", f"{CONSUMABLE}/filter-main", "29520", {"filter_left_h": 8.2}),
    ("dreame.vacuum.p2028", f"{CONSUMABLE}/brush-main", "36000", {"main_brush_left_h": 10}),
    ("dreame.vacuum.r2228o", f"{CONSUMABLE}/mop-all", "3600", {"mop_left_h": 1}),
    ("dreame.vacuum.r2228o", f"{CONSUMABLE}/detergent-dock", "80", {"detergent_pct": 80}),
    ("viomi.vacuum.v7", f"{CONSUMABLE}/filter-main", "36000", {"filter_used_h": 170}),
    ("generic-purifier-pct", "air/sensor/filter_life/state", "64", {"filter_life_pct": 64}),
    ("generic-purifier-pct", "homie/5/air/filter/remaining", "64", {"filter_life_pct": 64}),
    (
        "generic-purifier-pct",
        "spBv1.0/G/NBIRTH/E",
        encode([metric("Filter/Life", 64.5), metric("Power", True, 11)], 0, AT_MS),
        {"filter_life_pct": 64.5, "power": 1},
    ),
    ("generic-purifier-hours", "zigbee2mqtt/air", {"filter_age": 90}, {"filter_used_h": 1.5}),
    ("generic-purifier-hours", "air/sensor/filter_hours/state", "1260", {"filter_used_h": 1260}),
]


@pytest.mark.parametrize(
    ("model", "topic", "payload", "reads"), SPOKEN, ids=lambda one: one if isinstance(one, str) else ""
)
def test_a_real_model_is_read_by_its_profile(model: str, topic: str, payload: object, reads: dict[str, Any]) -> None:
    profile, delivery, one = PROFILES[model], made(topic, payload), FORMATS.reading(topic)
    assert one is not None
    names = sorted(FORMATS.identities([delivery], LIMITS)[one])
    decoded = FORMATS.decode(delivery, {one.name: make_registry(profile, one.name, names, AT)}, LIMITS)
    assert [rejection for result in decoded for rejection in result.rejections] == []
    metrics = list(profile.metrics)
    readings = [item.reading for result in decoded for item in result.readings]
    assert {metrics[each.metric_id]: each.value for each in readings} == pytest.approx(reads)


def test_what_a_device_says_that_it_is_is_one_of_the_models_that_ship() -> None:
    known = {name for profile in PROFILES.values() for name in (profile.model, *profile.also)}
    devices = [{"ieee_address": "0x94deb8fffe760f3d", "friendly_name": "air", "definition": {"model": "E2007"}}]
    described = described_by("zigbee2mqtt/bridge/devices", devices)
    said = [
        *say("zigbee2mqtt/air", AIR, described),
        *say("shellyplusht-c049ef8d6a10/online", "true"),
        *say("shellyplusplugs-a8032ab1d2e4/online", "true"),
    ]
    assert [saying.model for saying in said] == ["E2007", "shellyplusht", "shellyplusplugs"]
    assert {saying.model for saying in said} <= known


@pytest.mark.parametrize(
    ("topic", "payload", "guessed"),
    [
        ("zigbee2mqtt/air", AIR, ("filter", "used", 180_244, "min")),
        (f"{CONSUMABLE}/filter-main", "29520", ("filter-main", "remaining", 29_520, "s")),
        (f"{CONSUMABLE}/bin-dock", "59", ("bin-dock", "percent_remaining", 59, "pct")),
        (
            "valetudo/Rob/hass/Rob_sensor_ConsumableMonitoringCapability_filter_main",
            "492",
            ("filter-main", "remaining", 492, "min"),
        ),
        ("zigbee2mqtt/attic", {"battery": 91}, ("battery", "percent_remaining", 91, "pct")),
        ("zigbee2mqtt/attic", {"battery_low": True}, ("battery", "replace_flag", True, "")),
        ("air/sensor/filter_life/state", "64", ("filter", "percent_remaining", 64, "pct")),
        (
            "shellyplusht-c049ef8d6a10/status/devicepower:0",
            {"battery": {"percent": 71}},
            ("battery", "percent_remaining", 71, "pct"),
        ),
    ],
)
def test_where_no_profile_is_known_the_language_says_what_a_value_is(
    topic: str, payload: object, guessed: tuple[str, str, float, str]
) -> None:
    one = FORMATS.reading(topic)
    assert one is not None
    guesses = [each for saying in say(topic, payload) for each in guess(vocabulary_of(one), saying.values)]
    assert guessed in [(each.part, str(each.measure), each.value, each.unit) for each in guesses]


def test_every_vocabulary_can_be_read() -> None:
    names = ("zigbee2mqtt", "tasmota", "valetudo", "shelly", "esphome", "homeassistant")
    assert all(vocabulary_of(one) for one in FORMATS.all if one.name in names)
