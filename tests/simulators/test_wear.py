"""Parts wear, are replaced, and are spoken of as their profiles say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from devices.nouns import MetricKind
from devices.profile import MetricProfile, shipped_profiles
from simulators.life.climate import REGIONS
from simulators.life.history import simulate_readings, simulate_truth
from simulators.life.households import Habit, make_household
from simulators.life.physics import Appliance, Observation
from simulators.life.wear import PartCycle
from simulators.runs.fleet import DEFAULT_MIX

START = datetime(2025, 9, 1, tzinfo=UTC)
START_MS = int(START.timestamp() * 1000)
HOUR_MS = 3_600_000
PROFILES = shipped_profiles()
SIMULATED = list(DEFAULT_MIX)


def _live(model: str, days: int, habit: Habit = Habit.ON_TIME) -> tuple[Observation, list[PartCycle]]:
    home = replace(make_household("home", REGIONS["seoul"], 5), habit=habit)
    appliance = Appliance(PROFILES[model], home, "one", START)
    seen = appliance.observe(START_MS + np.arange(days * 24, dtype=np.int64) * HOUR_MS)
    return seen, appliance.history(START + timedelta(days=days))


@pytest.mark.parametrize("model", SIMULATED)
def test_every_model_of_the_default_fleet_tells_exactly_its_metrics_within_their_ranges(model: str) -> None:
    profile, seen = PROFILES[model], dict[str, list[Any]]()
    for reading in simulate_readings(profile, seed=2, start=START, days=400, interval=timedelta(hours=7)):
        seen.setdefault(reading.metric, []).append(reading.value)
    assert list(seen) == list(profile.metrics)
    for name, values in seen.items():
        assert all(_allowed(profile.metrics[name], value) for value in values), name
        assert len(values) == len(range(0, 400 * 24, 7))


def _allowed(metric: MetricProfile, value: object) -> bool:
    if metric.kind is MetricKind.BOOLEAN:
        return isinstance(value, bool)
    if metric.kind is MetricKind.STATE:
        return isinstance(value, str) and (metric.states is None or value in metric.states)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return (metric.min or 0) <= value <= (metric.max or value)


def test_percent_remaining_is_the_floor_of_whole_hours() -> None:
    seen, _ = _live("reed-air-2", 400, Habit.LATE)
    for hours, percent in zip(seen.metrics["filter_used_h"], seen.metrics["filter_life_pct"], strict=True):
        assert isinstance(hours, int)
        assert percent == max(0, 100 * (3500 - hours) // 3500)


def test_a_replacement_resets_the_counter_raises_the_percentage_and_changes_the_tag() -> None:
    seen, cycles = _live("reed-air-2", 400)
    hours, percent, tag = (np.array(seen.metrics[name]) for name in ("filter_used_h", "filter_life_pct", "filter_tag"))
    [*falls] = np.flatnonzero(np.diff(hours) < 0) + 1
    assert len(falls) == len(cycles) - 1 >= 1
    assert np.flatnonzero(tag[1:] != tag[:-1]).tolist() == [fall - 1 for fall in falls]
    for fall, cycle in zip(falls, cycles, strict=False):
        assert cycle.replaced_at is not None
        assert seen.times_ms[fall] == int(cycle.replaced_at.timestamp() * 1000)
        assert (hours[fall], percent[fall]) == (0, 100)
        assert 0 < percent[fall - 1] <= 10
        assert tag[fall - 1] == cycle.tag


def test_replacement_follows_the_habit() -> None:
    at_replacement = {}
    for habit in (Habit.EARLY, Habit.ON_TIME, Habit.LATE):
        seen, cycles = _live("generic-purifier-pct", 500, habit)
        replaced_at = cycles[0].replaced_at
        assert replaced_at is not None
        replaced_ms = int(replaced_at.timestamp() * 1000)
        before = int(np.searchsorted(seen.times_ms, replaced_ms)) - 1
        at_replacement[habit] = 100 * (1 - seen.worn["filter"][before])
    assert at_replacement[Habit.EARLY] > 12
    assert 5 < at_replacement[Habit.ON_TIME] <= 10
    assert at_replacement[Habit.LATE] < 6


def test_a_household_that_never_replaces_wears_a_filter_down_to_nothing() -> None:
    seen, cycles = _live("reed-air-2", 500, Habit.NEVER)
    assert [cycle.replaced_at for cycle in cycles] == [None]
    assert seen.metrics["filter_life_pct"][-1] == 0
    assert seen.metrics["filter_used_h"][-1] > 3500


def test_a_cheap_filter_has_no_tag_to_read() -> None:
    seen, cycles = _live("reed-air-2", 400, Habit.CHEAP)
    assert cycles[0].replaced_at is not None
    assert set(seen.metrics["filter_tag"]) == {cycles[0].tag, "none"}
    assert np.any(np.diff(seen.metrics["filter_used_h"]) < 0)


def test_the_first_limit_that_is_reached_ends_a_water_filter() -> None:
    seen, _ = _live("reed-water-1", 250)
    litres, hours = (np.array(seen.metrics[name]) for name in ("filter_used_litres", "filter_used_h"))
    assert np.allclose(seen.worn["filter"], np.maximum(litres / 3600, hours / 8640), atol=0.001)


def test_brushes_wear_with_the_runs_and_the_area() -> None:
    seen, _ = _live("reed-vac-s", 60)
    hours, area = np.array(seen.metrics["side_brush_used_h"]), np.array(seen.metrics["cleaned_area_m2"])
    assert hours[-1] > 10
    assert np.allclose(area, hours * 52, atol=1)
    assert any(not float(value).is_integer() for value in hours)


def test_a_tv_goes_on_and_off_and_its_hours_only_rise() -> None:
    seen, _ = _live("reed-tv-55", 30)
    assert 0.1 < np.mean(seen.metrics["power"]) < 0.6
    assert np.all(np.diff(seen.metrics["on_time_h"]) >= 0)
    assert 30 < seen.metrics["on_time_h"][-1] < 30 * 14


@pytest.mark.parametrize("model", SIMULATED)
def test_what_is_read_does_not_depend_on_how_often_one_looks(model: str) -> None:
    home = make_household("home", REGIONS["busan"], 9)
    times = START_MS + np.arange(0, 300 * 24 * HOUR_MS, 5 * HOUR_MS + 1234, dtype=np.int64)
    at_once = Appliance(PROFILES[model], home, "one", START).observe(times)
    bit_by_bit = Appliance(PROFILES[model], home, "one", START)
    pieces = [bit_by_bit.observe(piece) for piece in np.array_split(times, 97)]
    for name, values in at_once.metrics.items():
        assert [value for piece in pieces for value in piece.metrics[name]] == values


def test_the_truth_dates_the_threshold_that_the_readings_show() -> None:
    profile = PROFILES["reed-air-2"]
    readings = simulate_readings(
        profile, seed=3, start=START, days=400, interval=timedelta(hours=1), devices=5, metrics=["filter_used_h"]
    )
    worn_at: dict[str, datetime] = {}
    for reading in readings:
        if isinstance(reading.value, int) and reading.value >= 3150:
            worn_at.setdefault(reading.serial, reading.ts)
    truths = simulate_truth(profile, seed=3, start=START, days=100, devices=5)
    dated = {t.serial: t.depletion_after("filter", START + timedelta(days=50)) for t in truths}
    assert len(worn_at) >= 3
    for serial, seen_at in worn_at.items():
        true_at = dated[serial]
        assert true_at is not None
        assert timedelta(0) <= seen_at - true_at <= timedelta(hours=3)


def test_filters_of_a_typical_fleet_last_four_to_eight_months() -> None:
    truths = simulate_truth(PROFILES["reed-air-2"], seed=1, start=START, days=1, devices=60)
    lives = [(t.cycles[0].threshold_at - START).days for t in truths if t.cycles[0].threshold_at]
    assert 130 <= np.median(lives) <= 200
    assert np.mean([110 <= life <= 250 for life in lives]) > 0.85
