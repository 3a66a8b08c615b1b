"""The story Millpond exists for, told once from end to end on real parts: broker, database, API and browser."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from api.auth import Role, mint_token
from attribution.people import select_staff_member
from attribution.tokens import derive_staff_keys
from customers.accounts import register_customer
from devices.nouns import Device
from devices.registry import register_device
from forecasting.job import run_forecasts
from forecasting.store import select_current_forecasts
from millpond.embedded.people import open_shop, scan_badge
from millpond.kernel.clock import StillClock
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.ids import CustomerId
from millpond.kernel.settings import Settings, load_settings
from millpond.services import ingesting, serving
from offers.job import issue_due_offers
from offers.nouns import Rules
from simulators.runs.connected import ConnectedFleet
from simulators.runs.fleet import Fleet, FleetPlan, build_fleet
from tests.browser import open_browser, open_page

SECRET = "the story's secret, which nobody else may know"
START = datetime(2025, 9, 1, tzinfo=UTC)
SCANNED = START + timedelta(days=3)


@pytest.fixture
def household() -> tuple[Fleet, datetime]:
    """A household's purifier, and the moment at which its second filter truly has 10 % left."""
    oracle = build_one().devices[0]
    oracle.advance(START + timedelta(days=400))
    _, second, *_ = oracle.truth(START + timedelta(days=400))
    assert second.threshold_at is not None
    return build_one(), second.threshold_at


def build_one() -> Fleet:
    return build_fleet(FleetPlan(devices=1, seed=1, start=START, mix={"reed-air-2": 1}, regions=["seoul"]))


@pytest.fixture
def now(household: tuple[Fleet, datetime]) -> datetime:
    """Eight days before the filter is down to 10 %, at noon."""
    return (household[1] - timedelta(days=8)).replace(hour=12, minute=0, second=0, microsecond=0)


@pytest.fixture
def settings(database: str, broker_url: str) -> Settings:
    return load_settings(
        database_url=database,
        broker_url=broker_url,
        jwt_secret=SECRET,
        http_port=0,
        consumer_id="the-story",
        clock_past_days=36_500,
        reading_keep_days=0,
    )


@pytest.fixture
def conn(database: str) -> Iterator[WriteConnection]:
    with connect(database) as connection:
        yield connection


def test_the_story(
    settings: Settings, conn: WriteConnection, household: tuple[Fleet, datetime], now: datetime, broker_url: str
) -> None:
    fleet, depleted_at = household
    clock = StillClock(now)

    # A shop's staff member has a code; the customer scans it, and takes a purifier home.
    mina = open_shop(conn, name="Harbour", staff="Mina Park", at=START)
    jonas = open_shop(conn, name="Old Town", staff="Jonas Weber", at=START)
    customer = register_customer(conn, external_key="home-1", name="Robin Taylor", locale="en", at=START)
    scan_badge(conn, derive_staff_keys(SECRET.encode()), mina, customer.customer_id, at=SCANNED)
    device = register(conn, fleet, customer.customer_id)

    with ingesting(settings, clock), serving(settings, clock) as address:
        # The purifier uses its filter up, and says so through the broker; what it said is safe.
        live_until(fleet, broker_url, now, conn)

        # A forecast dates the 10 % mark.
        run_forecasts(conn, now, made_at=now, forecaster="fixed")
        [forecast] = select_current_forecasts(conn, [device.device_id], now)
        assert forecast.dates is not None
        assert abs(forecast.dates.p50 - depleted_at) < timedelta(days=6)

        # The offer is there before the household needs it, and again it is there only once.
        for _ in range(2):
            issue_due_offers(conn, now, Rules.from_settings(settings))
        token = mint_token(SECRET, Role.CUSTOMER, customer.customer_id, now, timedelta(hours=1))
        require_the_one_offer(address, token, customer.customer_id)

        # The customer accepts it in the app's page.
        accept_in_the_page(address, token)

        # The order is credited to the staff member whose code was scanned, and so is one in another shop.
        operator = mint_token(SECRET, Role.OPERATOR, "ops", now, timedelta(hours=1))
        order_id = sell(address, operator, customer.customer_id, jonas.store_id)
        assert commission_of(conn, mina.staff_id) == 108 + 1287

        # A refund takes back what it earned, and the ledger balances.
        refund(address, operator, order_id)
        assert commission_of(conn, mina.staff_id) == 108
        assert conn.execute("select sum(amount_minor) from posting").fetchone() == (0,)
        assert select_staff_member(conn, mina.staff_id) == mina


def register(conn: WriteConnection, fleet: Fleet, owner: CustomerId) -> Device:
    """The platform knows the fleet's one device, and whose it is."""
    [row] = fleet.manifest
    return register_device(
        conn,
        serial=row.serial,
        model=row.model,
        region=row.region,
        customer_id=owner,
        installed_at=row.installed_at,
        at=START,
    )


def live_until(fleet: Fleet, broker_url: str, now: datetime, conn: WriteConnection) -> None:
    """Everything that the fleet measures up to `now` is acknowledged and stored."""
    with ConnectedFleet(fleet, broker_url) as connected:
        connected.replay(now)
        told = connected.summary()
    assert told.samples > 800
    assert (told.acked, told.unacked, told.unsent) == (told.samples, 0, 0)
    assert conn.execute("select count(*) from reading").fetchone() == (told.readings,)


def require_the_one_offer(address: str, token: str, customer_id: str) -> None:
    answer = httpx.get(f"{address}/v1/customers/{customer_id}/offers", headers={"Authorization": f"Bearer {token}"})
    [offer] = answer.json()["items"]
    assert offer["sku"] == "REED-HEPA-H13"
    assert offer["price"] == {"amount_minor": 3591, "currency": "EUR"}


def accept_in_the_page(address: str, token: str) -> None:
    with open_browser() as browser:
        page, errors = open_page(browser)
        page.goto(f"{address}/sign-in?token={token}")
        assert token not in page.url
        page.locator("main button.primary").click()
        assert "Mina Park" in page.locator(".offer").inner_text()
        page.locator(".offer button.primary").click()
        page.locator(".offer.settled").wait_for()
        assert errors == []


def sell(address: str, token: str, customer_id: str, store_id: str) -> str:
    """The order's id."""
    items = [{"sku": "REED-VAC-S", "quantity": 1}]
    place = {"customer_id": customer_id, "channel": "store", "store_id": store_id, "currency": "EUR"}
    sold = post(f"{address}/v1/orders", token, {**place, "items": items}, key="sale-1")
    return str(sold["order_id"])


def refund(address: str, token: str, order_id: str) -> None:
    amount = {"amount_minor": 42900, "currency": "EUR"}
    post(f"{address}/v1/orders/{order_id}/refunds", token, {"amount": amount}, key="refund-1")


def post(url: str, token: str, body: dict[str, Any], *, key: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
    answer = httpx.post(url, json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def commission_of(conn: WriteConnection, staff_id: str) -> int:
    row = conn.execute(
        "select sum(amount_minor) from posting join account using (account_id) where staff_id = %s", [staff_id]
    ).fetchone()
    assert row is not None
    return int(row[0])
