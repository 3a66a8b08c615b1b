"""Use case: end the installations whose part was replaced, and begin the next."""

import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import class_row

from devices.limits import COUNTS, LEVELS, most_pct_per_day, quantum_pct, to_remaining_pct
from devices.nouns import Measure, ModelPart, PartLimit
from devices.replacement import LimitPoint, Replacement, read_history
from devices.store import select_model_parts
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.ids import MetricId
from millpond.kernel.jobs import Claim, hold_lease

_Q = load_queries("devices")
_LOG = logging.getLogger(__name__)
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class CurrentPart:
    """An installation that is not ended yet; `replaced` says whether it followed another."""

    installation_id: int
    device_id: int
    model: str
    part: str
    installed_at: datetime
    replaced: bool


@dataclass(frozen=True, slots=True)
class LimitDay:
    """One day of one numeric limit of an installation."""

    installation_id: int
    metric_id: MetricId
    day: datetime
    first_at: datetime
    first_value: float
    last_at: datetime
    last_value: float
    min_value: float
    max_value: float


_Series = dict[tuple[int, MetricId], list[LimitPoint]]


def update_installations(conn: WriteConnection, at: datetime, *, claim: Claim | None = None) -> int:
    """End and begin installations by the readings measured up to `at`; how many replacements were found.

    One transaction a chunk of installations; running it again changes nothing. Readings from before the current
    installation began are left alone, however late they come.
    """
    parts = select_model_parts(conn)
    found, after = 0, 0
    while chunk := select_current_parts(conn, after=after, limit=_CHUNK, at=at):
        replacements = list(_find_in_chunk(conn, chunk, parts, at))
        with conn.transaction():
            if claim is not None:
                hold_lease(conn, claim)
            for current, replacement in replacements:
                _replace(conn, current, replacement)
        found += len(replacements)
        after = chunk[-1].installation_id
    return found


def select_current_parts(conn: ReadConnection, *, after: int, limit: int, at: datetime) -> list[CurrentPart]:
    """Up to `limit` installations that began up to `at`, are not ended, and have a key above `after`."""
    with conn.cursor(row_factory=class_row(CurrentPart)) as cursor:
        return cursor.execute(_Q["select_current_parts"], {"after": after, "limit": limit, "at": at}).fetchall()


def _replace(conn: WriteConnection, current: CurrentPart, replacement: Replacement) -> None:
    values = {
        "device_id": current.device_id,
        "part": current.part,
        "at": replacement.at,
        "ended_by": replacement.ended_by,
    }
    conn.execute(_Q["end_installation"], values)
    conn.execute(_Q["begin_installation"], values)


def _find_in_chunk(
    conn: ReadConnection, chunk: list[CurrentPart], parts: dict[str, dict[str, ModelPart]], at: datetime
) -> Iterator[tuple[CurrentPart, Replacement]]:
    series = _select_series(conn, chunk, parts, at)
    for current in chunk:
        part = parts.get(current.model, {}).get(current.part)
        if part is None:
            continue
        told = [(limit, series.get((current.installation_id, limit.metric_id), [])) for limit in part.limits]
        settled_from = current.installed_at if current.replaced else None
        try:
            history = read_history(told, settled_from=settled_from, prior_life_days=part.prior_life_days)
        except (ArithmeticError, ValueError):
            _LOG.exception("A part's series could not be read.", extra={"event": "replacement_failed", "part": current})
            continue
        yield from ((current, replacement) for replacement in history.replacements)


def _select_series(
    conn: ReadConnection, chunk: list[CurrentPart], parts: dict[str, dict[str, ModelPart]], at: datetime
) -> _Series:
    """The points of every limit since its installation began: days on which nothing happened by their ends only."""
    limits = {limit.metric_id: limit for by_part in parts.values() for p in by_part.values() for limit in p.limits}
    ids = [current.installation_id for current in chunk]
    began = {current.installation_id: current.installed_at for current in chunk}
    series: _Series = defaultdict(list)
    eventful: list[LimitDay] = []
    previous: LimitDay | None = None
    for day in _select_days(conn, chunk, parts, at):
        same = previous is not None and _key(previous) == _key(day)
        before = previous.last_value if same and previous is not None else day.first_value
        if _is_calm(limits[day.metric_id], day, before, began[day.installation_id], at):
            series[_key(day)] += _ends(day)
        else:
            eventful.append(day)
        previous = day
    # An installation in which nothing ever happened cannot tell of a replacement.
    told = {day.installation_id for day in eventful}
    series = defaultdict(list, {key: points for key, points in series.items() if key[0] in told})
    _add_raw(conn, series, eventful, began, at)
    _add_identities(conn, series, ids, limits, at)
    return series


def _key(day: LimitDay) -> tuple[int, MetricId]:
    return (day.installation_id, day.metric_id)


def _is_calm(limit: PartLimit, day: LimitDay, before: float, began: datetime, at: datetime) -> bool:
    """Whether nothing but use can have happened on the day, so that its two ends say all there is."""
    if day.first_at < began or day.last_at > at or limit.measure not in LEVELS:
        return False
    first, last, one, other, before = (
        to_remaining_pct(limit, value)
        for value in (day.first_value, day.last_value, day.min_value, day.max_value, before)
    )
    least, most = min(one, other), max(one, other)
    small = min(3 * quantum_pct(limit), 1.0) if limit.measure in COUNTS else 5.0
    rise = max(most - min(before, first), last - least)
    fall = max(before, first) - least
    return rise <= small and fall <= small + most_pct_per_day(limit)


def _ends(day: LimitDay) -> list[LimitPoint]:
    ends = [LimitPoint(day.first_at, day.first_value), LimitPoint(day.last_at, day.last_value)]
    return ends if day.first_at < day.last_at else ends[1:]


def _select_days(
    conn: ReadConnection, chunk: list[CurrentPart], parts: dict[str, dict[str, ModelPart]], at: datetime
) -> Iterator[LimitDay]:
    keys = [
        (current, limit.metric_id)
        for current in chunk
        if current.part in parts.get(current.model, {})
        for limit in parts[current.model][current.part].limits
        if limit.measure not in (Measure.STATE, Measure.IDENTITY)
    ]
    values = {
        "installation_ids": [current.installation_id for current, _ in keys],
        "of_devices": [current.device_id for current, _ in keys],
        "of_metrics": [metric_id for _, metric_id in keys],
        "began": [current.installed_at for current, _ in keys],
        "device_ids": sorted({current.device_id for current, _ in keys}),
        "metric_ids": sorted({metric_id for _, metric_id in keys}),
        "at": at,
    }
    with conn.cursor(row_factory=class_row(LimitDay)) as cursor:
        yield from cursor.execute(_Q["select_limit_days"], values)


def _add_raw(
    conn: ReadConnection, series: _Series, days: list[LimitDay], began: dict[int, datetime], at: datetime
) -> None:
    if not days:
        return
    values: dict[str, Any] = {
        "installation_ids": [day.installation_id for day in days],
        "metric_ids": [day.metric_id for day in days],
        "from_ats": [max(day.day, began[day.installation_id]) for day in days],
        "to_ats": [day.day + timedelta(days=1) for day in days],
        "at": at,
    }
    for installation_id, metric_id, measured_at, value in conn.execute(_Q["select_limit_readings"], values):
        series[installation_id, metric_id].append(LimitPoint(measured_at, value))
    for key in {_key(day) for day in days}:
        series[key].sort(key=lambda point: point.at)


def _add_identities(
    conn: ReadConnection, series: _Series, ids: list[int], limits: dict[MetricId, PartLimit], at: datetime
) -> None:
    metric_ids = [metric_id for metric_id, limit in limits.items() if limit.measure is Measure.IDENTITY]
    values = {"installation_ids": ids, "metric_ids": metric_ids, "at": at}
    for installation_id, metric_id, measured_at, state in conn.execute(_Q["select_identity_runs"], values):
        series[installation_id, metric_id].append(LimitPoint(measured_at, state=state))
