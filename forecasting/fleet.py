"""The forecast of all installations of one part of one model: pure, from its readings to its answers."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import numpy as np

from devices.nouns import ModelPart, PartLimit
from devices.replacement import COUNTS, PERCENTAGES
from forecasting.answer import LimitForecast, build_answer
from forecasting.cohort import FitIndex, UsageIndex, build_flat_index, build_index, group_cohorts
from forecasting.interval import PastErrors, build_spread, measure_errors
from forecasting.level import compute_levels
from forecasting.nouns import ActiveInstallation, Bools, Forecast, Ints, Method, Records, to_day
from forecasting.projection import HORIZON_DAYS, MIN_STEPS, Depletion, project_depletion
from forecasting.prophet_index import fit_prophet_index
from forecasting.sources import choose_sources
from forecasting.usage import UsageSeries, build_usage_series, take_rows

_LOG = logging.getLogger(__name__)
MAX_HISTORY_DAYS = 3 * 365
_MIN_OWN_DAYS = 3

Forecaster = Literal["auto", "fixed"]


def forecast_part(
    part: ModelPart,
    installations: Sequence[ActiveInstallation],
    points: Records,
    resets: Sequence[tuple[int, float]],
    at: datetime,
    *,
    forecaster: Forecaster = "auto",
) -> list[Forecast]:
    """One forecast per installation, in order. `installations` are of `part`, ascending by device.

    `points` have fields device_id, metric_id, day (days since 1970) and value, ordered by device and time within each
    metric and none after `at`; `resets` are (position in `installations`, days since 1970) of all replacements, in
    order. Several limits of a part are each projected, and the first reached wins.
    """
    end = to_day(at)
    regions = np.unique([i.region for i in installations], return_inverse=True)[1].astype(np.int64)
    by_limit = [
        (forecast_series(limit, series, regions, part, end, forecaster), speaks)
        for limit, series, speaks in choose_sources(build_all_series(part, installations, points, resets, at))
    ]
    return [
        build_answer(part, installation, [(found, row) for found, speaks in by_limit if speaks[row]], at)
        for row, installation in enumerate(installations)
    ]


def build_all_series(
    part: ModelPart,
    installations: Sequence[ActiveInstallation],
    points: Records,
    resets: Sequence[tuple[int, float]],
    at: datetime,
) -> list[tuple[PartLimit, UsageSeries]]:
    """The usage by every percentage and counter that speaks of the part."""
    end = to_day(at)
    oldest = points["day"].min() if len(points) else end
    first_day = int(np.floor(max(oldest, end - MAX_HISTORY_DAYS)))
    device_ids = np.array([i.device_id for i in installations], dtype=np.int64)
    return [
        (
            limit,
            build_usage_series(
                limit,
                points[points["metric_id"] == limit.metric_id],
                device_ids,
                resets,
                threshold_pct=part.threshold_pct,
                first_day=first_day,
                end=end,
            ),
        )
        for limit in part.limits
        if limit.measure in COUNTS + PERCENTAGES
    ]


def forecast_series(
    limit: PartLimit, series: UsageSeries, regions: Ints, part: ModelPart, end: float, forecaster: Forecaster
) -> LimitForecast:
    """Levels, methods and dates of all rows of one limit, cohort by cohort."""
    prior = 100 / part.prior_life_days
    n_rows, n_days = series.usage.shape
    fit = fit_prophet_index if forecaster == "auto" else None
    cohorts = []
    errors = PastErrors()
    for members, fitted_on, one_region in group_cohorts(regions, series.exposure):
        index = _index(series, fitted_on, n_days + HORIZON_DAYS, one_region=one_region, fit=fit)
        rows = np.flatnonzero(members)
        own = take_rows(series, rows)
        cohorts.append((rows, index, compute_levels(own, index, prior_pct_per_day=prior, until=n_days)))
        errors.add(measure_errors(own, index, prior_pct_per_day=prior))
    spread = build_spread(errors)
    level, own_days = np.zeros(n_rows), np.zeros(n_rows)
    dates = Depletion(*(np.full(n_rows, np.nan) for _ in range(3)))
    method = [Method.PRIOR] * n_rows
    for rows, index, levels in cohorts:
        found = project_depletion(
            series, rows, index, levels, spread, threshold_pct=part.threshold_pct, horizon=end + HORIZON_DAYS
        )
        dates.p10[rows], dates.p50[rows], dates.p90[rows] = found.p10, found.p50, found.p90
        level[rows], own_days[rows] = levels.pct_per_day, levels.own_days
        for row in rows:
            known = series.steps[row] >= MIN_STEPS and own_days[row] >= _MIN_OWN_DAYS
            method[row] = index.method if known else Method.PRIOR
    return LimitForecast(limit, series, level, method, dates)


def _index(series: UsageSeries, fitted_on: Bools, n_days: int, *, one_region: bool, fit: FitIndex | None) -> UsageIndex:
    if fit is None:
        return build_flat_index(series.first_day, n_days)
    try:
        return build_index(series, fitted_on, n_days, one_region=one_region, fit=fit)
    except (RuntimeError, TimeoutError, ValueError):
        _LOG.exception("A cohort could not be fitted; its devices are forecast at a fixed rate.", extra=_EVENT)
        return build_flat_index(series.first_day, n_days)


_EVENT = {"event": "cohort_fit_failed"}
