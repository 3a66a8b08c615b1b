"""When a part was replaced, told from what its metrics say. Pure: series in, moments out.

What a rise of one limit means, `devices.parts.levels` decides; this module takes the limits of one part together. A new
cartridge id is believed whatever else is read. Any other sign is not, once another limit that should have risen with it
is read a day later and has not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import numpy as np

from devices.nouns import EndedBy, Measure, PartLimit
from devices.parts.levels import RETURN_DAYS, SETTLING_DAYS, Levels, read_levels, rise_threshold
from devices.parts.limits import COUNTS, FLAGS, LEVELS, to_remaining_pct

SETTLING = timedelta(days=SETTLING_DAYS)
"""Readings may jump for so long while a part is put in: further signs of a replacement within it are of that one."""

LAG = timedelta(days=3)
"""Limits of one part may tell of its replacement so far apart."""

_RETURN = timedelta(days=RETURN_DAYS)
_VISIBLE_PCT = 10.0  # a new part must raise another limit by this much for its silence to say something
UNREADABLE = frozenset({"", "unknown", "none", "null", "unavailable"})
_STRONGEST_FIRST = (EndedBy.IDENTITY_CHANGE, EndedBy.COUNTER_FALL, EndedBy.PERCENT_RISE, EndedBy.REPLACED_EVENT)


@dataclass(frozen=True, slots=True)
class LimitPoint:
    """One value of one limit of a part; `state` is set for an identity and a state, `value` for everything else."""

    at: datetime
    value: float | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Replacement:
    """The old part was last seen at `after`, the new one first at `at`."""

    after: datetime
    at: datetime
    ended_by: EndedBy


class Refutation(StrEnum):
    """Why what looked like a replacement is none."""

    CAME_BACK = "came_back"
    CONTRADICTED = "contradicted"


@dataclass(frozen=True, slots=True)
class Refuted:
    """At `at` a new part seemed to be put in; what was read since says that it was not."""

    at: datetime
    why: Refutation


@dataclass(frozen=True, slots=True)
class PartHistory:
    """The replacements of one part, oldest first, and those that turned out to be none."""

    replacements: list[Replacement]
    refuted: list[Refuted]


def read_history(
    series: Sequence[tuple[PartLimit, Sequence[LimitPoint]]],
    *,
    settled_from: datetime | None = None,
    prior_life_days: float | None = None,
) -> PartHistory:
    """What the limits of ONE part tell of its replacements; each series is ordered by time.

    All signals of one replacement give one. `settled_from` is when the part the series begin with was put in, if it
    replaced another: signals within `SETTLING` of it still speak of that replacement.
    """
    read = [_read(limit, points, prior_life_days) for limit, points in series if limit.measure in LEVELS and points]
    found = [event for one in read for event in _find_rises(one)]
    refuted = [Refuted(one.times[i], Refutation.CAME_BACK) for one in read for i in one.levels.refuted]
    for limit, points in series:
        if limit.measure is Measure.IDENTITY:
            changes, taken_back = _find_identity_changes(points)
            found += changes
            refuted += [Refuted(at, Refutation.CAME_BACK) for at in taken_back]
        elif limit.measure in FLAGS:
            found += _find_cleared_flags(limit, points)
    kept = []
    for event in _merge_signals(found, settled_from):
        if event.ended_by is not EndedBy.IDENTITY_CHANGE and any(_contradicts(one, event, read) for one in read):
            refuted.append(Refuted(event.at, Refutation.CONTRADICTED))
        else:
            kept.append(event)
    return PartHistory(kept, refuted)


@dataclass(frozen=True, slots=True)
class _Read:
    """A limit's readings, by the rules, and the very moments of them."""

    limit: PartLimit
    times: list[datetime]
    levels: Levels


def _read(limit: PartLimit, points: Sequence[LimitPoint], prior_life_days: float | None) -> _Read:
    read = [(p.at, to_remaining_pct(limit, p.value)) for p in points if p.value is not None]
    at = np.array([_to_day(moment) for moment, _ in read], dtype=np.float64)
    pct = np.array([level for _, level in read], dtype=np.float64)
    return _Read(limit, [moment for moment, _ in read], read_levels(limit, at, pct, prior_life_days=prior_life_days))


def _to_day(moment: datetime) -> float:
    return moment.timestamp() / 86_400


def _merge_signals(found: list[Replacement], settled_from: datetime | None) -> list[Replacement]:
    merged: list[Replacement] = []
    for event in sorted(found, key=lambda e: e.at):
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


def _contradicts(one: _Read, event: Replacement, read: list[_Read]) -> bool:
    """Whether this limit was read before the event and a day after it, should have risen with it, and has not."""
    levels, at, settled = one.levels, _to_day(event.at), _to_day(event.at + SETTLING)
    if any(abs(levels.at[i] - at) <= LAG.days for i in levels.resets):
        return False
    before = np.flatnonzero(levels.believed & (levels.at < at) & (levels.at >= at - LAG.days))
    after = np.flatnonzero(levels.believed & (levels.at > settled) & (levels.at <= settled + LAG.days))
    if not len(before) or not len(after):
        return False
    was, now = levels.pct[before[-1]], levels.pct[after[-1]]
    threshold = rise_threshold(one.limit, levels.pct)
    return bool(now - was <= threshold and _new_level(event, read) - was > max(_VISIBLE_PCT, 2 * threshold))


def _new_level(event: Replacement, read: list[_Read]) -> float:
    """What the limits that tell of the event read after it; a flag that was cleared means a full part."""
    near = [
        one.levels.pct[i]
        for one in read
        for i in one.levels.resets
        if abs(one.levels.at[i] - _to_day(event.at)) <= SETTLING_DAYS
    ]
    return float(max(near, default=100.0))


def _find_identity_changes(points: Sequence[LimitPoint]) -> tuple[list[Replacement], list[datetime]]:
    """Changes to another readable id, and when one seemed to change that was read again soon after."""
    read = [(p.at, p.state) for p in points if p.state is not None and _is_readable(p)]
    found: list[Replacement] = []
    refuted: list[datetime] = []
    i = 1
    while i < len(read):
        if read[i][1] != read[i - 1][1]:
            back = _find_id_again(read, i)
            if back is None:
                found.append(Replacement(read[i - 1][0], read[i][0], EndedBy.IDENTITY_CHANGE))
            else:
                refuted.append(read[i][0])
                i = back
        i += 1
    return found, refuted


def _is_readable(point: LimitPoint) -> bool:
    return point.value is not None if point.state is None else point.state.lower() not in UNREADABLE


def _find_id_again(read: Sequence[tuple[datetime, str]], i: int) -> int | None:
    """The reading, soon after reading `i`, that says the id from before it again."""
    for k in range(i + 1, len(read)):
        if read[k][0] > read[i][0] + _RETURN:
            return None
        if read[k][1] == read[i - 1][1]:
            return k
    return None


def _find_cleared_flags(limit: PartLimit, points: Sequence[LimitPoint]) -> list[Replacement]:
    """ "Replace me" that was on, is off, and is still off at the next reading; a state is on where it is due."""
    read = [(p.at, p.state in limit.due if p.value is None else bool(p.value)) for p in points if _is_readable(p)]
    return [
        Replacement(before[0], cleared[0], EndedBy.REPLACED_EVENT)
        for before, cleared, after in zip(read, read[1:], read[2:], strict=False)
        if before[1] and not cleared[1] and not after[1]
    ]


def _find_rises(one: _Read) -> list[Replacement]:
    cause = EndedBy.COUNTER_FALL if one.limit.measure in COUNTS else EndedBy.PERCENT_RISE
    found: list[Replacement] = []
    for i in one.levels.resets:
        if not found or one.times[i] > found[-1].at + SETTLING:
            found.append(Replacement(one.times[i - 1], one.times[i], cause))
    return found
