"""How quickly a fleet is forecast; see `python -m benchmarks.forecast --help`."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import numpy as np
import typer

from benchmarks.common import Dsn, Json, NoBroker, Result, Seed, fresh_database, run, step, tell, timed
from benchmarks.fleet import (
    CAPACITY_H,
    Floats,
    copy_readings,
    find_metric_ids,
    make_used_hours,
    readings_of_hours,
    register_fleet,
)
from devices.store import select_model_parts
from forecasting.job import run_forecasts
from forecasting.nouns import to_day
from forecasting.part import MAX_HISTORY_DAYS, forecast_part
from forecasting.projection import HORIZON_DAYS
from forecasting.prophet_index import fit_prophet_index
from forecasting.store import select_active_installations, select_day_ends, select_resets
from millpond.kernel.db import ReadConnection, WriteConnection, connect
from millpond.kernel.errors import Unavailable

_END = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Rates:
    """Installations a second: the whole job, its computing alone, and two ways of a Prophet each."""

    job: float
    computing: float
    prophet: float
    prophet_defaults: float


def main(
    devices: Annotated[int, typer.Option(min=10, help="Installations forecast.")] = 500,
    days: Annotated[int, typer.Option(min=61, help="Days of history.")] = 180,
    readings_a_day: Annotated[int, typer.Option(min=1, help="Readings a day of each.")] = 4,
    fits: Annotated[int, typer.Option(min=1, help="Installations that the reference fits.")] = 5,
    seed: Seed = 1,
    dsn: Dsn = None,
    broker: NoBroker = None,
    json: Json = False,
) -> None:
    """Installations forecast a second, against a Prophet model for each installation.

    **Measured:** `installations_per_s` is the forecast job: replacements looked for, history read, one Prophet index a
    cohort fitted, dates projected, intervals from past errors, all stored. `compute_installations_per_s` is
    `forecast_part` alone, with the history already in memory.

    **Reference:** the same Prophet model (no intervals), fitted to each installation's own daily use and projected over
    the same horizon. It is measured on a few (`--fits`) and extrapolated per installation; nothing is read or stored.
    `prophet_defaults_installations_per_s` is the same with Prophet's own defaults, whose intervals are sampled.
    """
    with fresh_database(dsn) as own, connect(own) as conn:
        with step("filling the database"):
            hours = make_used_hours(devices, days, readings_a_day, seed)
            _fill(conn, hours, readings_a_day)
        with step("forecasting"):
            rates = _measure(conn, devices, hours[:fits, ::readings_a_day])
    tell(
        Result(
            "forecast",
            "installations_per_s",
            "installations/s",
            {
                "installations_per_s": rates.job,
                "compute_installations_per_s": rates.computing,
                "prophet_defaults_installations_per_s": rates.prophet_defaults,
            },
            rates.prophet,
            "a Prophet for each installation",
            {"devices": devices, "days": days, "readings_a_day": readings_a_day, "fits": fits, "seed": seed},
            ["The reference is extrapolated from a few fits; ours shares one fit among a cohort, so it grows with it."],
        ),
        as_json=json,
    )


def _fill(conn: WriteConnection, hours: Floats, readings_a_day: int) -> None:
    gap = timedelta(days=1) / readings_a_day
    start = _END - hours.shape[1] * gap
    fleet = register_fleet(conn, len(hours), start)
    metric_id = find_metric_ids(conn)[0]
    with conn.transaction():
        copy_readings(conn, readings_of_hours(fleet, metric_id, hours, start, gap))
    conn.execute("analyze reading")


def _measure(conn: WriteConnection, devices: int, hours: Floats) -> _Rates:
    use = np.clip(np.diff(hours, axis=1), 0, None) / CAPACITY_H * 100
    _fit_ours(use[:1])  # The first fit loads Prophet, which is paid once a process.
    summary, job_s = timed(lambda: run_forecasts(conn, _END, made_at=_END))
    if summary.forecasts != devices:
        raise Unavailable(f"only {summary.forecasts} of {devices} installations could be forecast")
    return _Rates(
        devices / job_s,
        devices / _time_computing(conn),
        len(use) / timed(lambda: _fit_ours(use))[1],
        len(use) / timed(lambda: _fit_defaults(use))[1],
    )


def _time_computing(conn: ReadConnection) -> float:
    """Seconds of `forecast_part` on what the job read."""
    active = select_active_installations(conn, _END)
    part = select_model_parts(conn)[active[0].model][active[0].part]
    device_ids = [i.device_id for i in active]
    metric_ids = [limit.metric_id for limit in part.limits]
    points = select_day_ends(conn, device_ids, metric_ids, _END, history_days=MAX_HISTORY_DAYS)
    rows = {int(device_id): row for row, device_id in enumerate(device_ids)}
    cuts = [(rows[d], to_day(moment)) for d, moment in select_resets(conn, device_ids, part.part, _END) if d in rows]
    return timed(lambda: forecast_part(part, active, points, cuts, _END))[1]


def _fit_ours(use: Floats) -> None:
    """The model of a cohort's index, for one installation at a time."""
    days = np.arange(use.shape[1])
    first_day = int(to_day(_END)) - len(days)
    terms = 1 if len(days) >= 150 else 0
    for own in use:
        fit_prophet_index(first_day + days, own, first_day, len(days) + HORIZON_DAYS, terms)


def _fit_defaults(use: Floats) -> None:
    import pandas as pd
    from prophet import Prophet

    logging.getLogger("cmdstanpy").disabled = True
    for own in use:
        ds = pd.date_range(end=_END.date(), periods=len(own), freq="D")
        model = Prophet().fit(pd.DataFrame({"ds": ds, "y": own}))
        model.predict(model.make_future_dataframe(HORIZON_DAYS))


if __name__ == "__main__":
    run(main)
