"""What the database refused is stored once it no longer does."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devices.registry import register_device
from ingest.nouns import Delivery, Keeping, Lane, Limits, Tally
from ingest.storing.batch import store_batch
from ingest.storing.refused import store_refused
from ingest.storing.retry import RetrySummary, retry_quarantine
from ingest.storing.retry_store import Chosen
from ingest.storing.terms import Terms
from millpond.kernel.db import WriteConnection

NOW = datetime(2026, 2, 16, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=3)
LIMITS = Limits(262_144, timedelta(days=365), timedelta(minutes=5))
S = "AIR-1"


@pytest.fixture(autouse=True)
def _device(conn: WriteConnection) -> None:
    register_device(conn, serial=S, model="reed-air-2", installed_at=NOW - timedelta(days=9), at=NOW)


def message(payload: Any, serial: str = S, at: datetime = NOW) -> Delivery:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Delivery(f"millpond/v1/{serial}/telemetry", raw, at, Lane.LIVE, 1, 1, 1)


def sample(seq: int, **metrics: float) -> dict[str, Any]:
    return {"boot": "b", "seq": seq, "ts": int(NOW.timestamp() * 1000) - seq * 60_000, "metrics": metrics}


def refuse(conn: WriteConnection, *deliveries: Delivery, **options: Any) -> None:
    for delivery in deliveries:
        store_refused(conn, delivery, "division by zero", LIMITS, consumer="test", at=NOW, **options)


def retry(conn: WriteConnection, code: str = "refused", **options: Any) -> RetrySummary:
    return retry_quarantine(conn, Chosen(code), Terms(LIMITS), at=LATER, **options)


def open_items(conn: WriteConnection) -> list[tuple[Any, ...]]:
    return conn.execute("select item, code from quarantine where stored_at is null order by item").fetchall()


def test_what_was_refused_is_stored_as_of_its_first_receipt_and_twice_changes_nothing(conn: WriteConnection) -> None:
    timeless = {"boot": "b", "seq": 3, "metrics": {"filter_life_pct": 62}}
    refuse(conn, message(sample(1, filter_life_pct=64)), message(sample(2, filter_life_pct=63)), message(timeless))
    assert retry(conn) == RetrySummary(messages=3, stored=3, tally=Tally(stored=3))
    rows = conn.execute("select value, received_at, measured_at < %s from reading order by value", [LATER]).fetchall()
    assert rows == [(62, NOW, True), (63, NOW, True), (64, NOW, True)]
    assert open_items(conn) == []
    assert retry(conn) == RetrySummary()


def test_every_count_stays_exact(conn: WriteConnection) -> None:
    refuse(conn, message(sample(1, filter_life_pct=64, power=1)))
    retry(conn)
    rows = conn.execute(
        "select consumer, received, stored, quarantined, stored + duplicate + conflict + quarantined = received"
        " from ingest_minute order by consumer desc"
    ).fetchall()
    assert rows == [("test", 1, 0, 1, True), ("retry", 2, 1, 1, True)], "a retry is one more delivery"
    assert conn.execute("select sum(items) from quarantine").fetchone() == (2,)
    assert open_items(conn) == [("1/power", "wrong_kind")]


def test_what_came_again_meanwhile_is_a_duplicate(conn: WriteConnection) -> None:
    one = message(sample(1, filter_life_pct=64))
    refuse(conn, one)
    store_batch(conn, [one], LIMITS, consumer="test", at=NOW)
    assert retry(conn) == RetrySummary(messages=1, stored=1, tally=Tally(duplicate=1))


def test_a_dry_run_says_the_same_and_changes_nothing(conn: WriteConnection) -> None:
    refuse(conn, message(sample(1, filter_life_pct=64)))
    assert retry(conn, dry_run=True) == RetrySummary(messages=1, stored=1, tally=Tally(stored=1))
    assert open_items(conn) == [("", "refused")]
    assert conn.execute("select count(*) from reading").fetchone() == (0,)


def test_the_limit_takes_the_oldest(conn: WriteConnection) -> None:
    refuse(conn, *(message(sample(n, filter_life_pct=n), at=NOW - timedelta(hours=n)) for n in range(1, 6)))
    told: list[tuple[int, int]] = []
    assert retry(conn, most=2, on_progress=lambda done, of: told.append((done, of))).stored == 2
    assert conn.execute("select value from reading order by value").fetchall() == [(4,), (5,)]
    assert told == [(1, 2), (2, 2)]


def test_what_is_refused_again_stays_and_does_not_hold_up_the_others(conn: WriteConnection) -> None:
    refuse(conn, *(message(sample(n, filter_life_pct=n)) for n in range(1, 4)))
    conn.execute("alter table reading add constraint no_two check (value <> 2)")
    assert retry(conn) == RetrySummary(messages=3, stored=2, refused=1, tally=Tally(stored=2))
    assert open_items(conn) == [("", "refused")]
    conn.execute("alter table reading drop constraint no_two")
    assert retry(conn) == RetrySummary(messages=1, stored=1, tally=Tally(stored=1))


def test_a_message_kept_without_all_its_bytes_is_counted_and_left(conn: WriteConnection) -> None:
    refuse(conn, message(sample(1, filter_life_pct=64)), bare=True, keeping=Keeping(head_bytes=10))
    assert retry(conn) == RetrySummary(messages=1, in_part=1)


def test_a_device_that_was_registered_late_has_its_messages(conn: WriteConnection) -> None:
    ghost = message(sample(1, filter_life_pct=64), "GHOST")
    store_batch(conn, [ghost], LIMITS, consumer="test", at=NOW)
    assert retry(conn, "unknown_serial").refused == 1
    register_device(conn, serial="GHOST", model="reed-air-2", installed_at=NOW - timedelta(days=9), at=NOW)
    assert retry(conn, "unknown_serial") == RetrySummary(messages=1, stored=1, tally=Tally(stored=1))


def test_bad_values_of_one_message_are_retried_together(conn: WriteConnection) -> None:
    store_batch(conn, [message(sample(1, made_up=1, invented=2, power=1))], LIMITS, consumer="test", at=NOW)
    assert retry(conn, "unknown_metric") == RetrySummary(messages=1, refused=1, tally=Tally(duplicate=3))
    assert len(open_items(conn)) == 3


def test_of_a_boot_with_bad_samples_without_end_every_one_is_stored_at_last(conn: WriteConnection) -> None:
    """They have no clock, so nothing but their number says that they were never read."""
    few = Limits(262_144, timedelta(days=365), timedelta(minutes=5), 50)
    for seq in range(1, 201):
        bad = 900 * (seq % 2)
        timeless = message({"boot": "b", "seq": seq, "metrics": {"filter_life_pct": 60 + bad}})
        store_batch(conn, [timeless], few, consumer="test", at=NOW)
    conn.execute("update metric set max_value = 1000 where name = 'filter_life_pct'")
    assert retry(conn, "out_of_range") == RetrySummary(messages=100, stored=100, tally=Tally(stored=100))
    assert conn.execute("select count(*) from reading").fetchone() == (200,)
