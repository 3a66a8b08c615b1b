"""What one device may use: beyond it is dropped, counted and told, and never said to be safe."""

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devices.registry import register_device
from ingest.drop_watch import DropWatch
from ingest.nouns import Complete, Delivery, Keeping, Lane, Limits, Tally
from ingest.storing.accounts import Rate
from ingest.storing.allowance import UNREGISTERED, Allowance, Allowances
from ingest.storing.batch import StoredBatch, store_batch
from millpond.kernel.db import WriteConnection
from millpond.kernel.settings import Settings
from tests.ingest.conftest import TestDevice, fetch, running_ingest, wait_until

NOW = datetime(2026, 2, 16, 12, tzinfo=UTC)
LIMITS = Limits(262_144, timedelta(days=365), timedelta(minutes=5))
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture(autouse=True)
def _devices(conn: WriteConnection) -> None:
    for serial in ("AIR-1", "AIR-2"):
        register_device(conn, serial=serial, model="reed-air-2", installed_at=NOW - timedelta(days=9), at=NOW)


def allowances(allowance: Allowance, amount: float, period: timedelta = HOUR) -> Allowances:
    return Allowances({allowance: Rate(amount, period)})


def message(payload: Any, serial: str = "AIR-1") -> Delivery:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Delivery(f"millpond/v1/{serial}/telemetry", raw, NOW, Lane.LIVE, 1, 1, 1)


def sample(seq: int, boot: str = "b", **metrics: float) -> dict[str, Any]:
    ts = int(NOW.timestamp() * 1000) - 3_600_000 + seq * 1000
    return {"boot": boot, "seq": seq, "ts": ts, "metrics": metrics or {"filter_life_pct": 64}}


def store(conn: WriteConnection, limit: Allowances, *deliveries: Delivery, at: datetime = NOW) -> StoredBatch:
    return store_batch(conn, deliveries, LIMITS, consumer="test", at=at, allowances=limit)


def drops(conn: WriteConnection) -> list[tuple[Any, ...]]:
    return conn.execute(
        "select serial, day::text, allowance, messages, items from ingest_drop order by 1, 3"
    ).fetchall()


def test_beyond_its_boots_a_devices_messages_leave_no_trace_but_a_count(conn: WriteConnection) -> None:
    limit = allowances(Allowance.BOOTS, 3)
    stored = store(conn, limit, *(message(sample(1, boot=f"b{n}", power=n)) for n in range(3)))
    assert (len(stored.complete), len(stored.dropped)) == (3, 0)
    stored = store(conn, limit, *(message(sample(1, boot=f"b{n}")) for n in range(2, 7)))
    assert stored.complete == [Complete("AIR-1", "b2", 1)], "a boot that is known costs nothing"
    assert drops(conn) == [("AIR-1", "2026-02-16", "boots", 4, 4)]
    assert conn.execute("select count(*) from sequence").fetchone() == (3,)


def test_within_one_batch_the_allowance_is_used_up_too(conn: WriteConnection) -> None:
    stored = store(conn, allowances(Allowance.BOOTS, 3), *(message(sample(1, boot=f"b{n}")) for n in range(9)))
    assert (len(stored.complete), len(stored.dropped)) == (3, 6)


def test_beyond_its_room_in_quarantine_a_device_fills_no_more_of_it_and_good_messages_pass(
    conn: WriteConnection,
) -> None:
    limit = allowances(Allowance.QUARANTINE, 5_000, DAY)
    store(conn, limit, *(message(b"%d" % n + b"{" * 2_000) for n in range(50)))
    assert conn.execute("select count(*) from quarantined_message").fetchone() == (3,)
    assert drops(conn) == [("AIR-1", "2026-02-16", "quarantine", 47, 47)]
    assert store(conn, limit, message(sample(1))).tally == Tally(stored=1)


def test_what_is_refused_again_and_again_and_is_kept_already_uses_nothing_up(conn: WriteConnection) -> None:
    limit = allowances(Allowance.QUARANTINE, 5_000, DAY)
    for name in ("AIR-1", "made up"):
        for _ in range(9):
            assert not store(conn, limit, message(b"{" * 2_000, name)).dropped
        assert store(conn, limit, message(b"[" * 2_000, name)).tally == Tally(quarantined=1)


def test_beyond_its_values_a_device_is_dropped_and_its_neighbour_is_not(conn: WriteConnection) -> None:
    limit = allowances(Allowance.VALUES, 10)
    for seq in range(1, 21):
        store(conn, limit, message(sample(seq)), message(sample(seq), "AIR-2") if seq <= 10 else message(sample(seq)))
    assert conn.execute("select device_id, count(*) from reading group by 1 order by 2").fetchall()[1][1] == 10
    assert [row[:1] + row[2:4] for row in drops(conn)] == [("AIR-1", "values", 20)]


def test_what_is_dropped_is_not_complete_and_is_taken_once_the_allowance_has_grown_back(conn: WriteConnection) -> None:
    limit = allowances(Allowance.VALUES, 2)
    stored = store(conn, limit, *(message(sample(seq)) for seq in range(1, 5)))
    assert stored.complete == [Complete("AIR-1", "b", 2)]
    later = store(conn, limit, *(message(sample(seq)) for seq in (3, 4)), at=NOW + HOUR)
    assert later.complete == [Complete("AIR-1", "b", 4)]


def test_what_is_dropped_is_in_no_outcome(conn: WriteConnection) -> None:
    stored = store(conn, allowances(Allowance.VALUES, 2), *(message(sample(seq)) for seq in range(1, 5)))
    assert stored.tally == Tally(stored=2)
    row = conn.execute("select messages, received, stored, dropped from ingest_minute").fetchone()
    assert row == (2, 2, 2, 2)


def test_beyond_the_times_that_are_made_up_for_it_a_device_is_dropped_until_a_day_is_over(
    conn: WriteConnection,
) -> None:
    limit = allowances(Allowance.TIMES, 3, DAY)
    timeless = [message({"boot": "b", "seq": seq, "metrics": {"filter_life_pct": 64}}) for seq in range(1, 9)]
    stored = store(conn, limit, *timeless)
    assert stored.complete == [Complete("AIR-1", "b", 3)]
    assert conn.execute("select count(*) from effective_time").fetchone() == (3,)
    assert store(conn, limit, message(sample(20, boot="c"))).tally == Tally(stored=1), "a good time needs no room"
    assert len(store(conn, limit, *timeless, at=NOW + DAY).dropped) < 8


def test_a_sample_without_a_good_time_that_comes_again_and_again_uses_nothing_up(conn: WriteConnection) -> None:
    limit = allowances(Allowance.TIMES, 3, DAY)
    first, *others = [message({"boot": "b", "seq": seq, "metrics": {"filter_life_pct": 64}}) for seq in range(1, 4)]
    for _ in range(9):
        assert not store(conn, limit, first).dropped
    assert store(conn, limit, *others).complete == [Complete("AIR-1", "b", 3)]


def test_beyond_its_conflicts_a_device_is_dropped_and_its_neighbour_is_not(conn: WriteConnection) -> None:
    limit = allowances(Allowance.CONFLICTS, 3, DAY)
    for value in range(1, 9):
        store(conn, limit, message(sample(1, filter_life_pct=value)), message(sample(value, power=True), "AIR-2"))
    assert conn.execute("select count(*) from reading_conflict").fetchone() == (3,)
    assert drops(conn) == [("AIR-1", "2026-02-16", "conflicts", 4, 4)]
    assert store(conn, limit, message(sample(9), "AIR-2")).tally == Tally(stored=1)
    assert store(conn, limit, message(sample(9)), at=NOW + DAY).tally == Tally(stored=1), "it has grown back"


def test_a_message_larger_than_the_whole_allowance_passes_once(conn: WriteConnection) -> None:
    limit = allowances(Allowance.QUARANTINE, 100, DAY)
    assert store(conn, limit, message(b"{" * 5_000)).tally == Tally(quarantined=1)
    assert len(store(conn, limit, message(b"[" * 5_000)).dropped) == 1


def test_a_clock_that_is_set_back_gives_nothing_and_takes_nothing(conn: WriteConnection) -> None:
    limit = allowances(Allowance.VALUES, 2)
    store(conn, limit, message(sample(1)))
    assert store(conn, limit, message(sample(2)), at=NOW - DAY).tally == Tally(stored=1)
    assert len(store(conn, limit, message(sample(3)), at=NOW - DAY).dropped) == 1


def test_what_is_of_nobody_has_one_allowance_together(conn: WriteConnection) -> None:
    limit = allowances(Allowance.QUARANTINE, 1_000, DAY)
    strays = [Delivery(f"millpond/v1/made up {n}/telemetry", b"{}", NOW, Lane.LIVE, 1, 1, 1) for n in range(40)]
    store(conn, limit, *strays)
    [(serial, _, allowance, messages, _)] = drops(conn)
    assert (serial, allowance) == (UNREGISTERED, "quarantine")
    assert messages > 30


def test_what_is_not_committed_uses_nothing_up(conn: WriteConnection) -> None:
    limit = allowances(Allowance.VALUES, 1)
    poison = message({"metrics": {"filter_life_pct": 64}})
    with pytest.raises(RuntimeError), conn.transaction():
        store_batch(conn, [poison], LIMITS, consumer="test", at=NOW, allowances=limit, on_decoded=_fail)
    assert store(conn, limit, message(sample(1))).tally == Tally(stored=1)


def _fail(_items: int) -> None:
    raise RuntimeError("before the commit")


def test_half_a_year_at_full_speed_is_within_the_default_allowances(conn: WriteConnection) -> None:
    defaults = Allowances.from_settings(Settings())
    metrics = dict.fromkeys(("filter_life_pct", "filter_used_h", "pm25_ugm3", "fan_level"), 1.0)
    began = int((NOW - timedelta(days=180)).timestamp() * 1000)

    def quarters(day: int) -> list[dict[str, Any]]:
        return [{"seq": n + 1, "ts": began + (day * 96 + n) * 900_000, "metrics": metrics} for n in range(96)]

    days = [{"boot": f"day-{day}", "samples": quarters(day)} for day in range(180)]
    stored = store(conn, defaults, *(message(day) for day in days))
    assert (len(stored.dropped), stored.tally) == (0, Tally(stored=180 * 96 * 4))


def test_the_log_names_who_is_beyond_at_most_once_a_minute(
    conn: WriteConnection, caplog: pytest.LogCaptureFixture
) -> None:
    dropped = store(conn, allowances(Allowance.BOOTS, 1), *(message(sample(1, boot=f"b{n}")) for n in range(4))).dropped
    watch = DropWatch()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            watch.count(dropped)
            watch.tell_when_due()
    [said] = caplog.records
    assert "3 messages of 1 devices are dropped" in said.getMessage()
    assert "AIR-1 3" in said.getMessage()
    assert watch.by_allowance == {Allowance.BOOTS: 9}


def test_the_broker_has_its_acknowledgement_of_what_is_dropped_and_the_device_has_not(
    settings: Settings, device: TestDevice, database: str
) -> None:
    many = dict.fromkeys(("filter_life_pct", "filter_used_h", "pm25_ugm3", "fan_level"), 1)
    tight = settings.model_copy(update={"device_values_per_h": 2, "clock_past_days": 36_500.0})
    with running_ingest(tight):
        # So far beyond the allowance that hours pass until it has grown back, in however many batches the rest comes.
        device.publish(
            json.dumps({"boot": "b", "samples": [sample(1) | {"metrics": many}, sample(2) | {"metrics": many}]})
        )
        assert device.wait_for_ack(2).boot == "b"
        for seq in range(3, 6):
            device.publish(json.dumps(sample(seq)))
        # The broker is shared: what other tests left there is dropped as of serials that are not registered.
        own = "select sum(messages) from ingest_drop where serial = %s"
        wait_until(lambda: fetch(database, own, device.serial) == [(3,)], "the count")
    with running_ingest(settings.model_copy(update={"clock_past_days": 36_500.0})):
        device.publish(json.dumps(sample(9, boot="c")))
        wait_until(lambda: fetch(database, "select count(*) from reading") == [(9,)], "the next message")
    told = "select (select sum(dropped) from ingest_minute) - (select sum(messages) from ingest_drop)"
    assert fetch(database, told) == [(0,)]
    assert device.acks.empty()


def test_beyond_its_messages_a_device_is_dropped_whichever_way_they_are_read_and_its_neighbour_is_not(
    conn: WriteConnection,
) -> None:
    limit = allowances(Allowance.MESSAGES, 10, timedelta(seconds=5))
    noisy = [message(sample(seq) | ({"extra": 1} if seq % 5 == 0 else {})) for seq in range(1, 16)]
    quiet = [message(sample(seq), "AIR-2") for seq in range(1, 11)]
    stored = store(conn, limit, *noisy, *quiet)
    assert stored.tally == Tally(stored=20)
    assert drops(conn) == [("AIR-1", "2026-02-16", "messages", 5, 5)]
    assert len(store(conn, limit, *noisy, at=NOW + timedelta(seconds=1)).dropped) == 13


def test_a_flood_of_messages_that_need_no_care_never_costs_a_device_its_last_values_twice(
    conn: WriteConnection,
) -> None:
    limit = Allowances(
        {Allowance.MESSAGES: Rate(100, HOUR), Allowance.VALUES: Rate(6, HOUR), Allowance.BOOTS: Rate(2, HOUR)}
    )
    two = {"filter_life_pct": 64.0, "pm25_ugm3": 5.0}
    flood = [message(sample(seq, boot=f"b{seq // 2}", **two)) for seq in range(2, 12)]
    stored = store(conn, limit, *flood)
    assert stored.tally == Tally(stored=6)
    assert {(row[2], row[3]) for row in drops(conn)} == {("values", 1), ("boots", 6)}


def test_a_device_may_send_for_five_minutes_what_is_its_rate_at_once() -> None:
    defaults = Settings()
    assert defaults.device_messages_burst == 300 * defaults.device_messages_per_s
    assert Allowances.from_settings(Settings(device_messages_per_s=0)).admit([], Keeping(), NOW).dropped == []
