"""Zigbee2MQTT: every shape in which a hub speaks of its devices, and what is not of a device."""

import pytest

from ingest.formats.fleets import Fleets
from tests.ingest.fleets.speaking import described_by, say, say_one

PURIFIER = {
    "air_quality": "good",
    "child_lock": "UNLOCK",
    "device_age": 403920,
    "fan_mode": "auto",
    "filter_age": 180244,
    "pm25": 65535,
    "replace_filter": False,
    "update": {"installed_version": 69633, "latest_version": 69633, "state": "idle"},
    "update_available": None,
}
DEVICES: list[dict[str, object]] = [
    {"ieee_address": "0x00124b00120144ae", "type": "Coordinator", "friendly_name": "Coordinator", "definition": None},
    {
        "ieee_address": "0x94deb8fffe760f3d",
        "type": "Router",
        "friendly_name": "bedroom/air",
        "definition": {"model": "E2007", "vendor": "IKEA"},
    },
    {"ieee_address": "0x00158d00018255df", "friendly_name": "plug", "definition": None},
]


def test_a_device_says_all_it_is_in_one_object() -> None:
    saying = say_one("zigbee2mqtt/air", PURIFIER)
    assert (saying.identity, saying.said_at, saying.online) == ("air", None, None)
    assert saying.values["filter_age"] == 180244
    assert saying.values["update.state"] == "idle"
    assert "update_available" not in saying.values, "null is no value"


def test_a_name_may_have_slashes() -> None:
    assert say_one("zigbee2mqtt/first floor/bedroom/air", PURIFIER).identity == "first floor/bedroom/air"


@pytest.mark.parametrize(
    ("last_seen", "said_at"),
    [
        (1771243200123, 1771243200123),
        ("2026-02-16T12:00:00.796Z", "2026-02-16T12:00:00.796Z"),
        ("2026-02-16T13:00:00+01:00", "2026-02-16T13:00:00+01:00"),
        ("2026-02-16T13:00:00", None),
        ("16.02.2026 13:00", None),
        (None, None),
        (True, None),
    ],
)
def test_when_it_was_seen_last_is_when_it_said_so(last_seen: object, said_at: object) -> None:
    saying = say_one("zigbee2mqtt/air", {"filter_age": 5, "last_seen": last_seen})
    assert (saying.said_at, saying.values) == (said_at, {"filter_age": 5})


@pytest.mark.parametrize(
    ("attribute", "payload", "values"),
    [
        ("filter_age", "180244", {"filter_age": 180244}),
        ("replace_filter", "true", {"replace_filter": True}),
        ("child_lock", "LOCK", {"child_lock": "LOCK"}),
        ("update-state", "idle", {"update.state": "idle"}),
        ("temperature", "-3.5", {"temperature": -3.5}),
    ],
)
def test_each_attribute_may_have_a_topic_of_its_own(attribute: str, payload: str, values: dict[str, object]) -> None:
    saying = say_one(f"zigbee2mqtt/bedroom/air/{attribute}", payload)
    assert (saying.identity, saying.values) == ("bedroom/air", values)


def test_an_attribute_without_a_value_and_the_time_say_nothing() -> None:
    assert say("zigbee2mqtt/air/update_available", "") == say("zigbee2mqtt/air/pm25", "null") == []
    assert say("zigbee2mqtt/air/last_seen", "2026-02-16T12:00:00Z") == []


@pytest.mark.parametrize(
    ("payload", "online"),
    [("online", True), ("offline", False), ({"state": "online"}, True), ({"state": "offline"}, False)],
)
def test_who_is_there_is_said_in_the_old_way_and_the_new(payload: object, online: bool) -> None:
    saying = say_one("zigbee2mqtt/bedroom/air/availability", payload)
    assert (saying.identity, saying.online, saying.values) == ("bedroom/air", online, {})


def test_an_availability_that_is_neither_is_refused() -> None:
    with pytest.raises(ValueError, match="neither 'online' nor 'offline'"):
        say("zigbee2mqtt/air/availability", "perhaps")


@pytest.mark.parametrize(
    "topic",
    [
        "zigbee2mqtt/air/set",
        "zigbee2mqtt/bedroom/air/set/fan_mode",
        "zigbee2mqtt/air/get",
        "zigbee2mqtt/air/get/state",
        "zigbee2mqtt/bridge/state",
        "zigbee2mqtt/bridge/info",
        "zigbee2mqtt/bridge/response/device/rename",
    ],
)
def test_commands_and_the_hub_itself_are_of_no_device(topic: str) -> None:
    assert say(topic, {"state": "ON"}) == []


def test_a_device_that_gets_another_name_stays_the_device() -> None:
    known = described_by("zigbee2mqtt/bridge/devices", DEVICES)
    before = say_one("zigbee2mqtt/bedroom/air", PURIFIER, described=known)
    assert (before.identity, before.other_names, before.model) == ("0x94deb8fffe760f3d", ("bedroom/air",), "E2007")
    renamed = described_by("zigbee2mqtt/bridge/devices", [{**DEVICES[1], "friendly_name": "Luft"}], known)
    assert say_one("zigbee2mqtt/Luft", PURIFIER, described=renamed).identity == before.identity
    assert say_one("zigbee2mqtt/bedroom/air/filter_age", "5", described=known).identity == before.identity
    assert say_one("zigbee2mqtt/bedroom/air/availability", "online", described=known).identity == before.identity


def test_the_message_itself_may_say_which_device_it_is_of() -> None:
    for key in ("ieeeAddr", "ieee_address"):
        device = {"friendlyName": "air", key: "0x94deb8fffe760f3d", "model": "E2007"}
        saying = say_one("zigbee2mqtt/air", {**PURIFIER, "device": device})
        assert (saying.identity, saying.model) == ("0x94deb8fffe760f3d", "E2007")
        assert not any(name.startswith("device.") for name in saying.values)


def test_a_group_is_no_device() -> None:
    known = described_by("zigbee2mqtt/bridge/groups", [{"id": 1, "friendly_name": "lamps", "members": []}])
    assert say("zigbee2mqtt/lamps", {"state": "ON"}, described=known) == []
    assert len(say("zigbee2mqtt/lamps", {"state": "ON"})) == 1


def test_names_of_a_second_hub_have_its_base_before_them_and_addresses_do_not() -> None:
    fleets = Fleets(zigbee2mqtt_bases=("zigbee2mqtt", "attic/z2m"))
    assert say_one("attic/z2m/air", PURIFIER, fleets=fleets).identity == "attic/z2m/air"
    assert say_one("attic/z2m/0x94deb8fffe760f3d", PURIFIER, fleets=fleets).identity == "0x94deb8fffe760f3d"
    assert say_one("zigbee2mqtt/air", PURIFIER, fleets=fleets).identity == "air"


@pytest.mark.parametrize(("topic", "payload"), [("air", "5"), ("air", "{"), ("air", "[1]"), ("bridge/devices", "{}")])
def test_what_is_no_such_message_is_refused(topic: str, payload: str) -> None:
    with pytest.raises(ValueError, match="payload"):
        say(f"zigbee2mqtt/{topic}", payload)
