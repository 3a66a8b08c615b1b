"""Home Assistant's discovery: configs in all their spellings, templates that are read and those that are not run."""

import json
from typing import Any

import pytest

from ingest.formats.fleets import Fleets
from ingest.formats.homeassistant.config import read_config
from ingest.formats.homeassistant.template import MISSING, compile_template
from ingest.formats.saying import Saying
from ingest.formats.shipped import listened_formats, make_formats
from millpond.kernel.settings import load_settings
from tests.ingest.fleets.speaking import made

FORMATS = make_formats(Fleets(homeassistant_state_topics=("home/#", "tele/#")))
DEVICE = {"ids": ["218FF9"], "mdl": "Air 5", "mf": "Acme"}
SENSOR = {
    "name": "Air filter",
    "stat_t": "home/air/state",
    "uniq_id": "218FF9_filter_life",
    "dev": DEVICE,
    "unit_of_meas": "%",
    "val_tpl": "{{ value_json['filter'].life }}",
}
CONFIG = "homeassistant/sensor/218FF9_filter_life/config"


def hear(topic: str, payload: object, known: dict[str, bytes]) -> list[Saying]:
    """What a message says, by what configs described; what it describes itself is added."""
    one = FORMATS.reading(topic)
    assert one is not None
    assert one.parse is not None
    assert one.describing is not None
    delivery = made(
        topic, payload, {key: known[key] for key in one.describing.needs(made(topic, payload)) if key in known}
    )
    known.update({key: description.body for key, description in one.describing.describes(delivery).items()})
    return list(one.parse(delivery, delivery.described or {}))


def described(*configs: tuple[str, dict[str, Any]]) -> dict[str, bytes]:
    known: dict[str, bytes] = {}
    for topic, config in configs:
        assert hear(topic, config, known) == []
    return known


def test_a_value_comes_where_a_config_says_and_is_read_as_it_says() -> None:
    known = described((CONFIG, SENSOR))
    [saying] = hear("home/air/state", {"filter": {"life": 64}}, known)
    assert (saying.identity, saying.model, saying.values) == ("218FF9", "Air 5", {"sensor.filter_life": 64})
    assert hear("home/air/state", {"other": 1}, known) == hear("home/air/other", "64", known) == []


@pytest.mark.parametrize(
    ("topic", "config"),
    [
        (CONFIG, SENSOR),
        (
            "homeassistant/sensor/218FF9/filter_life/config",
            {
                "~": "home/air",
                "state_topic": "~/state",
                "device": {"identifiers": "218FF9"},
                "value_template": "{{value}}",
            },
        ),
        (
            "homeassistant/sensor/x/218FF9_filter_life/config",
            {"~": "state", "stat_t": "home/air/~", "dev": {"ids": "218FF9"}},
        ),
        (
            "homeassistant/device/218FF9/config",
            {"dev": DEVICE, "o": {"name": "x"}, "cmps": {"filter_life": {"p": "sensor", "stat_t": "home/air/state"}}},
        ),
        (
            "homeassistant/device/218FF9/config",
            {"dev": DEVICE, "stat_t": "home/air/state", "components": {"filter_life": {"platform": "sensor"}}},
        ),
        (CONFIG, {"stat_t": "home/air/state", "dev": {"cns": [["mac", "218FF9"]]}}),
    ],
)
def test_a_config_may_be_spelt_in_many_ways(topic: str, config: dict[str, Any]) -> None:
    config = config | {"val_tpl": "{{ value }}"} if config is SENSOR else config
    [saying] = hear("home/air/state", "64", described((topic, config)))
    assert (saying.identity, saying.values) == ("218FF9", {"sensor.filter_life": 64})


def test_several_entities_and_devices_may_share_a_topic() -> None:
    other = {"stat_t": "home/air/state", "dev": {"ids": ["OTHER"]}, "val_tpl": "{{ value_json.pm25 }}"}
    known = described((CONFIG, SENSOR), ("homeassistant/sensor/OTHER/pm25/config", other))
    sayings = hear("home/air/state", {"filter": {"life": 64}, "pm25": 5}, known)
    assert [(one.identity, one.values) for one in sayings] == [
        ("218FF9", {"sensor.filter_life": 64}),
        ("OTHER", {"sensor.pm25": 5}),
    ]
    changed = {**SENSOR, "val_tpl": "{{ value_json.life }}"}
    assert hear(CONFIG, changed, known) == []
    assert hear("home/air/state", {"life": 63}, known)[0].values == {"sensor.filter_life": 63}


def test_what_is_yes_or_no_has_its_words() -> None:
    config = {"stat_t": "home/air/replace", "dev": DEVICE, "pl_on": "1", "pl_off": "0"}
    known = described(("homeassistant/binary_sensor/218FF9/replace/config", config))
    assert hear("home/air/replace", "1", known)[0].values == {"binary_sensor.replace": True}
    assert hear("home/air/replace", "0", known)[0].values == {"binary_sensor.replace": False}
    switch = {"stat_t": "home/air/power", "cmd_t": "home/air/power/set", "dev": DEVICE}
    known = described(("homeassistant/switch/218FF9/power/config", switch))
    assert hear("home/air/power", "ON", known)[0].values == {"switch.power": True}
    assert hear("home/air/power/set", "ON", known) == []


def test_an_entity_may_have_several_sides() -> None:
    fan = {"stat_t": "home/fan", "pct_stat_t": "home/fan/speed", "pct_val_tpl": "{{ value | int }}", "dev": DEVICE}
    known = described(("homeassistant/fan/218FF9/fan/config", fan))
    assert hear("home/fan/speed", "40", known)[0].values == {"fan.fan.percentage": 40}
    assert hear("home/fan", "OFF", known)[0].values == {"fan.fan": False}


@pytest.mark.parametrize(
    "availability",
    [
        {"avty_t": "home/air/LWT", "pl_avail": "Online", "pl_not_avail": "Offline"},
        {"avty": [{"t": "home/air/LWT", "pl_avail": "Online", "pl_not_avail": "Offline"}]},
    ],
)
def test_who_is_there_is_said_on_topics_of_its_own(availability: dict[str, Any]) -> None:
    known = described((CONFIG, SENSOR | availability))
    assert [one.online for one in hear("home/air/LWT", "Online", known)] == [True]
    assert [one.online for one in hear("home/air/LWT", "Offline", known)] == [False]
    assert hear("home/air/LWT", "perhaps", known) == []


def test_a_topic_that_is_not_allowed_or_of_another_language_is_not_read_by_it() -> None:
    assert described((CONFIG, SENSOR | {"stat_t": "millpond/v1/AIR-1/telemetry"})) == {}
    one = FORMATS.reading("tele/plug/SENSOR")
    assert one is not None
    assert one.name == "tasmota"
    assert make_formats().reading("home/air/state") is None
    assert "homeassistant" not in listened_formats(load_settings()).names
    assert "homeassistant" in listened_formats(load_settings(homeassistant_state_topics="home/#")).names


def test_a_template_that_is_a_program_is_refused_by_name_and_never_run() -> None:
    program = "{% if value_json.a %}{{ value_json.b }}{% endif %}"
    known: dict[str, bytes] = {}
    [saying] = hear(CONFIG, SENSOR | {"val_tpl": program}, known)
    [rejection] = saying.rejections
    assert (saying.identity, rejection.code, rejection.item) == ("218FF9", "unread_template", "sensor.filter_life")
    assert program in rejection.reason
    assert hear("home/air/state", {"a": 1, "b": 2}, known) == []
    assert hear(CONFIG, SENSOR | {"val_tpl": program, "stat_t": "elsewhere"}, known) == []


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ value }}", "5.25"),
        ("{{value_json.a.b}}", 12),
        ("{{ value_json['a']['b'] }}", 12),
        ('{{- value_json["a"].list[1] -}}', 7),
        ("{{ value_json.a.b | float * 0.1 }}", 1.2),
        ("{{ (value_json.a.b + 3) / 60 }}", 0.25),
        ("{{ value | float | round(1) }}", 5.2),
        ("{{ value | round }}", 5),
        ("{{ value | int }}", 5),
        ("{{ value_json.gone | default(9) }}", 9),
        ("{{ value_json.gone | float(9) }}", 9),
        ("{{ value_json.text | int(-1) }}", -1),
        ("{{ value_json.text | upper }}", "WORD"),
        ("{{ value_json.gone | is_defined }}", MISSING),
        ("{{ value_json.gone.deeper[3] }}", MISSING),
        ("{{ value_json.null }}", MISSING),
        ("{{ value_json.text * 2 }}", MISSING),
        ("{{ 1 / value_json.zero }}", MISSING),
        ("{{ value_json.a.list[9] }}", MISSING),
    ],
)
def test_paths_filters_and_arithmetic_are_read(template: str, value: object) -> None:
    content = {"a": {"b": 12, "list": [5, 7]}, "text": "word", "null": None, "zero": 0}
    program = compile_template(template)
    assert program is not None
    result = program("5.25", content)
    assert result == (pytest.approx(value) if isinstance(value, float) else value)


@pytest.mark.parametrize(
    "template",
    [
        "{{ value_json.a if value_json.b else 0 }}",
        "{{ states('sensor.x') }}",
        "{{ value.__class__ }}",
        "{{ value_json.a | map('int') }}",
        "{{ value_json.a() }}",
        "{{ value }} {{ value }}",
        "{{ value }}%",
        "{{ config }}",
        "{% set x = 1 %}",
        "{{ value_json[value] }}",
        "{{ value ~ 'x' }}",
        "{{ }}",
        "{{ value | round(1, 'floor', 3) }}",
        "{{ " + "(" * 200 + "value" + ")" * 200 + " }}",
        "{{ value_json" + ".a" * 300 + " }}",
    ],
)
def test_nothing_else_is(template: str) -> None:
    assert compile_template(template) is None


@pytest.mark.parametrize("payload", ["[1]", "{", b"\xff"])
def test_what_is_no_config_is_refused(payload: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"config|payload"):
        hear(CONFIG, payload, {})


def test_where_attributes_and_versions_come_is_no_value_however_it_is_abbreviated() -> None:
    config = {"dev": {"ids": ["a1"]}, "stat_t": "home/a1", "json_attr_t": "home/a1/more", "lrst_t": "home/a1/reset"}
    read = read_config("homeassistant/sensor/a1/life/config", "homeassistant", json.dumps(config).encode())
    assert [(entity.topic, entity.name) for entity in read] == [("home/a1", "sensor.life")]
