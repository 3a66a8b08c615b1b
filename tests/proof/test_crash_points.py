"""Processes that die at the worst moments: what was promised is there once after their return, and nothing else is."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import psycopg
import pytest

from api.auth import Role, mint_token
from attribution.tokens import derive_staff_keys
from customers.accounts import register_customer
from devices.aliases import alias_device
from devices.registry import register_device
from millpond.embedded.people import open_shop, scan_badge
from millpond.embedded.ports import free_port
from millpond.kernel.clock import SystemClock
from millpond.kernel.crashpoints import CRASH_POINTS
from millpond.kernel.db import connect
from millpond.kernel.waiting import wait_until
from proof.household import add_household
from proof.service import Service
from tests.ingest.conftest import TestDevice

SECRET = "the crash tests' secret, which is long enough"
ROOT = Path(__file__).parents[2]
KILLED = -signal.SIGKILL


def rows(database: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(database) as conn:
        return conn.execute(query).fetchall()


@pytest.fixture
def environment(database: str, own_broker: str) -> dict[str, str]:
    return {
        "MILLPOND_DATABASE_URL": database,
        "MILLPOND_BROKER_URL": own_broker,
        "MILLPOND_JWT_SECRET": SECRET,
        "MILLPOND_HTTP_PORT": str(free_port()),
        "MILLPOND_CONSUMER_ID": f"crash-{free_port()}",
    }


@pytest.fixture
def service(environment: dict[str, str], tmp_path: Path) -> Iterator["dict[str, Service]"]:
    made = {name: Service(name, environment, tmp_path / f"{name}.log") for name in ("ingest", "serve")}
    yield made
    for one in made.values():
        one.stop()


def test_the_places_are_named_in_the_code_once_each() -> None:
    sources = [
        path.read_text() for package in ("ingest", "offers", "attribution") for path in (ROOT / package).glob("*.py")
    ]
    assert [sum(f'crash_point("{name}")' in source for source in sources) for name in CRASH_POINTS] == [1, 1, 1, 1]


def test_ingest_that_dies_between_commit_and_acknowledgement_stores_once_and_acknowledges_later(
    service: dict[str, Service], database: str, own_broker: str
) -> None:
    at = datetime(2025, 1, 1, tzinfo=UTC)
    with connect(database) as conn:
        register_device(conn, serial="CRASH-1", model="reed-air-2", installed_at=at, at=at)
    device, ingest = TestDevice(own_broker, "CRASH-1"), service["ingest"]
    try:
        ingest.start(MILLPOND_CRASH_AT="after-commit-before-ack")
        # The first status or message ends it; until it has subscribed, nobody keeps what is published.
        connected = "select connected from ingest_consumer"
        wait_until(lambda: rows(database, connected) == [(True,)], "ingest to connect", timeout_s=30)
        ts = int(SystemClock().now().timestamp() * 1000)
        device.publish(json.dumps({"boot": "b", "seq": 1, "ts": ts, "metrics": {"filter_life_pct": 64}}))
        ingest.wait(30)
        assert ingest.exit_code == KILLED
        assert rows(database, "select value from reading") == [(64.0,)]
        assert device.acks.empty()
        ingest.start()
        assert device.wait_for_ack(1).boot == "b"
    finally:
        device.close()
    assert rows(database, "select sum(stored), sum(duplicate), sum(conflict) from ingest_minute") == [(1, 1, 0)]


def test_ingest_that_dies_before_the_acknowledgement_stores_each_message_of_a_hub_once_though_all_say_the_same(
    service: dict[str, Service], database: str, own_broker: str
) -> None:
    at = datetime(2025, 1, 1, tzinfo=UTC)
    with connect(database) as conn:
        register_device(conn, serial="CRASH-2", model="generic-purifier-hours", installed_at=at, at=at)
        [(device_id,)] = conn.execute("select device_id from device where serial = 'CRASH-2'").fetchall()
        alias_device(conn, device_id, format_name="zigbee2mqtt", external_id="kitchen", at=at)
    hub, ingest = TestDevice(own_broker, "CRASH-2"), service["ingest"]
    outcomes = "select sum(stored), sum(duplicate) > 0 from ingest_minute"
    try:
        ingest.start(MILLPOND_CRASH_AT="after-commit-before-ack")
        connected = "select connected from ingest_consumer"
        wait_until(lambda: rows(database, connected) == [(True,)], "ingest to connect", timeout_s=30)
        for _ in range(3):
            hub.publish('{"filter_age": 600}', topic="zigbee2mqtt/kitchen")
        ingest.wait(30)
        assert ingest.exit_code == KILLED
        stored = rows(database, "select value from reading")
        assert set(stored) == {(10.0,)}
        ingest.start()
        wait_until(lambda: rows(database, outcomes) == [(3, True)], "what came again and what did not", timeout_s=30)
        hub.publish('{"filter_age": 600}', topic="zigbee2mqtt/kitchen")
        wait_until(lambda: rows(database, outcomes) == [(4, True)], "an equal value that is new", timeout_s=30)
    finally:
        hub.close()
    assert rows(database, "select count(*), count(distinct measured_at) from reading") == [(4, 4)]


def test_ingest_that_dies_before_it_acknowledges_an_event_has_it_once_on_its_return(
    service: dict[str, Service], database: str, own_broker: str
) -> None:
    at = datetime(2025, 1, 1, tzinfo=UTC)
    with connect(database) as conn:
        register_device(conn, serial="KIOSK-1", model="reed-air-2", installed_at=at, at=at)
    kiosk, ingest = TestDevice(own_broker, "KIOSK-1"), service["ingest"]
    told = "select message_id from event order by message_id"

    def tell(number: int) -> list[tuple[object, ...]]:
        said = {"id": number, "event": "Tag Scanned", "anonymousId": "a", "properties": {"sku": "A"}}
        kiosk.publish(json.dumps(said), channel="events")
        return rows(database, told)

    try:
        ingest.start(MILLPOND_CRASH_AT="after-events-before-ack")
        # Until it has subscribed nobody keeps what is published, so it is told until it is there; each id counts once.
        wait_until(lambda: tell(1), "the event", timeout_s=30)
        ingest.wait(30)
        assert ingest.exit_code == KILLED
        tell(2)
        ingest.start()
        wait_until(lambda: len(rows(database, told)) == 2, "what came meanwhile", timeout_s=30)
        again = "select sum(repeated) > 0 from source_hour"
        wait_until(lambda: rows(database, again) == [(True,)], "what was not acknowledged", timeout_s=30)
    finally:
        kiosk.close()
    assert rows(database, told) == [("KIOSK-1:1",), ("KIOSK-1:2",)]


def test_a_job_that_dies_between_an_offer_and_its_event_leaves_neither_and_the_next_run_makes_both(
    environment: dict[str, str], database: str
) -> None:
    with connect(database) as conn:
        add_household(conn, 1)
    command = [sys.executable, "-m", "millpond", "offers"]
    crashed = subprocess.run(
        command, cwd=ROOT, env=os.environ | environment | {"MILLPOND_CRASH_AT": "after-offer-before-event"}, check=False
    )
    assert crashed.returncode == KILLED
    assert rows(database, "select count(*) from offer") == [(0,)]
    assert rows(database, "select count(*) from decision") == [(0,)]
    subprocess.run(command, cwd=ROOT, env=os.environ | environment, check=True)
    offers = rows(database, "select o.offer_id, count(*) from offer o join offer_event e using (offer_id) group by 1")
    assert len(offers) == 2
    assert {count for _, count in offers} == {1}


def test_an_api_that_dies_between_an_order_and_its_credit_keeps_neither_and_the_same_request_makes_both(
    service: dict[str, Service], environment: dict[str, str], database: str
) -> None:
    serve = service["serve"]
    customer_id = _bound_customer(database)
    token = mint_token(SECRET, Role.CUSTOMER, customer_id, SystemClock().now(), timedelta(hours=1))
    url = f"http://127.0.0.1:{environment['MILLPOND_HTTP_PORT']}"
    order = {"channel": "app", "items": [{"sku": "REED-HEPA-H13", "quantity": 1}], "currency": "EUR"}
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "order-1"}
    serve.start(MILLPOND_CRASH_AT="after-order-before-ledger")
    wait_until(lambda: _answers(url), "the API to answer", timeout_s=30)
    with pytest.raises(httpx.HTTPError):
        httpx.post(f"{url}/v1/orders", json=order, headers=headers, timeout=20)
    serve.wait(10)
    assert serve.exit_code == KILLED
    assert rows(database, "select count(*) from customer_order") == [(0,)]
    serve.start()
    wait_until(lambda: _answers(url), "the API to answer", timeout_s=30)
    answers = [httpx.post(f"{url}/v1/orders", json=order, headers=headers, timeout=20) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201], answers[0].text
    assert answers[0].json() == answers[1].json()
    assert rows(database, "select count(*) from customer_order") == [(1,)]
    assert rows(database, "select count(*) from ledger_entry") == [(1,)]
    assert rows(database, "select sum(amount_minor) from posting") == [(0,)]


def _bound_customer(database: str) -> str:
    """A customer whose orders earn somebody something."""
    at, keys = datetime(2026, 1, 1, tzinfo=UTC), derive_staff_keys(SECRET.encode())
    with connect(database) as conn:
        mina = open_shop(conn, name="Harbour", staff="Mina", at=at)
        customer = register_customer(conn, name="Robin", at=at)
        scan_badge(conn, keys, mina, customer.customer_id, at=at)
    return customer.customer_id


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False
