"""Kiosks and beacons tell of people by MQTT: each id counts once, nobody is linked, no order is made."""

import json
from typing import Any

import pytest

from attribution.order_rows import select_orders
from devices.registry import register_device
from events.nouns import Taken
from events.plan.files import load_plan
from events.quarantine.store import select_set_aside
from events.sources import require_source
from events.terms import Terms
from ingest.nouns import Delivery, Lane
from ingest.told import SOURCE, store_told
from millpond.kernel.clock import monotonic
from millpond.kernel.db import WriteConnection
from tests.people import AT

TERMS = Terms(load_plan())


def delivery(payload: Any, serial: str = "KIOSK-1") -> Delivery:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Delivery(f"millpond/v1/{serial}/events", raw, AT, Lane.BACKFILL, 1, 1, 1, monotonic(), False, False)


def tell(conn: WriteConnection, *deliveries: Delivery) -> Taken:
    return store_told(conn, deliveries, TERMS, at=AT)


def scanned(number: int | str, **said: Any) -> dict[str, Any]:
    return {"id": number, "event": "Tag Scanned", "anonymousId": "a-1", "properties": {"sku": "A"}} | said


@pytest.fixture(autouse=True)
def kiosk(conn: WriteConnection) -> None:
    for serial in ("KIOSK-1", "KIOSK-2"):
        register_device(conn, serial=serial, model="reed-air-2", installed_at=AT, at=AT)


def test_one_call_or_a_batch_is_taken_and_each_id_counts_once_for_its_device(conn: WriteConnection) -> None:
    one, two = scanned(1, ts=AT.isoformat()), scanned(2)
    taken = tell(conn, delivery(one), delivery({"batch": [one, two]}), delivery(one, "KIOSK-2"))
    assert [event.message_id for event in taken.stored.new] == ["KIOSK-1:1", "KIOSK-1:2", "KIOSK-2:1"]
    assert tell(conn, delivery(two)).stored.repeated == 1
    source = require_source(conn, SOURCE)
    found = conn.execute("select distinct source_id, sku, properties ->> 'device' from event").fetchall()
    assert sorted(found) == [(source.source_id, "A", "KIOSK-1"), (source.source_id, "A", "KIOSK-2")]


def test_without_an_id_it_is_known_by_what_it_says(conn: WriteConnection) -> None:
    said = {"event": "Beacon Seen", "anonymousId": "a-1", "properties": {"beacon_id": "b"}, "ts": AT.isoformat()}
    assert len(tell(conn, delivery(said), delivery(said)).stored.new) == 1


def test_a_device_says_never_who_somebody_is_and_makes_no_order(conn: WriteConnection) -> None:
    who = {"type": "identify", "userId": "ann", "traits": {"email": "ann@example.org"}}
    other = {"type": "alias", "userId": "ann", "previousId": "ben"}
    bought = {"id": 3, "event": "Order Completed", "userId": "ann", "properties": {"order_id": "W-1", "total": 5}}
    taken = tell(conn, delivery(who), delivery(other), delivery(bought))
    assert [each.reason for each in taken.refused] == ["not_for_devices", "not_for_devices"]
    assert ([event.name for event in taken.stored.new], select_orders(conn)) == (["Order Completed"], [])
    assert conn.execute("select count(*) from customer_identifier").fetchone() == (0,)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"\xff{", "not_json"),
        (b"[1]", "wrong_type"),
        ({"batch": [1]}, "wrong_type"),
        ({"batch": [{}] * 501}, "wrong_type"),
        (scanned(1, properties={}), "against_plan"),
        (scanned(1, anonymousId=None), "nobody"),
        (scanned(1, properties={"sku": "A", "x": "x" * 33_000}), "too_large"),
        (b'{"id":1,"event":"A\\u0000","anonymousId":"a"}', "not_text"),
    ],
)
def test_what_cannot_be_taken_is_set_aside_and_harms_no_other(conn: WriteConnection, payload: Any, reason: str) -> None:
    taken = tell(conn, delivery(scanned("a")), delivery(payload), delivery(scanned("b")))
    assert [event.message_id for event in taken.stored.new] == ["KIOSK-1:a", "KIOSK-1:b"]
    [kept] = select_set_aside(conn)
    assert (kept.reason, len(kept.raw) > 0) == (reason, True)


def test_what_an_unknown_device_tells_waits_with_its_name(conn: WriteConnection) -> None:
    tell(conn, delivery(scanned(1), "NOBODY-1"))
    [kept] = select_set_aside(conn)
    assert (kept.reason, kept.known_as) == ("unknown_device", "NOBODY-1:1")
    assert "NOBODY-1 is not registered" in kept.detail
