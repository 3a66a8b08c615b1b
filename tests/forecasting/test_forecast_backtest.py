"""How good past forecasts would have been."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forecasting.backtest import Outcome, run_backtest, score_outcomes
from millpond.kernel.db import WriteConnection
from tests.forecasting.fleet_in_database import DAY, add_device, add_readings

START = datetime(2026, 1, 1, 9, tzinfo=UTC)
PCT = "generic-purifier-pct"


def test_a_backtest_compares_with_what_happened(conn: WriteConnection) -> None:
    rng = np.random.default_rng(5)
    for i in range(12):
        device = add_device(conn, f"D{i}", PCT, START)
        level = 100 - np.cumsum(rng.normal(0.4 + 0.05 * i, 0.2, 200))
        add_readings(conn, device, "filter_life_pct", np.ceil(np.clip(level, 0, 100)).tolist(), START)
    scores = {
        s.method: s for s in run_backtest(conn, START + 199 * DAY, origins_days=(60, 90, 120), forecaster="fixed")
    }
    assert scores["fixed_rate"].scored > 10
    assert scores["fixed_rate"].censored > 0
    assert scores["fixed_rate"].median_abs_days < 8
    assert scores["all"].scored == sum(s.scored for method, s in scores.items() if method != "all")


def test_scores_are_what_they_say() -> None:
    outcomes = [
        Outcome("m", 8, 10, 12, actual=11, seen=50),
        Outcome("m", 8, 10, 12, actual=20, seen=50),
        Outcome("m", 8, 10, 12, actual=6, seen=50),
        Outcome("m", 8, 10, 12, actual=None, seen=13),
        Outcome("m", 8, 10, 12, actual=None, seen=9),
    ]
    score = score_outcomes("m", outcomes)
    assert (score.scored, score.censored, score.too_early) == (3, 2, 1)
    assert (score.median_abs_days, score.mean_abs_days) == (4, 5)
    assert score.bias_days == pytest.approx(-7 / 3)
    assert score.coverage_80_ratio == score.within_20_ratio == score.late_ratio == pytest.approx(1 / 3)


def test_a_backtest_of_an_empty_fleet_has_no_scores(conn: WriteConnection) -> None:
    assert run_backtest(conn, START + timedelta(days=1), forecaster="fixed") == []
