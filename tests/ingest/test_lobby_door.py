"""Whoever makes up names fills no more of the lobby than it has room, and starves nobody who is there."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg.sql import SQL, Identifier

from ingest.nouns import Complete, Delivery, Lane, Limits, Tally
from ingest.storing.allowance import UNREGISTERED
from ingest.storing.batch import StoredBatch, store_batch
from ingest.storing.door import Door, LobbyLimits
from millpond.kernel.db import WriteConnection
from millpond.kernel.settings import Settings

NOW = datetime(2026, 2, 16, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LIMITS = Limits(262_144, timedelta(days=365), timedelta(minutes=5))
WIDE = 10**9


def door(devices: int = 100, messages: int = WIDE, device_bytes: int = WIDE, in_all: int = WIDE) -> Door:
    return Door(LobbyLimits(devices, messages, device_bytes, in_all))


def said(serial: str, seq: int, at: datetime = NOW, size: int = 0) -> Delivery:
    payload = json.dumps({"boot": "b", "seq": seq, "metrics": {"filter_life_pct": 64}}).encode() + b" " * size
    return Delivery(f"millpond/v1/{serial}/telemetry", payload, at, Lane.LIVE, 1, 1, 1)


def store(conn: WriteConnection, at_door: Door, *deliveries: Delivery, at: datetime = NOW) -> StoredBatch:
    return store_batch(conn, deliveries, LIMITS, consumer="test", at=at, door=at_door)


def lobby(conn: WriteConnection) -> dict[str, tuple[int, int]]:
    rows = conn.execute("select name, messages, dropped from lobby").fetchall()
    return {name: (messages, dropped) for name, messages, dropped in rows}


def count(conn: WriteConnection, table: str) -> Any:
    return conn.execute(SQL("select count(*) from {}").format(Identifier(table))).fetchone()


def test_of_names_without_end_only_so_many_wait_and_the_rest_leaves_one_row(conn: WriteConnection) -> None:
    made_up = [said(f"made-up-{n}", 1) for n in range(300)]
    stored = store(conn, door(devices=20), *made_up[:150]), store(conn, door(devices=20), *made_up[150:])
    assert sum(one.tally.quarantined for one in stored) == 10
    for table, rows in (("lobby", 10), ("quarantine", 10), ("sequence", 10), ("watched_gap", 0)):
        assert count(conn, table) == (rows,), table
    drops = conn.execute("select serial, allowance, messages from ingest_drop").fetchall()
    assert drops == [(UNREGISTERED, "lobby", 290)]


def test_who_is_there_is_heard_while_others_knock(conn: WriteConnection) -> None:
    at_door = door(devices=20)
    store(conn, at_door, said("HONEST", 1))
    for turn in range(5):
        flood = [said(f"made-up-{turn}-{n}", 1) for n in range(50)]
        stored = store(conn, at_door, *flood, said("HONEST", 2 + turn))
        assert Complete("HONEST", "b", 2 + turn) in stored.complete
    assert lobby(conn)["HONEST"] == (6, 0)


def test_when_half_is_taken_a_newcomer_comes_in_at_its_second_knock(conn: WriteConnection) -> None:
    at_door = door(devices=4)
    store(conn, at_door, *(said(f"made-up-{n}", 1) for n in range(50)))
    assert len(lobby(conn)) == 2
    assert store(conn, at_door, said("HONEST", 1)).complete == []
    assert store(conn, at_door, said("HONEST", 1), at=NOW + timedelta(seconds=30)).complete == []
    store(conn, at_door, *(said(f"late-{n}", 1) for n in range(50)), at=NOW + MINUTE)
    assert store(conn, at_door, said("HONEST", 1), at=NOW + MINUTE).complete == [Complete("HONEST", "b", 1)]
    assert len(lobby(conn)) == 3


def test_a_full_lobby_takes_nobody_however_often_they_come(conn: WriteConnection) -> None:
    at_door = door(devices=1)
    store(conn, at_door, said("FIRST", 1))
    for turn in range(3):
        assert store(conn, at_door, said("SECOND", 1), at=NOW + turn * MINUTE).tally == Tally()
    assert set(lobby(conn)) == {"FIRST"}


def test_beyond_its_messages_a_device_is_not_told_that_they_are_safe(conn: WriteConnection) -> None:
    stored = store(conn, door(messages=3), *(said("GHOST", seq) for seq in range(1, 9)))
    assert stored.complete == [Complete("GHOST", "b", 3)]
    assert lobby(conn) == {"GHOST": (3, 5)}


def test_beyond_its_bytes_too_and_the_next_batch_knows(conn: WriteConnection) -> None:
    at_door = door(device_bytes=3_000)
    for seq in range(1, 9):
        store(conn, at_door, said("GHOST", seq, size=700))
    assert lobby(conn) == {"GHOST": (3, 5)}


def test_boots_without_end_are_bounded_with_what_they_cost(conn: WriteConnection) -> None:
    boots = [
        Delivery("millpond/v1/GHOST/telemetry", b'{"boot":"%d","seq":1}' % n, NOW, Lane.LIVE, 1, 1, 1)
        for n in range(100)
    ]
    store(conn, door(device_bytes=5_000), *boots)
    assert count(conn, "sequence") == (10,)


def test_of_the_second_half_of_the_bytes_each_has_an_equal_share(conn: WriteConnection) -> None:
    at_door = door(devices=10, in_all=20_000)
    store(conn, at_door, *(said("LIAR", seq, size=500) for seq in range(1, 40)))
    held = conn.execute("select bytes from lobby").fetchone()
    assert held is not None
    assert 10_000 <= held[0] < 12_000
    store(conn, at_door, *(said("LIAR", seq, size=500) for seq in range(40, 60)))
    stored = store(conn, at_door, *(said("HONEST", seq) for seq in range(1, 9)))
    assert stored.complete == [Complete("HONEST", "b", 2)], "a thousand bytes are its share"


def test_the_defaults_let_a_thousand_devices_wait_with_three_days_of_samples_each_minute() -> None:
    limits = LobbyLimits.from_settings(Settings())
    messages = 3 * 24 * 60
    assert limits.devices >= 1_000
    assert limits.device_messages >= messages
    assert limits.device_bytes >= messages * 600
