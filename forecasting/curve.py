"""What the chart of one installation needs: remaining percent by day, and its way to the threshold with a band."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from devices.nouns import ModelPart
from devices.replacement import to_remaining_pct
from devices.store import select_model_parts
from forecasting.fleet import MAX_HISTORY_DAYS, build_all_series
from forecasting.nouns import InstallationForecast, Records, from_day, to_day
from forecasting.sources import choose_sources
from forecasting.store import select_day_ends, select_installation_forecast
from millpond.kernel.db import ReadConnection
from millpond.kernel.errors import NotFound

_MOST_POINTS = 400


@dataclass(frozen=True, slots=True)
class ForecastCurve:
    """Lists of equal length per half: what was read (oldest first), and what is expected from there on.

    `p10` is the line that reaches the threshold at the P10 date; all go on below it, not under 0.
    """

    threshold_pct: float
    read_at: list[datetime]
    remaining_pct: list[float]
    expected_at: list[datetime]
    p10: list[float]
    p50: list[float]
    p90: list[float]


def forecast_curve(conn: ReadConnection, installation_id: int, at: datetime) -> ForecastCurve:
    """The curve of an installation as of its newest forecast, with what was read up to `at`.

    Raises NotFound when there is no such installation.
    """
    found = select_installation_forecast(conn, installation_id)
    if found is None:
        raise NotFound(f"installation {installation_id} does not exist")
    installation = found.installation
    part = select_model_parts(conn)[installation.model][installation.part]
    until = min(at, installation.ended_at - timedelta(microseconds=1)) if installation.ended_at else at
    metric_ids = [limit.metric_id for limit in part.limits]
    points = select_day_ends(conn, [installation.device_id], metric_ids, until, history_days=MAX_HISTORY_DAYS)
    if installation.replaced:
        # The same half second of grace that the usage series gives.
        points = points[points["day"] >= to_day(installation.installed_at) - 1e-5]
    read = _remaining_by_day(part, found, points, until)
    days, lines = _project(found, part.threshold_pct)
    return ForecastCurve(
        part.threshold_pct,
        [from_day(day) for day, _ in read],
        [pct for _, pct in read],
        [from_day(day) for day in days],
        *lines,
    )


def _remaining_by_day(
    part: ModelPart, found: InstallationForecast, points: Records, until: datetime
) -> list[tuple[float, float]]:
    """(time, remaining percent) of every day, the least of the limits that speak for the part."""
    least: dict[int, tuple[float, float]] = {}
    for limit, _, _ in choose_sources(build_all_series(part, [found.installation], points, [], until)):
        for point in points[points["metric_id"] == limit.metric_id]:
            if np.isfinite(point["value"]):
                day, pct = float(point["day"]), min(max(to_remaining_pct(limit, float(point["value"])), 0.0), 100.0)
                least[int(day)] = min(least.get(int(day), (day, pct)), (day, pct), key=lambda one: one[1])
    return [least[day] for day in sorted(least)]


def _project(found: InstallationForecast, threshold_pct: float) -> tuple[list[float], list[list[float]]]:
    dates = (found.depletes_p10, found.depletes_p50, found.depletes_p90)
    start, remaining = found.data_cutoff, found.remaining_pct
    if start is None or remaining is None or remaining <= threshold_pct or None in dates:
        return [], [[], [], []]
    first, reached = to_day(start), [to_day(date) for date in dates if date is not None]
    step = max(1.0, (reached[-1] - first) / _MOST_POINTS)
    days = np.append(np.arange(first, reached[-1], step), reached[-1])
    slopes = [(remaining - threshold_pct) / max(date - first, 1e-6) for date in reached]
    return days.tolist(), [np.maximum(remaining - slope * (days - first), 0.0).tolist() for slope in slopes]
