"""How good the dates are; see `python -m benchmarks.accuracy --help`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.common import Dsn, Json, NoBroker, Result, Seed, fresh_database, run, step, tell
from benchmarks.fleet import CAPACITY_H, MODEL, REGIONS, Floats, copy_readings
from devices.depletion import DepletionDates
from devices.nouns import Reading
from devices.profile import shipped_profiles
from devices.registry import register_device
from devices.store import select_metrics
from forecasting.job import run_forecasts
from forecasting.store import select_forecast_lines
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import InvalidInput
from millpond.kernel.ids import Serial
from simulators.life.history import Truth, simulate_readings, simulate_truth

_START = datetime(2024, 3, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_INTERVAL = timedelta(hours=6)
_PART, _COUNTER = "filter", "filter_used_h"
_THRESHOLD_PCT = 10.0
_MARKS_PCT = (50, 30, 20)
_RUN_RATE_DAYS = 28

Counter = dict[datetime, float]


@dataclass(frozen=True, slots=True)
class _Household:
    """One device: what its counter said, and what nobody but the simulator knows."""

    truth: Truth
    counter: Counter

    def began_at(self, at: datetime) -> datetime:
        """When the part that is in place at `at` was put in."""
        return max(cycle.installed_at for cycle in self.truth.cycles if cycle.installed_at <= at)

    def remaining_pct(self, at: datetime) -> float:
        """By the last reading up to `at`, which falls on a reading's time."""
        return 100 * (1 - self.counter[at] / CAPACITY_H)


@dataclass(frozen=True, slots=True)
class _Case:
    """One forecast and the truth, in days after the moment it was made for."""

    part: tuple[str, datetime]
    remaining_pct: float
    actual: float
    p10: float
    p50: float
    p90: float
    straight_line: float
    run_rate: float


def main(
    devices: Annotated[int, typer.Option(min=10, help="Households simulated, half in each of two climates.")] = 80,
    days: Annotated[int, typer.Option(min=150, help="Days simulated; forecasts are made from day 120 on.")] = 480,
    every_days: Annotated[int, typer.Option(min=1, help="Days between two runs of the forecast job.")] = 24,
    seed: Seed = 1,
    dsn: Dsn = None,
    broker: NoBroker = None,
    json: Json = False,
) -> None:
    """Days of error and coverage of the forecasts, on a seeded simulated fleet whose truth is known.

    **Measured:** the forecast job as of many moments, each with nothing but the readings up to then, replacements found
    by itself; P50 against the true moment at which the filter came down to 10 %, the share of truths within P10 to P90
    (80 % is meant), and the share of dates that were too late at the first run at or below 50, 30 and 20 % remaining.
    Parts that are replaced before they come down to 10 % have no truth and are left out.

    **References:** on the same moments, the rate of use of the last 28 days (the reference of the ratio, which is the
    better the smaller) and the straight line since the last replacement, told its true moment.
    """
    with fresh_database(dsn) as own, connect(own) as conn:
        with step("simulating households"):
            households = _fill(conn, devices, days, seed)
        origins = [_START + n * _DAY for n in range(120, days, every_days)]
        cases = [case for at in origins for case in _forecast(conn, households, at)]
    if not cases:
        raise InvalidInput("no part of this fleet came down to 10 % after a forecast: take more devices or days")
    figures, reference = _score(cases)
    sizes = {"devices": devices, "days": days, "every_days": every_days, "seed": seed}
    tell(
        Result(
            "accuracy",
            "median_abs_days",
            "days",
            figures,
            reference,
            f"median absolute error of the run rate of the last {_RUN_RATE_DAYS} days",
            sizes | {"forecasts_scored": len(cases), "parts_scored": len({case.part for case in cases})},
        ),
        as_json=json,
    )


def _fill(conn: WriteConnection, devices: int, days: int, seed: int) -> dict[str, _Household]:
    """Households by serial, their devices registered and their readings stored."""
    profile = shipped_profiles()[MODEL]
    metric_id = select_metrics(conn)[MODEL][_COUNTER].metric_id
    households = {}
    for number, region in enumerate(REGIONS):
        size = devices // len(REGIONS)
        given: dict[str, Any] = {
            "seed": seed * 100 + number,
            "start": _START,
            "days": days,
            "region": region,
            "devices": size,
        }
        counters: dict[str, Counter] = {}
        for r in simulate_readings(profile, interval=_INTERVAL, metrics=[_COUNTER], **given):
            counters.setdefault(r.serial, {})[r.ts] = float(r.value)
        for truth in simulate_truth(profile, interval=_INTERVAL, **given):
            device = register_device(
                conn, serial=truth.serial, model=MODEL, region=region, installed_at=_START, at=_START
            )
            counter = counters[truth.serial]
            with conn.transaction():
                copy_readings(
                    conn, (Reading(device.device_id, metric_id, at, v, None, at, False) for at, v in counter.items())
                )
            households[truth.serial] = _Household(truth, counter)
    return households


def _forecast(conn: WriteConnection, households: dict[str, _Household], at: datetime) -> Iterator[_Case]:
    """The forecasts as of `at` for which the truth is known and the threshold is still to come."""
    with step(f"forecasting as of {at:%Y-%m-%d}"):
        summary = run_forecasts(conn, at, made_at=at)
    for line in select_forecast_lines(conn, summary.run_id):
        household = households[line.serial]
        actual = household.truth.depletion_after(_PART, at)
        if actual is not None and actual > at and line.dates is not None:
            yield _compare(household, line.serial, line.dates, at, actual)


def _compare(household: _Household, serial: Serial, dates: DepletionDates, at: datetime, actual: datetime) -> _Case:
    began = household.began_at(at)
    since = max(began, at - _RUN_RATE_DAYS * _DAY)
    return _Case(
        (serial, began),
        household.remaining_pct(at),
        (actual - at) / _DAY,
        (dates.p10 - at) / _DAY,
        (dates.p50 - at) / _DAY,
        (dates.p90 - at) / _DAY,
        _project(household, began, at, 100.0),
        _project(household, since, at, 100.0 if since == began else household.remaining_pct(since)),
    )


def _project(household: _Household, since: datetime, at: datetime, remaining_then: float) -> float:
    """Days until the threshold at the mean rate since then; half a percent a day for who knows none."""
    remaining = household.remaining_pct(at)
    passed = (at - since) / _DAY
    rate = (remaining_then - remaining) / passed if passed >= 1 else 0.0
    return (remaining - _THRESHOLD_PCT) / (rate if rate > 0.01 else 0.5)


def _score(cases: Sequence[_Case]) -> tuple[dict[str, float], float]:
    """Figures, and the reference."""
    actual, p10, p50, p90, straight, run_rate = (
        np.array([getattr(case, name) for case in cases])
        for name in ("actual", "p10", "p50", "p90", "straight_line", "run_rate")
    )
    figures = _errors(p50 - actual, "") | _errors(straight - actual, "straight_line_")
    figures |= _errors(run_rate - actual, "run_rate_")
    figures["coverage_80_ratio"] = float(np.mean((p10 <= actual) & (actual <= p90)))
    for mark in _MARKS_PCT:
        late = [case.p50 > case.actual for case in _first_below(cases, mark)]
        figures[f"late_ratio_at_{mark}_pct"] = float(np.mean(late)) if late else float("nan")
    return figures, figures["run_rate_median_abs_days"]


def _errors(error: Floats, prefix: str) -> dict[str, float]:
    return {
        f"{prefix}median_abs_days": float(np.median(np.abs(error))),
        f"{prefix}mean_abs_days": float(np.mean(np.abs(error))),
        f"{prefix}bias_days": float(np.mean(error)),
    }


def _first_below(cases: Sequence[_Case], mark_pct: float) -> list[_Case]:
    """The first case of each part at or below the mark, unless it is ten points or more below."""
    first: dict[tuple[str, datetime], _Case] = {}
    for case in cases:
        if case.remaining_pct <= mark_pct:
            first.setdefault(case.part, case)
    return [case for case in first.values() if case.remaining_pct > mark_pct - 10]


if __name__ == "__main__":
    run(main)
