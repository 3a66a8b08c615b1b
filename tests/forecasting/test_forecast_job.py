"""The forecast job on a real database."""

import math
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import forecasting.job
import forecasting.part
from devices.depletion import DepletionDates
from devices.nouns import ModelPart
from forecasting.job import forecast_active
from forecasting.nouns import ActiveInstallation, CurrentForecast, ForecastSummary
from forecasting.part import forecast_part
from forecasting.store import select_current_forecasts, select_forecast_lines
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import LeaseLost
from millpond.kernel.jobs import claim_run
from tests.forecasting.fleet_in_database import DAY, add_device, add_readings

START = datetime(2026, 1, 1, 9, tzinfo=UTC)
AT_LAST = datetime(2100, 1, 1, tzinfo=UTC)
PCT, HOURS = "generic-purifier-pct", "generic-purifier-hours"


def forecast(conn: WriteConnection, at: datetime) -> ForecastSummary:
    return forecast_active(conn, at, made_at=at, forecaster="fixed")


def only(conn: WriteConnection, device_id: int) -> CurrentForecast:
    [found] = select_current_forecasts(conn, [device_id], AT_LAST)
    return found


def days_until(found: CurrentForecast, at: datetime) -> float:
    assert found.dates is not None
    return (found.dates.p50 - at) / DAY


def test_daily_whole_percents_are_enough(conn: WriteConnection) -> None:
    device = add_device(conn, "A", PCT, START)
    add_readings(conn, device, "filter_life_pct", [100 - i // 2 for i in range(101)], START)
    at = START + 100 * DAY
    summary = forecast(conn, at)
    found = only(conn, device.device_id)
    assert (summary.installations, summary.forecasts, summary.refused) == (1, 1, 0)
    assert (found.remaining_pct, found.threshold_pct, found.method) == (50, 10, "fixed_rate")
    assert (found.data_cutoff, found.made_at, found.at) == (at, at, at)
    assert days_until(found, at) == pytest.approx(80, abs=3)


def test_run_hours_are_finer_than_percents_and_are_used(conn: WriteConnection) -> None:
    device = add_device(conn, "A", HOURS, START)
    add_readings(conn, device, "filter_used_h", [i * 17.5 for i in range(61)], START)
    add_readings(conn, device, "filter_life_pct", [100 - i // 2 for i in range(61)], START)
    at = START + 60 * DAY
    forecast(conn, at)
    found = only(conn, device.device_id)
    assert found.remaining_pct == pytest.approx(70)
    assert days_until(found, at) == pytest.approx(120, abs=4)


def test_of_hours_and_litres_the_first_reached_wins(conn: WriteConnection) -> None:
    by_litres, by_hours = (add_device(conn, serial, "reed-water-1", START) for serial in ("L", "H"))
    for device, litres, hours in ((by_litres, 18.0, 10.0), (by_hours, 5.0, 24.0)):
        add_readings(conn, device, "filter_used_litres", [i * litres for i in range(91)], START)
        add_readings(conn, device, "filter_used_h", [i * hours for i in range(91)], START)
    at = START + 90 * DAY
    forecast(conn, at)
    assert days_until(only(conn, by_litres.device_id), at) == pytest.approx((3240 - 90 * 18) / 18, rel=0.15)
    assert days_until(only(conn, by_hours.device_id), at) == pytest.approx((7776 - 90 * 24) / 24, rel=0.15)


def test_usage_is_never_counted_across_a_replacement(conn: WriteConnection) -> None:
    device = add_device(conn, "A", PCT, START)
    lives = [100 - i for i in range(91)] + [100 - i for i in range(31)]
    add_readings(conn, device, "filter_life_pct", lives, START)
    at = START + (len(lives) - 1) * DAY
    summary = forecast(conn, at)
    found = only(conn, device.device_id)
    assert summary.replacements == 1
    assert found.installed_at == START + 91 * DAY
    assert found.remaining_pct == 70
    assert found.usage_pct_per_day == pytest.approx(1.0, rel=0.05)
    assert days_until(found, at) == pytest.approx(60, abs=4)


def test_a_past_moment_sees_nothing_that_came_after_it(database: str) -> None:
    at = START + 60 * DAY
    values = [100 - i // 2 for i in range(61)]
    with connect(database) as conn:
        device = add_device(conn, "A", PCT, START)
        add_readings(conn, device, "filter_life_pct", values, START)
        forecast(conn, at)
        before = only(conn, device.device_id)
        # The same day goes on, then usage doubles and the filter is replaced.
        add_readings(conn, device, "filter_life_pct", [55, 50, 40, 20, 100, 99], at + timedelta(hours=1))
        forecast(conn, at)
        again = only(conn, device.device_id)
    assert again == before


def test_a_moment_before_a_known_replacement_forecasts_the_part_of_then(conn: WriteConnection) -> None:
    device = add_device(conn, "A", PCT, START)
    add_readings(conn, device, "filter_life_pct", [*range(100, 5, -1), 100, 99, 98], START)
    assert forecast(conn, START + 97 * DAY).replacements == 1
    summary = forecast(conn, START + 50 * DAY)
    [line] = select_forecast_lines(conn, summary.run_id)
    assert line.remaining_pct == 50
    assert line.dates is not None
    assert (line.dates.p50 - START) / DAY == pytest.approx(90, abs=4)


def test_a_part_below_its_threshold_was_depleted_when_it_got_there(conn: WriteConnection) -> None:
    device = add_device(conn, "A", PCT, START)
    add_readings(conn, device, "filter_life_pct", [14, 13, 12, 11, 10, 9, 8], START)
    at = START + 8 * DAY
    forecast(conn, at)
    found = only(conn, device.device_id)
    crossed = START + 4 * DAY
    assert (found.remaining_pct, found.dates) == (8, DepletionDates(crossed, crossed, crossed))


def test_old_readings_are_refused_in_words(conn: WriteConnection) -> None:
    device = add_device(conn, "A", PCT, START)
    add_readings(conn, device, "filter_life_pct", [100 - i for i in range(30)], START)
    assert forecast(conn, START + 29 * DAY + 15 * DAY).refused == 1
    found = only(conn, device.device_id)
    assert found.reason == "the last reading is 15 days old, from 2026-01-30: too old to say"
    assert (found.remaining_pct, found.dates) == (71, None)


def test_a_new_part_without_readings_lasts_as_long_as_its_kind_does(conn: WriteConnection) -> None:
    device = add_device(conn, "A", PCT, START)
    forecast(conn, START + DAY)
    found = only(conn, device.device_id)
    assert (found.method, found.remaining_pct, found.data_cutoff) == ("prior", None, None)
    assert found.dates is not None
    assert found.dates.p50 == START + 0.9 * 180 * DAY
    assert found.dates.p10 < START + 120 * DAY


def test_a_device_that_never_spoke_gets_no_date(conn: WriteConnection) -> None:
    device = add_device(conn, "A", PCT, START)
    forecast(conn, START + 20 * DAY)
    assert only(conn, device.device_id).reason == "nothing was read of this part, which was put in 20 days ago"


def test_too_few_steps_make_the_forecast_a_prior(conn: WriteConnection) -> None:
    device = add_device(conn, "A", PCT, START)
    add_readings(conn, device, "filter_life_pct", [100, 100, 99, 99, 98], START)
    at = START + 4 * DAY
    forecast(conn, at)
    found = only(conn, device.device_id)
    assert found.method == "prior"
    assert days_until(found, at) == pytest.approx(88 / (100 / 180), rel=0.1)


def test_a_device_that_is_switched_off_gets_a_reason_and_no_infinity(conn: WriteConnection) -> None:
    device = add_device(conn, "A", PCT, START)
    add_readings(conn, device, "filter_life_pct", [90.0] * 900, START)
    forecast(conn, START + 899 * DAY)
    found = only(conn, device.device_id)
    if found.dates is not None:
        assert found.dates.p90 <= START + (899 + 5 * 365 + 1) * DAY
    else:
        assert found.reason == "does not deplete within five years at its present use"


def test_a_device_that_used_nothing_learns_from_a_fleet_that_used_nothing(conn: WriteConnection) -> None:
    devices = [add_device(conn, f"D{i}", PCT, START) for i in range(40)]
    for device in devices:
        add_readings(conn, device, "filter_life_pct", [90.0] * 300, START)
    forecast(conn, START + 299 * DAY)
    found = only(conn, devices[0].device_id)
    assert found.reason == "does not deplete within five years at its present use"


def test_a_reading_that_is_no_number_does_not_stop_the_night(conn: WriteConnection) -> None:
    good, bad = add_device(conn, "A", PCT, START), add_device(conn, "B", PCT, START)
    add_readings(conn, good, "filter_life_pct", [100 - i for i in range(31)], START)
    add_readings(conn, bad, "filter_life_pct", [float("inf"), float("nan"), 1e300, -1e300] * 8, START)
    at = START + 30 * DAY
    forecast(conn, at)
    assert days_until(only(conn, good.device_id), at) == pytest.approx(60, rel=0.2)
    assert only(conn, bad.device_id).reason == "nothing was read of this part, which was put in 30 days ago"


def test_the_one_that_cannot_be_forecast_gets_a_reason_and_the_others_their_dates(
    conn: WriteConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    devices = [add_device(conn, f"D{i}", PCT, START) for i in range(5)]
    for device in devices:
        add_readings(conn, device, "filter_life_pct", [100 - i for i in range(31)], START)

    def fail_for_one(part: ModelPart, installations: list[ActiveInstallation], *rest: Any, **how: Any) -> Any:
        if devices[3].device_id in [i.device_id for i in installations]:
            raise ValueError("no sense in it")
        return forecast_part(part, installations, *rest, **how)

    monkeypatch.setattr(forecasting.job, "forecast_part", fail_for_one)
    at = START + 30 * DAY
    summary = forecast(conn, at)
    assert (summary.forecasts, summary.refused) == (4, 1)
    assert only(conn, devices[3].device_id).reason == "its readings could not be forecast: no sense in it"


def test_dates_are_in_order_and_ahead(conn: WriteConnection) -> None:
    early, late = add_device(conn, "A", PCT, START), add_device(conn, "B", PCT, START)
    add_readings(conn, early, "filter_life_pct", [100 - i for i in range(61)], START)
    add_readings(conn, late, "filter_life_pct", [100 - i // 3 for i in range(61)], START)
    at = START + 60 * DAY
    forecast(conn, at)
    for found in select_current_forecasts(conn, [early.device_id, late.device_id], at):
        assert found.dates is not None
        assert at < found.dates.p10 < found.dates.p50 < found.dates.p90


def test_progress_is_told_and_a_lost_lease_stops_the_run(conn: WriteConnection) -> None:
    add_device(conn, "A", PCT, START)
    at = START + DAY
    told: list[tuple[int, int]] = []
    forecast_active(
        conn, at, made_at=at, forecaster="fixed", on_progress=lambda done, total: told.append((done, total))
    )
    assert told == [(1, 1)]
    claim = claim_run(conn, "forecast", at, holder="a", at=at, lease=timedelta(0))
    assert claim is not None
    assert claim_run(conn, "forecast", at, holder="b", at=at) is not None
    with pytest.raises(LeaseLost):
        forecast_active(conn, at, made_at=at, claim=claim, forecaster="fixed")


def test_importing_the_job_loads_neither_prophet_nor_pandas() -> None:
    code = "import sys, forecasting.job; print([m for m in ('prophet', 'pandas', 'cmdstanpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_cohort_of_devices_is_fitted_with_prophet_which_leaves_no_file(conn: WriteConnection) -> None:
    devices = [add_device(conn, f"D{i}", PCT, START) for i in range(6)]
    for i, device in enumerate(devices):
        values = [100 - math.floor(day * (0.4 + i / 20)) for day in range(101)]
        add_readings(conn, device, "filter_life_pct", values, START)
    at = START + 100 * DAY
    summary = forecast_active(conn, at, made_at=at)
    assert summary.by_method == {"cohort_prophet": 6}
    assert days_until(only(conn, devices[0].device_id), at) == pytest.approx(125, rel=0.15)
    assert days_until(only(conn, devices[5].device_id), at) == pytest.approx(25 / 0.65, rel=0.15)
    import cmdstanpy

    assert os.listdir(cmdstanpy._TMPDIR) == []


def test_of_two_that_show_the_same_percent_the_one_that_stepped_earlier_is_depleted_earlier(
    conn: WriteConnection,
) -> None:
    just, long_ago = add_device(conn, "A", PCT, START), add_device(conn, "B", PCT, START)
    add_readings(conn, just, "filter_life_pct", [100 - (day + 1) // 8 for day in range(160)], START)
    add_readings(conn, long_ago, "filter_life_pct", [100 - (day + 8) // 8 for day in range(160)], START)
    at = START + 159 * DAY
    forecast(conn, at)
    first, second = only(conn, long_ago.device_id), only(conn, just.device_id)
    assert first.remaining_pct == second.remaining_pct == 80
    assert first.dates is not None
    assert second.dates is not None
    assert 3 < (second.dates.p50 - first.dates.p50) / DAY < 20


def test_a_cohort_that_prophet_cannot_fit_is_forecast_at_a_fixed_rate(
    conn: WriteConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(6):
        device = add_device(conn, f"D{i}", PCT, START)
        add_readings(conn, device, "filter_life_pct", [100 - day // 2 for day in range(91)], START)

    def fail(*_: Any) -> Any:
        raise RuntimeError("Error during optimization")

    monkeypatch.setattr(forecasting.part, "fit_prophet_index", fail)
    at = START + 90 * DAY
    assert forecast_active(conn, at, made_at=at).by_method == {"fixed_rate": 6}


def test_a_forecast_for_a_later_moment_hides_none_of_today(conn: WriteConnection) -> None:
    device = add_device(conn, "A", PCT, START)
    add_readings(conn, device, "filter_life_pct", [100 - i for i in range(41)], START)
    at, later = START + 40 * DAY, START + 400 * DAY
    forecast(conn, later)
    assert [f.at for f in select_current_forecasts(conn, [device.device_id], at)] == [later]
    forecast(conn, at)
    assert [f.at for f in select_current_forecasts(conn, [device.device_id], at)] == [at]
    assert [f.at for f in select_current_forecasts(conn, [device.device_id], later)] == [later]
