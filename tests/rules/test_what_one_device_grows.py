"""Every setting that bounds what one device can make grow is on the page that says so, and every table that it can."""

import re
from pathlib import Path

from millpond.kernel.device_bounds import DeviceBounds
from millpond.kernel.settings import Settings
from tests.rules.test_what_grows import ROWS

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
SECTION = PAGE.split("### What one device can make grow")[1].split("\n## ")[0]
NAMED = set(re.findall(r"MILLPOND_(\w+)", SECTION))
NOT_OF_A_DEVICE = {"quarantine_alarm_items_per_h", "device_secret", "device_secret_previous"}
WRITTEN_FOR_A_DEVICE = {
    "sequence",
    "watched_gap",
    "effective_time",
    "reading_conflict",
    "format_description",
    "device_alias",
    "ingest_drop",
}


def test_every_bound_of_a_device_is_on_the_page() -> None:
    bounds = {name for name in Settings.model_fields if name.startswith("device_")} | set(DeviceBounds.model_fields)
    assert {name.upper() for name in bounds - NOT_OF_A_DEVICE} - NAMED == set()


def test_every_bound_on_the_page_is_a_setting() -> None:
    assert {name.upper() for name in Settings.model_fields} >= NAMED


def test_every_table_that_a_device_fills_is_on_the_page() -> None:
    assert set(re.findall(r"`([a-z_]+)`", SECTION)) == WRITTEN_FOR_A_DEVICE
    assert ROWS.keys() >= WRITTEN_FOR_A_DEVICE
