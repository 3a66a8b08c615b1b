"""Readings to usage: percent points per day and installation, cut at replacements. All arrays, many devices at once.

`devices.parts.levels` decides what is a new part and what is no reading, as for replacements. It is called only for
those parts in which a reading jumps, since it walks reading by reading.

Rows are devices, columns are days. The usage between two readings is spread evenly over the time between them, so a
missing day costs nothing, and `exposure` says which share of a day the readings on both its sides account for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from devices.nouns import PartLimit
from devices.parts.levels import find_jumps, read_levels
from devices.parts.limits import quantum_pct, to_remaining_pct
from forecasting.noise import find_noisy, smooth
from forecasting.nouns import Bools, Floats, Ints, Records

# Far more than any time in days since 1970: row * _ROW + time is one number that sorts by row and then by time. A
# float keeps 53 bits, so of 50,000 devices such a number still tells moments two thirds of a second apart.
_ROW = 1e6
# Just under a second, in days. A reading at the very moment of a replacement belongs to the new part, so the cut is put
# before it by more than what rounding takes away.
_BEFORE = 1e-5
_MOST_PCT = 1e6  # a lifetime counter may be far beyond one part's capacity; NaN and infinities are not


@dataclass(frozen=True, slots=True)
class UsageSeries:
    """Usage by one limit: `usage` (percent points) and `exposure` (0 to 1) are rows by days from `first_day`.

    Per row, NaN where there is none: `reported_pct` is the last reading, `last_at` its time, `stepped_at` when the
    current part came down to it, and `crossed_at` when it was first read at its threshold or below. `steps` counts
    the quanta used in all history. What makes a row doubtful: `fell_at` is when the current part last fell by more than
    use can explain, `reset_at` when it began by this limit alone, and `began_at`, `began_pct` are its first reading.
    """

    first_day: int
    usage: Floats
    exposure: Floats
    reported_pct: Floats
    last_at: Floats
    stepped_at: Floats
    crossed_at: Floats
    fell_at: Floats
    reset_at: Floats
    began_at: Floats
    began_pct: Floats
    steps: Floats
    quantum_pct: float


def take_rows(series: UsageSeries, rows: Ints) -> UsageSeries:
    """The series of some of the rows."""
    whole = ("first_day", "quantum_pct")
    by_row = [each.name for each in fields(series) if each.name not in whole]
    return replace(series, **{name: getattr(series, name)[rows] for name in by_row})


@dataclass(frozen=True, slots=True)
class _Flat:
    """All believed points of all rows, ordered by row and time.

    `part` changes where a part was replaced, `run` also where it fell by more than use can explain; `reset` and `fall`
    are the points with which that began, by this limit's own readings.
    """

    row: Ints
    at: Floats
    pct: Floats
    part: Ints
    run: Ints
    reset: Bools
    fall: Bools


def build_usage_series(
    limit: PartLimit,
    points: Records,
    device_ids: Ints,
    resets: Sequence[tuple[int, float]],
    *,
    threshold_pct: float,
    first_day: int,
    end: float,
    prior_life_days: float | None = None,
) -> UsageSeries:
    """Usage by `limit` from `points` (fields device_id, day, value; ordered by device and time), up to `end`.

    `device_ids` ascend and name the rows; `resets` are (row, time) of known replacements, in order.
    """
    flat = _flatten(limit, points, device_ids, resets, prior_life_days)
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
        *_present_part(flat, last),
        steps=usage.sum(axis=1) / quantum_pct(limit),
        quantum_pct=quantum_pct(limit),
    )


def _flatten(
    limit: PartLimit,
    points: Records,
    device_ids: Ints,
    resets: Sequence[tuple[int, float]],
    prior_life_days: float | None,
) -> _Flat:
    read = np.abs(to_remaining_pct_array(limit, points["value"])) <= _MOST_PCT
    points = points[read & np.isin(points["device_id"], device_ids)]
    row = np.searchsorted(device_ids, points["device_id"]).astype(np.int64)
    at = points["day"].astype(np.float64)
    cuts = np.array([r * _ROW + t - _BEFORE for r, t in resets])
    segment = row + np.searchsorted(cuts, row * _ROW + at)
    told = _apply_rules(limit, segment, at, points["value"], prior_life_days)
    row, at, pct, segment = row[told.believed], at[told.believed], told.pct[told.believed], segment[told.believed]
    reset, fall = told.reset[told.believed], told.fall[told.believed]
    part = segment + np.cumsum(reset)
    run = part + np.cumsum(fall)
    return _Flat(row, at, smooth(at, pct, run, find_noisy(limit, pct, run)), part, run, reset, fall)


@dataclass(frozen=True, slots=True)
class _Told:
    """Percent remaining, whether each reading is believed, and those that begin a new part or follow a fall."""

    pct: Floats
    believed: Bools
    reset: Bools
    fall: Bools


def _apply_rules(limit: PartLimit, segment: Ints, at: Floats, values: Floats, prior_life_days: float | None) -> _Told:
    pct = to_remaining_pct_array(limit, values)
    told = _Told(pct, np.ones(len(pct), dtype=bool), np.zeros(len(pct), dtype=bool), np.zeros(len(pct), dtype=bool))
    jumps = find_jumps(limit, at, pct, prior_life_days=prior_life_days) & (np.diff(segment, prepend=-1) == 0)
    for one in np.unique(segment[jumps]):
        start, end = np.searchsorted(segment, one), np.searchsorted(segment, one, side="right")
        levels = read_levels(limit, at[start:end], pct[start:end], prior_life_days=prior_life_days)
        told.pct[start:end], told.believed[start:end] = levels.pct, levels.believed
        told.reset[[start + i for i in levels.resets]] = True
        told.fall[[start + i for i in levels.falls]] = True
    return told


def to_remaining_pct_array(limit: PartLimit, value: Floats) -> Floats:
    """`to_remaining_pct` of many values."""
    return np.array(to_remaining_pct(limit, value), dtype=np.float64)  # type: ignore[arg-type]  # its sums work on arrays, too


def _increments(flat: _Flat) -> tuple[Floats, Floats, Bools]:
    """Cumulated usage and covered days at every point, and whether a point continues the one before it."""
    if len(flat.at) == 0:
        return np.zeros(0), np.zeros(0), np.zeros(0, dtype=bool)
    joined = np.append(False, (flat.row[1:] == flat.row[:-1]) & (flat.run[1:] == flat.run[:-1]))
    days = np.where(joined, np.diff(flat.at, prepend=flat.at[0]), 0.0)
    used = np.where(joined, -np.diff(flat.pct, prepend=flat.pct[0]), 0.0)
    return np.cumsum(used), np.cumsum(days), joined


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


def _present_part(flat: _Flat, last: Ints) -> tuple[Floats, Floats, Floats, Floats]:
    """Per row, of the part that is in now: its last fall, its beginning by this limit alone, and its first reading."""
    if len(flat.at) == 0:
        nothing = np.full(len(last), np.nan)
        return nothing, nothing.copy(), nothing.copy(), nothing.copy()
    current = flat.part == flat.part[last][flat.row]
    fell = _last_where(current & flat.fall, flat.row, len(last))
    reset = _first_where(current & flat.reset, flat.row, len(last))
    began = _first_where(current, flat.row, len(last))
    fell_at, reset_at, began_at = (np.where(found >= 0, flat.at[found], np.nan) for found in (fell, reset, began))
    return fell_at, reset_at, began_at, np.where(began >= 0, flat.pct[began], np.nan)


def _last_where(mask: Bools, row: Ints, n_rows: int) -> Ints:
    last = np.full(n_rows, -1, dtype=np.int64)
    found = np.flatnonzero(mask)
    last[row[found]] = found
    return last


def _first_where(mask: Bools, row: Ints, n_rows: int) -> Ints:
    first = np.full(n_rows, -1, dtype=np.int64)
    found = np.flatnonzero(mask)
    rows, index = np.unique(row[found], return_index=True)
    first[rows] = found[index]
    return first
