"""An ingest that runs, a device that nobody registered, and what becomes of it when somebody does."""

import json
from datetime import UTC, datetime

from devices.registry import register_device
from ingest.lobby.admission import make_rule, refuse_unknown
from millpond.kernel.db import connect
from millpond.kernel.settings import Settings
from tests.ingest.conftest import TestDevice, fetch, running_ingest, wait_until

AT = datetime(2025, 1, 1, tzinfo=UTC)


def sample(seq: int) -> str:
    return json.dumps({"boot": "b", "seq": seq, "metrics": {"filter_life_pct": 64}})


def stored(database: str) -> object:
    return fetch(database, "select count(*) from reading")[0][0]


def test_a_device_that_is_registered_late_has_all_that_it_sent_and_is_told_so(
    settings: Settings, broker_url: str, database: str, serial: str
) -> None:
    few = settings.model_copy(update={"lobby_device_messages_max": 3})
    device = TestDevice(broker_url, serial)
    with running_ingest(few):
        for seq in range(1, 6):
            device.publish(sample(seq))
        device.wait_for_ack(3)
        dropped = "select dropped from lobby where name = %s"
        wait_until(lambda: fetch(database, dropped, serial) == [(2,)], "the last two to be dropped")
        with connect(database) as conn:
            register_device(conn, serial=serial, model="reed-air-2", installed_at=AT, at=AT)
        wait_until(lambda: stored(database) == 3, "what waited")
        device.publish(sample(6))
        asked = json.loads(device.commands.get(timeout=20))
        assert (asked["type"], asked["from"], asked["to"]) == ("resend", 4, 5), "what found no room is asked for"
        for seq in (4, 5):
            device.publish(sample(seq), "backfill")
        device.wait_for_ack(6)
    assert stored(database) == 6
    equal = "select sum(received) = sum(stored + duplicate + conflict + quarantined) from ingest_minute"
    assert fetch(database, equal) == [(True,)]
    device.close()


def test_a_rule_admits_while_ingest_runs_and_a_refused_device_stays_out(
    settings: Settings, broker_url: str, database: str, serial: str
) -> None:
    ours = {"format_name": "millpond-v1", "pattern": f"{serial[:6]}*", "model": "reed-air-2", "region": "north"}
    device = TestDevice(broker_url, serial)
    with running_ingest(settings):
        device.publish(sample(1), topic="millpond/v1/NOT-WANTED/telemetry")
        wait_until(lambda: fetch(database, "select name from lobby") == [("NOT-WANTED",)], "the unwanted one")
        with connect(database) as conn:
            refuse_unknown(conn, "NOT-WANTED", at=AT, by="operator:test")
            make_rule(conn, **ours, at=AT, by="operator:test")
        device.publish(sample(2), topic="millpond/v1/NOT-WANTED/telemetry")
        device.publish(sample(1))
        wait_until(lambda: stored(database) == 1, "what the rule admitted")
    assert fetch(database, "select region from device where serial = %s", serial) == [("north",)]
    assert fetch(database, "select dropped from lobby where name = 'NOT-WANTED'") == [(1,)]
    device.close()
