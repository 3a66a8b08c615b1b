"""Forecasts against households whose truth is known. The bounds are well outside what was measured for these seeds."""

from dataclasses import dataclass

import numpy as np
import pytest

import forecasting.level
from devices.nouns import PartLimit
from forecasting.nouns import Floats, from_day, to_day
from forecasting.part import Forecaster, forecast_part
from tests.forecasting.households import (
    HOURS,
    PCT,
    START_DAY,
    Household,
    find_resets,
    make_households,
    make_installations,
    make_part,
    make_points,
)

SEEDS = (1, 2, 3)
DAYS, UNTIL = 700, 500


@dataclass(frozen=True)
class Errors:
    days: Floats
    relative: Floats
    covered: Floats


def measure(households: list[Household], until: int, limits: tuple[PartLimit, ...], how: Forecaster) -> Errors:
    points = np.concatenate([make_points(households, until, limit) for limit in limits])
    forecasts = forecast_part(
        make_part(*limits),
        make_installations(households, until),
        points,
        find_resets(households, until),
        from_day(START_DAY + until),
        forecaster=how,
    )
    errors, relative, covered = [], [], []
    for household, forecast in zip(households, forecasts, strict=True):
        truth = household.crossing_after(until - 1)
        if truth is None or household.remaining[until - 1] <= 12:
            continue
        assert forecast.dates is not None
        error = to_day(forecast.dates.p50) - truth
        errors.append(error)
        relative.append(abs(error) / (truth - START_DAY - until))
        covered.append(to_day(forecast.dates.p10) <= truth <= to_day(forecast.dates.p90))
    return Errors(np.array(errors), np.array(relative), np.array(covered, dtype=float))


def pooled(limits: tuple[PartLimit, ...], how: Forecaster, *, until: int = UNTIL) -> Errors:
    runs = [measure(make_households(60, DAYS, seed), until, limits, how) for seed in SEEDS]
    return Errors(*(np.concatenate([getattr(run, name) for run in runs]) for name in ("days", "relative", "covered")))


@pytest.mark.parametrize("limits", [(PCT,), (HOURS, PCT)], ids=["daily whole percents alone", "run hours"])
def test_the_cohort_index_dates_depletion_and_its_interval_covers(limits: tuple[PartLimit, ...]) -> None:
    errors = pooled(limits, "auto")
    assert len(errors.days) > 100
    assert np.median(errors.relative) < 0.18
    assert np.median(np.abs(errors.days)) < 12
    assert abs(np.mean(errors.days)) < 8
    assert 0.65 <= errors.covered.mean() <= 0.95


def test_half_a_year_of_history_already_knows_something_of_the_season() -> None:
    with_index, without = pooled((PCT,), "auto", until=260), pooled((PCT,), "fixed", until=260)
    assert np.mean(np.abs(with_index.days)) < 0.8 * np.mean(np.abs(without.days))
    assert 0.65 <= with_index.covered.mean() <= 0.95


def test_the_index_beats_a_fixed_rate_where_there_are_seasons() -> None:
    assert np.mean(np.abs(pooled((PCT,), "auto").days)) < 0.6 * np.mean(np.abs(pooled((PCT,), "fixed").days))


def test_without_the_device_level_the_forecast_is_much_worse(monkeypatch: pytest.MonkeyPatch) -> None:
    good = pooled((PCT,), "auto")
    monkeypatch.setattr(forecasting.level, "PRIOR_DEVICE_DAYS", 1e4)
    assert np.median(pooled((PCT,), "auto").relative) > max(0.18, 1.4 * np.median(good.relative))


def test_a_small_fleet_is_forecast_with_the_default_spread_and_it_covers() -> None:
    runs = [measure(make_households(4, DAYS, seed, regions=("only",)), 60, (PCT,), "auto") for seed in range(20)]
    covered = np.concatenate([run.covered for run in runs])
    assert len(covered) > 50
    assert 0.65 <= covered.mean() <= 0.97
