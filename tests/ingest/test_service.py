"""Ingest between a real broker and a real database."""

import json
import socket
import threading
from collections.abc import Sequence
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from devices.wire import ResendCommand
from ingest.broker.session import Session
from ingest.nouns import Delivery
from millpond.kernel.settings import Settings
from tests.ingest.conftest import TestDevice, fetch, running_ingest, wait_until


def payload(seq: int, pct: int, boot: str = "b") -> str:
    ts = 1_771_234_567_000 + seq * 60_000
    return json.dumps({"boot": boot, "seq": seq, "ts": ts, "metrics": {"filter_life_pct": pct}})


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The payloads' times stand still while the calendar goes on."""
    return settings.model_copy(update={"clock_past_days": 36_500.0})


def stored(database: str) -> list[Any]:
    return [row[0] for row in fetch(database, "select value from reading order by measured_at")]


@pytest.mark.usefixtures("ingest")
def test_a_reading_is_stored_and_then_acknowledged(device: TestDevice, database: str) -> None:
    device.publish(payload(1, 64))
    assert device.wait_for_ack(1).boot == "b"
    assert stored(database) == [64]


@pytest.mark.usefixtures("ingest")
def test_live_and_backfill_end_in_one_series(device: TestDevice, database: str) -> None:
    device.publish(payload(3, 62))
    device.publish(payload(1, 64), channel="backfill")
    device.publish(payload(2, 63), channel="backfill")
    device.wait_for_ack(3)
    assert stored(database) == [64, 63, 62]


@pytest.mark.usefixtures("ingest")
def test_poison_does_not_stall_the_lane(device: TestDevice, database: str) -> None:
    for _ in range(30):
        device.publish(b"\x00\xff poison")
    device.publish(b"x" * 1_000_000)
    device.publish(payload(1, 64))
    device.wait_for_ack(1)
    codes = fetch(database, "select code, count(*) from quarantine group by code order by code")
    assert codes == [("malformed", 1), ("too_large", 1)]


@pytest.mark.usefixtures("ingest")
def test_a_gap_is_asked_for(device: TestDevice) -> None:
    device.publish(payload(1, 64))
    device.publish(payload(4, 61))
    command = ResendCommand.model_validate_json(device.commands.get(timeout=20))
    assert (command.boot, command.from_seq, command.to_seq) == ("b", 2, 3)


def test_what_came_while_ingest_was_away_is_stored_on_its_return(
    settings: Settings, device: TestDevice, database: str
) -> None:
    with running_ingest(settings):
        device.publish(payload(1, 64))
        device.wait_for_ack(1)
    device.publish(payload(2, 63))
    with running_ingest(settings):
        device.wait_for_ack(2)
    assert stored(database) == [64, 63]


def test_a_crash_between_commit_and_acknowledgement_costs_a_redelivery_and_no_reading(
    settings: Settings, device: TestDevice, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as crashed, running_ingest(settings):
        crashed.setattr(Session, "acknowledge", lambda _self, _batch: 0)
        crashed.setattr(Session, "publish", lambda _self, _messages: None)
        device.publish(payload(1, 64))
        wait_until(lambda: stored(database) == [64], "the commit")
    assert device.acks.empty()
    with running_ingest(settings):
        device.wait_for_ack(1)
    assert stored(database) == [64]
    assert fetch(database, "select sum(stored), sum(duplicate) from ingest_minute") == [(1, 1)]


def test_an_acknowledgement_of_an_older_epoch_is_dropped_and_the_message_comes_again(
    settings: Settings, device: TestDevice, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[Delivery] = []
    acknowledge = Session.acknowledge

    def hold(_session: Session, batch: Sequence[Delivery]) -> int:
        held.extend(batch)
        return 0

    with running_ingest(settings) as session:
        with monkeypatch.context() as holding:
            holding.setattr(Session, "acknowledge", hold)
            device.publish(payload(1, 64))
            wait_until(lambda: held, "the delivery")
        epoch = session.epoch
        _cut_the_link(session)
        wait_until(lambda: session.epoch > epoch and session.connected, "the next epoch")
        assert acknowledge(session, held) == 0
        wait_until(
            lambda: fetch(database, "select coalesce(sum(duplicate), 0) from ingest_minute") == [(1,)], "redelivery"
        )
    assert stored(database) == [64]


def _cut_the_link(session: Session) -> None:
    for lane in session._lanes.values():
        assert lane._life is not None
        lane._life.link._socket.shutdown(socket.SHUT_RDWR)


@pytest.mark.usefixtures("ingest")
def test_a_batch_outlives_the_absence_of_the_database(device: TestDevice, database: str, server_dsn: str) -> None:
    device.publish(payload(1, 64))
    device.wait_for_ack(1)
    name = conninfo_to_dict(database)["dbname"]
    with psycopg.connect(server_dsn, autocommit=True) as admin:
        admin.execute(f'alter database "{name}" with allow_connections false')
        admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name])
        for seq in range(2, 12):
            device.publish(payload(seq, 64 - seq))
        assert not threading.Event().wait(0.5)
        assert device.acks.empty()
        admin.execute(f'alter database "{name}" with allow_connections true')
    device.wait_for_ack(11)
    assert len(stored(database)) == 11


@pytest.mark.usefixtures("ingest")
def test_received_is_the_sum_of_the_outcomes(device: TestDevice, database: str) -> None:
    device.publish(payload(1, 64))
    device.publish(payload(1, 64))
    device.publish(b"{")
    device.publish(payload(2, 63))
    device.wait_for_ack(2)
    row = fetch(database, "select sum(received), sum(stored), sum(duplicate), sum(quarantined) from ingest_minute")
    assert row == [(4, 2, 1, 1)]


@pytest.mark.usefixtures("ingest")
def test_the_heartbeat_says_connected(database: str) -> None:
    wait_until(lambda: fetch(database, "select connected from ingest_consumer") == [(True,)], "a heartbeat")


def test_what_the_broker_retains_is_not_counted_anew_at_each_connection(
    settings: Settings, device: TestDevice, database: str
) -> None:
    device.publish(json.dumps({"metrics": {"filter_life_pct": 64}}), retain=True)
    for seq in (1, 2, 3):
        with running_ingest(settings):
            device.publish(payload(seq, 50))
            device.wait_for_ack(seq)
    assert fetch(database, "select count(*) from reading where corrected") == [(0,)]
    assert fetch(database, "select sum(stored), sum(duplicate) from ingest_minute") == [(3, 3)]
    device.publish(b"", retain=True)
