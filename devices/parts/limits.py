"""What one limit of a part says, in percent remaining, whatever its measure and unit."""

from devices.nouns import Measure, PartLimit

COUNTS = (Measure.USED, Measure.REMAINING)
PERCENTAGES = (Measure.PERCENT_REMAINING, Measure.PERCENT_USED)
LEVELS = COUNTS + PERCENTAGES
FLAGS = (Measure.REPLACE_FLAG, Measure.STATE)
WORDS = (Measure.IDENTITY, Measure.STATE)

MOST_TIMES_TYPICAL = 10.0
"""Nobody uses a part up so many times as fast as is typical of it."""

_MOST_PCT_PER_DAY = 30.0
_CLOCK_MARGIN = 1.15  # clocks drift, and some firmware counts a little fast


def to_remaining_pct(limit: PartLimit, value: float) -> float:
    """What `value` of the limit's metric says in percent remaining, 0 to 100 and beyond when it is overdrawn."""
    used = limit.measure in (Measure.USED, Measure.PERCENT_USED)
    return 100 - value * _scale(limit) if used else value * _scale(limit)


def quantum_pct(limit: PartLimit) -> float:
    """The limit's smallest step in percent points."""
    return limit.quantum * _scale(limit)


def bound_pct_per_day(limit: PartLimit) -> float | None:
    """The most percent points a day that this counter can count: hours cannot outrun the clock. None: no such bound."""
    if limit.measure not in COUNTS:
        return None
    most = 24.0 if limit.unit == "h" and limit.most_per_day is None else limit.most_per_day
    return None if most is None else most * _scale(limit) * _CLOCK_MARGIN


def most_pct_per_day(limit: PartLimit, prior_life_days: float | None = None) -> float:
    """The most percent points a day that use can explain: what the counter can count, else many times the typical."""
    bound = bound_pct_per_day(limit)
    if bound is not None:
        return bound
    return _MOST_PCT_PER_DAY if prior_life_days is None else MOST_TIMES_TYPICAL * 100 / prior_life_days


def _scale(limit: PartLimit) -> float:
    return 100 / limit.capacity if limit.measure in COUNTS and limit.capacity else 1.0
