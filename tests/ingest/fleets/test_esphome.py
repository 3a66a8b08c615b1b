"""ESPHome: a topic a value, as texts, and a status that many others have, too."""

import pytest

from ingest.formats.fleets import Fleets
from ingest.formats.shipped import FORMATS
from tests.ingest.fleets.speaking import say, say_one


@pytest.mark.parametrize(
    ("topic", "payload", "values"),
    [
        ("sensor/filter_life_remaining/state", "87", {"sensor.filter_life_remaining": 87}),
        ("sensor/pm_2_5/state", "12.40", {"sensor.pm_2_5": 12.4}),
        ("sensor/rare/state", "1.5e-3", {"sensor.rare": 0.0015}),
        ("binary_sensor/replace_filter/state", "OFF", {"binary_sensor.replace_filter": "OFF"}),
        ("switch/power/state", "ON", {"switch.power": "ON"}),
        ("text_sensor/filter_id/state", "0042-A", {"text_sensor.filter_id": "0042-A"}),
        ("text_sensor/filter_id/state", "0042", {"text_sensor.filter_id": "0042"}),
        ("fan/purifier/speed_level/state", "3", {"fan.purifier.speed_level": 3}),
        ("climate/ac/current_temperature/state", "21.5", {"climate.ac.current_temperature": 21.5}),
        ("light/led/state", {"state": "ON", "brightness": 255}, {"light.led.state": "ON", "light.led.brightness": 255}),
    ],
)
def test_each_entity_has_its_topic(topic: str, payload: object, values: dict[str, object]) -> None:
    saying = say_one(f"air-kitchen/{topic}", payload)
    assert (saying.identity, saying.values) == ("air-kitchen", values)


@pytest.mark.parametrize("payload", ["nan", "NaN", "", "unknown"])
def test_nothing_measured_is_no_value(payload: str) -> None:
    assert say("air-kitchen/sensor/pm_2_5/state", payload) == []


def test_its_status_says_whether_it_is_there() -> None:
    assert say_one("air-kitchen/status", "online").online is True
    assert say_one("air-kitchen/status", "offline").online is False


@pytest.mark.parametrize(
    ("topic", "payload"), [("homeassistant/status", "online"), ("x/status", "5"), ("x/status", "{}")]
)
def test_the_status_of_others_is_passed_over(topic: str, payload: str) -> None:
    assert say(topic, payload) == []


def test_logs_and_commands_are_not_heard() -> None:
    assert FORMATS.reading("air-kitchen/debug") is None
    assert FORMATS.reading("air-kitchen/switch/power/command") is None


def test_a_prefix_may_have_levels() -> None:
    fleets = Fleets(esphome_prefixes=("home/esp/+",))
    assert say_one("home/esp/air/sensor/pm_2_5/state", "5", fleets=fleets).identity == "home/esp/air"
    # An entity, or a node, may be called as a component is.
    assert say_one("sensor/sensor/fan/state", "5").values == {"sensor.fan": 5}


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(ValueError, match="UTF-8"):
        say("air/sensor/pm_2_5/state", b"\xff")
    with pytest.raises(ValueError, match="single value"):
        say("air/sensor/pm_2_5/state", "5" * 2_000)
