"""When old forecasts go: first all but one a week, later all but the newest."""

from datetime import timedelta

from millpond.kernel.db import load_queries
from millpond.kernel.retention import Ending
from millpond.kernel.settings import Settings

_Q = load_queries("forecasting")


def forecasting_endings(settings: Settings) -> list[Ending]:
    """What goes of forecasts and their runs. Decisions and offers keep what they were based on themselves."""
    daily = timedelta(days=settings.forecast_keep_days)
    weekly = timedelta(days=settings.weekly_forecast_keep_days)
    return [
        Ending("depletion_forecast", "forecasts within a week", daily, _Q["thin_forecasts"]),
        Ending("depletion_forecast", "weekly forecasts", weekly, _Q["end_forecasts"]),
        Ending("forecast_run", "forecast runs", daily, _Q["end_forecast_runs"]),
    ]
