"""What a forecast run reads of its parts' limits: days on which nothing happened by their ends, the others in full."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from psycopg.rows import class_row

from devices.nouns import CurrentPart, ModelPart, PartLimit
from devices.parts.limits import COUNTS, LEVELS, WORDS, most_pct_per_day, quantum_pct, to_remaining_pct
from devices.parts.replacement import LimitPoint
from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.ids import MetricId

_Q = load_queries("devices.parts")
_DAY = timedelta(days=1)


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


@dataclass(frozen=True, slots=True)
class WordDay:
    """One day of one limit of an installation that is told in words; whether all of them are the `same`."""

    installation_id: int
    metric_id: MetricId
    day: datetime
    first_at: datetime
    first_state: str
    last_at: datetime
    last_state: str
    same: bool


_Series = dict[tuple[int, MetricId], list[LimitPoint]]


def select_series(
    conn: ReadConnection, chunk: list[CurrentPart], parts: dict[str, dict[str, ModelPart]], at: datetime
) -> _Series:
    """The points of every limit, each installation's from its `read_from`; of days without events only their ends."""
    limits = {limit.metric_id: limit for by_part in parts.values() for p in by_part.values() for limit in p.limits}
    currents = {current.installation_id: current for current in chunk}
    series: _Series = defaultdict(list)
    eventful: list[LimitDay] = []
    previous: LimitDay | None = None
    for day in _select_days(conn, chunk, parts, at):
        same = previous is not None and _key(previous) == _key(day)
        before = previous.last_value if same and previous is not None else day.first_value
        if _is_calm(limits[day.metric_id], day, before, currents[day.installation_id].read_from, at):
            series[_key(day)] += _ends(day)
        else:
            eventful.append(day)
        previous = day
    # An installation in which nothing ever happened cannot tell of a replacement.
    told = {day.installation_id for day in eventful}
    series = defaultdict(list, {key: points for key, points in series.items() if key[0] in told})
    _add_raw(conn, series, eventful, currents, at)
    _add_words(conn, series, chunk, parts, currents, at)
    return series


def _key(day: LimitDay | WordDay) -> tuple[int, MetricId]:
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


def _keys(
    chunk: list[CurrentPart], parts: dict[str, dict[str, ModelPart]], *, words: bool, at: datetime
) -> dict[str, Any]:
    """The limits of the installations that are told in words, or in numbers, as parameters."""
    keys = [
        (current, limit.metric_id)
        for current in chunk
        if current.part in parts.get(current.model, {})
        for limit in parts[current.model][current.part].limits
        if (limit.measure in WORDS) is words
    ]
    return {
        "installation_ids": [current.installation_id for current, _ in keys],
        "of_devices": [current.device_id for current, _ in keys],
        "of_metrics": [metric_id for _, metric_id in keys],
        "began": [current.read_from for current, _ in keys],
        "device_ids": sorted({current.device_id for current, _ in keys}),
        "metric_ids": sorted({metric_id for _, metric_id in keys}),
        "at": at,
    }


def _select_days(
    conn: ReadConnection, chunk: list[CurrentPart], parts: dict[str, dict[str, ModelPart]], at: datetime
) -> Iterator[LimitDay]:
    with conn.cursor(row_factory=class_row(LimitDay)) as cursor:
        yield from cursor.execute(_Q["select_limit_days"], _keys(chunk, parts, words=False, at=at))


def _read_spans(
    conn: ReadConnection, name: str, days: Sequence[LimitDay | WordDay], currents: dict[int, CurrentPart], at: datetime
) -> Iterator[tuple[Any, ...]]:
    """What was read on the days, which are in the order of their limits and dates; days in a row are one span.

    Month by month, and not prepared: so the parts of a long history that lie beside a month are not even looked at.
    """
    spans: list[tuple[LimitDay | WordDay, datetime]] = []
    for day in days:
        if spans and _key(spans[-1][0]) == _key(day) and spans[-1][1] == day.day:
            spans[-1] = (spans[-1][0], day.day + _DAY)
        else:
            spans.append((day, day.day + _DAY))
    for _, some in groupby(sorted(spans, key=_month), key=_month):
        yield from conn.execute(_Q[name], _as_parameters(list(some), currents, at), prepare=False)


def _month(span: tuple[LimitDay | WordDay, datetime]) -> tuple[int, int]:
    began = span[0].day.astimezone(UTC)
    return began.year, began.month


def _as_parameters(
    spans: list[tuple[LimitDay | WordDay, datetime]], currents: dict[int, CurrentPart], at: datetime
) -> dict[str, Any]:
    from_ats = [max(day.day, currents[day.installation_id].read_from) for day, _ in spans]
    return {
        "installation_ids": [day.installation_id for day, _ in spans],
        "of_devices": [currents[day.installation_id].device_id for day, _ in spans],
        "metric_ids": [day.metric_id for day, _ in spans],
        "from_ats": from_ats,
        "to_ats": [to_at for _, to_at in spans],
        "first_at": min(from_ats),
        "last_at": max(to_at for _, to_at in spans),
        "at": at,
    }


def _add_raw(
    conn: ReadConnection, series: _Series, days: list[LimitDay], currents: dict[int, CurrentPart], at: datetime
) -> None:
    read = set()
    rows = _read_spans(conn, "select_limit_readings", days, currents, at)
    for installation_id, metric_id, measured_at, value in rows:
        series[installation_id, metric_id].append(LimitPoint(measured_at, value))
        read.add((installation_id, metric_id, measured_at.astimezone(UTC).date()))
    for day in days:
        # Of a day whose readings were dropped, its ends are what is left.
        if (*_key(day), day.day.astimezone(UTC).date()) not in read:
            began = currents[day.installation_id].read_from
            series[_key(day)] += [point for point in _ends(day) if began <= point.at <= at]
    for key in {_key(day) for day in days}:
        series[key].sort(key=lambda point: point.at)


def _add_words(
    conn: ReadConnection,
    series: _Series,
    chunk: list[CurrentPart],
    parts: dict[str, dict[str, ModelPart]],
    currents: dict[int, CurrentPart],
    at: datetime,
) -> None:
    """The first and the last reading of every run of one word: a day with one word says both, the others are read."""
    with conn.cursor(row_factory=class_row(WordDay)) as cursor:
        days = cursor.execute(_Q["select_word_days"], _keys(chunk, parts, words=True, at=at)).fetchall()
    points: dict[tuple[int, MetricId], dict[datetime, LimitPoint]] = defaultdict(dict)
    mixed = []
    for day in days:
        began = currents[day.installation_id].read_from
        for moment, state in ((day.first_at, day.first_state), (day.last_at, day.last_state)):
            if began <= moment <= at:
                points[_key(day)][moment] = LimitPoint(moment, state=state)
        if not day.same or day.first_at < began or day.last_at > at:
            mixed.append(day)
    for installation_id, metric_id, moment, state in _read_spans(conn, "select_word_readings", mixed, currents, at):
        points[installation_id, metric_id][moment] = LimitPoint(moment, state=state)
    for key, by_moment in points.items():
        series[key] = _ends_of_runs([by_moment[moment] for moment in sorted(by_moment)])


def _ends_of_runs(points: list[LimitPoint]) -> list[LimitPoint]:
    """Those before or after which another word is told, and the two ends."""
    states = [None, *(point.state for point in points), None]
    return [p for p, before, after in zip(points, states, states[2:], strict=False) if not before == p.state == after]
