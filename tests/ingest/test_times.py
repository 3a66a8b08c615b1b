"""Samples without a good clock: each is stored once and at a time of its own, however they come."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.registry import register_device
from ingest.nouns import Complete, Delivery, Lane, Limits
from ingest.storing.batch import StoredBatch, store_batch
from millpond.kernel.db import WriteConnection, connect
from tests.races import race

NOW = datetime(2026, 2, 16, 12, tzinfo=UTC)
LIMITS = Limits(262_144, timedelta(days=365), timedelta(minutes=5))
MICROSECOND = timedelta(microseconds=1)
S = "AIR-1"
CLOCKS: dict[str, dict[str, Any]] = {
    "none": {},
    "1970": {"ts": 1000},
    "in seconds": {"ts": int(NOW.timestamp())},
    "beyond any calendar": {"ts": 10**30},
}


@pytest.fixture(autouse=True)
def _device(conn: WriteConnection) -> None:
    register_device(conn, serial=S, model="reed-air-2", installed_at=NOW - timedelta(days=9), at=NOW)


def message(seqs: Sequence[int], value: float = 64, boot: str | None = "b", **ts: Any) -> dict[str, Any]:
    numbers = [{"seq": seq} if boot else {} for seq in seqs]
    samples = [number | ts | {"metrics": {"filter_life_pct": value}} for number in numbers]
    return ({"boot": boot} if boot else {}) | {"samples": samples}


def delivery(payload: Any, *, at: datetime = NOW, lane: Lane = Lane.LIVE, serial: str = S) -> Delivery:
    channel = "telemetry" if lane is Lane.LIVE else "backfill"
    return Delivery(f"millpond/v1/{serial}/{channel}", json.dumps(payload).encode(), at, lane, 1, 1, 1)


def store(conn: WriteConnection, *deliveries: Delivery, at: datetime = NOW) -> StoredBatch:
    return store_batch(conn, deliveries, LIMITS, consumer="test", at=at)


def stored(conn: WriteConnection) -> int:
    return len(set(conn.execute("select device_id, metric_id, measured_at from reading")))


@pytest.mark.parametrize("clock", CLOCKS.values(), ids=list(CLOCKS))
@pytest.mark.parametrize("apart", [timedelta(0), MICROSECOND])
def test_samples_of_messages_that_come_at_one_moment_stay_different_readings(
    conn: WriteConnection, clock: dict[str, Any], apart: timedelta
) -> None:
    for number in range(5):
        seqs, lane = range(number * 200 + 1, number * 200 + 201), Lane(number % 2)
        batch = store(conn, delivery(message(seqs, **clock), at=NOW + number * apart, lane=lane))
    assert (stored(conn), batch.complete) == (1000, [Complete(S, "b", 1000)])
    assert batch.tally.duplicate == 0


def test_samples_without_a_number_and_a_time_stay_different_readings(conn: WriteConnection) -> None:
    for lane in Lane:
        store(conn, *(delivery(message(range(100), boot=None), lane=lane) for _ in range(3)))
    assert stored(conn) == 600


def test_samples_that_come_again_in_other_messages_are_the_same_ones(conn: WriteConnection) -> None:
    store(conn, delivery(message(range(1, 301))))
    again = store(conn, *(delivery(message(range(at, at + 50)), lane=Lane.BACKFILL) for at in range(1, 301, 50)))
    assert (again.tally.stored, again.tally.duplicate) == (0, 300)
    assert stored(conn) == 300


def test_a_sample_that_came_before_is_a_duplicate_also_when_its_time_is_no_longer_kept(conn: WriteConnection) -> None:
    store(conn, delivery(message(range(1, 11))))
    conn.execute("delete from effective_time")
    again = store(conn, delivery(message(range(1, 12)), at=NOW + timedelta(days=400)))
    assert (again.tally.stored, again.tally.duplicate) == (1, 10)


def test_a_sample_that_had_a_good_time_first_is_a_duplicate_without_one(conn: WriteConnection) -> None:
    store(conn, delivery(message([1], ts="2026-02-16T11:00:00Z")))
    assert store(conn, delivery(message([1], ts=1000)), delivery(message([1]))).tally.duplicate == 2
    assert conn.execute("select corrected from reading").fetchall() == [(False,)]


def test_a_sample_that_was_all_refused_is_stored_when_it_comes_again_and_can_be_read(conn: WriteConnection) -> None:
    unreadable = store(conn, delivery(message([1, 2], value=101)))
    assert (unreadable.tally.quarantined, unreadable.complete) == (2, [Complete(S, "b", 2)])
    assert store(conn, delivery(message([1], value=100))).tally.stored == 1
    conn.execute("delete from effective_time")
    assert store(conn, delivery(message([1, 2], value=100))).tally.stored == 1


def test_a_made_up_time_moves_on_until_it_meets_no_reading_of_a_good_clock(conn: WriteConnection) -> None:
    said = [(NOW + number * MICROSECOND).isoformat() for number in range(1, 2500)]
    good = [{"ts": ts, "metrics": {"filter_life_pct": 64}} for ts in said]
    store(conn, delivery({"samples": good}))
    store(conn, delivery(message(range(1, 501))))
    assert stored(conn) == len(said) + 500


def test_a_good_clock_that_says_a_made_up_time_is_not_a_duplicate(conn: WriteConnection) -> None:
    store(conn, delivery(message([1])))
    [(time,)] = conn.execute("select measured_at from reading").fetchall()
    clash = delivery(message([2], ts=time.isoformat()), at=NOW + timedelta(seconds=1))
    assert store(conn, clash).tally.conflict == 1
    assert store(conn, clash).tally.duplicate == 1
    assert conn.execute("select value from reading_conflict").fetchall() == [(64,)]


def test_made_up_times_leave_whole_milliseconds_to_clocks(conn: WriteConnection) -> None:
    store(conn, *(delivery(message(range(at, at + 500))) for at in range(1, 2501, 500)))
    whole = conn.execute("select count(*) from reading where date_trunc('milliseconds', measured_at) = measured_at")
    assert whole.fetchone() == (0,)


def test_after_our_clock_was_set_back_times_are_ours_again(conn: WriteConnection) -> None:
    store(conn, delivery(message([1]), at=NOW + timedelta(days=300)))
    store(conn, delivery(message([2])), delivery(message([3])))
    latest = [row[0] for row in conn.execute("select measured_at from reading order by measured_at")]
    assert [time - NOW for time in latest] == [MICROSECOND, 2 * MICROSECOND, timedelta(days=300, microseconds=1)]


def test_a_doubtful_clock_is_counted_once_a_sample(conn: WriteConnection) -> None:
    store(conn, delivery(message([1, 2], ts=1000)), delivery(message([3], ts="2026-02-16T11:00:00Z")))
    store(conn, delivery(message([1, 2], ts=1000)), at=NOW + timedelta(hours=1))
    store(conn, delivery(message([4], ts="2026-02-16T13:00:00Z")), at=NOW + timedelta(hours=2))
    rows = conn.execute("select samples, first_at, last_at, last_offset_s from clock_doubt").fetchall()
    assert rows == [(3, NOW, NOW + timedelta(hours=2), 3600)]


def test_writers_at_once_store_each_sample_once(database: str) -> None:
    with connect(database) as conn:
        register_device(conn, serial=S, model="reed-air-2", installed_at=NOW - timedelta(days=9), at=NOW)
    lanes = [[delivery(message(range(at, at + 100)), lane=lane) for at in range(1, 401, 50)] for lane in Lane]

    def write(lane: list[Delivery]) -> Callable[[WriteConnection], list[StoredBatch]]:
        return lambda own: [store(own, one) for one in lane]

    race(database, [write(lane) for lane in lanes for _ in range(2)])
    with connect(database) as conn:
        assert stored(conn) == 450
        assert conn.execute("select samples from clock_doubt").fetchall() == [(450,)]


@st.composite
def journeys(draw: st.DrawFn) -> tuple[int, list[list[Delivery]]]:
    """How many samples a few devices sent, and the batches in which their messages came, some of them again."""
    sent: list[Delivery] = []
    samples = 0
    at = NOW
    for boot in range(draw(st.integers(1, 3))):
        clock, value = draw(st.sampled_from(list(CLOCKS.values()))), draw(st.sampled_from([64.0, 12.5]))
        numbered = draw(st.booleans())
        seq = 1
        for size in draw(st.lists(st.sampled_from([1, 2, 200, 500]), min_size=1, max_size=4)):
            payload = message(range(seq, seq + size), value, f"b{boot}" if numbered else None, **clock)
            at += draw(st.sampled_from([timedelta(0), MICROSECOND, timedelta(seconds=2), timedelta(hours=-1)]))
            again = draw(st.integers(1, 2)) if numbered else 1
            sent += [delivery(payload, at=at, lane=draw(st.sampled_from(Lane))) for _ in range(again)]
            seq, samples = seq + size, samples + size
    sent = draw(st.permutations(sent))
    ends = sorted(draw(st.lists(st.integers(0, len(sent)), max_size=3)))
    return samples, [sent[a:b] for a, b in zip([0, *ends], [*ends, len(sent)], strict=True) if a < b]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(journeys())
def test_whatever_way_they_come_as_many_readings_are_stored_as_samples_were_sent(
    conn: WriteConnection, journey: tuple[int, list[list[Delivery]]]
) -> None:
    samples, batches = journey
    with conn.transaction(force_rollback=True):
        tallies = [store(conn, *batch).tally for batch in batches]
        assert stored(conn) == sum(tally.stored for tally in tallies) == samples
        held = conn.execute(
            "select coalesce(sum(upper(r) - lower(r)), 0) from sequence, unnest(received) as r"
        ).fetchone()
        numbered = conn.execute("select count(*) from effective_time").fetchone()
        assert held == numbered
