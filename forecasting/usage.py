"""Readings to usage: percent points per day and installation, cut at replacements. All arrays, many devices at once.

Rows are devices, columns are days. The usage between two readings is spread evenly over the time between them, so a
missing day costs nothing, and `exposure` says which share of a day the readings on both its sides account for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from devices.nouns import PartLimit
from devices.replacement import COUNTS, quantum_pct, to_remaining_pct
from forecasting.nouns import Bools, Floats, Ints, Records

_ROW = 1e6  # days: far more than any time, so that (row, time) sorts as one number
_MOST_PCT = 1e6  # a lifetime counter may be far beyond one part's capacity; NaN and infinities are not
_GLITCH_PCT = 5.0
_LAST_JUMP_PCT, _LAST_JUMP_DAYS = 25.0, 3.0
_MAX_PCT_PER_DAY = 30.0


@dataclass(frozen=True, slots=True)
class UsageSeries:
    """Usage by one limit: `usage` (percent points) and `exposure` (0 to 1) are rows by days from `first_day`.

    Per row, NaN where there is none: `reported_pct` is the last reading, `last_at` its time, `stepped_at` when the
    current part came down to it, and `crossed_at` when it was first read at its threshold or below. `steps` counts
    the quanta used in all history.
    """

    first_day: int
    usage: Floats
    exposure: Floats
    reported_pct: Floats
    last_at: Floats
    stepped_at: Floats
    crossed_at: Floats
    steps: Floats
    quantum_pct: float


def take_rows(series: UsageSeries, rows: Ints) -> UsageSeries:
    """The series of some of the rows."""
    by_row = ("usage", "exposure", "reported_pct", "last_at", "stepped_at", "crossed_at", "steps")
    return replace(series, **{name: getattr(series, name)[rows] for name in by_row})


@dataclass(frozen=True, slots=True)
class _Flat:
    """All points of all rows, ordered by row and time; `run` changes where a part was replaced."""

    row: Ints
    at: Floats
    pct: Floats
    run: Ints


def build_usage_series(
    limit: PartLimit,
    points: Records,
    device_ids: Ints,
    resets: Sequence[tuple[int, float]],
    *,
    threshold_pct: float,
    first_day: int,
    end: float,
) -> UsageSeries:
    """Usage by `limit` from `points` (fields device_id, day, value; ordered by device and time), up to `end`.

    `device_ids` ascend and name the rows; `resets` are (row, time) of known replacements, in order.
    """
    flat = _flatten(limit, points, device_ids, resets)
    n_rows, n_days = len(device_ids), max(int(np.ceil(end)) - first_day, 1)
    used, covered, joined = _increments(flat)
    midnights = np.minimum(first_day + np.arange(n_days + 1), end)
    query = (np.arange(n_rows)[:, None] * _ROW + midnights[None, :]).ravel().astype(np.float64)
    keys = np.asarray(flat.row * _ROW + flat.at, dtype=np.float64)
    usage = _per_day(query, keys, used, n_rows)
    exposure = _per_day(query, keys, covered, n_rows)
    last = _last_of_rows(flat, n_rows)
    return UsageSeries(
        first_day,
        usage,
        exposure,
        *_state(flat, joined, last, threshold_pct),
        steps=usage.sum(axis=1) / quantum_pct(limit),
        quantum_pct=quantum_pct(limit),
    )


def _flatten(limit: PartLimit, points: Records, device_ids: Ints, resets: Sequence[tuple[int, float]]) -> _Flat:
    read = np.abs(to_remaining_pct_array(limit, points["value"])) <= _MOST_PCT
    points = points[read & np.isin(points["device_id"], device_ids)]
    row = np.searchsorted(device_ids, points["device_id"]).astype(np.int64)
    at = points["day"].astype(np.float64)
    # A reading at the very moment of a replacement belongs to the new part.
    cuts = np.array([r * _ROW + t - 1e-5 for r, t in resets])
    segment = row + np.searchsorted(cuts, row * _ROW + at)
    pct = _without_glitches(to_remaining_pct_array(limit, points["value"]), at, segment)
    rise = np.diff(pct, prepend=pct[:1]) > _reset_rise(limit)
    run = segment + np.cumsum(rise)
    return _Flat(row, at, pct, run)


def to_remaining_pct_array(limit: PartLimit, value: Floats) -> Floats:
    """`to_remaining_pct` of many values."""
    return np.asarray(to_remaining_pct(limit, value), dtype=np.float64)  # type: ignore[arg-type]


def _reset_rise(limit: PartLimit) -> float:
    quantum = quantum_pct(limit)
    return max(1.0, 3 * quantum) if limit.measure in COUNTS else max(5.0, 1.5 * quantum)


def _without_glitches(pct: Floats, at: Floats, segment: Ints) -> Floats:
    """Readings that jump away from both their neighbours, which agree, are taken for the one before them."""
    if len(pct) < 2:
        return pct
    clean = pct.copy()
    alone = (segment[:-2] == segment[1:-1]) & (segment[1:-1] == segment[2:])
    before, after = pct[1:-1] - pct[:-2], pct[1:-1] - pct[2:]
    least = np.minimum(np.abs(before), np.abs(after))
    jumped = (before * after > 0) & (least > _GLITCH_PCT) & (np.abs(before - after) < least / 2)
    clean[1:-1] = np.where(alone & jumped, pct[:-2], pct[1:-1])
    # The newest reading has nobody after it to confirm a jump.
    newest = np.append(segment[1:] != segment[:-1], True)
    newest[0] = False
    change = clean - np.roll(clean, 1)
    jump = (change > _GLITCH_PCT) | ((change < -_LAST_JUMP_PCT) & (at - np.roll(at, 1) < _LAST_JUMP_DAYS))
    unconfirmed = newest & jump & (segment == np.roll(segment, 1))
    return np.where(unconfirmed, np.roll(clean, 1), clean)


def _increments(flat: _Flat) -> tuple[Floats, Floats, Bools]:
    """Cumulated usage and covered days at every point, and whether a point continues the one before it."""
    if len(flat.at) == 0:
        return np.zeros(0), np.zeros(0), np.zeros(0, dtype=bool)
    joined = np.append(False, (flat.row[1:] == flat.row[:-1]) & (flat.run[1:] == flat.run[:-1]))
    days = np.where(joined, np.diff(flat.at, prepend=flat.at[0]), 0.0)
    used = np.where(joined, -np.diff(flat.pct, prepend=flat.pct[0]), 0.0)
    # Nothing is used up in three days: that is a display gone wrong, and neither usage nor time of it counts.
    plausible = used <= _MAX_PCT_PER_DAY * np.maximum(days, 1.0)
    return np.cumsum(used * plausible), np.cumsum(days * plausible), joined


def _per_day(query: Floats, keys: Floats, cumulated: Floats, n_rows: int) -> Floats:
    if len(keys) == 0:
        return np.zeros((n_rows, len(query) // n_rows - 1))
    return np.diff(np.interp(query, keys, cumulated).reshape(n_rows, -1), axis=1)


def _last_of_rows(flat: _Flat, n_rows: int) -> Ints:
    """Index of the newest point of every row, -1 where a row has none."""
    last = np.full(n_rows, -1, dtype=np.int64)
    last[flat.row] = np.arange(len(flat.row))
    return last


def _state(flat: _Flat, joined: Bools, last: Ints, threshold_pct: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Per row: the reported percent, its time, when it stepped there, and when it crossed the threshold."""
    nothing = np.full(len(last), np.nan)
    if len(flat.at) == 0:
        return nothing, nothing.copy(), nothing.copy(), nothing.copy()
    known = last >= 0
    reported = np.where(known, flat.pct[last], np.nan)
    last_at = np.where(known, flat.at[last], np.nan)
    current = flat.run == flat.run[last][flat.row]
    stepped = _first_where(current & (flat.pct <= reported[flat.row]), flat.row, len(last))
    # It stepped somewhere between the reading that first showed it and the one before.
    half = np.where(joined, np.diff(flat.at, prepend=flat.at[0]) / 2, 0.0)
    stepped_at = np.where(known, (flat.at - half)[stepped], np.nan)
    crossed = _first_where(current & (flat.pct <= threshold_pct), flat.row, len(last))
    crossed_at = np.where((crossed >= 0) & (reported <= threshold_pct), flat.at[crossed], np.nan)
    return reported, last_at, stepped_at, crossed_at


def _first_where(mask: Bools, row: Ints, n_rows: int) -> Ints:
    first = np.full(n_rows, -1, dtype=np.int64)
    found = np.flatnonzero(mask)
    rows, index = np.unique(row[found], return_index=True)
    first[rows] = found[index]
    return first
