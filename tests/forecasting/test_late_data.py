"""Readings that come late are in the forecasts of their devices soon, and in no others."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from devices.bulk.columns import columns_of
from devices.nouns import Device, Reading
from devices.store import select_metrics
from devices.tiers.late import select_rolled_days
from forecasting.job import forecast_late, run_forecasts
from forecasting.store import select_current_forecasts
from ingest.storing.outcomes import store_columns
from millpond.kernel.db import WriteConnection, connect
from tests.endings import retain
from tests.forecasting.fleet_in_database import DAY, add_device, add_readings

START = datetime(2026, 1, 1, 9, tzinfo=UTC)
AT, SOON = START + 60 * DAY, START + 60 * DAY + timedelta(hours=3)
MODEL = "generic-purifier-pct"


@pytest.fixture
def own(database: str) -> Iterator[WriteConnection]:
    """A connection outside a transaction, to a database of the test's own."""
    with connect(database) as conn:
        yield conn


@pytest.fixture
def devices(own: WriteConnection) -> list[Device]:
    """Two that lose 1 % in two days, forecast at AT; of the first nothing came after its first month."""
    first, second = (add_device(own, serial, MODEL, START) for serial in ("A", "B"))
    add_readings(own, first, "filter_life_pct", [100 - i / 2 for i in range(30)], START)
    add_readings(own, second, "filter_life_pct", [100 - i / 2 for i in range(61)], START)
    run_forecasts(own, AT, made_at=AT, forecaster="fixed")
    return [first, second]


def store_late(conn: WriteConnection, device: Device, *values: float) -> None:
    """What a device measured day by day after its first month, stored at SOON as ingest does."""
    metric = select_metrics(conn)[MODEL]["filter_life_pct"].metric_id
    moments = [START + (30 + n) * DAY for n in range(len(values))]
    readings = [
        Reading(device.device_id, metric, at, value, None, SOON, False)
        for at, value in zip(moments, values, strict=True)
    ]
    with conn.transaction():
        store_columns(conn, columns_of(readings), SOON)


def remaining(conn: WriteConnection, device: Device) -> tuple[datetime, float | None]:
    [found] = select_current_forecasts(conn, [device.device_id], SOON)
    return found.at, found.remaining_pct


def test_a_device_whose_readings_came_late_is_forecast_again_alone(own: WriteConnection, devices: list[Device]) -> None:
    store_late(own, devices[0], *(85 - 2 * n for n in range(30)))
    summary = forecast_late(own, SOON, made_at=SOON, forecaster="fixed")
    assert summary is not None
    assert (summary.installations, summary.forecasts) == (1, 1)
    assert remaining(own, devices[0]) == (SOON, 27)
    assert remaining(own, devices[1]) == (AT, 70)
    assert select_rolled_days(own) == []
    assert forecast_late(own, SOON, made_at=SOON, forecaster="fixed") is None


def test_a_replacement_that_is_heard_of_late_is_found(own: WriteConnection, devices: list[Device]) -> None:
    store_late(own, devices[0], 85, 84, *(100 - n / 2 for n in range(28)))
    summary = forecast_late(own, SOON, made_at=SOON, forecaster="fixed")
    assert summary is not None
    assert summary.replacements == 1
    assert remaining(own, devices[0]) == (SOON, 86.5)


def test_the_next_run_of_all_deals_with_late_days_too(own: WriteConnection, devices: list[Device]) -> None:
    store_late(own, devices[0], 80)
    run_forecasts(own, SOON, made_at=SOON, forecaster="fixed")
    assert forecast_late(own, SOON, made_at=SOON, forecaster="fixed") is None


def test_a_run_for_some_takes_no_other_ones_last_forecast_of_the_week(
    own: WriteConnection, devices: list[Device]
) -> None:
    store_late(own, devices[0], 80)
    forecast_late(own, SOON, made_at=SOON, forecaster="fixed")
    assert retain(own, AT + 100 * DAY, reading_keep_days=0)["forecasts within a week"] == 1
    assert (remaining(own, devices[0])[0], remaining(own, devices[1])[0]) == (SOON, AT)
