"""What asks for a range of time is planned for that range, however often it is asked."""

from datetime import UTC, datetime, timedelta

import pytest

from api.reads.households import select_remaining_history
from devices.readings import select_bucketed_series, select_raw_series
from devices.registry import register_device
from devices.store import select_metrics
from millpond.kernel.db import ReadConnection, WriteConnection

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MODEL = "generic-purifier-pct"


def generic_plans(conn: ReadConnection) -> int:
    row = conn.execute("select coalesce(sum(generic_plans), 0)::int from pg_prepared_statements").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("series", ["raw", "bucketed", "remaining"])
def test_a_range_asked_for_often_never_gets_a_plan_for_every_range(conn: WriteConnection, series: str) -> None:
    device = register_device(conn, serial="P-1", model=MODEL, installed_at=AT, at=AT)
    metric = select_metrics(conn)[MODEL]["filter_life_pct"].metric_id
    before = generic_plans(conn)
    for days in range(20):
        since = AT - days * DAY
        if series == "raw":
            select_raw_series(conn, device.device_id, metric, since, AT, 10)
        elif series == "bucketed":
            select_bucketed_series(conn, device.device_id, metric, since, AT, DAY, 10)
        else:
            select_remaining_history(conn, device.device_id, "filter", since=since)
    assert generic_plans(conn) == before
