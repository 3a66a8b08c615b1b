"""Parts that say no level, or more than a level: what a device itself asks for."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from devices.bulk.columns import columns_of
from devices.bulk.storing import store_readings
from devices.nouns import Device, Reading
from devices.profile import DeviceProfile
from devices.registry import register_model
from devices.store import select_installations, select_metrics
from forecasting.job import forecast_active
from forecasting.nouns import CurrentForecast
from forecasting.store import select_current_forecasts
from millpond.kernel.db import WriteConnection
from millpond.kernel.yaml_file import read_yaml
from tests.forecasting.fleet_in_database import add_device, add_readings

START = datetime(2026, 1, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
PROFILE = """
model: fridge
name: {en: Fridge, ko: F, zh: F}
category: fridge
metrics:
  replace: {kind: boolean}
  state: {kind: state}
  used_pct: {unit: pct, min: 0, max: 100}
parts:
  - part: water_filter
    consumable: generic-hepa
    prior_life_days: 180
    limits:
      - {metric: replace, measure: replace_flag}
      - {metric: state, measure: state, due: [replace, exhausted]}
      - {metric: used_pct, measure: percent_used}
"""


@pytest.fixture
def fridge(conn: WriteConnection) -> Device:
    """A fridge whose water filter says a level, a flag and a state."""
    register_model(conn, read_yaml(DeviceProfile, PROFILE, "fridge.yaml"))
    return add_device(conn, "F-1", "fridge", START)


def say(conn: WriteConnection, device: Device, states: Sequence[str], start: datetime = START) -> None:
    metric_id = select_metrics(conn)["fridge"]["state"].metric_id
    at = [start + day * DAY for day in range(len(states))]
    rows = [Reading(device.device_id, metric_id, t, None, state, t, False) for t, state in zip(at, states, strict=True)]
    store_readings(conn, columns_of(rows))


def forecast(conn: WriteConnection, device: Device, day: int) -> CurrentForecast:
    at = START + day * DAY
    forecast_active(conn, at, made_at=at, forecaster="fixed")
    [found] = select_current_forecasts(conn, [device.device_id], at)
    return found


def test_a_flag_that_is_on_is_due_since_it_came_on(conn: WriteConnection, fridge: Device) -> None:
    add_readings(conn, fridge, "replace", [0] * 100 + [1] * 5, START)
    found = forecast(conn, fridge, 104)
    assert found.dates is not None
    assert {found.dates.p10, found.dates.p50, found.dates.p90} == {START + 100 * DAY}
    assert (found.method, found.data_cutoff, found.remaining_pct) == ("said", START + 104 * DAY, None)


@pytest.mark.parametrize("states", [["normal"] * 50 + ["low", "unknown", "replace", "unknown", "exhausted"]])
def test_a_state_is_due_since_it_became_one(conn: WriteConnection, fridge: Device, states: list[str]) -> None:
    say(conn, fridge, states)
    found = forecast(conn, fridge, len(states) - 1)
    assert found.dates is not None
    assert (found.method, found.dates.p50) == ("said", START + 52 * DAY)


def test_a_part_that_says_it_is_good_lasts_as_long_as_its_kind_and_at_least_until_now(
    conn: WriteConnection, fridge: Device
) -> None:
    say(conn, fridge, ["normal"] * 300)
    early, late = forecast(conn, fridge, 20), forecast(conn, fridge, 299)
    assert early.dates is not None
    assert late.dates is not None
    assert (early.method, early.dates.p50) == ("prior", START + 162 * DAY)
    assert late.dates.p50 == START + 299 * DAY
    silent = forecast(conn, fridge, 320)
    assert (silent.dates, silent.reason) == (
        None,
        "nothing was read for 21 days of this part, which was put in 320 days ago",
    )


def test_what_a_device_asks_for_comes_before_a_level_that_has_not_run_out(
    conn: WriteConnection, fridge: Device
) -> None:
    add_readings(conn, fridge, "used_pct", [i * 0.7 for i in range(101)], START)
    say(conn, fridge, ["normal"] * 95 + ["replace"] * 6)
    found = forecast(conn, fridge, 100)
    assert found.dates is not None
    assert (found.method, found.dates.p50, found.remaining_pct) == ("said", START + 95 * DAY, 10)


def test_a_flag_beside_a_part_that_is_nearly_new_is_in_doubt(conn: WriteConnection, fridge: Device) -> None:
    add_readings(conn, fridge, "used_pct", [i * 0.1 for i in range(101)], START)
    add_readings(conn, fridge, "replace", [0] * 95 + [1] * 6, START)
    found = forecast(conn, fridge, 100)
    assert (found.dates, found.reason_code) == (None, "limits_contradict")


def test_a_flag_that_nobody_reset_says_nothing_of_the_new_part(conn: WriteConnection, fridge: Device) -> None:
    add_readings(conn, fridge, "used_pct", [*range(0, 100, 2), *([0, 2] * 1), *range(4, 40, 2)], START)
    add_readings(conn, fridge, "replace", [0] * 45 + [1] * 25, START)
    found = forecast(conn, fridge, 69)
    ended = [one.ended_by for one in select_installations(conn, fridge.device_id)]
    assert (ended, found.method) == ([None, "percent_rise"], "fixed_rate")


def test_a_flag_that_goes_off_is_a_new_part(conn: WriteConnection, fridge: Device) -> None:
    say(conn, fridge, ["normal", "replace", "replace", "normal", "normal"])
    found = forecast(conn, fridge, 4)
    ended = [(one.ended_by, one.ended_at) for one in select_installations(conn, fridge.device_id)]
    assert ended == [(None, None), ("replaced_event", START + 3 * DAY)]
    assert found.method == "prior"
