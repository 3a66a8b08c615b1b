"""Valetudo: seconds on its own topics, minutes under hass, per cent of a dock; maps are never heard."""

import pytest

from ingest.formats.fleets import Fleets
from ingest.formats.shipped import FORMATS, make_formats
from ingest.nouns import Lane
from tests.ingest.fleets.speaking import say, say_one

ROBOT = "valetudo/TallGruesomeGoldfish"
CONSUMABLES = f"{ROBOT}/ConsumableMonitoringCapability"


@pytest.mark.parametrize(
    ("topic", "payload", "values"),
    [
        ("ConsumableMonitoringCapability/filter-main", "29520", 29520),
        ("ConsumableMonitoringCapability/bin-dock", "59", 59),
        ("ConsumableMonitoringCapability/brush-main", "PT12H5M46S", 43546),
        ("BatteryStateAttribute/level", "87", 87),
        ("StatusStateAttribute/status", "cleaning", "cleaning"),
        ("AttachmentStateAttribute/mop", "true", True),
        ("CurrentStatisticsCapability/area", "630000", 630000),
        ("TotalStatisticsCapability/time", "7200", 7200),
        ("DockComponentStateAttribute/dustbag", "full", "full"),
        ("WaterUsageControlCapability/preset", "min", "min"),
        ("hass/TallGruesomeGoldfish_sensor_ConsumableMonitoringCapability_filter_main", "492", 492),
    ],
)
def test_each_value_has_its_topic(topic: str, payload: str, values: object) -> None:
    saying = say_one(f"{ROBOT}/{topic}", payload)
    assert (saying.identity, saying.values) == ("TallGruesomeGoldfish", {topic.replace("/", "."): values})


def test_an_error_is_an_object() -> None:
    error = {"severity": {"kind": "permanent", "level": "error"}, "subsystem": "dock", "message": "No dustbag"}
    values = say_one(f"{ROBOT}/StatusStateAttribute/error", error).values
    assert values["StatusStateAttribute.error.severity.level"] == "error"


@pytest.mark.parametrize(
    ("state", "online"), [("ready", True), ("init", True), ("alert", True), ("lost", False), ("disconnected", False)]
)
def test_its_state_says_whether_it_is_there(state: str, online: bool) -> None:
    assert say_one(f"{ROBOT}/$state", state).online is online


def test_commands_and_what_has_no_value_say_nothing() -> None:
    assert say(f"{CONSUMABLES}/refresh", "PERFORM") == say(f"{CONSUMABLES}/filter-main", "null") == []
    assert say(f"{CONSUMABLES}/$properties", "refresh,filter-main") == []


@pytest.mark.parametrize(
    "topic",
    ["MapData/map-data", "MapData/map-data-hass", "WifiConfigurationCapability/ssid", "ValetudoEvents/valetudo_events"],
)
def test_maps_and_networks_are_not_even_subscribed_to(topic: str) -> None:
    assert FORMATS.reading(f"{ROBOT}/{topic}") is None
    assert FORMATS.reading(f"{CONSUMABLES}/filter-main/reset/set") is None


def test_the_prefix_may_be_another() -> None:
    fleets = Fleets(valetudo_bases=("valetudo", "robots/upstairs"))
    robot = "robots/upstairs/Rob/BatteryStateAttribute/level"
    assert say_one(robot, "5", fleets=fleets).identity == "robots/upstairs/Rob"
    assert "robots/upstairs/+/$state" in make_formats(fleets).topic_filters(Lane.LIVE)


@pytest.mark.parametrize(("topic", "payload"), [("$state", "asleep"), ("BatteryStateAttribute/level", b"\xff\xfe")])
def test_what_is_no_such_message_is_refused(topic: str, payload: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"none of|UTF-8"):
        say(f"{ROBOT}/{topic}", payload)
