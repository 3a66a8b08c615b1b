"""What the database refuses: one message at fault is set aside, a database at fault costs nothing but time."""

import json
import logging
from typing import Any

import psycopg
import pytest

import ingest.writer
from ingest.broker.session import Session
from millpond.kernel.settings import Settings
from tests.ingest.conftest import TestDevice, fetch, running_ingest, wait_until

BAD = 13
FAULTS = {
    "a value out of range": "raise exception 'bad value' using errcode = '22003'",
    "a broken rule": "raise exception 'bad value' using errcode = '23514'",
    "a limit of the program": "raise exception 'bad value' using errcode = '54000'",
    "an internal error": "raise exception 'bad value' using errcode = 'XX000'",
    "no memory": "raise exception 'bad value' using errcode = '53200'",
    "the end of the session": "perform pg_terminate_backend(pg_backend_pid()); perform pg_sleep(5)",
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The payloads' times stand still while the calendar goes on."""
    return settings.model_copy(update={"clock_past_days": 36_500.0})


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest.writer, "_RETRY_MAX_S", 0.05)


def payload(seq: int, pct: int, boot: str = "b") -> str:
    ts = 1_771_234_567_000 + seq * 60_000
    return json.dumps({"boot": boot, "seq": seq, "ts": ts, "metrics": {"filter_life_pct": pct}})


def make_trouble(database: str, fault: str, *, when: str = "true", table: str = "reading") -> None:
    """From now on inserting a row for which `when` holds fails."""
    body = f"begin if {when} then {fault}; end if; return new; end"
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(f"create function trouble() returns trigger language plpgsql as $${body}$$")
        conn.execute(f"create trigger trouble before insert on {table} for each row execute function trouble()")


def end_trouble(database: str, table: str = "reading") -> None:
    with psycopg.connect(database, autocommit=True) as conn:
        conn.execute(f"drop trigger trouble on {table}")


def trouble_of(database: str) -> Any:
    rows = fetch(database, "select trouble from ingest_consumer")
    return rows[0][0] if rows else None


def refused(database: str) -> list[tuple[object, ...]]:
    return fetch(database, "select code, items, payload from quarantine join quarantined_message using (digest)")


@pytest.fixture
def backlog(settings: Settings, device: TestDevice) -> list[str]:
    """Forty good messages and one bad, which the broker keeps until ingest comes."""
    with running_ingest(settings) as known:
        wait_until(lambda: known.subscribed, "the broker to keep what comes")
    sent = [payload(seq, BAD if seq == 17 else 64) for seq in range(1, 42)]
    for one in sent:
        device.publish(one)
    return sent


def test_a_fault_of_the_database_puts_no_good_message_into_quarantine_and_acknowledges_none(
    settings: Settings, device: TestDevice, database: str, backlog: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    make_trouble(database, "perform 1 / 0")
    with caplog.at_level(logging.WARNING), running_ingest(settings):
        wait_until(lambda: trouble_of(database), "ingest to say so")
        assert "division by zero" in trouble_of(database)
        wait_until(
            lambda: [r for r in caplog.records if getattr(r, "attempt", 0) > 12], "more tries than prove a fault"
        )
        assert (device.acks.empty(), refused(database), fetch(database, "select from reading")) == (True, [], [])
        assert {"22012"} <= {getattr(r, "sqlstate", None) for r in caplog.records}
        end_trouble(database)
        device.wait_for_ack(41)
        wait_until(lambda: trouble_of(database) is None, "the all-clear")
    assert fetch(database, "select count(*) from reading") == [(41,)]
    assert refused(database) == []


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_one_message_that_fails_whatever_the_error_is_set_aside_and_the_others_are_stored(
    settings: Settings, device: TestDevice, database: str, backlog: list[str], fault: str
) -> None:
    make_trouble(database, fault, when=f"new.value = {BAD}")
    with running_ingest(settings):
        device.wait_for_ack(41)
    assert fetch(database, "select count(*) from reading") == [(40,)]
    assert refused(database) == [("refused", 1, backlog[16].encode())]
    row = fetch(database, "select sum(received), sum(stored), sum(duplicate), sum(quarantined) from ingest_minute")
    assert row == [(41, 40, 0, 1)]


@pytest.mark.usefixtures("ingest")
def test_a_lone_message_is_set_aside_only_after_an_innocent_one_in_its_place_was_taken_many_times(
    device: TestDevice, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    make_trouble(database, FAULTS["a broken rule"], when=f"new.value = {BAD}")
    with caplog.at_level(logging.WARNING):
        device.publish(payload(1, BAD))
        device.wait_for_ack(1)
    events = [getattr(record, "event", "") for record in caplog.records]
    assert events.count("write_failed") == 10
    [said] = [record for record in caplog.records if getattr(record, "event", "") == "message_refused"]
    assert (said.levelname, getattr(said, "sqlstate", None)) == ("ERROR", "23514")
    assert len(refused(database)) == 1


@pytest.mark.usefixtures("ingest")
def test_a_message_whose_numbers_are_refused_is_set_aside_without_them_and_is_not_acknowledged(
    device: TestDevice, database: str
) -> None:
    make_trouble(database, FAULTS["an internal error"], when="new.boot = 'evil'", table="sequence")
    device.publish(payload(1, 50, boot="evil"))
    device.publish(payload(2, 51))
    device.publish(payload(1, 52))
    assert device.wait_for_ack(2).boot == "b"
    wait_until(lambda: refused(database), "the message to be set aside")
    [(code, items, kept)] = refused(database)
    assert isinstance(kept, bytes)
    assert (code, items) == ("refused", 1)
    assert kept == payload(1, 50, boot="evil").encode()[: len(kept)]
    assert fetch(database, "select boot from sequence") == [("b",)]


def test_what_comes_meanwhile_is_stored_beside_a_message_that_fails(
    settings: Settings, device: TestDevice, database: str, ingest: Session
) -> None:
    make_trouble(database, FAULTS["an internal error"], when=f"new.value = {BAD}")
    device.publish(payload(2, BAD))
    device.publish(payload(1, 64))
    device.wait_for_ack(2)
    assert fetch(database, "select value from reading") == [(64,)]
    assert ingest.connected
