"""The door of the formats: who reads a topic, what each may not do to the others, and what is kept within bounds."""

import json
import tracemalloc
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devices.aliases import alias_device
from devices.registry import register_device
from ingest.formats.format import Format, Formats, Subscription
from ingest.formats.millpond_v1 import MILLPOND_V1
from ingest.formats.shipped import FORMATS
from ingest.nouns import Decoded, Delivery, Keeping, Lane, Limits, Registry, Tally
from ingest.storing.accounts import Rate
from ingest.storing.allowance import Allowance, Allowances
from ingest.storing.batch import StoredBatch, store_batch
from ingest.storing.refused import store_refused
from millpond.kernel.db import WriteConnection
from tests.ingest.hub_format import BOTH, HUB

NOW = datetime(2026, 2, 16, 12, tzinfo=UTC)
LIMITS = Limits(4_096, timedelta(days=365), timedelta(minutes=5))


@pytest.fixture(autouse=True)
def _devices(conn: WriteConnection) -> None:
    for serial in ("AIR-A", "AIR-B"):
        device = register_device(conn, serial=serial, model="reed-air-2", installed_at=NOW, at=NOW)
        alias_device(conn, device.device_id, format_name="hub", external_id=f"0x{serial}", at=NOW)


def message(payload: Any, topic: str = "hub/h") -> Delivery:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Delivery(topic, raw, NOW, Lane.LIVE, 1, 1, 1)


def hub(**devices: dict[str, Any]) -> Delivery:
    return message({"at": int(NOW.timestamp() * 1000), "devices": devices})


def store(conn: WriteConnection, *deliveries: Delivery, formats: Formats = BOTH, **options: Any) -> StoredBatch:
    return store_batch(conn, deliveries, LIMITS, consumer="test", at=NOW, formats=formats, **options)


def quarantine(conn: WriteConnection) -> list[tuple[Any, ...]]:
    return conn.execute("select serial, item, code from quarantine order by quarantine_id").fetchall()


@pytest.mark.parametrize(
    ("topic_filter", "covered", "others"),
    [
        ("tele/+/SENSOR", ["tele/plug/SENSOR", "tele//SENSOR"], ["tele/a/b/SENSOR", "tele/p/STATE", "xtele/p/SENSOR"]),
        ("zigbee2mqtt/#", ["zigbee2mqtt", "zigbee2mqtt/a", "zigbee2mqtt/a/b/c\nd"], ["zigbee2mqttx", "x/zigbee2mqtt"]),
        ("+/status", ["a/status", "/status"], ["status", "a/b/status"]),
        ("a.b/+", ["a.b/c"], ["aXb/c"]),
    ],
)
def test_a_topic_is_read_by_the_format_whose_filter_covers_it(
    topic_filter: str, covered: list[str], others: list[str]
) -> None:
    one = replace(HUB, subscriptions=(Subscription(topic_filter, Lane.LIVE),))
    formats = Formats(one, MILLPOND_V1)
    assert [topic for topic in [*covered, *others] if formats.reading(topic) is one] == covered


def test_of_topics_without_measure_nothing_is_kept() -> None:
    formats = Formats(HUB, MILLPOND_V1)
    tracemalloc.start()
    for number in range(100):
        assert formats.reading(f"hub/{number}{'x' * 60_000}") is HUB
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 100_000


def test_of_two_formats_that_ask_for_a_topic_the_first_reads_it() -> None:
    other = replace(HUB, name="other")
    assert Formats(HUB, other).reading("hub/h") is HUB
    assert Formats(other, HUB).reading("hub/h") is other


def test_ingest_subscribes_to_what_its_formats_read() -> None:
    assert BOTH.topic_filters(Lane.BACKFILL) == ["millpond/v1/+/backfill"]
    assert BOTH.topic_filters(Lane.LIVE) == [*Formats(MILLPOND_V1).topic_filters(Lane.LIVE), "hub/+"]
    assert "millpond/v1/+/telemetry" in FORMATS.topic_filters(Lane.LIVE)


def test_a_topic_that_no_format_reads_is_refused_with_its_bytes(conn: WriteConnection) -> None:
    assert store(conn, hub(a={}), formats=FORMATS).tally == Tally(quarantined=1)
    assert quarantine(conn) == [("", "", "bad_topic")]
    assert conn.execute("select payload from quarantined_message").fetchall() == [(hub(a={}).payload,)]


def test_a_message_that_a_format_cannot_read_costs_no_other_message_anything(conn: WriteConnection) -> None:
    good = hub(**{"0xAIR-A": {"filter_life_pct": 1}})
    assert store(conn, message(b"{"), good, message({"devices": 7})).tally == Tally(stored=1, quarantined=2)
    assert quarantine(conn) == [("", "", "undecodable")] * 2


def test_a_format_that_says_nothing_of_a_message_makes_it_a_message_all_the_same(conn: WriteConnection) -> None:
    assert store(conn, hub()).tally == Tally()
    assert conn.execute("select messages, received from ingest_minute").fetchall() == [(1, 0)]


def test_what_is_too_large_is_not_read_by_its_format(conn: WriteConnection) -> None:
    asked: list[bytes] = []

    def identities(delivery: Delivery) -> list[str]:
        asked.append(delivery.payload)
        return []

    large = message(b" " * 5_000)
    formats = Formats(replace(HUB, identities=identities))
    assert store(conn, large, formats=formats).tally == Tally(quarantined=1)
    assert set(asked) == {b""}
    assert quarantine(conn) == [("", "", "too_large")]


def test_a_name_that_is_somebodys_serial_is_not_their_device(conn: WriteConnection) -> None:
    assert store(conn, hub(**{"AIR-A": {"filter_life_pct": 1}})).tally == Tally(quarantined=1)
    assert quarantine(conn) == [("hub/AIR-A", "", "unknown_device")]


@pytest.mark.parametrize("name", ["", "a\x00b", "\ud800", "x" * 100_000, "거실", "a/b"])
def test_no_name_that_a_hub_gives_stops_its_message(conn: WriteConnection, name: str) -> None:
    limits = replace(LIMITS, payload_max_bytes=1_000_000)
    delivery = hub(**{name: {}, "0xAIR-A": {"filter_life_pct": 1}})
    stored = store_batch(conn, [delivery], limits, consumer="test", at=NOW, formats=BOTH)
    assert stored.tally == Tally(stored=1, quarantined=1)


def test_of_a_message_of_very_many_devices_no_more_is_kept_than_of_any_other(conn: WriteConnection) -> None:
    names: dict[str, dict[str, Any]] = {f"{number}": {} for number in range(150)}
    batch = store(conn, hub(**names, **{"0xAIR-A": {"x": 1}}), keeping=Keeping(items=10))
    assert batch.tally == Tally(quarantined=151)
    kept = conn.execute("select item, items from quarantine order by quarantine_id").fetchall()
    assert len(kept) == 11
    assert ("more", 141) in kept


def test_what_the_database_refuses_is_kept_in_the_name_of_each_device(conn: WriteConnection) -> None:
    delivery = hub(**{"0xAIR-A": {"filter_life_pct": 1}, "0xAIR-B": {"filter_life_pct": 2}, "new": {}})
    store_refused(conn, delivery, "division by zero", LIMITS, consumer="test", at=NOW, formats=BOTH)
    assert sorted(quarantine(conn)) == [(name, "", "refused") for name in ("AIR-A", "AIR-B", "hub/new")]
    assert conn.execute("select count(*) from quarantined_message").fetchone() == (1,)
    assert conn.execute("select messages from ingest_minute").fetchall() == [(1,)]


def test_a_device_beyond_its_allowance_costs_the_others_of_its_hub_nothing(conn: WriteConnection) -> None:
    allowances = Allowances({Allowance.VALUES: Rate(3, timedelta(days=1))})
    chatty = {"filter_life_pct": 1, "filter_used_h": 1, "pm25_ugm3": 1}
    store(conn, hub(**{"0xAIR-A": chatty}), allowances=allowances)
    both = store(conn, hub(**{"0xAIR-A": chatty, "0xAIR-B": {"filter_life_pct": 2}}), allowances=allowances)
    assert (both.tally, [drop.serial for drop in both.dropped]) == (Tally(stored=1), ["AIR-A"])


def test_a_mistake_in_a_format_of_serials_is_its_devices(conn: WriteConnection) -> None:
    def fail(_delivery: Delivery, _registry: Registry, _limits: Limits) -> list[Decoded]:
        raise RuntimeError

    broken = replace(MILLPOND_V1, decode=fail)
    telemetry, status = (message({}, f"millpond/v1/AIR-A/{channel}") for channel in ("telemetry", "status"))
    [of_telemetry], [of_status] = (_decode(broken, one) for one in (telemetry, status))
    assert (of_telemetry.serial, of_telemetry.numbers_lost) == ("AIR-A", True)
    assert (of_status.serial, of_status.numbers_lost) == ("AIR-A", False)


def _decode(one: Format, delivery: Delivery) -> list[Decoded]:
    return Formats(one).decode(delivery, {one.name: Registry({}, {})}, LIMITS)
