"""The forecast of all installations of one part of one model: pure, from its readings to its answers."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Literal

import numpy as np

from devices.nouns import ModelPart, PartLimit
from devices.parts.doubts import find_doubt
from devices.parts.limits import COUNTS, PERCENTAGES
from forecasting.answer import LimitForecast, build_answer
from forecasting.cohort import FitIndex, UsageIndex, build_flat_index, build_index, group_cohorts
from forecasting.flags import read_flags
from forecasting.interval import PastErrors, build_spread, measure_errors
from forecasting.level import Levels, compute_levels
from forecasting.nouns import ActiveInstallation, Bools, Forecast, Ints, Method, Records, to_day
from forecasting.projection import HORIZON_DAYS, MIN_STEPS, DepletionDays, project_depletion
from forecasting.prophet_index import fit_prophet_index
from forecasting.sources import choose_sources
from forecasting.states import read_states
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
    order. Several limits of a part are each projected, and the first reached wins. The points of a state are 1 where it
    asks for a new part, else 0.
    """
    end = to_day(at)
    regions = np.unique([i.region for i in installations], return_inverse=True)[1].astype(np.int64)
    read = build_all_series(part, installations, points, resets, at)
    by_limit = [
        (forecast_series(limit, series, regions, part, end, forecaster), used)
        for limit, series, used in choose_sources(read)
    ]
    return [
        build_answer(
            part,
            installation,
            [(found, row) for found, used in by_limit if used[row]],
            at,
            find_doubt(read_states(read, row, installation), threshold_pct=part.threshold_pct, at=end),
            flag,
        )
        for row, (installation, flag) in enumerate(
            zip(installations, read_flags(part, installations, points), strict=True)
        )
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
                prior_life_days=part.prior_life_days,
            ),
        )
        for limit in part.limits
        if limit.measure in COUNTS + PERCENTAGES
    ]


@dataclass(frozen=True, slots=True)
class _Cohort:
    """Some rows of a limit: their own series, the index they share, their levels on it, and how wrong it has been."""

    rows: Ints
    series: UsageSeries
    index: UsageIndex
    levels: Levels
    errors: PastErrors


def forecast_series(
    limit: PartLimit, series: UsageSeries, regions: Ints, part: ModelPart, end: float, forecaster: Forecaster
) -> LimitForecast:
    """Levels, methods and dates of all rows of one limit, cohort by cohort."""
    prior = 100 / part.prior_life_days
    cohorts = _fit_cohorts(series, regions, prior, forecaster)
    errors = PastErrors()
    for cohort in cohorts:
        errors.add(cohort.errors)
    spread, horizon = build_spread(errors, history_days=series.usage.shape[1]), end + HORIZON_DAYS
    level, p10, p50, p90 = (np.full(len(regions), np.nan) for _ in range(4))
    method = [Method.PRIOR] * len(regions)
    for c in cohorts:
        found = project_depletion(
            c.series, c.index, c.levels, spread, threshold_pct=part.threshold_pct, horizon=horizon
        )
        p10[c.rows], p50[c.rows], p90[c.rows], level[c.rows] = found.p10, found.p50, found.p90, c.levels.pct_per_day
        known = (c.series.steps >= MIN_STEPS) & (c.levels.own_days >= _MIN_OWN_DAYS)
        for row in c.rows[known]:
            method[row] = c.index.method
    return LimitForecast(limit, series, level, method, DepletionDays(p10, p50, p90))


def _fit_cohorts(series: UsageSeries, regions: Ints, prior: float, forecaster: Forecaster) -> list[_Cohort]:
    n_days = series.usage.shape[1]
    fit = fit_prophet_index if forecaster == "auto" else None
    cohorts = []
    for members, fitted_on, one_region in group_cohorts(regions, series.exposure):
        fit_until = partial(_fit_until, series, fitted_on, one_region=one_region, fit=fit)
        index = fit_until(n_days)
        own = take_rows(series, np.flatnonzero(members))
        levels = compute_levels(own, index, prior_pct_per_day=prior, until=n_days)
        errors = measure_errors(own, fit_until, prior_pct_per_day=prior)
        cohorts.append(_Cohort(np.flatnonzero(members), own, index, levels, errors))
    return cohorts


def _fit_until(
    series: UsageSeries, fitted_on: Bools, until: int, *, one_region: bool, fit: FitIndex | None
) -> UsageIndex:
    """The index of all days to come, fitted on the first `until` days."""
    n_days = series.usage.shape[1] + HORIZON_DAYS
    if fit is None:
        return build_flat_index(series.first_day, n_days)
    event = {"event": "cohort_fit_failed"}
    try:
        return build_index(series, fitted_on, until, n_days, one_region=one_region, fit=fit)
    except (ArithmeticError, ImportError, OSError, RuntimeError, ValueError):
        # OSError: a full disk, and time-outs. No fit may cost anybody their forecast.
        _LOG.exception("A cohort could not be fitted; its devices are forecast at a fixed rate.", extra=event)
        return build_flat_index(series.first_day, n_days)
