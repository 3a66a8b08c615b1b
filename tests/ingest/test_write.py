"""The write path on a real database: stored once, kept apart, or quarantined, and always counted."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from devices.nouns import DeviceStatus
from devices.registry import register_device
from devices.store import select_device, select_device_status, select_latest
from devices.wire import SEQ_MAX
from ingest.nouns import Complete, Delivery, Lane, Limits
from ingest.storing.batch import StoredBatch, store_batch
from ingest.storing.refused import store_refused
from millpond.kernel.db import WriteConnection

NOW = datetime(2026, 2, 16, 12, tzinfo=UTC)
LIMITS = Limits(262_144, timedelta(days=365), timedelta(minutes=5))
S = "AIR-1"


@pytest.fixture(autouse=True)
def _device(conn: WriteConnection) -> None:
    register_device(conn, serial=S, model="reed-air-2", installed_at=NOW - timedelta(days=9), at=NOW)


def delivery(payload: dict[str, Any] | bytes, *, channel: str = "telemetry", at: datetime = NOW) -> Delivery:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Delivery(f"millpond/v1/{S}/{channel}", raw, at, Lane.LIVE, 1, 1, 1)


def store(conn: WriteConnection, *payloads: dict[str, Any] | bytes | Delivery) -> StoredBatch:
    deliveries = [p if isinstance(p, Delivery) else delivery(p) for p in payloads]
    return store_batch(conn, deliveries, LIMITS, consumer="test", at=NOW)


def gaps(conn: WriteConnection) -> list[tuple[str, int, int]]:
    rows = conn.execute("select boot, from_seq, to_seq from sequence_gap").fetchall()
    assert set(rows) == set(conn.execute("select boot, from_seq, to_seq from watched_gap"))
    return [(boot, int(low), int(high)) for boot, low, high in rows]


def sample(seq: int, pct: float, minutes: int = 0, boot: str = "b") -> dict[str, Any]:
    ts = int((NOW + timedelta(minutes=minutes - 60)).timestamp() * 1000)
    return {"boot": boot, "seq": seq, "ts": ts, "metrics": {"filter_life_pct": pct}}


def stored_values(conn: WriteConnection) -> list[float]:
    return [row[0] for row in conn.execute("select value from reading order by measured_at, value")]


def outcomes(batch: StoredBatch) -> tuple[int, int, int, int]:
    return (batch.tally.stored, batch.tally.duplicate, batch.tally.conflict, batch.tally.quarantined)


def test_a_redelivered_reading_is_stored_once(conn: WriteConnection) -> None:
    assert outcomes(store(conn, sample(1, 64))) == (1, 0, 0, 0)
    assert outcomes(store(conn, sample(1, 64))) == (0, 1, 0, 0)
    assert outcomes(store(conn, sample(2, 63, 1), sample(2, 63, 1))) == (1, 1, 0, 0)
    assert stored_values(conn) == [64, 63]


def test_of_two_values_for_one_key_the_first_stays_and_the_second_is_kept_aside(conn: WriteConnection) -> None:
    store(conn, sample(1, 64))
    assert outcomes(store(conn, sample(2, 50))) == (0, 0, 1, 0)
    assert outcomes(store(conn, sample(2, 50))) == (0, 1, 0, 0)
    assert stored_values(conn) == [64]
    assert conn.execute("select value from reading_conflict").fetchall() == [(50,)]


def test_two_values_for_one_key_in_one_batch_are_a_conflict_too(conn: WriteConnection) -> None:
    assert outcomes(store(conn, sample(1, 64), sample(2, 50))) == (1, 0, 1, 0)
    assert stored_values(conn) == [64]


def test_a_sample_without_a_time_keeps_the_time_of_its_first_delivery(conn: WriteConnection) -> None:
    timeless = {"boot": "b", "seq": 1, "metrics": {"filter_life_pct": 64, "power": True}}
    assert outcomes(store(conn, timeless)) == (2, 0, 0, 0)
    later = delivery(timeless, at=NOW + timedelta(hours=3))
    assert outcomes(store(conn, later, later)) == (0, 4, 0, 0)
    rows = conn.execute("select distinct measured_at, corrected from reading").fetchall()
    assert rows == [(NOW + timedelta(microseconds=1), True)]


def test_a_sample_redelivered_with_a_mended_clock_is_not_a_second_one(conn: WriteConnection) -> None:
    store(conn, sample(1, 64) | {"ts": 0})
    assert outcomes(store(conn, sample(1, 64))) == (0, 1, 0, 0)
    assert len(stored_values(conn)) == 1


@pytest.mark.parametrize("jump", [timedelta(days=400), timedelta(hours=-2)])
def test_a_sample_that_comes_again_after_our_own_clock_jumped_is_not_a_second_one(
    conn: WriteConnection, jump: timedelta
) -> None:
    store(conn, sample(1, 64))
    again = delivery(sample(1, 64), at=NOW + jump)
    assert outcomes(store(conn, again)) == (0, 1, 0, 0)
    assert conn.execute("select corrected from reading").fetchall() == [(False,)]


def test_a_quarantined_message_keeps_its_bytes_and_is_kept_once(conn: WriteConnection) -> None:
    poison = b'{"metrics":{"filter_life_pct":64'
    assert outcomes(store(conn, poison)) == (0, 0, 0, 1)
    assert outcomes(store(conn, poison, poison)) == (0, 2, 0, 0)
    rows = conn.execute(
        "select payload, serial, code from quarantine join quarantined_message using (digest)"
    ).fetchall()
    assert rows == [(poison, S, "malformed")]


def test_text_that_the_database_cannot_hold_is_quarantined_all_the_same(conn: WriteConnection) -> None:
    hostile = {"boot": "b", "seq": 1, "metrics": {"na\x00me": 1, "\x00": 2, "power": True}}
    assert outcomes(store(conn, hostile)) == (1, 0, 0, 2)


def test_the_minute_counts_every_item_once(conn: WriteConnection) -> None:
    bad = {"boot": "b", "seq": 3, "ts": 1771239600000, "metrics": {"filter_life_pct": 101, "power": True}}
    store(conn, sample(1, 64), sample(1, 64), sample(2, 50), bad, b"{")
    row = conn.execute(
        "select messages, received, stored, duplicate, conflict, quarantined from ingest_minute"
    ).fetchone()
    assert row == (5, 6, 2, 1, 1, 2)


def test_completeness_is_the_prefix_and_never_jumps_a_hole(conn: WriteConnection) -> None:
    assert store(conn, sample(1, 90), sample(2, 89, 1)).complete == [Complete(S, "b", 2)]
    assert store(conn, sample(4, 87, 3), sample(5, 86, 4)).complete == [Complete(S, "b", 2)]
    assert store(conn, sample(3, 88, 2)).complete == [Complete(S, "b", 5)]


def test_a_boot_may_count_from_zero(conn: WriteConnection) -> None:
    assert store(conn, sample(0, 90), sample(1, 89, 1)).complete == [Complete(S, "b", 1)]


def test_a_boot_first_heard_of_in_its_middle_is_not_complete(conn: WriteConnection) -> None:
    """A live reading can overtake the backfill of the same boot: acknowledging it would cost what is behind."""
    assert store(conn, sample(41, 90)).complete == []
    assert gaps(conn) == [("b", 1, 40)]


def test_what_a_device_says_is_gone_is_no_longer_waited_for(conn: WriteConnection) -> None:
    store(conn, sample(41, 90))
    gone = {"status": "gone", "boot": "b", "from": 1, "to": 40}
    assert store(conn, delivery(gone, channel="command/c1/result")).complete == [Complete(S, "b", 41)]
    assert gaps(conn) == []


def test_sequence_numbers_are_unsigned_64_bit(conn: WriteConnection) -> None:
    store(conn, sample(SEQ_MAX, 90), sample(1, 90, 1))
    assert gaps(conn) == [("b", 2, SEQ_MAX - 1)]


def test_the_numbers_of_refused_samples_count_as_safe(conn: WriteConnection) -> None:
    broken = {"boot": "b", "seq": 1, "metrics": {}}
    assert store(conn, broken, sample(2, 64)).complete == [Complete(S, "b", 2)]


def test_the_latest_value_is_the_newest_by_measured_time(conn: WriteConnection) -> None:
    store(conn, sample(1, 64, 5), sample(2, 70, 1))
    store(conn, sample(3, 80, 2))
    device = select_device(conn, S)
    assert device is not None
    assert [v.value for v in select_latest(conn, device.device_id)] == [64]


def test_a_future_time_does_not_freeze_the_latest_value(conn: WriteConnection) -> None:
    store(conn, sample(1, 64) | {"ts": 4_102_444_800_000})
    store(conn, delivery(sample(2, 63, 120), at=NOW + timedelta(hours=1)))
    device = select_device(conn, S)
    assert device is not None
    assert [v.value for v in select_latest(conn, device.device_id)] == [63]


def test_an_offline_of_an_older_session_is_ignored(conn: WriteConnection) -> None:
    device = select_device(conn, S)
    assert device is not None
    for state, session in [("online", "s1"), ("online", "s2"), ("offline", "s1")]:
        store(conn, delivery({"state": state, "session": session}, channel="status"))
    status = select_device_status(conn, device.device_id)
    assert status is not None
    assert (status.state, status.session) == ("online", "s2")


def test_a_status_that_says_nothing_new_moves_no_time(conn: WriteConnection) -> None:
    device, later = select_device(conn, S), NOW + timedelta(days=1)
    assert device is not None
    for at in (NOW, later):
        online = delivery({"state": "online", "session": "s1"}, channel="status", at=at)
        store(conn, structs.replace(online, retained=at == later))
    assert select_device_status(conn, device.device_id) == DeviceStatus("online", "s1", NOW)
    store(conn, delivery({"state": "offline", "session": "s1"}, channel="status", at=later))
    assert select_device_status(conn, device.device_id) == DeviceStatus("offline", "s1", later)


@pytest.mark.parametrize("channel", ["telemetry", "backfill", "status", "command/c1/result"])
def test_an_empty_message_is_nothing_and_is_counted(conn: WriteConnection, channel: str) -> None:
    store(conn, sample(1, 64))
    assert outcomes(store(conn, delivery(b"", channel=channel))) == (0, 0, 0, 0)
    assert conn.execute("select count(*) from quarantine").fetchone() == (0,)
    assert conn.execute("select messages, received, stored from ingest_minute").fetchall() == [(2, 1, 1)]


def test_a_message_the_database_refuses_is_quarantined_and_its_numbers_are_safe(conn: WriteConnection) -> None:
    stored = store_refused(conn, delivery(sample(1, 64)), "value out of range", LIMITS, consumer="test", at=NOW)
    assert (outcomes(stored), stored.complete) == ((0, 0, 0, 1), [Complete(S, "b", 1)])
    assert stored_values(conn) == []


def test_a_retained_value_without_number_and_time_is_never_news(conn: WriteConnection) -> None:
    kept = structs.replace(delivery({"metrics": {"filter_life_pct": 64, "power": True}}), retained=True)
    assert outcomes(store(conn, kept, kept)) == (0, 4, 0, 0)
    assert store(conn, kept).tally.no_news == 2
    assert stored_values(conn) == []


def test_a_retained_sample_that_can_be_known_again_is_stored_once(conn: WriteConnection) -> None:
    numbered = structs.replace(delivery({"boot": "b", "seq": 1, "metrics": {"filter_life_pct": 64}}), retained=True)
    timed = structs.replace(delivery({"ts": "2026-02-16T11:00:00Z", "metrics": {"filter_life_pct": 63}}), retained=True)
    assert outcomes(store(conn, numbered, timed)) == (2, 0, 0, 0)
    later = [structs.replace(one, received_at=NOW + timedelta(hours=3)) for one in (numbered, timed)]
    assert outcomes(store(conn, *later)) == (0, 2, 0, 0)
