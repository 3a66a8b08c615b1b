"""Who forecasts at a fixed rate needs no Prophet: it is neither imported nor waited for."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from forecasting.job import forecast_active
from millpond.kernel.db import WriteConnection
from tests.forecasting.fleet_in_database import add_device, add_readings

START, DAY = datetime(2025, 1, 1, tzinfo=UTC), timedelta(days=1)
HEAVY = ("prophet", "pandas", "matplotlib", "cmdstanpy")


def test_a_fixed_forecast_works_where_prophet_and_what_it_brings_are_missing(
    conn: WriteConnection, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in HEAVY:
        monkeypatch.setitem(sys.modules, name, None)
    for number in range(6):
        device = add_device(conn, f"D{number}", "generic-purifier-pct", START)
        add_readings(conn, device, "filter_life_pct", [100 - day // 2 for day in range(91)], START)
    at = START + 90 * DAY
    assert forecast_active(conn, at, made_at=at, forecaster="fixed").by_method == {"fixed_rate": 6}
    assert caplog.messages == [], "nobody asked for Prophet"
    forecast_active(conn, at + DAY, made_at=at + DAY)
    assert "A cohort could not be fitted" in caplog.messages[0], "this fleet would have had it"


def test_the_platform_of_a_test_suite_starts_without_it() -> None:
    code = (
        "import sys, api.app, millpond.testing_host.platform, millpond.scheduler, ingest.service;"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True)
    assert done.stdout.strip() == "[]"
