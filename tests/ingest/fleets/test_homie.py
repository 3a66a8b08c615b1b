"""Homie 4 and 5: texts by the type that others describe, and devices that describe themselves."""

import pytest

from ingest.formats.fleets import Fleets
from ingest.formats.shipped import FORMATS
from tests.ingest.fleets.speaking import described_by, say, say_one

DESCRIPTION = {
    "homie": "5.0",
    "version": 7,
    "nodes": {
        "filter": {
            "name": "Filter",
            "properties": {
                "remaining": {"datatype": "integer", "unit": "%", "retained": True},
                "tag": {"datatype": "string"},
                "left": {"datatype": "duration"},
            },
        }
    },
}
DRAFT = {"nodes": [{"id": "filter", "properties": [{"id": "tag", "datatype": "string"}, {"name": "x"}]}, 5]}


@pytest.mark.parametrize(
    ("payload", "value"),
    [("21.5", 21.5), ("-3", -3), ("true", True), ("auto", "auto"), ("1e3", 1000), ("PT12H5M46S", 43546)],
)
@pytest.mark.parametrize("device", ["air", "5/air"])
def test_a_value_is_a_text_that_says_what_it_is(device: str, payload: str, value: object) -> None:
    saying = say_one(f"homie/{device}/filter/remaining", payload)
    assert (saying.identity, saying.values) == ("air", {"filter.remaining": value})


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("homie/air/filter/tag/$datatype", "string"),
        ("homie/5/air/$description", DESCRIPTION),
        ("homie/5/air/$description", DRAFT),
    ],
)
def test_words_stay_words_where_the_device_says_so(topic: str, payload: object) -> None:
    known = described_by(topic, payload)
    for device in ("air", "5/air"):
        assert say_one(f"homie/{device}/filter/tag", "0042", described=known).values == {"filter.tag": "0042"}
        assert say_one(f"homie/{device}/filter/tag", "true", described=known).values == {"filter.tag": "true"}
    assert say_one("homie/air/filter/tag", "0042").values == {"filter.tag": 42}
    assert say(topic, payload) == []


def test_a_device_of_the_older_version_may_be_called_as_the_newer_is() -> None:
    assert say_one("homie/5/filter/remaining", "7").identity == "5"
    assert say_one("homie/5/$state", "ready").identity == "5"
    assert say_one("homie/5/air/$state", "ready").identity == "air"


@pytest.mark.parametrize(
    ("state", "online"),
    [("ready", True), ("sleeping", True), ("alert", True), ("lost", False), ("disconnected", False)],
)
def test_its_state_says_whether_it_is_there(state: str, online: bool) -> None:
    assert say_one("homie/air/$state", state).online is online
    assert say_one("homie/5/air/$state", state).online is online


def test_statistics_of_older_versions_say_how_long_it_is_on() -> None:
    saying = say_one("homie/air/$stats/uptime", "3612")
    assert saying.values == {"$stats.uptime": 3612}


@pytest.mark.parametrize(
    "topic",
    ["homie/air/filter/$name", "homie/air/filter/$properties", "homie/5/air/$log/warn", "homie/5/air/$alert/filter"],
)
def test_other_attributes_say_nothing(topic: str) -> None:
    assert say(topic, "Filter") == []


@pytest.mark.parametrize(
    "topic", ["homie/air/filter/remaining/set", "homie/5/air/filter/remaining/$target", "homie/$mqtt"]
)
def test_commands_are_not_heard(topic: str) -> None:
    assert FORMATS.reading(topic) is None


def test_names_below_a_second_base_have_it_before_them() -> None:
    fleets = Fleets(homie_bases=("homie", "attic"))
    assert say_one("attic/5/air/filter/remaining", "5", fleets=fleets).identity == "attic/air"


@pytest.mark.parametrize(
    ("topic", "payload"),
    [("$state", "asleep"), ("filter/remaining", b"\xff"), ("filter/tag/$datatype", b"\xff"), ("$state", b"\xff")],
)
def test_what_is_no_such_message_is_refused(topic: str, payload: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"none of|UTF-8"):
        say(f"homie/air/{topic}", payload)
    with pytest.raises(ValueError, match=r"JSON|object"):
        say("homie/5/air/$description", "[")
