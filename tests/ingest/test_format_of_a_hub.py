"""A second format through the same door: a hub's one message of three devices, by the real broker and database."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from devices.aliases import alias_device
from devices.registry import register_device
from ingest.broker.session import Session
from ingest.nouns import Delivery, Limits, Tally
from ingest.storing.retry import RetrySummary, retry_quarantine
from ingest.storing.retry_store import Chosen
from ingest.storing.terms import Terms
from millpond.kernel.db import connect
from millpond.kernel.settings import Settings
from tests.ingest.conftest import TestDevice, fetch, running_ingest, wait_until
from tests.ingest.hub_format import BOTH

AT = datetime(2026, 2, 16, 12, tzinfo=UTC)
TOPIC = "hub/kitchen"
MESSAGE = json.dumps(
    {
        "at": int(AT.timestamp() * 1000),
        "devices": {
            "0xA1": {"filter_life_pct": 64, "filter_used_h": 1260},
            "0xB2": {"filter_life_pct": 300, "filter_used_h": 7, "nothing": 1},
            "0xC3": {"filter_life_pct": 12},
        },
    }
)
OUTCOMES = "select sum(messages), sum(received), sum(stored), sum(duplicate), sum(quarantined) from ingest_minute"


@pytest.fixture(autouse=True)
def _fleet(database: str) -> None:
    """The hub's 0xA1 and 0xB2 are registered; its 0xC3 is too, but nobody has said that it is called so."""
    with connect(database) as conn:
        for serial, external_id in (("AIR-A", "0xA1"), ("AIR-B", "0xB2"), ("AIR-C", None)):
            device = register_device(conn, serial=serial, model="reed-air-2", installed_at=AT, at=AT)
            if external_id is not None:
                alias_device(conn, device.device_id, format_name="hub", external_id=external_id, at=AT)


def readings(database: str) -> list[tuple[object, ...]]:
    return fetch(
        database,
        "select d.serial, m.name, r.value"
        " from reading r join device d using (device_id) join metric m using (metric_id) order by 1, 2",
    )


STORED = [("AIR-A", "filter_life_pct", 64), ("AIR-A", "filter_used_h", 1260), ("AIR-B", "filter_used_h", 7)]


def test_each_value_of_each_device_has_one_outcome_and_the_bytes_are_kept_once(
    settings: Settings, device: TestDevice, database: str
) -> None:
    with running_ingest(settings, BOTH):
        device.publish(MESSAGE, topic=TOPIC)
        wait_until(lambda: fetch(database, OUTCOMES) == [(1, 6, 3, 0, 3)], "the outcomes")
    assert readings(database) == STORED
    refused = fetch(database, "select serial, item, code from quarantine order by serial, item")
    assert refused == [
        ("AIR-B", "filter_life_pct", "out_of_range"),
        ("AIR-B", "nothing", "unknown_metric"),
        ("hub/0xC3", "", "unknown_device"),
    ]
    assert fetch(database, "select topic, payload from quarantined_message") == [(TOPIC, MESSAGE.encode())]


def test_what_the_broker_hands_out_again_is_counted_as_duplicates_alone(
    settings: Settings, device: TestDevice, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as crashed, running_ingest(settings, BOTH):
        crashed.setattr(Session, "acknowledge", lambda _self, _batch: 0)
        device.publish(MESSAGE, topic=TOPIC)
        wait_until(lambda: readings(database) == STORED, "the commit")
    with running_ingest(settings, BOTH):
        wait_until(lambda: fetch(database, OUTCOMES) == [(2, 12, 3, 6, 3)], "the redelivery")
    assert readings(database) == STORED
    assert fetch(database, "select count(*) from quarantine") == [(3,)]


def test_the_broker_is_told_only_once_all_of_the_message_is_committed(
    settings: Settings, device: TestDevice, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []
    acknowledge = Session.acknowledge

    def look_first(session: Session, batch: Sequence[Delivery]) -> int:
        seen.append((readings(database), fetch(database, "select count(*) from quarantine")))
        return acknowledge(session, batch)

    monkeypatch.setattr(Session, "acknowledge", look_first)
    with running_ingest(settings, BOTH):
        device.publish(MESSAGE, topic=TOPIC)
        wait_until(lambda: seen, "the acknowledgement")
    assert seen == [(STORED, [(3,)])]


def test_a_device_of_ours_is_heard_and_answered_beside_it(
    settings: Settings, device: TestDevice, database: str
) -> None:
    ours = json.dumps({"boot": "b", "seq": 1, "metrics": {"filter_life_pct": 50}})
    with running_ingest(settings, BOTH):
        device.publish(MESSAGE, topic=TOPIC)
        device.publish(ours)
        device.wait_for_ack(1)
        wait_until(lambda: len(readings(database)) == 4, "both")


def test_a_device_that_gets_its_name_late_loses_nothing(settings: Settings, device: TestDevice, database: str) -> None:
    with running_ingest(settings, BOTH):
        device.publish(MESSAGE, topic=TOPIC)
        wait_until(lambda: readings(database) == STORED, "the message")
    limits = Limits(262_144, timedelta(days=365), timedelta(minutes=5))
    with connect(database) as conn:
        [(device_id,)] = conn.execute("select device_id from device where serial = 'AIR-C'").fetchall()
        alias_device(conn, device_id, format_name="hub", external_id="0xC3", at=AT)
        summary = retry_quarantine(conn, Chosen("unknown_device"), Terms(limits, formats=BOTH), at=AT)
        assert summary == RetrySummary(messages=1, stored=1, tally=Tally(stored=1, duplicate=5))
    assert readings(database) == [*STORED, ("AIR-C", "filter_life_pct", 12)]
    left = fetch(database, "select serial from quarantine where stored_at is null order by 1")
    assert left == [("AIR-B",), ("AIR-B",)]
