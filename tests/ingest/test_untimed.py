"""Values that say neither their number nor their time: each message is stored once, and equal messages are many."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from devices.registry import register_device
from ingest.broker.packet_ids import PacketIds
from ingest.broker.session import Session
from ingest.forgetting import Forgetting
from ingest.nouns import Delivery, Lane, Limits, Tally
from ingest.storing.batch import store_batch
from millpond.kernel.broker import parse_broker_url
from millpond.kernel.clock import SystemClock
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.settings import Settings
from tests.ingest.conftest import TestDevice, fetch, running_ingest, wait_until

AT = datetime(2026, 2, 16, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LIMITS = Limits(262_144, timedelta(days=365), timedelta(minutes=5))
S = "AIR-1"


def delivery(
    mid: int, pct: float, *, again: bool = False, at: datetime = AT, serial: str = S, qos: int = 1
) -> Delivery:
    payload = json.dumps({"metrics": {"filter_life_pct": pct}}).encode()
    topic = f"millpond/v1/{serial}/telemetry"
    return Delivery(topic, payload, at, Lane.LIVE, mid, qos, 1, redelivered=again)


def store(conn: WriteConnection, *deliveries: Delivery, consumer: str = "a") -> Tally:
    return store_batch(conn, deliveries, LIMITS, consumer=consumer, at=AT, remember=True).tally


@pytest.fixture
def registered_here(conn: WriteConnection) -> WriteConnection:
    register_device(conn, serial=S, model="reed-air-2", installed_at=AT - SECOND, at=AT - SECOND)
    return conn


def test_what_is_delivered_again_under_its_packet_id_is_a_duplicate(registered_here: WriteConnection) -> None:
    assert store(registered_here, delivery(7, 64)) == Tally(stored=1)
    for seconds in (1, 2):
        assert store(registered_here, delivery(7, 64, again=True, at=AT + seconds * SECOND)) == Tally(duplicate=1)
    rows = registered_here.execute("select value, measured_at - %s < '1s' from reading", [AT])
    assert rows.fetchall() == [(64, True)]


def test_equal_values_are_stored_each_when_they_are_new_messages(registered_here: WriteConnection) -> None:
    assert store(registered_here, delivery(7, 64), delivery(8, 64)) == Tally(stored=2)
    assert store(registered_here, delivery(7, 64, at=AT + SECOND)) == Tally(stored=1), "not delivered again"
    assert store(registered_here, delivery(9, 64, again=True)) == Tally(stored=1), "another packet id"
    assert store(registered_here, delivery(8, 65, again=True)) == Tally(stored=1), "other bytes"
    assert store(registered_here, delivery(9, 64, again=True), consumer="b") == Tally(stored=1), "another session"


def test_a_packet_id_stands_for_the_newest_message_that_came_under_it(registered_here: WriteConnection) -> None:
    store(registered_here, delivery(7, 64))
    store(registered_here, delivery(7, 65, at=AT + SECOND))
    assert store(registered_here, delivery(7, 64, again=True, at=AT + 2 * SECOND)) == Tally(stored=1)


def test_a_batch_with_a_message_from_before_and_after_a_reconnect_stores_it_once(
    registered_here: WriteConnection,
) -> None:
    again = delivery(7, 64, again=True, at=AT + SECOND)
    assert store(registered_here, delivery(7, 64), delivery(8, 64), again) == Tally(stored=2, duplicate=1)


def test_a_batch_that_is_tried_again_after_a_commit_that_nobody_heard_of_is_stored_once(
    registered_here: WriteConnection,
) -> None:
    batch = [delivery(7, 64), delivery(8, 64)]
    assert store(registered_here, *batch) == Tally(stored=2)
    assert store(registered_here, *batch) == Tally(duplicate=2)


def test_only_messages_with_such_values_are_kept_and_those_with_qos_0_are_not(registered_here: WriteConnection) -> None:
    numbered = {"boot": "b", "seq": 1, "ts": AT.isoformat(), "metrics": {"filter_life_pct": 1}}
    timed = {"ts": AT.isoformat(), "metrics": {"filter_life_pct": 1}}
    topic = f"millpond/v1/{S}/telemetry"
    others = [
        Delivery(topic, json.dumps(payload).encode(), AT, Lane.LIVE, mid, 1, 1)
        for mid, payload in enumerate((numbered, timed), 1)
    ]
    store(registered_here, *others, delivery(0, 64, qos=0), delivery(7, 64))
    assert registered_here.execute("select packet_id from untimed_message").fetchall() == [(7,)]


def test_what_an_unknown_device_said_is_not_stored_again_when_it_was_registered_meanwhile(
    registered_here: WriteConnection,
) -> None:
    assert store(registered_here, delivery(7, 64, serial="NEW")) == Tally(quarantined=1)
    register_device(registered_here, serial="NEW", model="reed-air-2", installed_at=AT, at=AT)
    again = delivery(7, 64, serial="NEW", again=True, at=AT + SECOND)
    assert store(registered_here, again) == Tally(duplicate=1)


def test_a_writer_that_took_the_session_over_waits_for_the_commit_of_the_one_before(database: str) -> None:
    with connect(database) as one, connect(database) as other:
        register_device(one, serial=S, model="reed-air-2", installed_at=AT - SECOND, at=AT - SECOND)
        other.execute("set lock_timeout = '100ms'")
        with one.transaction():
            assert store(one, delivery(7, 64)) == Tally(stored=1)
            with pytest.raises(Exception, match="lock timeout"):
                store(other, delivery(7, 64, again=True, at=AT + SECOND))
        assert store(other, delivery(7, 64, again=True, at=AT + SECOND)) == Tally(duplicate=1)


@pytest.mark.parametrize(
    ("newest", "ranges"),
    [
        (0, ((1, 0), (1, 0))),
        (1, ((2, 32_768), (1, -32_767))),
        (65_000, ((65_001, 65_535), (1, 32_232))),
        (65_535, ((65_536, 65_535), (1, 32_767))),
    ],
)
def test_the_half_of_the_packet_ids_that_comes_next_is_forgotten(
    newest: int, ranges: tuple[tuple[int, int], tuple[int, int]]
) -> None:
    assert PacketIds(newest).next_ones() == ranges


def test_a_broker_that_uses_an_id_again_at_once_is_not_one_that_counts_in_turn() -> None:
    in_turn = PacketIds().used(65_534).used(65_535).used(1).used(900)
    assert in_turn.in_turn
    assert not in_turn.used(900).in_turn
    assert not in_turn.used(3).used(901).in_turn, "not in this life of the connection"
    assert in_turn.used(3).next_ones() == ((1, 65_535), (1, 0)), "all is forgotten"
    assert in_turn.used(3).connected(None).in_turn, "in the next life it is seen anew"


def test_of_the_packet_ids_of_a_lane_those_that_come_next_are_forgotten_and_all_when_they_are_not_in_turn(
    conn: WriteConnection, settings: Settings
) -> None:
    address = parse_broker_url(settings.broker_url.get_secret_value())
    session = Session(address, "a", SystemClock(), 10)
    rows = "insert into untimed_message select %s, %s, n, '', now() from unnest(array[1, 60000, 65000, 65001]) n"
    for consumer, lane in (("a", "live"), ("a", "backfill"), ("b", "live")):
        conn.execute(rows, [consumer, lane])

    def kept_after(ids: PacketIds) -> list[int]:
        session._lanes[Lane.LIVE]._packet_ids = ids
        forgetting.look(conn, session)
        kept = "select packet_id from untimed_message where consumer = 'a' and lane = 'live' order by 1"
        return [row[0] for row in conn.execute(kept)]

    forgetting = Forgetting("a")
    assert kept_after(PacketIds()) == [1, 60_000, 65_000, 65_001]
    assert kept_after(PacketIds(65_000)) == [60_000, 65_000]
    assert kept_after(PacketIds(20_000)) == [60_000, 65_000]
    assert kept_after(PacketIds(28_191)) == [60_000, 65_000], "not far enough yet"
    assert kept_after(PacketIds(28_192)) == [65_000]
    assert kept_after(PacketIds(28_193, in_turn=False)) == []
    others = "select count(*) from untimed_message"
    assert conn.execute(others).fetchone() == (8,), "of other lanes and consumers nothing went"


def outcomes(database: str) -> list[tuple[object, ...]]:
    return fetch(database, "select coalesce(sum(stored), 0), coalesce(sum(duplicate), 0) from ingest_minute")


def test_a_crash_before_the_acknowledgement_stores_no_value_twice_and_loses_no_equal_one(
    settings: Settings, device: TestDevice, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = json.dumps({"metrics": {"filter_life_pct": 64}})
    with monkeypatch.context() as crashed, running_ingest(settings):
        crashed.setattr(Session, "acknowledge", lambda _self, _batch: 0)
        for _ in range(3):
            device.publish(value)
        wait_until(lambda: outcomes(database) == [(3, 0)], "the commit")
    device.publish(value)
    with running_ingest(settings):
        wait_until(lambda: outcomes(database) == [(4, 3)], "the redelivery, and what came meanwhile")
        device.publish(value)
        wait_until(lambda: outcomes(database) == [(5, 3)], "a new message")
    assert fetch(database, "select count(*), count(distinct measured_at) from reading") == [(5, 5)]


def test_messages_that_were_never_stored_are_new_though_equal_ones_were(
    settings: Settings, device: TestDevice, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = json.dumps({"metrics": {"filter_life_pct": 64}})
    with running_ingest(settings):
        device.publish(value)
        wait_until(lambda: outcomes(database) == [(1, 0)], "the first")
    taken: list[Delivery] = []

    def keep(_self: object, batch: Sequence[Delivery]) -> None:
        taken.extend(batch)

    with monkeypatch.context() as crashed, running_ingest(settings):
        crashed.setattr("ingest.writer.Writer.store_until_done", keep)
        device.publish(value)
        wait_until(lambda: taken, "the delivery that is not stored")
    with running_ingest(settings):
        wait_until(lambda: outcomes(database) == [(2, 0)], "the second")


def test_a_session_that_the_broker_has_forgotten_is_forgotten_here(settings: Settings, database: str) -> None:
    old = "insert into untimed_message values (%s, 'live', 5, '', '2026-01-01')"
    with connect(database) as conn:
        conn.execute(old, [settings.consumer])
    with running_ingest(settings):
        wait_until(lambda: fetch(database, "select from untimed_message") == [], "the end of what is of no session")
    with connect(database) as conn:
        conn.execute(old, [settings.consumer])
        conn.execute("delete from ingest_consumer")
    with running_ingest(settings) as session:
        wait_until(lambda: fetch(database, "select connected from ingest_consumer") == [(True,)], "a heartbeat")
        assert session.packet_ids(Lane.LIVE) == PacketIds()
    assert fetch(database, "select packet_id from untimed_message") == [(5,)]
