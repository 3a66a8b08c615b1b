"""What `millpond decode` says of hubs' and clouds' messages, by the language itself and by a model."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from devices.profile import shipped_profiles
from ingest.formats.closest import find_closest
from ingest.formats.shipped import FORMATS
from ingest.nouns import Delivery, Lane, Limits
from millpond.cli.decode import default_topic
from millpond.cli.decode_lines import to_lines
from millpond.cli.decode_reading import read_message
from tests.ingest.fleets.speaking import AT

LIMITS = Limits(262_144, timedelta(days=365), timedelta(minutes=5))
PROFILES = shipped_profiles()
MODELS = {name: one.model for one in PROFILES.values() for name in (*one.also, one.model)}
MESSAGES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("messages.yaml").read_text(encoding="utf-8"))
LANGUAGES = sorted({one["format"] for one in MESSAGES})
TOPICS = {one["format"]: one["topic"] for one in MESSAGES if "topic" in one}
# What may well come in a value's place.
STRANGE = [
    b"",
    b"\xff\xfe\x00",
    b"9" * 400,
    b"-1e999",
    "温度".encode(),
    b'{"a":' * 500,
    b"[]",
    b"{}",
    b'{"filter_life": [1]}',
]


def decode(name: str, payload: bytes, topic: str = "", model: str | None = None) -> list[dict[str, Any]]:
    """The lines of a message in the format of this name."""
    one = FORMATS.find(name, topic)
    assert one is not None, f"no format is called {name}"
    delivery = Delivery(topic or default_topic(one), payload, AT, Lane.LIVE, 0, 1, 0)
    return to_lines(read_message(one, delivery, LIMITS, PROFILES, MODELS[model] if model else None))


def plain(value: Any) -> Any:
    """A number as a float that is not exact to the last digit; of flags, 1 is true."""
    return round(float(value), 6) if isinstance(value, int | float) else value


@pytest.mark.parametrize("one", MESSAGES, ids=lambda one: f"{one['format']}: {one['name']}")
def test_a_message_says_of_parts_what_its_maker_means(one: dict[str, Any]) -> None:
    lines = decode(one["format"], one["payload"].encode(), one.get("topic", ""), one.get("model"))
    told = [
        [line["part"], line["measure"], plain(line["value"]), line.get("unit")]
        for line in lines
        if line["kind"] in ("reading", "summary") and line.get("part")
    ]
    assert sorted(told, key=str) == sorted(
        ([*part, plain(value), unit] for *part, value, unit in one["decodes"]), key=str
    )
    refused = [line["reason"] for line in lines if line["kind"] == "rejection"]
    assert len(refused) == one.get("refused", 0), refused


@pytest.mark.parametrize("payload", STRANGE)
@pytest.mark.parametrize("name", LANGUAGES)
def test_whatever_stands_in_its_place_is_passed_over_or_refused_with_a_sentence(name: str, payload: bytes) -> None:
    lines = decode(name, payload, TOPICS.get(name, ""))
    assert [line for line in lines if line["kind"] == "reading" and line.get("part")] == []
    assert all(0 < len(line["reason"]) < 400 for line in lines if line["kind"] == "rejection")


@given(payload=st.binary(max_size=40), topic=st.text(st.characters(exclude_characters="\x00+#"), max_size=60))
def test_a_topic_of_somebody_elses_raises_nothing(payload: bytes, topic: str) -> None:
    for name in LANGUAGES:
        decode(name, payload, topic)


@pytest.mark.parametrize(
    ("topic", "payload", "name"),
    [
        ("home/x", '{"filterLifePercent": 9, "PM25": 3}', "vesync"),
        ("home/x", '{"filter_age": 9, "replace_filter": true, "linkquality": 4}', "zigbee2mqtt"),
        ("home/x", '{"ENERGY": {"Total": 5}, "Time": "2026-02-16T12:00:00"}', "tasmota"),
        ("home/x", '{"src": "a", "method": "NotifyStatus", "params": {"switch:0": {"apower": 5}}}', "shelly"),
        ("home/x", '{"custom.waterFilter": {"waterFilterUsage": {"value": 4}}}', "smartthings"),
        ("vacuums/Robi/ConsumableMonitoringCapability/filter-main", "29520", "valetudo"),
    ],
)
def test_of_a_message_on_nobodys_topic_the_language_that_knows_its_words_is_closest(
    topic: str, payload: str, name: str
) -> None:
    delivery = Delivery(topic, payload.encode(), AT, Lane.LIVE, 0, 1, 0)
    speaks = {language: set(said) for one in PROFILES.values() for language, said in one.speaks.items()}
    assert find_closest(FORMATS, delivery, speaks)[0].name == name
