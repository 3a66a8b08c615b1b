"""The forecast job: installations in force, their usage, their depletion dates, stored."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Set
from datetime import datetime
from itertools import groupby

import numpy as np

from devices.nouns import Measure, ModelPart
from devices.parts.installations import update_installations
from devices.store import select_model_parts
from devices.tiers.late import forget_late_days, select_rolled_days
from devices.tiers.rollup import refresh_tiers
from forecasting.nouns import ActiveInstallation, Forecast, ForecastSummary, NoDate, Reason, Records, to_day
from forecasting.part import MAX_HISTORY_DAYS, Forecaster, forecast_part
from forecasting.store import (
    insert_forecast_run,
    insert_forecasts,
    select_active_installations,
    select_day_ends,
    select_due_states,
    select_resets,
    update_forecast_run,
)
from millpond.kernel.db import ReadConnection, WriteConnection
from millpond.kernel.ids import DeviceId
from millpond.kernel.jobs import Claim, held

_LOG = logging.getLogger(__name__)
_CHUNK = 1000

Progress = Callable[[int, int], None]


def run_forecasts(
    conn: WriteConnection,
    at: datetime,
    *,
    made_at: datetime,
    claim: Claim | None = None,
    forecaster: Forecaster = "auto",
    on_progress: Progress | None = None,
) -> ForecastSummary:
    """Bring the daily rollup up to date, then do what `forecast_active` does; must be called outside a transaction.

    The scheduler and `millpond forecast` call it.
    """
    refresh_tiers(conn)
    late = select_rolled_days(conn)
    summary = forecast_active(conn, at, made_at=made_at, claim=claim, forecaster=forecaster, on_progress=on_progress)
    forget_late_days(conn, late)
    return summary


def forecast_late(
    conn: WriteConnection,
    at: datetime,
    *,
    made_at: datetime,
    claim: Claim | None = None,
    forecaster: Forecaster = "auto",
) -> ForecastSummary | None:
    """Roll up the days that got readings late, and forecast their devices again; None when there are no such days.

    Must be called outside a transaction. The scheduler calls it between two runs of the forecast.
    """
    refresh_tiers(conn)
    late = select_rolled_days(conn)
    if not late:
        return None
    of_devices = {device_id for device_id, _ in late}
    summary = forecast_active(conn, at, made_at=made_at, claim=claim, forecaster=forecaster, of_devices=of_devices)
    forget_late_days(conn, late)
    return summary


def forecast_active(
    conn: WriteConnection,
    at: datetime,
    *,
    made_at: datetime,
    claim: Claim | None = None,
    forecaster: Forecaster = "auto",
    on_progress: Progress | None = None,
    of_devices: Set[DeviceId] | None = None,
) -> ForecastSummary:
    """Forecast every installation in force at `at` from what was measured up to `at`, and store the answers.

    Of some devices when these are given: all others of their kind are read too, since a fleet's members learn from each
    other, and their answers stay as they are.
    Replacements are looked for first. One transaction a chunk of installations; with a `claim`, each holds its lease
    and raises LeaseLost when another scheduler took over. `forecaster="fixed"` does without Prophet. `on_progress` is
    called with (installations done, of how many) after each part of a model.
    """
    replacements = update_installations(conn, at, claim=claim, of_devices=of_devices)
    active = _with_their_kind(select_active_installations(conn, at), of_devices)
    wanted = {i.installation_id for i in active if of_devices is None or i.device_id in of_devices}
    with held(conn, claim):
        run_id = insert_forecast_run(conn, at, made_at)
    methods: Counter[str] = Counter()
    done = 0
    for fleet in forecast_fleet(conn, active, at, forecaster=forecaster, on_read=lambda: _renew(conn, claim)):
        forecasts = [forecast for forecast in fleet if forecast.installation_id in wanted]
        _save(conn, run_id, at, made_at, forecasts, claim)
        methods.update(f.method.value if f.dates else "refused" for f in forecasts)
        done += len(forecasts)
        if on_progress is not None:
            on_progress(done, len(wanted))
    refused = methods.pop("refused", 0)
    with held(conn, claim):
        update_forecast_run(conn, run_id, installations=done, forecasts=done - refused)
    return ForecastSummary(run_id, at, done, done - refused, refused, replacements, dict(methods))


def _with_their_kind(active: list[ActiveInstallation], of_devices: Set[DeviceId] | None) -> list[ActiveInstallation]:
    if of_devices is None:
        return active
    kinds = {(i.model, i.part) for i in active if i.device_id in of_devices}
    return [i for i in active if (i.model, i.part) in kinds]


def forecast_fleet(
    conn: ReadConnection,
    active: list[ActiveInstallation],
    at: datetime,
    *,
    forecaster: Forecaster = "auto",
    on_read: Callable[[], None] | None = None,
) -> Iterator[list[Forecast]]:
    """The forecasts of `active` (ordered by model and part) as of `at`, a list per part of a model. Writes nothing.

    `on_read` is called after each chunk of readings: the job renews its lease there, since one part's readings may
    take longer than a lease.
    """
    parts = select_model_parts(conn)
    for (model, name), group in groupby(active, key=lambda i: (i.model, i.part)):
        installations = list(group)
        part = parts.get(model, {}).get(name)
        if part is None:
            _LOG.warning("A model has lost a part.", extra={"event": "part_unknown", "model": model, "part": name})
            continue
        points = _read(conn, part, installations, at, on_read)
        resets = select_resets(conn, [i.device_id for i in installations], name, at)
        yield _forecast_or_refuse(part, installations, points, resets, at, forecaster)


def _read(
    conn: ReadConnection,
    part: ModelPart,
    installations: list[ActiveInstallation],
    at: datetime,
    on_read: Callable[[], None] | None,
) -> Records:
    device_ids, metric_ids = [i.device_id for i in installations], [limit.metric_id for limit in part.limits]
    read = []
    for start in range(0, len(device_ids), _CHUNK):
        some = device_ids[start : start + _CHUNK]
        read.append(select_day_ends(conn, some, metric_ids, at, history_days=MAX_HISTORY_DAYS))
        states = [limit for limit in part.limits if limit.measure is Measure.STATE]
        read += [select_due_states(conn, some, one, at, history_days=MAX_HISTORY_DAYS) for one in states]
        if on_read is not None:
            on_read()
    return np.concatenate(read)


def _forecast_or_refuse(
    part: ModelPart,
    installations: list[ActiveInstallation],
    points: Records,
    resets: list[tuple[int, datetime]],
    at: datetime,
    how: Forecaster,
) -> list[Forecast]:
    """All together; when that fails, in halves, so that only the one that cannot be forecast goes without."""
    rows = {int(i.device_id): row for row, i in enumerate(installations)}
    cuts = [(rows[device_id], to_day(moment)) for device_id, moment in resets if device_id in rows]
    try:
        return forecast_part(part, installations, points, cuts, at, forecaster=how)
    except (ArithmeticError, ValueError, IndexError) as error:
        extra = {"event": "forecast_failed", "model": part.model, "part": part.part}
        _LOG.exception("Installations could not be forecast.", extra=extra | {"installations": len(installations)})
        if len(installations) == 1:
            reason = Reason(NoDate.FAILED, f"its readings could not be forecast: {error}")
            refused = installations[0].installation_id
            return [Forecast.refused(refused, reason, threshold_pct=part.threshold_pct)]
        half = len(installations) // 2
        return [
            forecast
            for some in (installations[:half], installations[half:])
            for forecast in _forecast_or_refuse(part, some, points, resets, at, how)
        ]


def _renew(conn: WriteConnection, claim: Claim | None) -> None:
    with held(conn, claim):
        pass


def _save(
    conn: WriteConnection, run_id: int, at: datetime, made_at: datetime, forecasts: list[Forecast], claim: Claim | None
) -> None:
    for start in range(0, len(forecasts), _CHUNK):
        with held(conn, claim):
            insert_forecasts(conn, run_id, at, made_at, forecasts[start : start + _CHUNK])
