"""What ingest keeps goes when it is old; no promise to a device goes with it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devices.registry import register_device
from ingest.health import beat
from ingest.nouns import Complete, Delivery, Lane, Limits
from ingest.storing.batch import StoredBatch, store_batch
from ingest.storing.refused import store_refused
from millpond.kernel.db import WriteConnection
from tests.endings import retain

AT = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
LIMITS = Limits(262_144, 365 * DAY, timedelta(minutes=5))
S = "AIR-1"


@pytest.fixture(autouse=True)
def _device(conn: WriteConnection) -> None:
    register_device(conn, serial=S, model="reed-air-2", installed_at=AT - 1000 * DAY, at=AT - 1000 * DAY)


def store(conn: WriteConnection, payload: dict[str, Any] | bytes, at: datetime, serial: str = S) -> StoredBatch:
    return store_batch(conn, [delivery(payload, at, serial)], LIMITS, consumer="test", at=at)


def delivery(payload: dict[str, Any] | bytes, at: datetime, serial: str = S) -> Delivery:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Delivery(f"millpond/v1/{serial}/telemetry", raw, at, Lane.LIVE, 1, 1, 1)


def sample(seq: int, pct: float, ts: datetime | None, boot: str = "b") -> dict[str, Any]:
    stamp = {} if ts is None else {"ts": ts.isoformat()}
    return {"boot": boot, "seq": seq, **stamp, "metrics": {"filter_life_pct": pct}}


def column(conn: WriteConnection, query: str) -> list[Any]:
    return [row[0] for row in conn.execute(query)]


def test_what_was_refused_long_ago_goes_with_its_bytes_and_stays_counted(conn: WriteConnection) -> None:
    store(conn, b"old{", AT - 91 * DAY)
    store(conn, b"young{", AT - 89 * DAY)
    gone = retain(conn, AT, minute_keep_days=0)
    assert gone == {"quarantined items": 1, "quarantined messages": 1}
    assert column(conn, "select payload from quarantine join quarantined_message using (digest)") == [b"young{"]
    assert column(conn, "select sum(quarantined) from ingest_minute") == [2]


def test_packet_ids_of_an_ingest_that_is_gone_go(conn: WriteConnection) -> None:
    for mid, days in enumerate((31, 29), 1):
        at = AT - days * DAY
        bare = Delivery(f"millpond/v1/{S}/telemetry", b'{"metrics":{"filter_life_pct":1}}', at, Lane.LIVE, mid, 1, 1)
        store_batch(conn, [bare], LIMITS, consumer="test", at=at, remember=True)
    assert retain(conn, AT, minute_keep_days=0, heartbeat_keep_days=30) == {"messages without number or time": 1}
    assert column(conn, "select packet_id from untimed_message") == [2]


def test_a_message_stays_while_one_of_its_items_is_young(conn: WriteConnection) -> None:
    store(conn, b"old{", AT - 91 * DAY)
    statement = (
        "insert into quarantine (digest, item, serial, code, reason, received_at) select digest, '1', '', '', '', %s"
    )
    conn.execute(statement + " from quarantined_message", [AT - DAY])
    assert retain(conn, AT, minute_keep_days=0) == {"quarantined items": 1}
    assert column(conn, "select payload from quarantined_message") == [b"old{"]


def test_what_the_database_refused_stays_longer_than_what_was_at_fault(conn: WriteConnection) -> None:
    store(conn, b"{", AT - 91 * DAY)
    for days in (401, 399, 398):
        good = delivery(sample(days, 64, AT - days * DAY), AT - days * DAY)
        store_refused(conn, good, "no space", LIMITS, consumer="test", at=AT - days * DAY)
    # This one was stored after all.
    conn.execute("update quarantine set stored_at = %s where received_at = %s", [AT - DAY, AT - 398 * DAY])
    gone = retain(conn, AT, minute_keep_days=0)
    assert gone == {"quarantined items": 2, "refused messages": 1, "quarantined messages": 3}
    assert column(conn, "select received_at from quarantine join quarantined_message using (digest, received_at)") == [
        AT - 399 * DAY
    ]


def test_a_value_that_disagreed_long_ago_goes(conn: WriteConnection) -> None:
    for days in (91, 1):
        ts = AT - days * DAY
        store(conn, sample(days, 64, ts), ts)
        store(conn, sample(days, 63, ts), ts)
    assert retain(conn, AT, minute_keep_days=0) == {"conflicts": 1}
    assert column(conn, "select measured_at from reading_conflict") == [AT - DAY]


def test_a_time_given_long_ago_goes_and_what_comes_again_is_known_by_its_number(conn: WriteConnection) -> None:
    store(conn, sample(1, 64, None), AT - 61 * DAY)
    store(conn, sample(2, 63, None), AT - DAY)
    assert retain(conn, AT)["corrected times"] == 1
    assert column(conn, "select seq from effective_time") == [2]
    for seq, pct in ((1, 64), (2, 63)):
        again = store(conn, sample(seq, pct, None), AT)
        assert (again.tally.stored, again.tally.duplicate) == (0, 1)
        assert again.complete == [Complete(S, "b", 2)]
    assert len(column(conn, "select value from reading")) == 2


def test_a_time_by_an_uptime_is_as_old_as_what_came_with_it(conn: WriteConnection) -> None:
    uptime_s, came = 200 * DAY.total_seconds(), AT - 40 * DAY
    content = {"boot": "b", "uptime_s": uptime_s, "samples": [{"seq": 1, "uptime_s": 5, "metrics": {"pm25_ugm3": 3}}]}
    store(conn, content, came)
    assert column(conn, "select date_trunc('day', effective_at) from effective_time") == [came - 200 * DAY]
    assert "corrected times" not in retain(conn, AT)
    assert retain(conn, AT + 21 * DAY)["corrected times"] == 1


def test_the_time_of_a_sample_that_its_device_still_sends_stays(conn: WriteConnection) -> None:
    """Number 2 never came: nothing after it is acknowledged, and comes again with a clock that was mended meanwhile."""
    for seq in (1, 3):
        store(conn, sample(seq, 64, None), AT - 61 * DAY)
    store(conn, sample(4, 63, AT - DAY), AT - DAY)
    assert retain(conn, AT)["corrected times"] == 1
    assert column(conn, "select seq from effective_time") == [3]
    assert store(conn, sample(3, 64, AT - 61 * DAY), AT).tally.duplicate == 1
    assert retain(conn, AT + 62 * DAY)["corrected times"] == 1


def boots(conn: WriteConnection) -> list[str]:
    return column(conn, "select boot from sequence order by boot")


def test_a_boot_that_was_long_silent_goes_and_the_newest_of_a_device_never(conn: WriteConnection) -> None:
    for boot, days in (("first", 800), ("second", 700), ("third", 401)):
        store(conn, sample(1, 64, AT - days * DAY, boot), AT - days * DAY)
    assert retain(conn, AT)["silent boots"] == 2
    assert boots(conn) == ["third"]


def test_of_a_device_that_begins_boots_without_end_the_newest_are_known(conn: WriteConnection) -> None:
    for number in range(15):
        store(conn, sample(1, 64, AT - 3 * DAY, boot=f"b{number:02}"), AT - 3 * DAY + timedelta(minutes=number))
    assert retain(conn, AT, device_boots_max=10) == {"boots too many": 5}
    assert boots(conn) == [f"b{number:02}" for number in range(5, 15)]
    assert retain(conn, AT, device_boots_max=10) == {}


def test_a_boot_that_lacks_numbers_is_known_for_twice_as_long(conn: WriteConnection) -> None:
    for boot, days in (("first", 801), ("second", 799), ("third", 1)):
        store(conn, sample(3, 64, AT - days * DAY, boot), AT - days * DAY)
    assert retain(conn, AT)["silent boots"] == 1
    assert boots(conn) == ["second", "third"]


def test_of_a_serial_that_nobody_registered_the_newest_boot_goes_too(conn: WriteConnection) -> None:
    store(conn, sample(1, 64, AT - 401 * DAY, "only"), AT - 401 * DAY, serial="STRANGER")
    assert retain(conn, AT)["silent boots"] == 1
    assert boots(conn) == []


def test_a_boot_is_known_for_as_long_as_a_devices_time_is_taken_for_true(conn: WriteConnection) -> None:
    for boot, days in (("first", 300), ("second", 1)):
        store(conn, sample(1, 64, AT - days * DAY, boot), AT - days * DAY)
    assert "silent boots" not in retain(conn, AT, boot_keep_days=10)
    assert boots(conn) == ["first", "second"]


def test_a_boot_that_is_forgotten_and_speaks_again_is_told_that_nothing_before_is_safe(conn: WriteConnection) -> None:
    for boot, days in (("first", 500), ("second", 1)):
        store(conn, sample(1, 64, AT - days * DAY, boot), AT - days * DAY)
    retain(conn, AT)
    assert store(conn, sample(2, 63, AT, "first"), AT).complete == []
    assert store(conn, sample(1, 64, AT, "first"), AT).complete == [Complete(S, "first", 2)]


def test_minutes_become_days_and_no_sum_changes(conn: WriteConnection) -> None:
    """Also when a later run adds to the day that an earlier one began."""
    total = (
        "select (sum(messages), sum(received), sum(stored), sum(quarantined), sum(dropped))::text from ingest_minute"
    )
    day = AT - 100 * DAY
    for minutes in (0, 1, 700):
        store(conn, sample(minutes + 1, 64, day), day + timedelta(minutes=minutes))
    store(conn, b"{", AT - DAY)
    conn.execute("update ingest_minute set dropped = 3")
    before = column(conn, total)
    assert retain(conn, AT)["minutes made days"] == 2
    assert column(conn, "select minute from ingest_minute order by 1") == [day, AT - DAY]
    assert column(conn, total) == before
    store(conn, sample(801, 64, day), day + timedelta(minutes=800))
    before = column(conn, total)
    assert retain(conn, AT)["minutes made days"] == 1
    assert column(conn, total) == before


def test_a_day_is_made_of_its_minutes_only_when_it_is_over(conn: WriteConnection) -> None:
    store(conn, sample(1, 64, AT), AT - 90 * DAY - timedelta(minutes=1))
    assert retain(conn, AT + timedelta(hours=1))["minutes made days"] == 1
    store(conn, sample(2, 64, AT), AT - 90 * DAY + timedelta(minutes=1))
    assert "minutes made days" not in retain(conn, AT + timedelta(hours=1))


def test_the_heartbeat_of_an_ingest_that_is_gone_goes(conn: WriteConnection) -> None:
    for consumer in ("gone", "here"):
        beat(conn, consumer, epoch=1, connected=True, in_flight=0, lag_s=0)
    conn.execute("update ingest_consumer set beat_at = beat_at - interval '31 days' where consumer = 'gone'")
    assert retain(conn, AT) == {"silent ingests": 1}
    assert column(conn, "select consumer from ingest_consumer") == ["here"]


def test_zero_days_keep_everything(conn: WriteConnection) -> None:
    long_ago = AT - 5000 * DAY
    store(conn, b"{", long_ago)
    store(conn, sample(1, 64, None), long_ago)
    store(conn, sample(1, 64, None, "c"), long_ago + DAY)
    beat(conn, "gone", epoch=1, connected=True, in_flight=0, lag_s=0)
    conn.execute("update ingest_consumer set beat_at = '2001-01-01'")
    kept = ("quarantine", "refused", "conflict", "corrected_time", "boot", "minute", "heartbeat", "reading", "day")
    assert retain(conn, AT, **{f"{what}_keep_days": 0 for what in kept}) == {}


def test_readings_go_and_their_days_stay(conn: WriteConnection) -> None:
    # Readings go by the month, with TimescaleDB by the week.
    for seq, days in ((1, 432), (2, 1)):
        store(conn, sample(seq, 64, AT - days * DAY), AT - days * DAY)
    assert retain(conn, AT, minute_keep_days=0) == {"readings, their days kept": 1}
    assert column(conn, "select measured_at from reading") == [AT - DAY]
    assert column(conn, "select day from reading_day order by day") == [AT - 432 * DAY, AT - DAY]


def test_counts_of_dropped_messages_go_with_the_minutes(conn: WriteConnection) -> None:
    for days in (91, 89):
        at = AT - days * DAY
        conn.execute("insert into ingest_drop values ('A', %s, 'boots', 1, 1, 1, %s)", [at, at])
    assert retain(conn, AT)["days of dropped messages"] == 1
    assert column(conn, "select count(*) from ingest_drop") == [1]
