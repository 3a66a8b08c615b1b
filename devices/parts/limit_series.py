"""What a forecast run reads of its parts' limits: days on which nothing happened by their ends, the others in full."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg.rows import class_row

from devices.nouns import CurrentPart, ModelPart, PartLimit
from devices.parts.limits import COUNTS, LEVELS, WORDS, most_pct_per_day, quantum_pct, to_remaining_pct
from devices.parts.replacement import LimitPoint
from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.ids import MetricId

_Q = load_queries("devices.parts")


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


def select_series(
    conn: ReadConnection, chunk: list[CurrentPart], parts: dict[str, dict[str, ModelPart]], at: datetime
) -> _Series:
    """The points of every limit, each installation's from its `read_from`; of days without events only their ends."""
    limits = {limit.metric_id: limit for by_part in parts.values() for p in by_part.values() for limit in p.limits}
    began = {current.installation_id: current.read_from for current in chunk}
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
    _add_words(conn, series, began, limits, at)
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
        if limit.measure not in WORDS
    ]
    values = {
        "installation_ids": [current.installation_id for current, _ in keys],
        "of_devices": [current.device_id for current, _ in keys],
        "of_metrics": [metric_id for _, metric_id in keys],
        "began": [current.read_from for current, _ in keys],
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
    read = set()
    for installation_id, metric_id, measured_at, value in conn.execute(_Q["select_limit_readings"], values):
        series[installation_id, metric_id].append(LimitPoint(measured_at, value))
        read.add((installation_id, metric_id, measured_at.astimezone(UTC).date()))
    for day in days:
        # Of a day whose readings were dropped, its ends are what is left.
        if (*_key(day), day.day.astimezone(UTC).date()) not in read:
            series[_key(day)] += [point for point in _ends(day) if began[day.installation_id] <= point.at <= at]
    for key in {_key(day) for day in days}:
        series[key].sort(key=lambda point: point.at)


def _add_words(
    conn: ReadConnection, series: _Series, began: dict[int, datetime], limits: dict[MetricId, PartLimit], at: datetime
) -> None:
    metric_ids = [metric_id for metric_id, limit in limits.items() if limit.measure in WORDS]
    values = {"installation_ids": list(began), "began": list(began.values()), "metric_ids": metric_ids, "at": at}
    for installation_id, metric_id, measured_at, state in conn.execute(_Q["select_word_runs"], values):
        series[installation_id, metric_id].append(LimitPoint(measured_at, state=state))
