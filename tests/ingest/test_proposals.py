"""A profile proposed from recorded messages: what is in it, and that it is always one."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devices.profile import DeviceProfile
from ingest.formats.format import Formats, Subscription
from ingest.formats.shipped import FORMATS
from ingest.formats.spoken import spoken
from ingest.nouns import Delivery, Lane
from ingest.proposals.observing import observe
from ingest.proposals.proposing import propose
from ingest.proposals.recording import read_recording
from ingest.proposals.writing import write_proposal
from millpond.kernel.errors import InvalidInput
from millpond.kernel.yaml_file import read_yaml
from tests.ingest.test_spoken import parse

START = datetime(2026, 2, 1, tzinfo=UTC)
ACME = Formats(spoken("acme", [Subscription("acme/#", Lane.LIVE)], parse))


def text_of(said: Sequence[dict[str, Any]], hours: float = 1) -> str:
    """The proposal for a device of a language without a vocabulary that said this, every so many hours."""
    deliveries = [
        Delivery("acme/a", json.dumps({"values": one}).encode(), START + i * timedelta(hours=hours), Lane.LIVE, 0, 1, 0)
        for i, one in enumerate(said)
    ]
    [device] = observe(deliveries, ACME).most_told
    return write_proposal(propose(device), "my-model")


def propose_of(said: Sequence[dict[str, Any]], hours: float = 1) -> DeviceProfile:
    return read_yaml(DeviceProfile, text_of(said, hours), "proposal")


@pytest.mark.parametrize(
    ("name", "values", "metric", "words"),
    [
        ("filterLife", [90, 80, 70, 60, 55], "filterlife_pct", {"measure": "percent_remaining"}),
        ("filter_usage", [10, 20, 30, 40, 50], "filter_usage_pct", {"measure": "percent_used"}),
        ("hepa", [99, 98, 97, 96, 95], "hepa_pct", {"measure": "percent_remaining"}),
        ("brush_age", [0, 3600, 7200, 10_800, 14_400], "brush_age_h", {"measure": "used", "capacity": 4}),
        ("mop_time", [0, 60, 110, 170, 230], "mop_time_h", {"measure": "used", "capacity": 3.9}),
        ("toner_left_pages", [900, 800, 777, 555, 333], "toner_left_pages", {"measure": "remaining", "capacity": 900}),
        ("replaceFilter", [False, False, True], "replacefilter", {"measure": "replace_flag"}),
        ("filter_rfid", ["80:52", "80:52"], "filter_rfid", {"measure": "identity"}),
    ],
)
def test_which_value_is_a_consumables_is_told_by_name_and_by_how_it_goes(
    name: str, values: list[Any], metric: str, words: dict[str, Any]
) -> None:
    profile = propose_of([{name: value} for value in values])
    [part] = profile.parts
    assert part.limits[0].model_dump(mode="json", include={*words, "metric"}) == {"metric": metric} | words


def test_a_counter_and_a_percentage_of_one_part_tell_its_capacity() -> None:
    profile = propose_of([{"filter_hours": h, "filter_pct": 100 - h // 35} for h in range(0, 2000, 50)])
    [part] = profile.parts
    assert {limit.measure: limit.capacity for limit in part.limits} == {
        "used": pytest.approx(3500, rel=0.1),
        "percent_remaining": None,
    }


def test_a_capacity_that_is_said_is_taken() -> None:
    profile = propose_of([{"filter_hours": h, "filter_total": 3500} for h in range(9)])
    assert [limit.capacity for part in profile.parts for limit in part.limits] == [3500]


def test_what_means_nothing_is_named_and_ranges_hold_what_was_seen() -> None:
    profile = propose_of([{"pm25": 12, "temp": 21.5, "x": 3}, {"pm25": 65535, "temp": -50, "x": -7}, {"pm25": 2500}])
    assert profile.speaks["acme"]["pm25"].none == ["65535"]
    assert (profile.metrics["pm25_ugm3"].min, profile.metrics["pm25_ugm3"].max) == (0, 2500)
    assert (profile.metrics["temp_c"].min, profile.metrics["temp_c"].max) == (-50, 100)
    assert (profile.metrics["x"].min, profile.metrics["x"].unit) == (-7, "")


def test_states_booleans_and_pairs_are_told_apart() -> None:
    said: list[dict[str, Any]] = [{"mode": "auto", "on": "ON", "lock": "LOCK", "rssi": -60}]
    said.append({"mode": "eco", "on": "OFF", "lock": "UNLOCK"})
    profile = propose_of(said)
    kinds = {name: (metric.kind, metric.states) for name, metric in profile.metrics.items()}
    assert kinds == {"mode": ("state", ["auto", "eco"]), "on": ("boolean", None), "lock": ("boolean", None)}
    assert profile.speaks["acme"]["lock"].values == {"LOCK": True, "UNLOCK": False}
    assert "# Said, and left out: rssi." in text_of(said)


def test_what_a_person_must_decide_is_marked() -> None:
    decide = [line for line in text_of([{"filter_age": n * 3600} for n in range(9)]).splitlines() if "DECIDE" in line]
    assert [line.split(":")[0].strip(" -{") for line in decide[1:]] == [
        "model",
        "name",
        "category",
        "filter_age_h",
        "consumable",
        "prior_life_days",
        "metric",
    ]
    assert "in which unit is it? s is a guess by how fast it goes" in decide[4]


def test_a_languages_own_words_come_first() -> None:
    payload = json.dumps({"msg": "CURRENT-STATE", "product-state": {"hflr": "0064", "cflr": "INV"}}).encode()
    delivery = Delivery("millpond/v1/D-1/raw/dyson", payload, START, Lane.LIVE, 0, 1, 0)
    [device] = observe([delivery], FORMATS).most_told
    profile = read_yaml(DeviceProfile, write_proposal(propose(device), "my-dyson"), "proposal")
    assert [(part.part, part.limits[0].measure) for part in profile.parts] == [("hepa", "percent_remaining")]
    assert profile.speaks["dyson"]["hflr"].metric == "hepa_life_pct"


def test_a_recording_is_read_line_by_line_with_its_own_times(tmp_path: Path) -> None:
    file = tmp_path / "recording"
    lines = [
        {"tst": "2026-02-16T10:00:00.000000Z+0100", "topic": "a/b", "qos": 0, "retain": 1, "payload": '{"x": 1}'},
        {"tst": "2026-02-16T10:00:00Z", "topic": "a/b", "payload": {"x": "é"}},
        {"topic": "a/b", "payload": 7},
    ]
    file.write_text("\n".join(json.dumps(line) for line in lines))
    read = list(read_recording(file, "", START))
    assert [one.payload for one in read] == [b'{"x": 1}', '{"x": "é"}'.encode(), b"7"]
    ten = datetime(2026, 2, 16, 10, tzinfo=UTC)
    assert [one.received_at for one in read] == [ten - timedelta(hours=1), ten, ten + timedelta(seconds=1)]
    assert [one.retained for one in read] == [True, False, False]


def test_what_is_no_recording_is_one_payload_of_a_topic(tmp_path: Path) -> None:
    file = tmp_path / "payload"
    file.write_bytes(b"\x00\xff")
    assert [(one.topic, one.payload) for one in read_recording(file, "a/b", START)] == [("a/b", b"\x00\xff")]
    with pytest.raises(InvalidInput, match="is no recording"):
        list(read_recording(file, "", START))


raws = st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
names = st.text(min_size=1, max_size=24) | st.sampled_from(["filter_life", "brush_age_min", "tonerLevel", "hepa_state"])


@example(said=[{"x": 5e-324}])
@example(said=[{"x": 1.79e308, "y": -1.79e308}])
@given(said=st.lists(st.dictionaries(names, raws, max_size=5), min_size=1, max_size=8))
def test_whatever_was_said_the_proposal_is_a_profile(said: list[dict[str, Any]]) -> None:
    lines = (json.dumps({"values": one}).encode() for one in said)
    seen = observe((Delivery("acme/a", line, START, Lane.LIVE, 0, 1, 0) for line in lines), ACME)
    for device in seen.most_told:
        assert read_yaml(DeviceProfile, write_proposal(propose(device), "my-model"), "x").model == "my-model"
