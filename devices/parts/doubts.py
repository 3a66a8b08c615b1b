"""When what a part's limits say cannot be: no date is told and no offer made until it is clear. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import permutations

from devices.nouns import Measure, PartLimit
from devices.parts.levels import RETURN_DAYS, SETTLING_DAYS
from devices.parts.limits import COUNTS, PERCENTAGES, bound_pct_per_day, quantum_pct

RECENT_DAYS = 14
"""A limit that was not read for so long beside another says nothing, and growth is measured over so many days."""

_TOGETHER_DAYS = 3.0  # limits of one part may tell of one change so far apart
_NEARLY_USED_UP_PCT = 25.0
_COUNTER_ALONE_PCT, _PERCENTAGE_ALONE_PCT = 50.0, 75.0
# What firmware says when it has nothing to say: all bits set, signed and unsigned, of 12 and 14 bits too, and all but
# the last; the same in tenths, hundredths and minutes of an hour; and all nines.
_BITS = (255, 4_095, 16_383, 32_767, 65_534, 65_535, 2**31 - 1, 2**32 - 1)
_NO_VALUE = (-1, 999, 9_999, 99_999, 999_999, *(bits / parts for bits in _BITS for parts in (1, 10, 60, 100)))


class Doubt(StrEnum):
    """Why a part's readings are not believed for now."""

    SUDDEN_FALL = "sudden_fall"
    COUNTER_OUTRUNS_TIME = "counter_outruns_time"
    MEANS_NO_VALUE = "means_no_value"
    LIMITS_CONTRADICT = "limits_contradict"


@dataclass(frozen=True, slots=True)
class LimitState:
    """What one limit says of the part that is in now; times in days, None where it never happened.

    `fell_at`: when it last fell by more than use can explain. `reset_at`: when it alone told of a new part.
    `began_at`, `began_pct`: its first reading. `recent_pct`, `recent_days`: what it counted lately, in how much time.
    """

    limit: PartLimit
    read_at: float
    remaining_pct: float
    fell_at: float | None
    reset_at: float | None
    began_at: float
    began_pct: float
    recent_pct: float
    recent_days: float


def find_doubt(states: Sequence[LimitState], *, threshold_pct: float, at: float) -> Doubt | None:
    """The first reason not to believe the limits of one part at time `at`."""
    newest = max((state.read_at for state in states), default=0.0)
    fresh = [state for state in states if state.read_at >= newest - RECENT_DAYS]
    if any(_means_no_value(state, threshold_pct) for state in fresh):
        return Doubt.MEANS_NO_VALUE
    if any(_outruns_time(state, fresh) for state in fresh):
        return Doubt.COUNTER_OUTRUNS_TIME
    if any(_contradict(one, other) for one, other in permutations(fresh, 2)):
        return Doubt.LIMITS_CONTRADICT
    if any(_fell(state, fresh) and at - (state.fell_at or at) <= RETURN_DAYS for state in fresh):
        return Doubt.SUDDEN_FALL
    if any(_begins_used_up(state, threshold_pct, at) for state in fresh):
        return Doubt.SUDDEN_FALL
    return None


def _means_no_value(state: LimitState, threshold_pct: float) -> bool:
    """A counter that stands at such a value says that the part is used up without having counted there."""
    limit = state.limit
    if limit.measure not in COUNTS or state.remaining_pct > threshold_pct or limit.capacity is None:
        return False
    left = state.remaining_pct * limit.capacity / 100
    value = left if limit.measure is Measure.REMAINING else limit.capacity - left
    stands = state.began_pct == state.remaining_pct or state.fell_at is not None
    return stands and any(abs(value - none) <= 1e-6 * abs(none) for none in _NO_VALUE)


def _outruns_time(state: LimitState, fresh: Sequence[LimitState]) -> bool:
    bound = bound_pct_per_day(state.limit)
    if bound is None:
        return False
    slack = bound + 2 * quantum_pct(state.limit)  # a day, for clocks that are corrected and time zones that change
    counted, days = state.began_pct - state.remaining_pct, state.read_at - state.began_at
    jumped = _fell(state, fresh)
    return jumped or counted > bound * days + slack or state.recent_pct > bound * state.recent_days + slack


def _fell(state: LimitState, fresh: Sequence[LimitState]) -> bool:
    """A fall that another limit shares is another part put in, and one that has run for a while."""
    return state.fell_at is not None and not any(
        other is not state and other.fell_at is not None and abs(other.fell_at - state.fell_at) <= _TOGETHER_DAYS
        for other in fresh
    )


def _begins_used_up(state: LimitState, threshold_pct: float, at: float) -> bool:
    """A percentage that began so low less than a day ago: a display that has read nothing yet says the same.

    Of each day its last reading is known, so that it takes up to two days until it is believed.
    """
    lately = at - state.began_at < SETTLING_DAYS
    return lately and state.limit.measure in PERCENTAGES and max(state.began_pct, state.remaining_pct) <= threshold_pct


def _contradict(one: LimitState, other: LimitState) -> bool:
    """Whether `one` says used up and `other` nearly new, or `one` alone says that a new part was put in."""
    if one.reset_at is not None and other.began_at < one.reset_at - _TOGETHER_DAYS:
        return True
    low, high = (min(max(state.remaining_pct, 0.0), 100.0) for state in (one, other))
    if low > _NEARLY_USED_UP_PCT:
        return False
    if one.limit.measure in COUNTS and other.limit.measure in PERCENTAGES:
        return high - low >= _COUNTER_ALONE_PCT
    # A percentage may know of more than a counter does, but not of so much more.
    return one.limit.measure in PERCENTAGES and other.limit.measure in COUNTS and high - low >= _PERCENTAGE_ALONE_PCT
