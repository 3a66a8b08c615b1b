"""Which of a part's limits speak for each device: the finest source of each limit, and only what disagrees besides."""

from collections.abc import Sequence

import numpy as np

from devices.nouns import Measure, PartLimit
from devices.parts.limits import PERCENTAGES
from forecasting.nouns import Bools
from forecasting.usage import UsageSeries

_SILENT_DAYS = 14.0
_DISAGREES_PCT = 5.0

Source = tuple[PartLimit, UsageSeries, Bools]


def choose_sources(series: Sequence[tuple[PartLimit, UsageSeries]]) -> list[Source]:
    """The limits that are worth a forecast, each with the rows for which it is used.

    Counters in different units (hours and litres) are limits of their own. A percentage is a coarse view of a
    counter. It is used where there is no counter, and where it shows so much less that it must know of a limit that the
    counters do not have.
    """
    newest = np.full(len(series[0][1].last_at) if series else 0, -np.inf)
    for _, one in series:
        newest = np.fmax(newest, one.last_at)
    chosen: list[Source] = []
    for limit, one in sorted(series, key=lambda pair: _rank(pair[0], pair[1])):
        used = one.last_at >= newest - _SILENT_DAYS
        for other, finer, used_already in chosen:
            if _same_limit(limit, other):
                coarse = max(_DISAGREES_PCT, 2 * one.quantum_pct)
                agrees = one.reported_pct >= finer.reported_pct - coarse
                used = used & ~(used_already & (agrees | (limit.measure not in PERCENTAGES)))
        if used.any():
            chosen.append((limit, one, used))
    return chosen


def _rank(limit: PartLimit, series: UsageSeries) -> tuple[bool, float, int]:
    return (limit.measure in PERCENTAGES, series.quantum_pct, limit.metric_id)


def _same_limit(limit: PartLimit, finer: PartLimit) -> bool:
    """A percentage speaks of any counter's limit; a counter down and a counter up to one capacity are one limit."""
    if limit.measure in PERCENTAGES:
        return True
    return limit.capacity == finer.capacity and {limit.measure, finer.measure} == {Measure.USED, Measure.REMAINING}
