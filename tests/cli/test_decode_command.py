"""`millpond decode`: what a message would become, reading by reading, without a database."""

import json
from pathlib import Path
from typing import Any

import pytest

from ingest.formats.shipped import FORMATS
from millpond.cli.decode_lines import to_table
from tests.cli.conftest import Run, assert_one_sentence

TOPIC = "millpond/v1/A-1/telemetry"
AT = "2026-02-16T01:00:00+00:00"
PAYLOAD = {
    "boot": "b",
    "samples": [
        {"seq": 1, "ts": "2026-02-16T09:00:00+09:00", "metrics": {"filter_life_pct": 64, "power": True, "x[i]": 2}},
        {"seq": 2, "ts": 5, "metrics": {"filter_life_pct": 101, "pm25_ugm3": 12.4}},
    ],
}


def decode(millpond: Run, *options: str, payload: Any = PAYLOAD, code: int = 0) -> list[dict[str, Any]]:
    words = ("decode", "--topic", TOPIC, "--at", AT, "--json", *options, "-")
    done = millpond(*words, stdin=payload if isinstance(payload, str) else json.dumps(payload))
    assert done.returncode == code, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


DECODED: list[dict[str, Any]] = [
    {
        "kind": "reading",
        "serial": "A-1",
        "seq": 1,
        "metric": "filter_life_pct",
        "value": 64,
        "unit": "pct",
        "measured_at": "2026-02-16T00:00:00+00:00",
        "corrected": False,
        "part": "filter",
        "measure": "percent_remaining",
    },
    {
        "kind": "reading",
        "serial": "A-1",
        "seq": 1,
        "metric": "power",
        "value": 1,
        "unit": "",
        "measured_at": "2026-02-16T00:00:00+00:00",
        "corrected": False,
    },
    {
        "kind": "reading",
        "serial": "A-1",
        "seq": 2,
        "metric": "pm25_ugm3",
        "value": 12.4,
        "unit": "ug/m3",
        "measured_at": "2026-02-16T01:00:00.000001+00:00",
        "corrected": True,
    },
    {
        "kind": "rejection",
        "serial": "A-1",
        "item": "1/x[i]",
        "code": "unknown_metric",
        "reason": "generic-purifier-pct has no metric 'x[i]'",
    },
    {
        "kind": "rejection",
        "serial": "A-1",
        "item": "2/filter_life_pct",
        "code": "out_of_range",
        "reason": "filter_life_pct is 101 pct, it can be 0 to 100",
    },
]


def test_every_reading_has_its_unit_and_time_and_every_rejection_its_reason(millpond: Run) -> None:
    lines = decode(millpond, "--model", "generic-purifier-pct")
    assert lines == DECODED


def test_without_a_model_the_best_fitting_one_is_taken(millpond: Run) -> None:
    lines = decode(millpond, payload={"metrics": {"main_brush_used_h": 3, "state": "docked"}})
    assert [(line["metric"], line["value"]) for line in lines] == [("main_brush_used_h", 3), ("state", "docked")]


def test_a_profile_file_says_what_its_own_model_means(millpond: Run, tmp_path: Path) -> None:
    profile = tmp_path / "own.yaml"
    profile.write_text("model: own\nname: {en: a, ko: b, zh: c}\ncategory: fan\nmetrics: {hum_pct: {unit: pct}}\n")
    lines = decode(millpond, "--model", str(profile), payload={"metrics": {"hum_pct": 40}})
    assert [(line["metric"], line["unit"]) for line in lines] == [("hum_pct", "pct")]


def test_what_is_not_json_is_one_rejection(millpond: Run) -> None:
    lines = decode(millpond, payload='{"metrics":', code=1)
    assert [(line["kind"], line["code"], line["item"]) for line in lines] == [("rejection", "malformed", "")]


@pytest.mark.parametrize("how", [["--json"], []])
def test_a_message_that_is_refused_as_a_whole_fails_and_one_that_is_refused_in_part_does_not(
    millpond: Run, how: list[str]
) -> None:
    words = ("decode", "--topic", TOPIC, "--model", "generic-purifier-pct", *how, "-")
    bad = millpond(*words, stdin=json.dumps({"metrics": {"filter_live_pct": 64, "filter_life_pct": 300}}))
    assert bad.returncode == 1
    assert bad.stderr.startswith("millpond: all 2 items were refused, and nothing would be stored: ")
    assert len(bad.stderr.splitlines()) == 1
    assert "filter_live_pct" in bad.stdout
    part = millpond(*words, stdin=json.dumps({"metrics": {"filter_live_pct": 64, "filter_life_pct": 64}}))
    assert (part.returncode, part.stderr) == (0, "")


def test_a_status_is_shown(millpond: Run) -> None:
    done = millpond("decode", "--topic", "millpond/v1/A-1/status", "-", stdin='{"state":"online","session":"s1"}')
    assert done.returncode == 0
    assert "online" in done.stdout
    assert "session s1" in done.stdout


def test_where_a_message_speaks_of_several_devices_each_line_says_of_which() -> None:
    lines = [{"kind": "status", "serial": serial, "state": "online", "session": "s"} for serial in ("0xA1", "0xB2")]
    first, *_ = to_table("reed-air-2", lines).columns
    assert (first.header, list(first.cells)) == ("device", ["0xA1", "0xB2"])
    assert "device" not in [column.header for column in to_table("reed-air-2", lines[:1]).columns]


def test_the_table_shows_markup_as_it_is(millpond: Run, tmp_path: Path) -> None:
    message = tmp_path / "message.json"
    message.write_text(json.dumps(PAYLOAD))
    done = millpond("decode", "--topic", TOPIC, "--model", "generic-purifier-pct", message)
    assert done.returncode == 0
    assert "A-1, generic-purifier-pct" in done.stdout
    assert "x[i]" in done.stdout


def test_a_format_or_model_that_does_not_exist_is_a_usage_error_that_lists_those_that_do(millpond: Run) -> None:
    done = millpond("decode", "--topic", TOPIC, "--format", "morse", "-", stdin="")
    assert done.returncode == 2
    assert "millpond-v1" in done.stderr
    done = millpond("decode", "--topic", TOPIC, "--model", "toaster", "-", stdin="")
    assert done.returncode == 2
    assert "generic-purifier-pct" in done.stderr


def test_a_profile_that_is_not_there_is_one_sentence(millpond: Run) -> None:
    done = millpond("decode", "--topic", TOPIC, "--model", "nowhere.yaml", "-", stdin="")
    assert_one_sentence(done, "nowhere.yaml cannot be read")


DYSON = {
    "msg": "CURRENT-STATE",
    "time": "2026-02-16T00:59:00.000Z",
    "product-state": {"fpwr": "ON", "hflr": "0064", "cflr": "INV", "hflt": "GCOM", "cltr": "0675"},
}


def explain(millpond: Run, *options: str, payload: Any) -> list[dict[str, Any]]:
    done = millpond("decode", "--at", AT, "--json", *options, "-", stdin=json.dumps(payload))
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def parts(lines: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [
        (line["part"], line["measure"], line["value"], line["unit"], line.get("capacity"))
        for line in lines
        if line["kind"] == "reading" and "part" in line
    ]


def test_without_a_model_the_language_itself_says_what_it_can(millpond: Run) -> None:
    lines = explain(millpond, "--topic", "438/AB1-EU-1/status/current", "--format", "dyson", payload=DYSON)
    assert {line["serial"] for line in lines} == {"AB1-EU-1"}
    assert {line["measured_at"] for line in lines if line["kind"] == "reading"} == {"2026-02-16T00:59:00+00:00"}
    assert ("hepa", "percent_remaining", 64, "pct", None) in parts(lines)
    assert ("carbon", "in_place", False, "", None) in parts(lines)
    assert ("fpwr", "ON") in [(line["said"], line["raw"]) for line in lines if line["kind"] == "passed_over"]


def test_what_the_message_says_of_a_capacity_is_that_of_the_count(millpond: Run) -> None:
    payload = [{"type": "heap", "left": 7179, "total": 7200}]
    assert parts(explain(millpond, "--format", "Ecovacs", payload=payload)) == [
        ("filter", "remaining", 7179, "min", 7200),
        ("filter", "capacity", 7200, "min", None),
    ]


def test_an_impossible_value_is_a_rejection_whatever_the_model(millpond: Run) -> None:
    payload = [{"type": "brush", "left": -1, "total": 18000}, {"type": "heap", "left": 7179, "total": 7200}]
    lines = explain(millpond, "--format", "ecovacs", payload=payload)
    [rejection] = [line for line in lines if line["kind"] == "rejection"]
    assert (rejection["code"], rejection["item"]) == ("out_of_range", "#0/brush_remaining")


def test_a_model_says_what_becomes_its_metrics(millpond: Run, tmp_path: Path) -> None:
    profile = tmp_path / "own.yaml"
    profile.write_text(
        "model: own\nname: {en: a, ko: b, zh: c}\ncategory: vacuum\nmetrics: {filter_left_h: {unit: h, min: 0}}\n"
        "parts: [{part: filter, consumable: generic-hepa, prior_life_days: 90,"
        " limits: [{metric: filter_left_h, measure: remaining, capacity: 120}]}]\n"
        "speaks: {ecovacs: {heap.left: {metric: filter_left_h, unit: min}}}\n"
    )
    payload = [{"type": "heap", "left": 7179, "total": 7200}]
    reading, passed = explain(millpond, "--format", "ecovacs", "--model", str(profile), payload=payload)
    assert parts([reading]) == [("filter", "remaining", 119.65, "h", 120)]
    assert (reading["metric"], reading["said"], reading["raw"]) == ("filter_left_h", "heap.left", 7179)
    assert (passed["kind"], passed["said"], passed["measure"], passed["value"]) == (
        "passed_over",
        "heap.total",
        "capacity",
        7200,
    )


@pytest.mark.parametrize(
    "name", ["miio", "MIIO-legacy", "miot get_properties", "Mi Home consumable page", "IKEA gateway CoAP", "Dyson v2"]
)
def test_a_format_goes_by_any_spelling(name: str) -> None:
    assert FORMATS.find(name) is not None


def test_of_a_message_that_no_format_reads_it_says_which_come_closest(millpond: Run) -> None:
    done = millpond("decode", "--topic", "home/dyson", "-", stdin=json.dumps(DYSON))
    assert_one_sentence(done, "no format reads topic 'home/dyson'; these come closest: dyson")
    assert "would read 6 values and know 6 (fpwr, hflr.installed, hflr, cflr.installed, hflt, cltr)" in done.stderr
    assert "it reads millpond/v1/+/raw/dyson" in done.stderr


def test_of_bytes_of_no_language_it_says_why_none_reads_them(millpond: Run, tmp_path: Path) -> None:
    message = tmp_path / "message"
    message.write_bytes(b"\xff\x00\x01")
    done = millpond("decode", "--topic", "homes/x", message)
    assert_one_sentence(done, "no format reads topic 'homes/x'; these come closest: ")


def test_a_metric_that_limits_no_part_is_still_told_as_its_language_knows_it(millpond: Run) -> None:
    payload = {"id": 1, "result": [{"sensor_dirty_time": 3600, "filter_work_time": 7200}]}
    lines = explain(millpond, "--format", "miio", "--model", "roborock.vacuum.a15", payload=payload)
    assert ("sensor", "used", 1, "h", 30) in parts(lines)


@pytest.mark.parametrize(
    ("topic", "payload", "why"),
    [
        ("zigbee2mqtt/air/set", '{"state": "ON"}', "it says nothing of a device: it is empty, a command, or"),
        ("z2m/air", '{"filter_age": 5}', "zigbee2mqtt does not read topic 'z2m/air': it reads zigbee2mqtt/#"),
    ],
)
def test_of_a_message_of_which_nothing_comes_it_says_why(millpond: Run, topic: str, payload: str, why: str) -> None:
    done = millpond("decode", "--topic", topic, "--format", "zigbee2mqtt", "--json", "-", stdin=payload)
    assert (done.returncode, done.stdout) == (0, "")
    assert why in done.stderr
