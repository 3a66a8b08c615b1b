"""Samples without a good time whose device says for how long it was on."""

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.registry import register_device
from devices.wire import parse_uptime
from ingest.nouns import Delivery, Lane, Limits
from ingest.storing.batch import StoredBatch, store_batch
from millpond.kernel.db import WriteConnection, load_queries
from millpond.kernel.migrate import migrate
from tests.old_database import OLD_AT, old_database

NOW = datetime(2026, 2, 16, 12, tzinfo=UTC)
LIMITS = Limits(262_144, timedelta(days=365), timedelta(minutes=5))
S = "AIR-1"
HOUR = 3600
MILLISECOND = timedelta(milliseconds=1)


@pytest.fixture(autouse=True)
def _device(conn: WriteConnection) -> None:
    register_device(conn, serial=S, model="reed-air-2", installed_at=NOW - timedelta(days=400), at=NOW)


def sample(seq: int, uptime_s: Any, **other: Any) -> dict[str, Any]:
    return {"seq": seq, "uptime_s": uptime_s, **other, "metrics": {"filter_life_pct": seq % 101}}


def live(seq: int, uptime_s: Any, at_s: float = 0, **other: Any) -> Delivery:
    return message({"boot": "b"} | sample(seq, uptime_s, **other), at_s)


def backfill(samples: Sequence[dict[str, Any]], at_s: float = 0, **other: Any) -> Delivery:
    return message({"boot": "b", "samples": samples, **other}, at_s, Lane.BACKFILL)


def message(
    content: dict[str, Any], at_s: float = 0, lane: Lane = Lane.LIVE, *, retained: bool = False, again: bool = False
) -> Delivery:
    topic = f"millpond/v1/{S}/{'telemetry' if lane is Lane.LIVE else 'backfill'}"
    at = NOW + timedelta(seconds=at_s)
    return Delivery(topic, json.dumps(content).encode(), at, lane, 1, 1, 1, retained=retained, redelivered=again)


def store(conn: WriteConnection, *deliveries: Delivery) -> StoredBatch:
    return store_batch(conn, deliveries, LIMITS, consumer="test", at=deliveries[-1].received_at)


def times(conn: WriteConnection) -> dict[int, float]:
    """By number how many seconds after NOW each sample counts as measured, as whole milliseconds."""
    rows = conn.execute("select value::int, measured_at from reading where corrected").fetchall()
    return {seq: (at - NOW) // MILLISECOND / 1000 for seq, at in rows}


def test_what_was_stored_while_offline_is_dated_by_what_came_live(conn: WriteConnection) -> None:
    store(conn, live(4, 10 * HOUR))
    store(conn, backfill([sample(seq, (5 + seq) * HOUR) for seq in (1, 2, 3)], 60))
    assert times(conn) == {1: -4 * HOUR, 2: -3 * HOUR, 3: -2 * HOUR, 4: 0}


def test_a_message_that_says_when_it_was_sent_dates_all_that_it_brings(conn: WriteConnection) -> None:
    store(conn, backfill([sample(seq, seq * HOUR) for seq in (1, 2, 3)], uptime_s=10 * HOUR))
    assert times(conn) == {1: -9 * HOUR, 2: -8 * HOUR, 3: -7 * HOUR}


def test_without_anything_live_it_counts_when_it_came(conn: WriteConnection) -> None:
    store(conn, backfill([sample(1, HOUR), sample(2, 2 * HOUR)]))
    assert times(conn) == {1: 0, 2: 0}
    store(conn, message(sample(3, 3 * HOUR) | {"boot": "b"}, 1, retained=True))
    store(conn, message(sample(4, 3 * HOUR) | {"boot": "b"}, 2, again=True))
    store(conn, backfill([sample(5, 2 * HOUR)], 3))
    assert {seq: at for seq, at in times(conn).items() if seq > 2} == {3: 1, 4: 2, 5: 3}


def test_a_plausible_time_wins_and_yet_says_when_the_boot_began(conn: WriteConnection) -> None:
    store(conn, live(3, 10 * HOUR, ts="2026-02-16T11:59:00Z"))
    assert conn.execute("select measured_at, corrected from reading").fetchone() == (NOW - timedelta(minutes=1), False)
    store(conn, backfill([sample(1, HOUR), sample(2, 2 * HOUR, ts=1000)]))
    assert times(conn) == {1: -9 * HOUR, 2: -8 * HOUR}


def test_each_boot_began_by_itself(conn: WriteConnection) -> None:
    store(conn, live(1, 10 * HOUR))
    store(conn, message({"boot": "c"} | sample(3, 5), 60))
    store(conn, message({"boot": "c", "samples": [sample(2, 2)]}, 70, Lane.BACKFILL))
    assert times(conn) == {1: 0, 2: 57, 3: 60}


def test_what_comes_again_has_the_time_it_had(conn: WriteConnection) -> None:
    first = [live(2, 10 * HOUR), backfill([sample(1, HOUR)])]
    store(conn, *first)
    # Meanwhile a message was quicker, and another boot's began.
    store(conn, live(3, 10 * HOUR + 30, 20))
    before = times(conn)
    for again in (*first, backfill([sample(1, HOUR), sample(2, 10 * HOUR)], 90, uptime_s=11 * HOUR)):
        outcome = store(conn, again)
        assert (outcome.tally.stored, outcome.tally.conflict) == (0, 0)
    assert times(conn) == before == {1: -9 * HOUR, 2: 0, 3: 20}


def test_the_message_that_was_quickest_says_when_the_boot_began(conn: WriteConnection) -> None:
    """A message can come late, never early."""
    store(conn, live(2, 100, 50))
    store(conn, live(3, 200, 110))
    store(conn, live(4, 300, 240))
    store(conn, backfill([sample(1, 50)], 250))
    assert times(conn) == {1: -40, 2: 50, 3: 110, 4: 210}


def test_what_comes_live_is_dated_at_most_a_minute_before_it_came(conn: WriteConnection) -> None:
    """As an uptime that stands while its device sleeps would have it, or one that never moves."""
    for seq, at_s in enumerate(range(0, 600, 25), 1):
        store(conn, live(seq, 77, at_s))
    assert all(at_s - 60 <= times(conn)[seq] <= at_s for seq, at_s in enumerate(range(0, 600, 25), 1))


def test_an_uptime_or_a_clock_of_ours_that_jumped_is_forgotten_with_the_next_message(conn: WriteConnection) -> None:
    store(conn, live(1, 100))
    store(conn, live(2, 900_000, 1))
    store(conn, live(3, 102, 2 - HOUR))
    store(conn, live(4, 103, 3))
    store(conn, live(5, 104, 4 + HOUR))
    store(conn, live(6, 105, 5))
    assert times(conn) == {1: 0, 2: 1, 3: 2 - HOUR, 4: 3, 5: 4 + HOUR, 6: 5}
    store(conn, backfill([sample(7, 105.5)], 100))
    assert times(conn)[7] == 5.5


def test_samples_of_a_boot_keep_the_order_of_their_numbers(conn: WriteConnection) -> None:
    """A counter that seemed to fall would be a new part."""
    store(conn, backfill([sample(1, HOUR), sample(2, 2 * HOUR)]))
    store(conn, live(9, 10 * HOUR, 10))
    store(conn, backfill([sample(3, 3 * HOUR), sample(4, 2 * HOUR), sample(5, 10 * HOUR - 3)], 20))
    rows = conn.execute("select value from reading order by measured_at").fetchall()
    assert [value for (value,) in rows] == [1, 2, 3, 4, 5, 9]
    assert times(conn)[5] == 7


def test_samples_of_one_uptime_are_different_readings(conn: WriteConnection) -> None:
    store(conn, live(1, 10 * HOUR))
    for start in (2, 1002, 2002):
        samples = [sample(seq, HOUR) for seq in range(start, start + 1000)]
        assert store(conn, backfill(samples, 5)).tally.stored == 1000
    rows = conn.execute("select measured_at from reading where measured_at < %s", [NOW]).fetchall()
    assert len(rows) == 999
    assert all(at.microsecond % 1000 for (at,) in rows)


def test_many_moments_of_one_series_are_each_looked_up_by_themselves(conn: WriteConnection) -> None:
    """Compared with all that the series has, ten thousand of one message took minutes."""
    store(conn, live(1, 10 * HOUR), backfill([sample(seq, seq) for seq in range(2, 2000)]))
    moments = [NOW - timedelta(hours=hours) for hours in range(1000)]
    values = {"device_ids": [1] * 1000, "metric_ids": [1] * 1000, "from_ats": moments, "to_ats": moments}
    query = "explain " + load_queries("devices")["select_measured_between"]
    plan = [line for (line,) in conn.execute(query.encode(), values)]
    assert plan[0].startswith("Nested Loop")
    assert not any("Join Filter" in line for line in plan)


def test_a_sample_is_dated_between_readings_of_a_good_clock(conn: WriteConnection) -> None:
    clock = {"seq": 1, "ts": "2026-02-16T11:00:00.000001Z", "metrics": {"filter_life_pct": 9}}
    store(conn, message({"boot": "a"} | clock), live(2, 10 * HOUR))
    assert store(conn, backfill([sample(3, 9 * HOUR)], 0)).tally.stored == 1
    at = NOW - timedelta(hours=1) + timedelta(microseconds=2)
    assert conn.execute("select value from reading where measured_at = %s", [at]).fetchone() == (3,)


def test_a_time_before_the_plausible_window_is_not_taken(conn: WriteConnection) -> None:
    store(conn, live(3, 800 * 24 * HOUR))
    store(conn, backfill([sample(1, 434 * 24 * HOUR), sample(2, 436 * 24 * HOUR)], 1))
    assert times(conn) == {3: 0, 1: 1, 2: -364 * 24 * HOUR}


@pytest.mark.parametrize("uptime_s", [-1, math.nan, math.inf, -math.inf, 10**30, 1e300, 3.2e9, "5", True, None, [], {}])
def test_an_uptime_that_can_be_none_is_not_said(conn: WriteConnection, uptime_s: Any) -> None:
    assert parse_uptime(uptime_s) is None
    store(conn, live(2, 10 * HOUR))
    store(conn, live(1, uptime_s, 5))
    store(conn, backfill([sample(3, uptime_s)], 6, uptime_s=uptime_s))
    assert times(conn) == {1: 5, 2: 0, 3: 6}
    assert conn.execute("select began_at from sequence").fetchall() == [(NOW - timedelta(hours=10),)]


def test_without_numbers_an_uptime_dates_nothing(conn: WriteConnection) -> None:
    """There would be nothing by which a sample that comes again could find its time."""
    content = {"uptime_s": 10, "metrics": {"filter_life_pct": 50}}
    store(conn, message(content), message({"boot": "b"} | content, 60))
    assert list(times(conn).values()) == [60]
    assert conn.execute("select count(*) from sequence").fetchone() == (0,)


def test_a_doubtful_clock_is_told_with_times_of_receiving(conn: WriteConnection) -> None:
    store(conn, live(2, 10 * HOUR))
    store(conn, backfill([sample(1, HOUR)], 5))
    samples, made_up_to = conn.execute("select samples, made_up_to from clock_doubt").fetchall()[0]
    assert (samples, made_up_to - NOW < timedelta(seconds=1), made_up_to >= NOW) == (2, True, True)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.integers(1, 40),
            st.sampled_from([0, 1, 0.001, 5.5, 59, 61, 1e5, 1e9, 3.1e9, -1, 2**64]) | st.floats(),
            st.integers(-5000, 5000) | st.sampled_from([-(10**7), 6 * 10**7]),
            st.sampled_from(list(Lane)),
            st.booleans(),
        ),
        max_size=25,
    )
)
def test_whatever_uptimes_say_nothing_is_dated_after_it_came_or_before_the_window(
    conn: WriteConnection, said: list[tuple[int, float, int, Lane, bool]]
) -> None:
    with conn.transaction(force_rollback=True):
        for seq, uptime_s, at_s, lane, alone in said:
            one = sample(seq, uptime_s)
            content = {"boot": "b"} | (one if alone else {"samples": [one], "uptime_s": uptime_s})
            store(conn, message(content, at_s, lane))
        rows = conn.execute("select value, measured_at, received_at from reading").fetchall()
    assert sorted(value for value, _, _ in rows) == sorted({seq for seq, *_ in said})
    for _, measured_at, received_at in rows:
        assert -LIMITS.clock_past <= measured_at - received_at <= timedelta(milliseconds=1)


def test_times_that_a_database_has_keep_their_age(server_dsn: str) -> None:
    with old_database(server_dsn, "0210") as conn:
        conn.execute("insert into effective_time values ('A-1', 'b', 1, %s)", [OLD_AT])
        migrate(conn, at=NOW)
        assert conn.execute("select coalesce(came_at, effective_at) from effective_time").fetchall() == [(OLD_AT,)]
