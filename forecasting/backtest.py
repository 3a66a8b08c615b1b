"""How good the forecasts would have been: the same job at earlier moments, against what happened until now."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from devices.nouns import ModelPart
from devices.parts.limits import COUNTS, PERCENTAGES
from devices.store import select_model_parts
from forecasting.job import forecast_fleet
from forecasting.nouns import ActiveInstallation, Bools, Floats, Forecast, Records, to_day
from forecasting.part import Forecaster
from forecasting.store import select_active_installations, select_day_ends
from forecasting.usage import to_remaining_pct_array
from millpond.kernel.db import ReadConnection

ORIGINS_DAYS = (15, 30, 60, 90, 120, 150, 180)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One forecast and what came of it, in days after the moment it was made for.

    `actual` is None for a part that was replaced or is still in use before it reached its threshold; `seen` is how
    long it was watched. A forecast of it can only be told to be too early.
    """

    method: str
    p10: float
    p50: float
    p90: float
    actual: float | None
    seen: float


@dataclass(frozen=True, slots=True)
class Score:
    """Errors in days of the forecasts by one method; a bias or `late_ratio` above the middle means dates too late.

    `too_early` counts the censored parts that were still in use at their P90.
    """

    method: str
    scored: int
    censored: int
    too_early: int
    median_abs_days: float
    mean_abs_days: float
    bias_days: float
    within_20_ratio: float
    coverage_80_ratio: float
    late_ratio: float


def run_backtest(
    conn: ReadConnection, at: datetime, *, origins_days: Sequence[int] = ORIGINS_DAYS, forecaster: Forecaster = "auto"
) -> list[Score]:
    """Scores by method of the forecasts made as of each origin before `at`, and of `all` together."""
    outcomes = [
        outcome for back in origins_days for outcome in _replay(conn, at - timedelta(days=back), at, forecaster)
    ]
    by_method: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_method[outcome.method].append(outcome)
        by_method["all"].append(outcome)
    return [score_outcomes(method, of_method) for method, of_method in sorted(by_method.items())]


def _replay(conn: ReadConnection, origin: datetime, at: datetime, forecaster: Forecaster) -> Iterable[Outcome]:
    parts = select_model_parts(conn)
    active = {i.installation_id: i for i in select_active_installations(conn, origin)}
    for forecasts in forecast_fleet(conn, list(active.values()), origin, forecaster=forecaster):
        asked = [f for f in forecasts if f.dates is not None and (f.remaining_pct or 100) > f.threshold_pct]
        if not asked:
            continue
        of_part = [active[f.installation_id] for f in asked]
        part = parts[of_part[0].model][of_part[0].part]
        metric_ids = [limit.metric_id for limit in part.limits]
        watched = (at - origin).days + 1
        points = select_day_ends(conn, [i.device_id for i in of_part], metric_ids, at, history_days=watched)
        for forecast, installation in zip(asked, of_part, strict=True):
            yield _compare(forecast, installation, part, points, origin, at)


def _compare(
    forecast: Forecast,
    installation: ActiveInstallation,
    part: ModelPart,
    points: Records,
    origin: datetime,
    at: datetime,
) -> Outcome:
    start, end = to_day(origin), to_day(min(at, installation.ended_at or at))
    own = points[(points["device_id"] == installation.device_id) & (points["day"] > start) & (points["day"] < end)]
    crossed = _first_crossing(part, own)
    dates = forecast.dates
    assert dates is not None
    return Outcome(
        forecast.method.value,
        p10=to_day(dates.p10) - start,
        p50=to_day(dates.p50) - start,
        p90=to_day(dates.p90) - start,
        actual=None if crossed is None else crossed - start,
        seen=end - start,
    )


def _first_crossing(part: ModelPart, points: Records) -> float | None:
    """When the first of the part's limits was read at the threshold or below."""
    below = [
        of_limit["day"][to_remaining_pct_array(limit, of_limit["value"]) <= part.threshold_pct]
        for limit in part.limits
        if limit.measure in COUNTS + PERCENTAGES
        for of_limit in [points[points["metric_id"] == limit.metric_id]]
    ]
    times = np.concatenate(below) if below else np.zeros(0)
    return float(times.min()) if len(times) else None


def score_outcomes(method: str, outcomes: Sequence[Outcome]) -> Score:
    """The score of one method's outcomes; the errors are NaN when none of them has come to an end."""
    ended = [o for o in outcomes if o.actual is not None]
    censored = [o for o in outcomes if o.actual is None]
    actual = np.array([o.actual for o in ended], dtype=np.float64)
    low, middle, high = (np.array([getattr(o, name) for o in ended]) for name in ("p10", "p50", "p90"))
    error = middle - actual

    def mean(values: Floats | Bools) -> float:
        return float(values.mean()) if len(values) else float("nan")

    return Score(
        method,
        len(ended),
        len(censored),
        sum(o.seen > o.p90 for o in censored),
        float(np.median(np.abs(error))) if len(ended) else float("nan"),
        mean(np.abs(error)),
        mean(error),
        mean(np.abs(error) <= 0.2 * actual),
        mean((low <= actual) & (actual <= high)),
        mean(error > 0),
    )
