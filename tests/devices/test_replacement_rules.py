"""What is a replacement and what is not."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.nouns import EndedBy, Measure, PartLimit
from devices.parts.replacement import LimitPoint, Replacement, read_history
from millpond.kernel.ids import MetricId

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def make_limit(measure: Measure, capacity: float | None = None, quantum: float = 1) -> PartLimit:
    return PartLimit("filter", MetricId(1), "metric", measure, capacity, quantum)


PCT = make_limit(Measure.PERCENT_REMAINING)
HOURS = make_limit(Measure.USED, 3500)
TAG = make_limit(Measure.IDENTITY)
FLAG = make_limit(Measure.REPLACE_FLAG)
STATE = PartLimit("filter", MetricId(1), "metric", Measure.STATE, None, 1, due=frozenset({"replace", "empty"}))


def points(values: Sequence[float | str], step: timedelta = HOUR, start: datetime = START) -> list[LimitPoint]:
    return [
        LimitPoint(start + i * step, state=v) if isinstance(v, str) else LimitPoint(start + i * step, float(v))
        for i, v in enumerate(values)
    ]


def find_replacements(
    series: Sequence[tuple[PartLimit, Sequence[LimitPoint]]], settled_from: datetime | None = None
) -> list[Replacement]:
    return read_history(series, settled_from=settled_from).replacements


@pytest.mark.parametrize(
    ("why", "limit", "values", "first_new", "cause"),
    [
        ("a new filter", PCT, [12, 12, 100, 100], 2, EndedBy.PERCENT_RISE),
        ("a partly used filter", PCT, [12, 12, 60, 60], 2, EndedBy.PERCENT_RISE),
        ("percent used falls", make_limit(Measure.PERCENT_USED), [88, 89, 0, 0], 2, EndedBy.PERCENT_RISE),
        ("the counter falls", HOURS, [3100, 3101, 0, 1], 2, EndedBy.COUNTER_FALL),
        ("a young counter falls", HOURS, [40, 41, 0, 1], 2, EndedBy.COUNTER_FALL),
        ("remaining hours rise", make_limit(Measure.REMAINING, 3500), [300, 299, 3500, 3499], 2, EndedBy.COUNTER_FALL),
        ("a new cartridge id", TAG, ["A", "A", "B"], 2, EndedBy.IDENTITY_CHANGE),
        ("an id unreadable between", TAG, ["A", "", "B", "B"], 2, EndedBy.IDENTITY_CHANGE),
        ("the replace flag is cleared", FLAG, [0, 1, 1, 0, 0], 3, EndedBy.REPLACED_EVENT),
        ("a state is due no more", STATE, ["normal", "replace", "empty", "normal", "low"], 3, EndedBy.REPLACED_EVENT),
        ("a new filter that flickers", PCT, [12] * 9 + [100, 100, 12, 100, 100, 100], 9, EndedBy.PERCENT_RISE),
    ],
)
def test_this_is_one_replacement(
    why: str, limit: PartLimit, values: Sequence[float | str], first_new: int, cause: EndedBy
) -> None:
    found = find_replacements([(limit, points(values))])
    assert [(r.at, r.ended_by) for r in found] == [(START + first_new * HOUR, cause)], why


@pytest.mark.parametrize(
    ("why", "limit", "values"),
    [
        ("noise of one quantum", PCT, [64, 63, 64, 63, 62, 63]),
        ("noise of one coarse quantum", make_limit(Measure.PERCENT_REMAINING, quantum=10), [60, 50, 60, 60, 50]),
        ("a glitch upwards", PCT, [64, 64, 100, 64, 63]),
        ("a glitch downwards", PCT, [64, 64, 0, 64, 63]),
        ("an unconfirmed rise", PCT, [12, 12, 100]),
        ("a filter taken out and put back", PCT, [*([64] * 30), 0, 0, 0, 64, 64, 64]),
        ("a filter that reads as new while it is out", PCT, [*([40] * 9), 100, 100, *([40] * 20)]),
        ("hours forgotten in a power cut", HOURS, [1259, 1260, 1258, 1259]),
        ("a misread id", TAG, ["A", "A", "B", "A", "A"]),
        ("a noisy pressure sensor", PCT, [60, 64, 57, 62, 66, 58, 65, 66, 57, 63, 64, 55, 61, 62]),
        ("a flag that flickers", FLAG, [0, 1, 0, 1, 1]),
        ("a state that flickers", STATE, ["normal", "replace", "normal", "replace", "replace"]),
        ("a state that cannot be read for a while", STATE, ["replace", "replace", "unknown", "unknown", "replace"]),
        ("a state that was never due", STATE, ["normal", "low", "normal", "normal"]),
        ("no reading at all", PCT, []),
        ("one reading", PCT, [50]),
    ],
)
def test_this_is_no_replacement(why: str, limit: PartLimit, values: Sequence[float | str]) -> None:
    assert find_replacements([(limit, points(values))]) == [], why


def test_a_daily_glitch_is_no_replacement() -> None:
    assert find_replacements([(PCT, points([60, 60, 0, 59, 59], step=DAY))]) == []


def test_signals_of_one_replacement_are_one_and_it_is_when_the_first_spoke() -> None:
    told = [
        (PCT, points([12, 12, 100, 100], step=6 * HOUR)),
        (HOURS, points([3100, 3105, 3110, 1, 2], step=5 * HOUR)),
        (TAG, points(["A", "A", "B"], step=7 * DAY, start=START - 8 * DAY)),
    ]
    found = find_replacements(told)
    assert [(r.at, r.ended_by) for r in found] == [(START + 12 * HOUR, EndedBy.IDENTITY_CHANGE)]


def test_what_still_speaks_of_the_last_replacement_is_not_another() -> None:
    late_id = [(TAG, points(["A", "B", "B"], step=6 * HOUR))]
    assert find_replacements(late_id, settled_from=START) == []
    assert len(find_replacements(late_id)) == 1


@given(st.lists(st.integers(0, 3), min_size=3, max_size=200), st.lists(st.sampled_from([-1, 0, 0, 0, 1]), min_size=200))
def test_use_with_noise_of_one_quantum_never_looks_like_a_replacement(used: list[int], noise: list[int]) -> None:
    level, values = 100, []
    for step, wobble in zip(used, noise, strict=False):
        level = max(level - step, 0)
        values.append(max(level + wobble, 0))
    assert find_replacements([(PCT, points(values, step=DAY))]) == []
