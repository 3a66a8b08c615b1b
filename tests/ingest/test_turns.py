"""Two units under one serial take turns, and that is noticed; a device that starts again, however badly, is not one."""

import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from msgspec import structs

from devices.registry import register_device
from ingest.broker.session import Session
from ingest.nouns import Delivery, Lane, Limits
from ingest.storing.batch import store_batch
from millpond.kernel.broker import parse_broker_url
from millpond.kernel.clock import SystemClock
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.settings import Settings
from tests.ingest.conftest import TestDevice, fetch, running_ingest, wait_until

NOW = datetime(2026, 2, 16, 12, tzinfo=UTC)
LIMITS = Limits(262_144, timedelta(days=365), timedelta(minutes=5))
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
S = "AIR-1"
Said = tuple[str, int, float | None]


@pytest.fixture(autouse=True)
def _device(conn: WriteConnection) -> None:
    register_device(conn, serial=S, model="reed-air-2", installed_at=NOW - timedelta(days=9), at=NOW)


def sample(boot: str, seq: int, minute: float | None, *, channel: str = "telemetry") -> Delivery:
    """A sample that was measured so many minutes after NOW, or without a clock."""
    ts = {} if minute is None else {"ts": int((NOW + minute * MINUTE).timestamp() * 1000)}
    payload = {"boot": boot, "seq": seq, "metrics": {"filter_life_pct": 64}} | ts
    lane = Lane.BACKFILL if channel == "backfill" else Lane.LIVE
    return Delivery(f"millpond/v1/{S}/{channel}", json.dumps(payload).encode(), NOW + HOUR, lane, 1, 1, 1)


def status(session: str, state: str = "online", serial: str = S) -> Delivery:
    payload = json.dumps({"state": state, "session": session}).encode()
    return Delivery(f"millpond/v1/{serial}/status", payload, NOW, Lane.LIVE, 1, 1, 1)


def store(conn: WriteConnection, *deliveries: Delivery, at: datetime = NOW) -> None:
    store_batch(conn, deliveries, LIMITS, consumer="test", at=at)


def shared(conn: WriteConnection) -> list[tuple[Any, ...]]:
    query = "select kind, shared_names, shared_returns from live_name where shared_last_at is not null order by 1"
    return conn.execute(query).fetchall()


def in_turn(turns: int, *, clock: bool = True) -> list[Delivery]:
    """Two units, each with a boot and numbers of its own, one after the other."""
    return [sample("ab"[turn % 2], turn // 2 + 1, turn if clock else None) for turn in range(turns)]


@pytest.mark.parametrize("clock", [True, False], ids=["with clocks", "without"])
@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "in batches of their own"])
def test_two_boots_that_take_turns_are_two_units(conn: WriteConnection, together: bool, clock: bool) -> None:
    deliveries = in_turn(8, clock=clock)
    for number, batch in enumerate([deliveries] if together else [[one] for one in deliveries]):
        store(conn, *batch, at=NOW + number * MINUTE)
    assert shared(conn) == [("boot", ["b", "a"], 6)]
    times = conn.execute("select shared_first_at, shared_last_at from live_name").fetchall()
    assert times == [(NOW, NOW) if together else (NOW + 2 * MINUTE, NOW + 7 * MINUTE)]
    assert conn.execute("select count(*) from reading").fetchone() == (8,), "nothing is refused"


def test_a_third_return_within_a_day_is_no_chance_and_two_are(conn: WriteConnection) -> None:
    store(conn, *in_turn(4))
    assert shared(conn) == []
    store(conn, in_turn(5)[-1], at=NOW + DAY)
    assert shared(conn) == [("boot", ["a", "b"], 3)]


def test_returns_that_lie_further_apart_are_no_two_units(conn: WriteConnection) -> None:
    for number, one in enumerate(in_turn(12)):
        store(conn, one, at=NOW + number * 13 * HOUR)
    assert shared(conn) == []


def test_one_of_two_units_whose_clock_is_behind_is_noticed(conn: WriteConnection) -> None:
    store(
        conn, *(one for turn in range(60) for one in (sample("a", turn + 1, turn), sample("b", turn + 1, turn - 9.5)))
    )
    [(kind, names, returns)] = shared(conn)
    assert (kind, set(names)) == ("boot", {"a", "b"})
    assert returns >= 3


RESTARTS: dict[str, Sequence[Said]] = {
    "again and again": [(f"boot-{turn}", 1, turn) for turn in range(20)],
    "and what was kept is sent between what is new": [
        said for turn in range(9) for said in (("a", 10 + turn, turn - 20), ("b", 1 + turn, turn))
    ],
    "without a clock, and what was sent is sent again": [
        said for turn in range(9) for said in (("a", 1, None), ("b", 1 + turn, None))
    ],
    "without a clock, and what was missing is sent at last": [
        ("a", 9, None),
        *(said for turn in range(8) for said in (("b", 1 + turn, None), ("a", 8 - turn, None))),
    ],
    "and two messages overtake each other": [("a", 1, 0), ("b", 1, 2), ("a", 2, 2), ("b", 2, 3), ("b", 3, 4)],
}


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "in batches of their own"])
@pytest.mark.parametrize("said", RESTARTS.values(), ids=list(RESTARTS))
def test_a_device_that_starts_again_is_one_unit(conn: WriteConnection, said: Sequence[Said], together: bool) -> None:
    deliveries = [sample(*one) for one in said]
    for batch in [deliveries] if together else [[one] for one in deliveries]:
        store(conn, *batch)
    assert shared(conn) == []


@pytest.mark.parametrize("passed_over", ["backfill", "retained"])
def test_only_what_is_live_says_who_is(conn: WriteConnection, passed_over: str) -> None:
    backfill, retained = passed_over == "backfill", passed_over == "retained"
    for turn in range(8):
        other = sample("b", turn + 1, turn, channel="backfill" if backfill else "telemetry")
        store(conn, sample("a", turn + 1, turn), structs.replace(other, retained=retained))
    assert conn.execute("select name, before, shared_returns from live_name").fetchall() == [("a", [], 0)]


def test_two_sessions_that_take_turns_are_two_units(conn: WriteConnection) -> None:
    store(conn, *(status(("s1", "s2")[turn % 2]) for turn in range(5)))
    assert shared(conn) == [("session", ["s1", "s2"], 3)]


def test_a_status_that_is_old_or_handed_out_again_is_no_return(conn: WriteConnection) -> None:
    for turn in range(6):
        again = structs.replace(status("s1"), redelivered=turn % 2 == 1, retained=turn in (2, 4))
        store(conn, again, status("s2"))
        store(conn, status("s1", "offline"))
    assert shared(conn) == []


def test_a_serial_that_is_not_registered_leaves_nothing_here(conn: WriteConnection) -> None:
    store(conn, *(status(("s1", "s2")[turn % 2], serial="nobody") for turn in range(9)))
    assert conn.execute("select count(*) from live_name").fetchone() == (0,)


def test_a_device_has_one_small_row_whatever_it_sends(conn: WriteConnection) -> None:
    store(conn, *(sample(f"boot-{turn % 30}", turn // 30 + 1, turn) for turn in range(300)))
    assert conn.execute("select cardinality(before), cardinality(returned_at) from live_name").fetchall() == [(4, 0)]


def test_the_log_says_it_once_a_day(conn: WriteConnection, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for number, one in enumerate(in_turn(20)):
            store(conn, one, at=NOW + number * MINUTE)
    [said] = [record for record in caplog.records if getattr(record, "event", "") == "shared_serial"]
    assert said.getMessage() == "two units publish under one serial: its boots take turns"


def test_what_the_broker_hands_out_once_more_is_known_for_it(settings: Settings, device: TestDevice) -> None:
    address = parse_broker_url(settings.broker_url.get_secret_value())
    session = Session(address, settings.consumer_id, SystemClock(), 1_000)
    heard: list[tuple[bytes, bool]] = []

    def hears(most: int) -> bool:
        taken = session.inbox.take(1_000, 10**6, 0.1)
        heard.extend((one.payload[-4:-2], one.redelivered) for one in taken if device.serial in one.topic)
        return len(heard) >= most

    for most in (1, 3):
        session.start()
        wait_until(lambda: session.subscribed, "the subscription")
        device.publish(json.dumps({"state": "online", "session": f"s{most}"}), "status")
        wait_until(partial(hears, most), "what is not acknowledged, and what is new")
        session.stop()
    assert heard == [(b"s1", False), (b"s1", True), (b"s3", False)]


def test_two_units_on_the_broker_are_noticed_and_their_status_at_a_reconnect_of_ours_is_none(
    settings: Settings, device: TestDevice, database: str
) -> None:
    def tells(session: str) -> bool:
        return fetch(database, "select session from device_status") == [(session,)]

    for session in ("s1", "s2"):
        with running_ingest(settings):
            device.publish(json.dumps({"state": "online", "session": session}), "status", retain=True)
            wait_until(partial(tells, session), "the status")
    query = "select name, before, returned_at from live_name where kind = 'session'"
    assert fetch(database, query) == [("s2", ["s1"], [])]
    with running_ingest(settings):
        for seq in (1, 2, 3):
            for boot in ("one", "two"):
                device.publish(json.dumps({"boot": boot, "seq": seq, "metrics": {"filter_life_pct": 64}}))
                device.wait_for_ack(seq)
    with connect(database) as conn:
        assert shared(conn) == [("boot", ["two", "one"], 4)]
    device.publish(b"", "status", retain=True)
