"""When a part was replaced, told from what its metrics say. Pure: series in, moments out.

Percentages and counters are first brought to one measure, percent remaining, in which a replacement is a rise. A rise
counts when it is larger than max(5 points, 4 sigma, 1.5 quanta) against what was read before and is still there in
what is read after; so a single-reading glitch, noise of one quantum and a filter that was only taken out and put back
are none, and a partly used filter put in is one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median, median_high, median_low

from devices.nouns import EndedBy, Measure, PartLimit

SETTLING = timedelta(days=1)
"""A part being put in may flicker so long: what else speaks of a replacement within it is the same replacement."""

COUNTS = (Measure.USED, Measure.REMAINING)
PERCENTAGES = (Measure.PERCENT_REMAINING, Measure.PERCENT_USED)
_LOOK_BACK = timedelta(hours=36)
_MIN_RISE_PCT = 5.0
_MIN_CHANGES = 10  # of fewer, a replacement itself would pass for noise
_UNREADABLE = {"", "unknown", "none", "null", "unavailable"}
_STRONGEST_FIRST = (
    EndedBy.IDENTITY_CHANGE,
    EndedBy.COUNTER_FALL,
    EndedBy.PERCENT_RISE,
    EndedBy.REPLACED_EVENT,
)


@dataclass(frozen=True, slots=True)
class LimitPoint:
    """One value of one limit of a part; `state` is set for an identity, `value` for everything else."""

    at: datetime
    value: float | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Replacement:
    """The old part was last seen at `after`, the new one first at `at`."""

    after: datetime
    at: datetime
    ended_by: EndedBy


def to_remaining_pct(limit: PartLimit, value: float) -> float:
    """What `value` of the limit's metric says in percent remaining, 0 to 100 and beyond when it is overdrawn."""
    scale = 100 / limit.capacity if limit.measure in COUNTS and limit.capacity else 1.0
    used = limit.measure in (Measure.USED, Measure.PERCENT_USED)
    return 100 - value * scale if used else value * scale


def quantum_pct(limit: PartLimit) -> float:
    """The limit's smallest step in percent points."""
    return limit.quantum * (100 / limit.capacity if limit.measure in COUNTS and limit.capacity else 1.0)


def find_replacements(
    series: Iterable[tuple[PartLimit, Sequence[LimitPoint]]], *, settled_from: datetime | None = None
) -> list[Replacement]:
    """The replacements that the limits of ONE part tell of, oldest first; each series is ordered by time.

    All signals of one replacement give one. `settled_from` is when the current part was put in, if it replaced
    another: signals within `SETTLING` of it still speak of that replacement.
    """
    found = sorted((event for limit, points in series for event in _find(limit, points)), key=lambda e: e.at)
    merged: list[Replacement] = []
    for event in found:
        if settled_from is not None and event.at <= settled_from + SETTLING:
            continue
        if merged and event.after <= merged[-1].at + SETTLING:
            merged[-1] = _merge(merged[-1], event)
        else:
            merged.append(event)
    return merged


def _merge(first: Replacement, also: Replacement) -> Replacement:
    strongest = min(first.ended_by, also.ended_by, key=_STRONGEST_FIRST.index)
    return Replacement(first.after, first.at, strongest)


def _find(limit: PartLimit, points: Sequence[LimitPoint]) -> list[Replacement]:
    if limit.measure is Measure.IDENTITY:
        return _find_identity_changes(points)
    if limit.measure is Measure.REPLACE_FLAG:
        return _find_cleared_flags(points)
    if limit.measure in COUNTS or limit.measure in PERCENTAGES:
        return _find_rises(limit, points)
    return []


def _find_identity_changes(points: Sequence[LimitPoint]) -> list[Replacement]:
    """A change to another readable id, unless the next reading says the old id again."""
    read = [(p.at, p.state) for p in points if p.state is not None and p.state.lower() not in _UNREADABLE]
    found: list[Replacement] = []
    for i in range(1, len(read)):
        misread = i + 1 < len(read) and read[i + 1][1] == read[i - 1][1]
        returned = i >= 2 and read[i][1] == read[i - 2][1] and (not found or found[-1].at != read[i - 1][0])
        if read[i][1] != read[i - 1][1] and not misread and not returned:
            found.append(Replacement(read[i - 1][0], read[i][0], EndedBy.IDENTITY_CHANGE))
    return found


def _find_cleared_flags(points: Sequence[LimitPoint]) -> list[Replacement]:
    """ "Replace me" that was on, is off, and is still off at the next reading."""
    read = [(p.at, bool(p.value)) for p in points if p.value is not None]
    return [
        Replacement(before[0], cleared[0], EndedBy.REPLACED_EVENT)
        for before, cleared, after in zip(read, read[1:], read[2:], strict=False)
        if before[1] and not cleared[1] and not after[1]
    ]


def _find_rises(limit: PartLimit, points: Sequence[LimitPoint]) -> list[Replacement]:
    read = [(p.at, to_remaining_pct(limit, p.value)) for p in points if p.value is not None]
    threshold = _rise_threshold(limit, [pct for _, pct in read])
    cause = EndedBy.COUNTER_FALL if limit.measure in COUNTS else EndedBy.PERCENT_RISE
    found: list[Replacement] = []
    for i in range(1, len(read) - 1):
        if _is_rise(limit, read[i - 1][1], read[i][1], threshold) and not (
            found and read[i][0] <= found[-1].at + SETTLING
        ):
            before, after = _level_before(read, i), _level_after(read, i)
            if _is_rise(limit, before, read[i][1], threshold) and _is_rise(limit, before, after, threshold):
                found.append(Replacement(read[i - 1][0], read[i][0], cause))
    return found


def _is_rise(limit: PartLimit, before: float, now: float, threshold: float) -> bool:
    """Whether `now` is a new part. A counter is fine enough to be believed when it falls to less than half."""
    if limit.measure in COUNTS and now - before > 3 * quantum_pct(limit):
        return now - before > threshold or 100 - now <= (100 - before) / 2
    return now - before > threshold


def _rise_threshold(limit: PartLimit, remaining: Sequence[float]) -> float:
    if limit.measure in COUNTS:
        # A counter is not a noisy sensor, but a device may forget its last hours when it loses power.
        return max(1.0, 3 * quantum_pct(limit))
    changes = [now - before for before, now in pairwise(remaining)]
    if len(changes) < _MIN_CHANGES:
        return max(_MIN_RISE_PCT, 1.5 * quantum_pct(limit))
    centre = median(changes)
    # 1.4826 times the median absolute deviation is sigma for a normal noise, and replacements do not disturb it.
    sigma = 1.4826 * median(abs(change - centre) for change in changes)
    return max(_MIN_RISE_PCT, 4 * sigma, 1.5 * quantum_pct(limit))


def _level_before(read: Sequence[tuple[datetime, float]], i: int) -> float:
    """The level in the 36 hours up to the reading before `i`, of two readings at least: a drop of one is no level."""
    start = i - 1
    while start > 0 and (i - start < 2 or read[start - 1][0] >= read[i - 1][0] - _LOOK_BACK):
        start -= 1
    return median_high(pct for _, pct in read[start:i])


def _level_after(read: Sequence[tuple[datetime, float]], i: int) -> float:
    """The level in the day after reading `i`, of the next reading at least."""
    end = i + 2
    while end < len(read) and read[end][0] <= read[i][0] + SETTLING:
        end += 1
    return median_low(pct for _, pct in read[i + 1 : end])
