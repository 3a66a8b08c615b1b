"""What a forecast run reads of a part grows with its days and with what happened, not with all its readings."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devices.bulk.columns import columns_of
from devices.bulk.storing import store_readings
from devices.nouns import CurrentPart, Device, Reading
from devices.parts.installations import select_current_parts
from devices.parts.limit_series import select_series
from devices.registry import register_device
from devices.store import select_metrics, select_model_parts
from devices.tiers.rollup import refresh_tiers
from millpond.kernel.db import WriteConnection, connect, load_queries

MODEL = "reed-air-2"
START = datetime(2026, 1, 1, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
DAYS = 60
AT = START + DAYS * DAY


@pytest.fixture
def own(database: str) -> Iterator[WriteConnection]:
    """A connection outside a transaction, to a database of the test's own."""
    with connect(database) as conn:
        yield conn


@pytest.fixture
def device(own: WriteConnection) -> Device:
    """Its life and its cartridge every hour for 60 days: on day 20 both say that it was replaced."""
    device = register_device(own, serial="P-1", model=MODEL, installed_at=START, at=START)
    metrics = select_metrics(own)[MODEL]
    life, tag = metrics["filter_life_pct"].metric_id, metrics["filter_tag"].metric_id
    moments = [START + n * HOUR for n in range(DAYS * 24)]
    lives = [
        Reading(device.device_id, life, at, 90 - (n % (20 * 24 + 7)) / 20, None, at, False)
        for n, at in enumerate(moments)
    ]
    tags = [replace(r, metric_id=tag, value=None, state="A1" if n < 20 * 24 + 7 else "B7") for n, r in enumerate(lives)]
    store_readings(own, columns_of([*lives, *tags]))
    refresh_tiers(own)
    return device


def current(conn: WriteConnection) -> list[CurrentPart]:
    return select_current_parts(conn, after=0, limit=10, at=AT)


def rows_read(conn: WriteConnection, name: str, values: dict[str, Any]) -> float:
    """How many rows the tables gave for a named query, kept or not."""
    statement = load_queries("devices.parts")[name]
    row = conn.execute(f"explain (analyze, format json)\n{statement}", values, prepare=False).fetchone()
    assert row is not None
    nodes = [node for node in _nodes(row[0][0]["Plan"]) if "Relation Name" in node]
    # What appends the chunks names their table, too, and reads none itself.
    nodes = [node for node in nodes if node.get("Custom Plan Provider") != "ChunkAppend"]
    assert nodes
    return float(sum((n["Actual Rows"] + n.get("Rows Removed by Filter", 0)) * n["Actual Loops"] for n in nodes))


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from _nodes(part)


def test_a_replaced_cartridge_is_told_by_the_ends_of_its_runs(own: WriteConnection, device: Device) -> None:
    chunk = current(own)
    series = select_series(own, chunk, select_model_parts(own), AT)
    tag = select_metrics(own)[MODEL]["filter_tag"].metric_id
    told = [(p.at, p.state) for p in series[chunk[0].installation_id, tag]]
    changed = START + 20 * DAY + 7 * HOUR
    assert told == [(START, "A1"), (changed - HOUR, "A1"), (changed, "B7"), (AT - HOUR, "B7")]


def test_days_on_which_a_cartridge_stayed_are_not_read_again(own: WriteConnection, device: Device) -> None:
    tag = select_metrics(own)[MODEL]["filter_tag"].metric_id
    values = {
        "installation_ids": [current(own)[0].installation_id],
        "of_devices": [device.device_id],
        "of_metrics": [tag],
        "began": [START],
        "device_ids": [device.device_id],
        "metric_ids": [tag],
        "at": AT,
    }
    assert rows_read(own, "select_word_days", values) < 5 * DAYS


def test_of_all_readings_only_those_of_eventful_days_are_read(own: WriteConnection, device: Device) -> None:
    life = select_metrics(own)[MODEL]["filter_life_pct"].metric_id
    days = [START + n * DAY for n in (5, 20, 40)]
    values = {
        "installation_ids": [current(own)[0].installation_id] * 3,
        "of_devices": [device.device_id] * 3,
        "metric_ids": [life] * 3,
        "from_ats": days,
        "to_ats": [day + DAY for day in days],
        "first_at": days[0],
        "last_at": days[-1] + DAY,
        "at": AT,
    }
    assert rows_read(own, "select_limit_readings", values) == 3 * 24
