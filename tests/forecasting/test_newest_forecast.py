"""Which forecast of an installation counts: for decisions, and for people to see."""

from datetime import datetime

import pytest
from psycopg import sql

from devices.nouns import Installation
from millpond.kernel.db import WriteConnection
from tests.household import DAY, current_part, forecast, make_device
from tests.people import AT


@pytest.fixture
def part(conn: WriteConnection) -> Installation:
    """The filter of a purifier."""
    return current_part(conn, make_device(conn, "AIR-1", "reed-air-2", None, AT - 90 * DAY))


def newest(conn: WriteConnection, part: Installation, at: datetime) -> list[datetime]:
    found = conn.execute("select at from newest_forecast(%s, %s)", [part.installation_id, at])
    return [row[0] for row in found]


def shown(
    conn: WriteConnection, part: Installation, at: datetime, since: datetime | str = "-infinity"
) -> list[datetime]:
    found = conn.execute("select at from shown_forecast(%s, %s, %s)", [part.installation_id, at, since])
    return [row[0] for row in found]


def test_of_several_forecasts_the_newest_of_the_moment_counts(conn: WriteConnection, part: Installation) -> None:
    for days in (3, 1, 2, 9):
        forecast(conn, part, AT + 30 * DAY, at=AT - days * DAY)
    assert newest(conn, part, AT - 2 * DAY) == shown(conn, part, AT - 2 * DAY) == [AT - 2 * DAY]
    assert newest(conn, part, AT) == shown(conn, part, AT) == [AT - DAY]


def test_a_forecast_for_a_later_moment_is_shown_when_it_is_alone_and_never_decides(
    conn: WriteConnection, part: Installation
) -> None:
    forecast(conn, part, AT + 30 * DAY, at=AT + DAY)
    assert (newest(conn, part, AT), shown(conn, part, AT)) == ([], [AT + DAY])
    forecast(conn, part, AT + 30 * DAY, at=AT - DAY)
    assert newest(conn, part, AT) == shown(conn, part, AT) == [AT - DAY]


def test_what_was_forecast_for_an_owner_before_is_not_shown(conn: WriteConnection, part: Installation) -> None:
    forecast(conn, part, AT + 30 * DAY, at=AT - 5 * DAY)
    assert shown(conn, part, AT, AT - 4 * DAY) == []
    forecast(conn, part, AT + 30 * DAY, at=AT + DAY)
    assert shown(conn, part, AT, AT - 4 * DAY) == [AT + DAY]


def test_of_two_runs_for_one_moment_the_later_counts(conn: WriteConnection, part: Installation) -> None:
    for days in (30, 20):
        forecast(conn, part, AT + days * DAY, at=AT)
    query = (
        "select n.depletes_p10, s.depletes_p10 from newest_forecast(%(of)s, %(at)s) n, shown_forecast(%(of)s, %(at)s) s"
    )
    dates = conn.execute(query, {"of": part.installation_id, "at": AT}).fetchall()
    assert dates == [(AT + 20 * DAY, AT + 20 * DAY)]


@pytest.mark.parametrize("function", ["newest_forecast", "shown_forecast"])
def test_the_functions_are_put_into_the_query_that_asks(conn: WriteConnection, function: str) -> None:
    query = sql.SQL("explain select f.at from installation i cross join lateral {}(i.installation_id, now()) f")
    plan = "\n".join(row[0] for row in conn.execute(query.format(sql.Identifier(function))))
    assert "Function Scan" not in plan
    assert "depletion_forecast" in plan
