"""`millpond forecast` and `millpond offers`: something to read for a person, JSON for a machine."""

import json
from datetime import UTC, datetime

import pytest

from devices.depletion import DepletionDates
from forecasting.nouns import ForecastLine
from millpond.cli.job_tables import show_forecasts
from millpond.kernel.db import connect
from millpond.kernel.ids import Serial
from tests.cli.conftest import Run
from tests.forecasting.fleet_in_database import DAY, add_device, add_readings

START = datetime(2026, 1, 1, 9, tzinfo=UTC)
AT = "2026-03-02"


@pytest.fixture
def worn(database: str) -> str:
    """Two filters: SLOW wears half as fast as FAST; and one that never spoke."""
    with connect(database) as conn:
        for serial, rate in (("SLOW", 0.5), ("FAST", 1.0)):
            device = add_device(conn, serial, "generic-purifier-pct", START)
            add_readings(conn, device, "filter_life_pct", [100 - day * rate for day in range(60)], START)
    return database


def test_the_forecasts_are_a_table_soonest_first(worn: str, millpond: Run) -> None:
    words = ("forecast", "--at", AT, "--forecaster", "fixed")
    done = millpond(*words, MILLPOND_DATABASE_URL=worn)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "2 forecasts for 2 installations at 2026-03-02T00:00:00+00:00\n"
    rows = [line for line in done.stdout.splitlines() if "SLOW" in line or "FAST" in line]
    assert ["FAST" in row for row in rows] == [True, False]
    lines = [json.loads(line) for line in millpond(*words, "--json", MILLPOND_DATABASE_URL=worn).stdout.splitlines()]
    fast = next(line for line in lines if line["serial"] == "FAST")
    for shown in (f"{fast['remaining_pct']:.1f} %", fast["depletes_p50"][:10], "fixed_rate"):
        assert shown in rows[0]


def _line(serial: str, p50: datetime | None) -> ForecastLine:
    return ForecastLine(
        serial=Serial(serial),
        consumable="filter",
        remaining_pct=None,
        dates=DepletionDates(p50, p50, p50) if p50 else None,
        method="fixed_rate",
        reason=None if p50 else "no readings",
    )


def test_of_many_forecasts_the_soonest_twenty_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    dated = [_line(f"D{n:02}", START + (30 - n) * DAY) for n in range(22)]
    show_forecasts([_line("MUTE", None), *dated])
    out = capsys.readouterr().out
    shown = [n for n in range(22) if f"D{n:02}" in out]
    assert shown == list(range(2, 22))
    assert out.index("D21") < out.index("D02")
    assert "MUTE" not in out
    assert out.endswith("and 3 more: --json prints all\n")


def test_what_became_of_the_offers_is_a_line_or_json(worn: str, millpond: Run) -> None:
    done = millpond("offers", "--at", AT, MILLPOND_DATABASE_URL=worn)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("0 offers issued at 2026-03-02T00:00:00+00:00, 0 of them credited to staff; ")
    done = millpond("offers", "--at", AT, "--json", MILLPOND_DATABASE_URL=worn)
    answer = json.loads(done.stdout)
    assert answer.pop("at") == "2026-03-02T00:00:00+00:00"
    assert set(answer) == {"candidates", "issued", "credited", "not_issued", "failed", "withdrawn", "expired"}


@pytest.mark.parametrize("command", ["offers", "forecast"])
def test_a_moment_that_has_not_come_is_said(command: str, database: str, millpond: Run) -> None:
    done = millpond(
        command,
        "--at",
        "2027-01-01",
        MILLPOND_DATABASE_URL=database,
        MILLPOND_CLOCK="2026-03-01T00:00:00+00:00@2026-03-01T00:00:00+00:00*0",
    )
    assert done.returncode == 0, done.stderr
    line = done.stderr.splitlines()[0]
    assert line.startswith("--at 2027-01-01T00:00:00+00:00 is ahead of the platform's clock, which says 2026-03-01T")
