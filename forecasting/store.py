"""One function, one statement: what a forecast reads, what it leaves, and what others ask for."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from psycopg.rows import class_row, kwargs_row

from devices.depletion import name_dates, read_dates
from devices.nouns import PartLimit
from devices.parts.replacement import UNREADABLE
from forecasting.nouns import ActiveInstallation, CurrentForecast, Forecast, ForecastLine, Records
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.records import copy_records

_When = datetime | None
_Q = load_queries("forecasting")

_POINT = np.dtype([("device_id", "i8"), ("metric_id", "i8"), ("day", "f8"), ("value", "f8")])


def select_active_installations(conn: ReadConnection, at: datetime) -> list[ActiveInstallation]:
    """Installations in force at `at`, by model, part and device."""
    with conn.cursor(row_factory=class_row(ActiveInstallation)) as cursor:
        return cursor.execute(_Q["select_active_installations"], {"at": at}).fetchall()


def select_resets(
    conn: ReadConnection, device_ids: Sequence[int], part: str, at: datetime
) -> list[tuple[int, datetime]]:
    """(device, moment) of the replacements of `part` up to `at`, by device and time."""
    values = {"device_ids": list(device_ids), "part": part, "at": at}
    return conn.execute(_Q["select_resets"], values).fetchall()


def select_day_ends(
    conn: ReadConnection, device_ids: Sequence[int], metric_ids: Sequence[int], at: datetime, *, history_days: int
) -> Records:
    """The last value of every day, as records (device_id, metric_id, day, value) by metric, device and time.

    `day` is the measured time in days since 1970. Nothing measured after `at` is among them. They come by binary
    COPY, which costs a tenth of fetching rows.
    """
    today = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    values = {
        "device_ids": list(device_ids),
        "metric_ids": list(metric_ids),
        "from_day": today - timedelta(days=history_days),
        "today": today,
        "at": at,
    }
    return copy_records(conn, _Q["copy_day_ends"], values, _POINT)


def select_due_states(
    conn: ReadConnection, device_ids: Sequence[int], limit: PartLimit, at: datetime, *, history_days: int
) -> Records:
    """What a state last said, as records by device and time: 1 where it asks for a new part, else 0.

    Of each device the last reading that does not ask, the first since then that does, and the newest.
    """
    values = {
        "device_ids": list(device_ids),
        "metric_id": limit.metric_id,
        "due": sorted(limit.due),
        "unreadable": sorted(UNREADABLE),
        "from_at": at - timedelta(days=history_days),
        "at": at,
    }
    return copy_records(conn, _Q["copy_due_states"], values, _POINT)


def insert_forecast_run(conn: WriteConnection, at: datetime, made_at: datetime) -> int:
    """Begin a run and return its id."""
    row = conn.execute(_Q["insert_forecast_run"], {"at": at, "made_at": made_at}).fetchone()
    assert row is not None
    return int(row[0])


def update_forecast_run(conn: WriteConnection, run_id: int, *, installations: int, forecasts: int) -> None:
    """Say what a run came to."""
    values = {"run_id": run_id, "installations": installations, "forecasts": forecasts}
    conn.execute(_Q["update_forecast_run"], values)


def insert_forecasts(
    conn: WriteConnection, run_id: int, at: datetime, made_at: datetime, forecasts: Sequence[Forecast]
) -> None:
    """Store the forecasts of a run."""
    dates = [name_dates(forecast.dates) for forecast in forecasts]
    columns = {
        "installation_id": [f.installation_id for f in forecasts],
        "data_cutoff": [f.data_cutoff for f in forecasts],
        "method": [f.method for f in forecasts],
        "reason": [f.reason.text if f.reason else None for f in forecasts],
        "reason_code": [f.reason.code if f.reason else None for f in forecasts],
        "remaining_pct": [f.remaining_pct for f in forecasts],
        "threshold_pct": [f.threshold_pct for f in forecasts],
        "usage_pct_per_day": [f.usage_pct_per_day for f in forecasts],
        **{name: [each[name] for each in dates] for name in name_dates(None)},
    }
    conn.execute(_Q["insert_forecasts"], columns | {"run_id": run_id, "at": at, "made_at": made_at})


def select_current_forecasts(conn: ReadConnection, device_ids: Sequence[int], at: datetime) -> list[CurrentForecast]:
    """The newest forecast of every current installation of the devices, by device and part.

    One that was made for a moment after `at`, to see what if, counts only where there is no other.
    """
    with conn.cursor(row_factory=kwargs_row(_current)) as cursor:
        return cursor.execute(_Q["select_current_forecasts"], {"device_ids": list(device_ids), "at": at}).fetchall()


def select_forecast_lines(conn: ReadConnection, run_id: int) -> list[ForecastLine]:
    """The forecasts of a run, by serial and consumable."""
    with conn.cursor(row_factory=kwargs_row(_line)) as cursor:
        return cursor.execute(_Q["select_forecast_lines"], {"run_id": run_id}).fetchall()


def _current(*, depletes_p10: _When, depletes_p50: _When, depletes_p90: _When, **same: Any) -> CurrentForecast:
    return CurrentForecast(dates=read_dates(depletes_p10, depletes_p50, depletes_p90), **same)


def _line(*, depletes_p10: _When, depletes_p50: _When, depletes_p90: _When, **same: Any) -> ForecastLine:
    return ForecastLine(dates=read_dates(depletes_p10, depletes_p50, depletes_p90), **same)
