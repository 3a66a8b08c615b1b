"""A small world for the API: two customers, two stores, an app on a real database, and tokens for everyone."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi.testclient import TestClient

from api.auth import Role, mint_token
from attribution.nouns import Staff, Store
from attribution.people import register_staff, register_store
from attribution.tokens import StaffKeys, derive_staff_keys
from customers.accounts import register_customer
from customers.nouns import Customer
from devices.bulk.columns import columns_of
from devices.bulk.storing import store_readings
from devices.nouns import Device, Reading
from devices.registry import register_device
from devices.store import select_metrics
from forecasting.job import run_forecasts
from millpond.embedded.people import scan_badge
from millpond.kernel.clock import StillClock
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.ids import CustomerId
from offers.job import issue_due_offers
from offers.nouns import LeadTime, Offer, Rules
from offers.showing import show_open_offers

SECRET = "a secret for tests only, long enough for all the algorithms that a token may name"
DEVICE_SECRET = "f3b1c0de5a77e1ab42c9d86ed2f90f11a6f8e77c"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
"""What somebody may write where a name is asked for."""
ABROAD = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
"""The headers that a browser sends along with a form of another site."""
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
START = NOW - timedelta(days=120)
RULES = Rules(LeadTime(delivery_days=3, margin_days=7), discount_bp=1000, new_device_days=30)


def make_token(role: str, subject: str, at: datetime) -> str:
    """A token of an hour from `at`."""
    return mint_token(SECRET, Role(role), subject, at, timedelta(hours=1))


@dataclass(frozen=True)
class World:
    """The app, its database, and who is in it."""

    app: Any
    clock: StillClock
    dsn: str
    keys: StaffKeys
    ann: Customer
    ben: Customer
    harbour: Store
    market: Store
    mina: Staff
    noah: Staff
    purifier: Device
    bens_tv: Device
    fresh_key: Callable[[], str]

    def client(self, role: str | None = None, subject: str = "") -> TestClient:
        """A client with a token of `role` (none without), that gives server errors back as answers."""
        headers = {"Authorization": f"Bearer {self.token(role, subject)}"} if role else {}
        return TestClient(self.app, headers=headers, raise_server_exceptions=False, follow_redirects=False)

    def browser(self, role: str, subject: str) -> TestClient:
        """A client that is signed in to the pages."""
        client = TestClient(self.app, headers={"Accept": "text/html"}, follow_redirects=False)
        client.cookies.set("millpond_session", self.token(role, subject))
        return client

    def surfer(self) -> TestClient:
        """A browser that nobody has signed in with, and that follows where it is sent."""
        headers = {"Accept": "text/html"}
        return TestClient(self.app, "https://pond.example", headers=headers, raise_server_exceptions=False)

    def token(self, role: str, subject: str) -> str:
        return make_token(role, subject, self.clock.at)

    def key(self) -> dict[str, str]:
        """The header that a new write needs."""
        return {"Idempotency-Key": self.fresh_key()}

    def connect(self) -> WriteConnection:
        return connect(self.dsn)

    @property
    def as_ann(self) -> TestClient:
        return self.client("customer", self.ann.customer_id)

    @property
    def as_ben(self) -> TestClient:
        return self.client("customer", self.ben.customer_id)

    @property
    def as_mina(self) -> TestClient:
        return self.client("staff", self.mina.staff_id)

    @property
    def as_noah(self) -> TestClient:
        return self.client("staff", self.noah.staff_id)

    @property
    def as_operator(self) -> TestClient:
        return self.client("operator", "ops")


def make_world(conn: WriteConnection, app: Any, clock: StillClock, dsn: str) -> World:
    keys = derive_staff_keys(SECRET.encode())
    ann = register_customer(conn, name="Ann", locale="en", time_zone="Europe/Berlin", at=START)
    ben = register_customer(conn, name="Ben", locale="ko", time_zone="Asia/Seoul", at=START)
    harbour = register_store(conn, name="Harbour", currency="EUR", time_zone="Europe/Berlin", at=START)
    market = register_store(conn, name="Market", currency="EUR", time_zone="Europe/Berlin", at=START)
    mina = register_staff(conn, store_id=harbour.store_id, name="Mina", at=START)
    noah = register_staff(conn, store_id=market.store_id, name="Noah", at=START)
    scan_badge(conn, keys, mina, ann.customer_id, at=START)
    purifier = _register(conn, "AIR-1", "reed-air-2", ann.customer_id)
    bens_tv = _register(conn, "TV-1", "reed-tv-55", ben.customer_id)
    numbers = iter(range(1_000_000))
    return World(
        app, clock, dsn, keys, ann, ben, harbour, market, mina, noah, purifier, bens_tv, lambda: f"key-{next(numbers)}"
    )


def _register(conn: WriteConnection, serial: str, model: str, customer_id: CustomerId) -> Device:
    return register_device(conn, serial=serial, model=model, customer_id=customer_id, installed_at=START, at=START)


def use_up(world: World, *, hours_a_day: float = 26.0, days: int = 120) -> None:
    """The purifier's counter rises every day until now: 120 days of 26 h leave about 11 % of 3,500 h."""
    with world.connect() as conn, conn.transaction():
        metric = select_metrics(conn)["reed-air-2"]["filter_used_h"]
        readings = [
            Reading(
                world.purifier.device_id,
                metric.metric_id,
                NOW - timedelta(days=days - day),
                hours_a_day * day,
                None,
                NOW,
                False,
            )
            for day in range(days + 1)
        ]
        store_readings(conn, columns_of(readings))


def make_forecasts(world: World) -> None:
    """One run of the forecast job, without Prophet."""
    with world.connect() as conn:
        run_forecasts(conn, world.clock.at, made_at=world.clock.at, forecaster="fixed")


def make_offer(world: World) -> Offer:
    """Ann's filter runs out, and she is offered the next one."""
    use_up(world)
    make_forecasts(world)
    with world.connect() as conn:
        issue_due_offers(conn, world.clock.at, RULES)
        return show_open_offers(conn, world.ann.customer_id, at=world.clock.at)[0].offer
