"""`millpond decode` of fleets' own languages: what is told of parts, also what is not stored."""

import json
from typing import Any

import pytest

from tests.cli.conftest import Run

AT = "2026-02-16T01:00:00+00:00"


def decode(millpond: Run, language: str, payload: Any, *options: str, topic: str = "") -> list[dict[str, Any]]:
    words = ("decode", "--format", language, "--topic", topic, "--at", AT, "--json", *options, "-")
    done = millpond(*words, stdin=json.dumps(payload))
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def parts(lines: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [
        (line["part"], line["measure"], line["value"], line["unit"])
        for line in lines
        if line["kind"] == "reading" and "part" in line
    ]


@pytest.mark.parametrize("options", [(), ("--model", "dyson.358")])
def test_a_filter_that_is_not_there_is_told_and_no_reading_of_it(millpond: Run, options: tuple[str, ...]) -> None:
    state = {
        "msg": "CURRENT-STATE",
        "time": "2026-02-16T00:59:00.000Z",
        "product-state": {"hflr": "0064", "cflr": "INV"},
    }
    lines = decode(millpond, "dyson", state, *options)
    told = [line for line in lines if line.get("measure") == "not_installed"]
    assert [(line["part"], line["value"]) for line in told] == [("carbon", None)]
    assert [one for one in parts(lines) if one[1] == "percent_remaining"] == [("hepa", "percent_remaining", 64, "pct")]


def test_products_that_replace_a_filter_are_told_together(millpond: Run) -> None:
    products = [{"0": 1, "1": "20408066"}, {"0": 3, "1": "10614141000415"}, {"0": 3, "1": "10614141000422"}]
    lines = decode(millpond, "matter", {"1/113/0": 70, "1/113/5": [*products, {"0": 4, "1": "F-9"}]})
    [told] = [line for line in lines if line.get("measure") == "replacement_products"]
    assert told["part"] == "hepa"
    assert told["value"] == ["GTIN8:20408066", "GTIN14:10614141000415", "OEM:F-9"]


def test_a_battery_at_nothing_beside_external_power_is_shown_as_suspect_and_is_no_reading(millpond: Run) -> None:
    sensor = "shellyplusht-c049ef8d6a10"
    power = {"id": 0, "battery": {"V": 0.43, "percent": 0}, "external": {"present": True}}
    lines = decode(millpond, "shelly", power, topic=f"{sensor}/status/devicepower:0")
    [told] = [line for line in lines if line.get("part") == "battery"]
    assert (told["kind"], told["measure"], told["value"], told["unit"]) == ("suspect", "percent_remaining", 0, "pct")
    assert told["suspect"] == "external power present"
    assert not [line for line in lines if line["kind"] == "reading"]


def test_of_two_filters_on_a_page_each_has_its_own_capacity(millpond: Run) -> None:
    page = {
        "details": [
            {"description": "滤网", "prop": "prop.11.1", "left_time": "12", "total_life": "150"},
            {"description": "尘盒滤网", "prop": "prop.12.1", "left_time": "40", "total_life": "600"},
        ]
    }
    lines = decode(millpond, "mihome", page)
    told = [(line["part"], line["value"], line["capacity"]) for line in lines if line.get("measure") == "remaining"]
    assert told == [("filter", 12, 150), ("filter", 40, 600)]
