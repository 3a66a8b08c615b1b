"""What a limit says in percent remaining: Python and the database say the same."""

import pytest

from devices.nouns import Measure, PartLimit
from devices.parts.limits import LEVELS, to_remaining_pct
from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import MetricId


@pytest.mark.parametrize("measure", Measure)
def test_the_database_counts_percent_remaining_as_the_rules_do(conn: WriteConnection, measure: Measure) -> None:
    limit = PartLimit("filter", MetricId(1), "metric", measure, 3_500.0, 1.0)
    values = [0.0, 0.1, 12.0, 33.3, 100.0, 1_261.7, 3_500.0, 4_000.0]
    rows = conn.execute(
        "select remaining_pct(%s, value, %s) from unnest(%s::float8[]) as v (value)", [measure, 3_500.0, values]
    )
    told = [to_remaining_pct(limit, value) if measure in LEVELS else None for value in values]
    assert [pct for (pct,) in rows] == told


@pytest.mark.parametrize(
    ("measure", "value", "remaining"),
    [
        (Measure.PERCENT_REMAINING, 64.0, 64.0),
        (Measure.PERCENT_USED, 64.0, 36.0),
        (Measure.REMAINING, 875.0, 25.0),
        (Measure.USED, 875.0, 75.0),
        (Measure.USED, 3_850.0, -10.0),
    ],
)
def test_a_value_says_how_much_is_left(measure: Measure, value: float, remaining: float) -> None:
    limit = PartLimit("filter", MetricId(1), "metric", measure, 3_500.0, 1.0)
    assert to_remaining_pct(limit, value) == pytest.approx(remaining)
