"""The latest values of a device: one row, in which each metric has its own newest value."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.bulk.columns import columns_of
from devices.bulk.storing import store_readings
from devices.nouns import Reading
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.ids import DeviceId, MetricId
from millpond.kernel.migrate import migrate
from millpond.kernel.waiting import wait_until
from tests.old_database import old_database

FIRST = datetime(2025, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
Latest = dict[tuple[int, int], tuple[datetime, float | None, str | None]]


def reading(device: int, metric: int, minute: int, value: float | str = 1.0) -> Reading:
    number, state = (None, value) if isinstance(value, str) else (value, None)
    at = FIRST + minute * MINUTE
    return Reading(DeviceId(device), MetricId(metric), at, number, state, at + MINUTE, False)


texts = st.sampled_from(["on", "", "null", "NULL", '"', "\\", '{"a,b"}', "닫힘", "'; --", "a b"])
readings = st.builds(
    reading, st.integers(1, 3), st.integers(1, 4), st.integers(0, 9), st.floats(-1e6, 1e6, allow_nan=False) | texts
)


def store(conn: WriteConnection, said: Sequence[Reading]) -> None:
    store_readings(conn, columns_of(said))


def latest(conn: WriteConnection) -> Latest:
    rows = conn.execute("select device_id, metric_id, measured_at, value, state from reading_latest").fetchall()
    assert len({row[:2] for row in rows}) == len(rows)
    return {(device, metric): (at, value, state) for device, metric, at, value, state in rows}


def newest(said: Iterable[Reading]) -> Latest:
    """Of each series the newest reading; of several with one time the first that came is stored."""
    found: Latest = {}
    for r in said:
        key = (int(r.device_id), int(r.metric_id))
        if key not in found or r.measured_at > found[key][0]:
            found[key] = (r.measured_at, r.value, r.state)
    return found


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(readings, min_size=1, max_size=12), min_size=1, max_size=4))
def test_each_metric_has_its_newest_value_whatever_comes_in_which_order(
    conn: WriteConnection, batches: list[list[Reading]]
) -> None:
    conn.execute("truncate reading, device_latest")
    for batch in batches:
        store(conn, batch)
    assert latest(conn) == newest(r for batch in batches for r in batch)
    heard = "select device_id, newest_at from device_latest where received_at >= newest_at"
    times = {
        int(r.device_id): max(s.measured_at for b in batches for s in b if s.device_id == r.device_id)
        for b in batches
        for r in b
    }
    assert dict(conn.execute(heard).fetchall()) == times


def test_a_device_has_one_row_which_is_renewed_in_place(conn: WriteConnection) -> None:
    for minute in range(3):
        store(conn, [reading(1, metric, minute) for metric in range(5)])
    assert conn.execute("select newest_at, metric_ids from device_latest").fetchall() == [
        (FIRST + 2 * MINUTE, list(range(5)))
    ]


def test_what_comes_late_says_nothing_of_when_a_device_was_heard(conn: WriteConnection) -> None:
    store(conn, [reading(1, 1, 5), reading(1, 2, 5)])
    store(conn, [reading(1, 1, 3), reading(1, 2, 4)])
    assert conn.execute("select received_at from device_latest").fetchall() == [(FIRST + 6 * MINUTE,)]


def test_two_writers_of_one_device_lose_nothing_of_each_other(database: str) -> None:
    """The second waits for the row, and puts its values to those that the first one committed."""
    with connect(database) as first, connect(database) as second, ThreadPoolExecutor(1) as thread:
        store(first, [reading(1, 1, 0)])
        first.execute("begin")
        store(first, [reading(1, 2, 2), reading(1, 1, 9)])
        done = thread.submit(store, second, [reading(1, 1, 5), reading(1, 3, 1)])
        waiting = "select wait_event_type from pg_stat_activity where pid = %s"
        with connect(database) as watch:
            look = partial(watch.execute, waiting, [second.info.backend_pid])
            wait_until(lambda: look().fetchone() == ("Lock",), "the second one to wait", timeout_s=20)
        first.execute("commit")
        done.result(timeout=20)
        assert latest(second) == newest([reading(1, 1, 9), reading(1, 2, 2), reading(1, 3, 1)])


def test_latest_values_of_a_row_each_come_along(server_dsn: str) -> None:
    was = [reading(1, 1, 5), reading(1, 2, 7, '"on"'), reading(1, 3, 6, 0.0), reading(2, 1, 1)]
    with old_database(server_dsn, "0203", "0008") as conn:
        for r in was:
            values = [r.device_id, r.metric_id, r.measured_at, r.value, r.state, r.received_at]
            conn.execute("insert into reading_latest values (%s, %s, %s, %s, %s, %s)", values)
        migrate(conn, at=FIRST)
        assert latest(conn) == newest(was)
        heard = "select device_id, newest_at, received_at, states from device_latest order by device_id"
        assert conn.execute(heard).fetchall() == [
            (1, FIRST + 7 * MINUTE, FIRST + 8 * MINUTE, [None, '"on"', None]),
            (2, FIRST + MINUTE, FIRST + 2 * MINUTE, None),
        ]
        store(conn, [reading(1, 1, 6, 2.0), reading(1, 2, 6, "off")])
        assert latest(conn)[1, 1] == (FIRST + 6 * MINUTE, 2.0, None)
        assert latest(conn)[1, 2] == (FIRST + 7 * MINUTE, None, '"on"'), "an older one changes nothing"
