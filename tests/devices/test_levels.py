"""What is a new part, what is no reading, and what nobody can have used."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.nouns import Measure, PartLimit
from devices.parts.levels import Floats, Levels, read_levels
from devices.parts.limits import to_remaining_pct
from millpond.kernel.ids import MetricId

PCT = PartLimit("filter", MetricId(1), "filter_life_pct", Measure.PERCENT_REMAINING, None, 1)
HOURS = PartLimit("filter", MetricId(2), "filter_used_h", Measure.USED, 3500, 1, "h")
LIFE_DAYS = 180.0


def read(limit: PartLimit, at: Floats, values: Sequence[float] | Floats) -> Levels:
    pct = np.array([to_remaining_pct(limit, value) for value in values])
    return read_levels(limit, at, pct, prior_life_days=LIFE_DAYS)


def hourly(limit: PartLimit, values: Sequence[float]) -> Levels:
    return read(limit, np.arange(len(values)) / 24, values)


def daily(limit: PartLimit, values: Sequence[float]) -> Levels:
    return read(limit, np.arange(len(values), dtype=np.float64), values)


@pytest.mark.parametrize("hours", [1, 4, 12, 23, 48, 24 * 10])
@pytest.mark.parametrize("wrong", [0.0, 100.0])
def test_a_level_that_is_back_was_never_left(hours: int, wrong: float) -> None:
    levels = hourly(PCT, [60.0] * 100 + [wrong] * hours + [59.0] * 50)
    assert (levels.resets, levels.falls) == ([], [])
    assert np.flatnonzero(~levels.believed).tolist() == list(range(100, 100 + hours))


@pytest.mark.parametrize("days", [1, 2, 7, 13])
def test_a_level_that_is_back_was_never_left_also_where_there_is_one_reading_a_day(days: int) -> None:
    for wrong in (0.0, 20.0, 80.0, 100.0):
        levels = daily(PCT, [60.0] * 10 + [wrong] * days + [58.0] * 5)
        assert (levels.resets, levels.falls) == ([], []), wrong


def test_a_counter_that_begins_again_and_then_goes_on_where_it_was_has_not_begun_again() -> None:
    levels = hourly(HOURS, [*range(1000, 1050), *range(70), *range(1120, 1200)])
    assert (levels.resets, levels.falls, levels.refuted) == ([], [], [50])


def test_a_new_part_that_stays_is_one_however_soon_it_flickers() -> None:
    levels = hourly(PCT, [12.0] * 9 + [100, 100, 12, 100, 100, 100])
    assert levels.resets == [9]
    assert np.flatnonzero(~levels.believed).tolist() == [11]


def test_a_new_part_after_days_without_a_display_is_one() -> None:
    levels = hourly(PCT, [60.0] * 100 + [0.0] * 72 + [100.0] * 30)
    assert levels.resets == [172]


def test_a_fall_that_stays_is_in_doubt_and_a_week_offline_is_not() -> None:
    assert hourly(PCT, [60.0] * 100 + [0.0] * 48).falls == [100]
    assert read(PCT, np.array([0.0, 1.0, 11.0, 12.0]), [60, 59, 35, 34]).falls == []
    assert read(HOURS, np.array([0.0, 1.0, 11.0, 12.0]), [100, 124, 360, 380]).falls == []


@pytest.mark.parametrize("sentinel", [999.0, 9_999.0, 65_535.0, 4_294_967_295.0])
def test_a_value_that_means_nothing_is_no_use_whether_or_not_the_counter_comes_back(sentinel: float) -> None:
    before, after = [200.0, 201, 202], [203.0, 204, 205]
    back = hourly(HOURS, [*before, sentinel, sentinel, *after])
    assert (back.resets, back.falls, back.believed.sum()) == ([], [], 6)
    assert hourly(HOURS, [*before, sentinel, sentinel, sentinel]).falls == [3]


@pytest.mark.parametrize(
    ("full", "why"), [(256, "8 bits"), (65_536 / 60, "16 bits of minutes"), (2**32 / 3.6e6, "32 bits of milliseconds")]
)
def test_a_counter_that_was_full_counts_on(full: float, why: str) -> None:
    counted = np.arange(full - 40, full + 400)
    levels = hourly(HOURS, np.floor(counted % full).tolist())
    assert (levels.resets, levels.falls) == ([], []), why
    assert levels.pct[0] - levels.pct[-1] == pytest.approx(439 / 35, abs=0.1)


def test_a_counter_that_was_full_twice_counts_on() -> None:
    full = 65_536 / 60
    levels = daily(HOURS, np.floor(np.arange(0, 2600, 20) % full).tolist())
    assert levels.resets == []
    assert levels.pct[-1] == pytest.approx(100 - 2580 / 35, abs=0.1)


def test_a_jump_that_nothing_confirms_yet_is_not_believed() -> None:
    for values in ([60, 59, 0], [60, 59, 100], [20, 20, 0], [12, 12, 1]):
        levels = daily(PCT, values)
        assert (levels.resets, levels.falls, levels.believed.tolist()) == ([], [], [True, True, False]), values


def test_a_little_used_at_the_end_is_believed() -> None:
    assert daily(PCT, [12, 11, 9]).believed.all()


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 60),
    st.integers(0, 23),
    st.integers(1, 40),
    st.sampled_from([0.0, 5.0, 100.0]),
    st.sampled_from([40.0, 60.0, 88.0]),
)
def test_hourly_readings_and_two_a_day_say_the_same(
    days: int, hour: int, hours: int, wrong: float, level: float
) -> None:
    """Calm days are read by their two ends, so that what counts is how long a level stood."""
    start = days * 24 + hour
    values = np.array([level] * start + [wrong] * hours + [level] * 72)
    at = np.arange(len(values)) / 24
    day = at.astype(int)
    eventful = {d for d in set(day) if np.ptp(values[day == d]) > 0}
    ends = np.append(True, day[1:] != day[:-1]) | np.append(day[1:] != day[:-1], True)
    kept = ends | np.isin(day, list(eventful))
    for chosen in (np.ones(len(at), dtype=bool), kept, ends):
        assert read(PCT, at[chosen], values[chosen]).resets == []


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.5, 6), st.sampled_from([0.25, 1.0]))
def test_noise_on_a_percentage_is_no_new_part(seed: int, sigma: float, step: float) -> None:
    at = np.arange(0, 100, step)
    noise = np.random.default_rng(seed).normal(0, sigma, len(at)).clip(-3 * sigma, 3 * sigma)
    assert read(PCT, at, np.clip(np.round(90 - 0.4 * at + noise), 0, 100)).resets == []
