"""Readings by key: what a lookup costs does not depend on how much is stored."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devices.nouns import Reading
from devices.readings import insert_readings, reading_key, select_readings_by_key
from millpond.kernel.db import WriteConnection, load_queries
from millpond.kernel.ids import DeviceId, MetricId

FIRST = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
def stored(conn: WriteConnection) -> list[Reading]:
    """A reading a week for a year."""
    moments = [FIRST + timedelta(weeks=week) for week in range(52)]
    readings = [Reading(DeviceId(1), MetricId(1), at, 1.0, None, at, False) for at in moments]
    insert_readings(conn, readings)
    return readings


def test_only_what_is_stored_is_found(conn: WriteConnection, stored: list[Reading]) -> None:
    keys = [reading_key(stored[3]), reading_key(stored[50]), (DeviceId(1), MetricId(2), FIRST)]
    assert select_readings_by_key(conn, keys) == {keys[0]: stored[3], keys[1]: stored[50]}
    assert select_readings_by_key(conn, []) == {}


def test_a_key_costs_one_lookup_wherever_the_others_lie(conn: WriteConnection, stored: list[Reading]) -> None:
    """A table that is divided by time must not be searched in all its parts for each key."""
    asked = stored[::10]
    statement = load_queries("devices")["select_readings_by_key"]
    values = {
        "device_ids": [1] * len(asked),
        "metric_ids": [1] * len(asked),
        "measured_ats": [reading.measured_at for reading in asked],
        "from_at": asked[0].measured_at,
        "to_at": asked[-1].measured_at,
    }
    row = conn.execute(f"explain (analyze, format json)\n{statement}", values).fetchone()
    assert row is not None
    lookups = [node["Actual Loops"] for node in _nodes(row[0][0]["Plan"]) if _reads_readings(node)]
    assert sum(lookups) == len(asked)


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from _nodes(part)


def _reads_readings(node: dict[str, Any]) -> bool:
    """A look into the table or into one part of it; the node that appends the parts looks into none itself."""
    appends = node.get("Custom Plan Provider") == "ChunkAppend"
    return not appends and bool(re.fullmatch(r"reading(_\w+)?|_hyper_\d+_\d+_chunk", node.get("Relation Name", "")))
