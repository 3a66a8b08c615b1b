"""Readings to usage per day."""

from collections.abc import Sequence

import numpy as np
import pytest

from devices.nouns import Measure, PartLimit
from forecasting.cohort import observe_index
from forecasting.interval import PastErrors as Errors
from forecasting.interval import build_spread, default_spread
from forecasting.nouns import Records
from forecasting.sources import choose_sources
from forecasting.usage import UsageSeries, build_usage_series
from millpond.kernel.ids import MetricId
from tests.forecasting.households import HOURS, PCT

LITRES = PartLimit("filter", MetricId(3), "filter_used_litres", Measure.USED, 3600, 0.1)
HOURS_LEFT = PartLimit("filter", MetricId(4), "filter_left_h", Measure.REMAINING, 3500, 1)


def make_series(
    readings: Sequence[tuple[int, float, float]],
    *,
    limit: PartLimit = PCT,
    devices: Sequence[int] = (1,),
    resets: Sequence[tuple[int, float]] = (),
    end: float = 10,
) -> UsageSeries:
    kinds = [("device_id", "i8"), ("day", "f8"), ("value", "f8")]
    points: Records = np.array(list(readings), dtype=kinds)
    ids = np.array(devices, dtype=np.int64)
    return build_usage_series(limit, points, ids, resets, threshold_pct=10, first_day=0, end=end)


def test_a_missing_day_shares_the_usage_between_the_readings_around_it() -> None:
    series = make_series([(1, 1.0, 90), (1, 2.0, 88), (1, 5.0, 82)])
    assert series.usage[0, :6] == pytest.approx([0, 2, 2, 2, 2, 0])
    assert series.exposure[0, :6] == pytest.approx([0, 1, 1, 1, 1, 0])


def test_days_begin_at_midnight_whenever_readings_come() -> None:
    series = make_series([(1, 1.5, 90), (1, 2.5, 86)])
    assert series.usage[0, 1:3] == pytest.approx([2, 2])
    assert series.exposure[0, 1:3] == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize("resets", [[(0, 3.0)], []], ids=["known replacement", "replacement nobody recorded"])
def test_nothing_is_used_across_a_replacement(resets: list[tuple[int, float]]) -> None:
    series = make_series([(1, 1.0, 20), (1, 2.0, 15), (1, 3.0, 100), (1, 4.0, 97), (1, 5.0, 94)], resets=resets)
    assert series.usage[0, :5] == pytest.approx([0, 5, 0, 3, 3])
    assert series.exposure[0, :5] == pytest.approx([0, 1, 0, 1, 1])


def test_a_smaller_used_part_at_a_known_replacement_is_no_usage() -> None:
    series = make_series([(1, 1.0, 80), (1, 2.0, 79), (1, 3.0, 60), (1, 4.0, 59)], resets=[(0, 3.0)])
    assert series.usage.sum() == pytest.approx(2)


@pytest.mark.parametrize("glitch", [0.0, 100.0])
def test_a_glitch_is_neither_usage_nor_a_replacement(glitch: float) -> None:
    series = make_series([(1, 1.0, 60), (1, 2.0, 59), (1, 3.0, glitch), (1, 4.0, 57), (1, 5.0, 56)])
    assert series.usage.sum() == pytest.approx(4, abs=1)
    assert series.exposure.sum() == pytest.approx(4)


@pytest.mark.parametrize("glitch", [0.0, 100.0])
def test_an_unconfirmed_jump_at_the_end_is_not_believed_yet(glitch: float) -> None:
    series = make_series([(1, 1.0, 60), (1, 2.0, 59), (1, 3.0, glitch)])
    assert (series.reported_pct[0], np.isnan(series.crossed_at[0])) == (59, True)


def test_devices_do_not_mix() -> None:
    readings = [(1, 1.0, 50), (1, 4.0, 47), (3, 2.0, 90), (3, 3.0, 80)]
    series = make_series(readings, devices=[1, 2, 3])
    assert series.usage.sum(axis=1) == pytest.approx([3, 0, 10])
    assert np.isnan(series.last_at).tolist() == [False, True, False]


def test_counters_are_percents_of_their_capacity() -> None:
    used = make_series([(1, 1.0, 350), (1, 2.0, 385)], limit=HOURS)
    left = make_series([(1, 1.0, 3150), (1, 2.0, 3115)], limit=HOURS_LEFT)
    for series in (used, left):
        assert series.usage.sum() == pytest.approx(1)
        assert series.reported_pct[0] == pytest.approx(89)


def test_the_day_of_the_last_step_is_known() -> None:
    series = make_series([(1, 1.0, 51), (1, 2.0, 50), (1, 3.0, 50), (1, 4.0, 50)])
    assert (series.stepped_at[0], series.last_at[0]) == (1.5, 4.0)


def test_a_percentage_is_silent_where_a_counter_agrees_and_speaks_where_it_does_not() -> None:
    hours = make_series([(1, 1.0, 1750), (2, 1.0, 350)], limit=HOURS, devices=[1, 2, 3])
    percent = make_series([(1, 1.0, 50), (2, 1.0, 40), (3, 1.0, 70)], devices=[1, 2, 3])
    chosen = {limit.metric: speaks.tolist() for limit, _, speaks in choose_sources([(PCT, percent), (HOURS, hours)])}
    assert chosen == {"filter_used_h": [True, True, False], "filter_life_pct": [False, True, True]}


def test_hours_and_litres_are_two_limits_and_hours_left_is_none_besides_hours_used() -> None:
    series = {limit: make_series([(1, 1.0, 300)], limit=limit) for limit in (HOURS, LITRES, HOURS_LEFT)}
    series[HOURS_LEFT] = make_series([(1, 1.0, 3200)], limit=HOURS_LEFT)
    assert {limit.metric for limit, _, _ in choose_sources(list(series.items()))} == {
        "filter_used_h",
        "filter_used_litres",
    }


def test_a_heavy_user_who_joins_late_is_no_season() -> None:
    usage = np.vstack([np.full((4, 100), 0.5), np.full((4, 100), 3.0)])
    exposure = np.ones((8, 100))
    exposure[4:, :50] = usage[4:, :50] = 0
    assert observe_index(usage, exposure) == pytest.approx(np.ones(100), abs=0.02)


def test_few_errors_leave_the_default_spread_and_many_replace_it() -> None:
    few, many = Errors(), Errors()
    few.by_window[28].append(np.linspace(-1, 1, 20))
    many.by_window[28].append(np.linspace(-0.5, 0.5, 1001))
    assert not build_spread(few, history_days=400).learned
    low, high = build_spread(many, history_days=400).factors(np.array([28.0]), np.array([50.0]))
    assert (np.log(low[0]), np.log(high[0])) == (pytest.approx(-0.4, abs=0.01), pytest.approx(0.4, abs=0.01))
    month, half = np.array([28.0]), np.array([50.0])
    assert np.ptp(build_spread(many, history_days=400).factors(month, half)) > 0.5
    many.by_window[28] = [np.zeros(100)]
    sure, unsure = (build_spread(many, history_days=days).factors(month, half) for days in (400, 200))
    assert np.ptp(sure) < 0.1 < np.ptp(unsure)


def test_the_default_spread_grows_with_the_days_and_shrinks_with_history() -> None:
    days = np.array([10.0, 50.0, 150.0])
    low, high = default_spread().factors(days, np.full(3, 60.0))
    assert np.all(np.diff(days * (high - low)) > 0)
    young_low, young_high = default_spread().factors(days, np.zeros(3))
    assert np.all(young_high - young_low > high - low)
