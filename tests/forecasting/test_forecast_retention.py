"""Old forecasts are thinned: one a week, later only the newest of a part."""

from datetime import UTC, datetime, timedelta

import pytest

from millpond.kernel.db import WriteConnection
from tests.endings import retain
from tests.household import current_part, forecast, make_device, replace_part

AT = datetime(2026, 6, 1, tzinfo=UTC)  # a Monday
DAY = timedelta(days=1)


def made_ats(conn: WriteConnection) -> list[int]:
    """How many days old each forecast is that is left, oldest first."""
    return [(AT - row[0]).days for row in conn.execute("select at from depletion_forecast order by at")]


def test_of_old_forecasts_the_last_of_each_week_stays(conn: WriteConnection) -> None:
    part = current_part(conn, make_device(conn, "A-1", "reed-air-2", None, AT - 300 * DAY))
    for days in (*range(105, 91, -1), 89, 1):
        forecast(conn, part, AT, at=AT - days * DAY)
    assert retain(conn, AT) == {"forecasts within a week": 12, "forecast runs": 12}
    assert made_ats(conn) == [99, 92, 89, 1]
    assert retain(conn, AT) == {}


def test_after_two_years_the_newest_forecast_of_a_part_is_all_that_stays(conn: WriteConnection) -> None:
    part = current_part(conn, make_device(conn, "A-1", "reed-air-2", None, AT - 999 * DAY))
    for days in (900, 800, 731):
        forecast(conn, part, AT, at=AT - days * DAY)
    assert retain(conn, AT) == {"weekly forecasts": 2, "forecast runs": 2}
    assert made_ats(conn) == [731]


def test_the_last_forecast_of_a_part_that_was_replaced_stays(conn: WriteConnection) -> None:
    part = current_part(conn, make_device(conn, "A-1", "reed-air-2", None, AT - 999 * DAY))
    forecast(conn, part, AT, at=AT - 805 * DAY)
    replace_part(conn, part, AT - 804 * DAY)
    other = current_part(conn, make_device(conn, "A-2", "reed-air-2", None, AT - 999 * DAY))
    forecast(conn, other, AT, at=AT - 803 * DAY)
    assert retain(conn, AT) == {}


@pytest.mark.parametrize("days", [100, 800])
def test_a_forecast_for_a_moment_that_has_not_come_takes_no_other_ones_place(conn: WriteConnection, days: int) -> None:
    """Readers prefer the newest that is not of the future; the other device's run is later in the same week."""
    part, other = (
        current_part(conn, make_device(conn, serial, "reed-air-2", None, AT - 999 * DAY)) for serial in ("A-1", "A-2")
    )
    forecast(conn, part, AT, at=AT - days * DAY)
    forecast(conn, other, AT, at=AT - days * DAY + timedelta(hours=1))
    forecast(conn, part, AT, at=AT + 3 * DAY)
    assert retain(conn, AT) == {}


def test_a_forecast_made_now_as_of_long_ago_is_young(conn: WriteConnection) -> None:
    part = current_part(conn, make_device(conn, "A-1", "reed-air-2", None, AT - 999 * DAY))
    for days in (100, 99):
        forecast(conn, part, AT, at=AT - days * DAY)
    conn.execute("update forecast_run set made_at = %s", [AT])
    assert retain(conn, AT) == {}
