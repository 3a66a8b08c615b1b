"""A recorded series that drives a fleet: time and value from a CSV, for example hourly PM2.5."""

import csv
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from pathlib import Path

import numpy as np

from millpond.kernel.clock import require_aware
from millpond.kernel.errors import InvalidInput
from simulators.life.chance import FloatArray, IntArray

_SHORT_GAP_H = 6
_NEIGHBOUR_DAYS = 15
_MISSING = {"", "na", "nan", "null", "none"}


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Values by hour since 1970 from `first_hour` on, without holes; it is repeated before its begin and after its end.

    `measured` hours had values. `interpolated` lay in gaps of up to six hours, on a straight line (as were longer
    ones that no neighbouring day could fill); longer gaps were `filled` with the median of that hour of the day in the
    15 days before and after.
    """

    first_hour: int
    values: FloatArray
    measured: int
    interpolated: int
    filled: int

    def at(self, hours: IntArray) -> FloatArray:
        """The values of those hours; beyond the recording, of the same season and weekday as far as it reaches."""
        return np.asarray(self.values[(hours - self.first_hour) % _period_h(len(self.values))])

    def __str__(self) -> str:
        return (
            f"{self.measured:,} of {len(self.values):,} hours measured, {self.interpolated:,} interpolated,"
            f" {self.filled:,} filled with what is usual at that hour of the day"
        )


def load_recording(path: Path) -> Recording:
    """The recording in a CSV with the columns time (RFC 3339 with an offset) and value; an empty value is a gap.

    Several values of one hour are averaged. Raises InvalidInput that names the file and the line.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            if rows.fieldnames is None or not {"time", "value"} <= set(rows.fieldnames):
                raise InvalidInput(f"{path} needs the columns time and value")
            read = [_read(row, f"{path}:{rows.line_num}") for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(f"{path} cannot be read: {error}") from error
    return _build([pair for pair in read if pair is not None], path)


def _read(row: dict[str, str | None], where: str) -> tuple[int, float] | None:
    try:
        hour = int(require_aware(datetime.fromisoformat(row["time"] or "")).timestamp()) // 3600
    except ValueError as error:
        raise InvalidInput(f"{where}: time {row['time']!r} is not RFC 3339 with an offset") from error
    text = (row["value"] or "").strip()
    if text.lower() in _MISSING:
        return None
    try:
        value = float(text)
    except ValueError:
        value = float("inf")
    if not isfinite(value) or value < 0:
        raise InvalidInput(f"{where}: value {text!r} is not a number from zero up")
    return hour, value


def _build(read: list[tuple[int, float]], path: Path) -> Recording:
    if not read:
        raise InvalidInput(f"{path} has no value")
    hours, values = np.array([hour for hour, _ in read]), np.array([value for _, value in read])
    first, count = int(hours.min()), int(hours.max() - hours.min()) + 1
    if count > 100 * 366 * 24:
        raise InvalidInput(f"{path} spans more than a hundred years")
    sums = np.bincount(hours - first, weights=values, minlength=count)
    entries = np.bincount(hours - first, minlength=count)
    known = entries > 0
    series = np.divide(sums, entries, out=np.full(count, np.nan), where=known)
    filled = _fill_long_gaps(series, known)
    index = np.arange(count)
    series = np.interp(index, index[~np.isnan(series)], series[~np.isnan(series)])
    return Recording(first, series, int(known.sum()), int(count - known.sum()) - filled, filled)


def _fill_long_gaps(series: FloatArray, known: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> int:
    """Fill gaps of more than six hours where a neighbouring day has that hour; how many hours that were."""
    filled = 0
    source = series.copy()
    edges = np.flatnonzero(np.diff(np.concatenate([[True], known, [True]]).astype(int)))
    for begin, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if end - begin <= _SHORT_GAP_H:
            continue
        for place in range(begin, end):
            days = place + 24 * np.arange(-_NEIGHBOUR_DAYS, _NEIGHBOUR_DAYS + 1)
            near = source[days[(days >= 0) & (days < len(series))]]
            near = near[~np.isnan(near)]
            if len(near):
                series[place] = np.median(near)
                filled += 1
    return filled


def _period_h(count: int) -> int:
    """After how many hours a recording of `count` hours is repeated.

    Whole weeks that are closest to whole years, else whole weeks, else whole days, else all of it.
    """
    weeks = count // 168
    years = range(1, int(weeks / 52.1775) + 1)
    in_weeks = [(abs(year * 52.1775 - round(year * 52.1775)) / year, round(year * 52.1775)) for year in years]
    fitting = [pair for pair in in_weeks if pair[1] <= weeks]
    if fitting:
        return 168 * min(fitting)[1]
    return 168 * weeks or 24 * (count // 24) or count
