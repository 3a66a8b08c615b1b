"""Tasmota: telemetry, answers, wills, both orders of the topic, and times without a zone."""

from zoneinfo import ZoneInfo

import pytest

from ingest.formats.fleets import Fleets
from tests.ingest.fleets.speaking import say, say_one

SENSOR = {
    "Time": "2026-02-16T21:20:38",
    "ENERGY": {"TotalStartTime": "2025-07-10T09:17:23", "Total": 49.766, "Power": 31, "Factor": 0.6},
}
SEOUL = Fleets(tasmota_zone=ZoneInfo("Asia/Seoul"))


def test_a_plug_says_what_it_measured() -> None:
    saying = say_one("tele/purifier-plug/SENSOR", SENSOR)
    assert (saying.identity, saying.said_at) == ("purifier-plug", None)
    assert saying.values["ENERGY.Total"] == 49.766
    assert "Time" not in saying.values


def test_channels_of_a_strip_have_their_numbers() -> None:
    saying = say_one("tele/strip/SENSOR", {"ENERGY": {"Power": [3, 0], "Total": [1.5, 2.5]}})
    assert saying.values == {"ENERGY.Power.0": 3, "ENERGY.Power.1": 0, "ENERGY.Total.0": 1.5, "ENERGY.Total.1": 2.5}


def test_a_time_is_known_only_with_its_zone() -> None:
    assert say_one("tele/plug/SENSOR", SENSOR, fleets=SEOUL).said_at == 1771244438000
    zoned = {**SENSOR, "Time": "2026-02-16T21:20:38+09:00"}
    assert say_one("tele/plug/SENSOR", zoned).said_at == "2026-02-16T21:20:38+09:00"
    for epoch in ({"Epoch": 1771244438}, {"Time": 1771244438}, {"Time": "1771244438"}):
        assert say_one("tele/plug/SENSOR", {**SENSOR, **epoch}).said_at == 1771244438000
    for unreadable in ("2026-13-45T99:99:99", "noon", None, [1], {"a": 1}):
        assert say_one("tele/plug/SENSOR", {**SENSOR, "Time": unreadable}, fleets=SEOUL).said_at is None


def test_state_says_the_relay() -> None:
    state = {"Time": "2026-02-16T21:20:38", "Uptime": "0T00:10:11", "UptimeSec": 611, "POWER": "OFF", "Wifi": {"AP": 1}}
    saying = say_one("tele/plug/STATE", state)
    assert saying.values == {"POWER": "OFF", "Wifi.AP": 1}


def test_answers_are_read_as_telemetry_is() -> None:
    assert say_one("stat/plug/RESULT", {"POWER1": "ON"}).values == {"POWER1": "ON"}
    assert say_one("stat/plug/POWER", "ON").values == {"POWER": "ON"}
    assert say_one("stat/plug/STATUS10", {"StatusSNS": SENSOR}, fleets=SEOUL).values["ENERGY.Power"] == 31
    assert say_one("stat/plug/STATUS8", {"StatusSNS": SENSOR}, fleets=SEOUL).said_at == 1771244438000
    assert say_one("tele/plug/POWER_LOW", "ON").values == {"POWER_LOW": "ON"}


def test_at_its_start_it_says_what_it_is() -> None:
    module = {"Info1": {"Module": "Sonoff Basic", "Version": "14.4.1(tasmota)"}}
    saying = say_one("tele/plug/INFO1", module)
    assert (saying.model, saying.values["Version"]) == ("Sonoff Basic", "14.4.1(tasmota)")
    assert say_one("tele/plug/INFO3", {"RestartReason": "Restart", "BootCount": 12}).values["BootCount"] == 12


def test_its_will_says_who_is_there() -> None:
    assert say_one("tele/plug/LWT", "Online").online is True
    assert say_one("tele/plug/LWT", "Offline").online is False
    assert say("tele/plug/LWT", "") == []
    with pytest.raises(ValueError, match="neither 'Online' nor 'Offline'"):
        say("tele/plug/LWT", "{}")


def test_the_topic_may_stand_in_any_order_and_any_place() -> None:
    assert say_one("plug/tele/SENSOR", SENSOR).identity == "plug"
    cellar = Fleets(tasmota_full_topics=("%prefix%/home/cellar/%topic%/", "tasmota/%topic%/%prefix%/"))
    assert say_one("tele/home/cellar/plug/SENSOR", SENSOR, fleets=cellar).identity == "plug"
    assert say_one("tasmota/plug/stat/RESULT", {"POWER": "ON"}, fleets=cellar).identity == "plug"
    by_id = Fleets(tasmota_full_topics=("%prefix%/%id%/",))
    assert say_one("tele/DC4F229CF9D1/SENSOR", SENSOR, fleets=by_id).identity == "DC4F229CF9D1"


def test_devices_behind_a_bridge_speak_for_themselves() -> None:
    received = {"ZbReceived": {"0xDDE5": {"Device": "0xDDE5", "Name": "Air", "FilterAge": 5}, "0xDDE6": 7}}
    bridge, behind = say("tele/zb/SENSOR", {"Time": "2026-02-16T21:20:38", **received}, fleets=SEOUL)
    assert (bridge.identity, bridge.values) == ("zb", {})
    assert (behind.identity, behind.values["FilterAge"], behind.said_at) == ("zb/0xDDE5", 5, 1771244438000)


def test_the_console_is_no_reading() -> None:
    assert say("stat/plug/LOGGING", "12:00:01 MQT: x") == []


@pytest.mark.parametrize(("about", "payload"), [("SENSOR", "5"), ("STATE", "{"), ("RESULT", "[1]"), ("POWER", b"\xff")])
def test_what_is_no_such_message_is_refused(about: str, payload: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"JSON|UTF-8|object"):
        say(f"tele/plug/{about}", payload)
