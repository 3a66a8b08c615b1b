"""`millpond backtest`: a table for a person, JSON for a machine."""

import json
from datetime import UTC, datetime

import pytest

from millpond.kernel.db import connect
from tests.cli.conftest import Run
from tests.forecasting.fleet_in_database import DAY, add_device, add_readings

START = datetime(2026, 1, 1, 9, tzinfo=UTC)


@pytest.fixture
def worn(database: str) -> str:
    """Eight filters that went from full to empty at steady rates of their own."""
    with connect(database) as conn:
        for i in range(8):
            device = add_device(conn, f"D{i}", "generic-purifier-pct", START)
            values = [max(0.0, 100 - day * (0.6 + 0.05 * i)) for day in range(200)]
            add_readings(conn, device, "filter_life_pct", values, START)
    return database


def test_the_scores_of_each_method(worn: str, millpond: Run) -> None:
    words = ("backtest", "--at", str((START + 199 * DAY).date()), "--forecaster", "fixed")
    done = millpond(*words, "--json", MILLPOND_DATABASE_URL=worn)
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    assert answer["at"] == "2026-07-19T00:00:00+00:00"
    scores = {score["method"]: score for score in answer["methods"]}
    assert {"all", "fixed_rate"} <= set(scores)
    assert scores["fixed_rate"]["scored"] > 8
    assert 0 < scores["fixed_rate"]["mean_abs_days"] < 40
    done = millpond(*words, MILLPOND_DATABASE_URL=worn)
    assert (done.returncode, done.stderr) == (0, "")
    row = next(line for line in done.stdout.splitlines() if "fixed_rate" in line)
    assert f"{scores['fixed_rate']['mean_abs_days']:.1f}" in row
    assert f"{scores['fixed_rate']['coverage_80_ratio']:.0%}" in row


def test_nothing_to_score_is_said(database: str, millpond: Run) -> None:
    done = millpond("backtest", MILLPOND_DATABASE_URL=database)
    assert done.returncode == 0
    assert "nothing to score" in done.stdout


def test_a_score_that_nobody_could_measure_is_null(database: str, millpond: Run) -> None:
    with connect(database) as conn:
        device = add_device(conn, "D", "generic-purifier-pct", START)
        add_readings(conn, device, "filter_life_pct", [100 - day * 0.1 for day in range(200)], START)
    words = ("backtest", "--at", str((START + 199 * DAY).date()), "--forecaster", "fixed")
    done = millpond(*words, "--json", MILLPOND_DATABASE_URL=database)
    assert done.returncode == 0, done.stderr
    scores = json.loads(done.stdout)["methods"]
    assert scores
    assert all(score["scored"] == 0 and score["mean_abs_days"] is None for score in scores)
    assert "–" in millpond(*words, MILLPOND_DATABASE_URL=database).stdout
