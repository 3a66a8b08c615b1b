"""Customers whose parts are nearly used up, and how quickly the offers job decides about them."""

from datetime import datetime, timedelta

from attribution.bindings import bind_customer
from attribution.people import register_staff, register_store
from attribution.tokens import derive_staff_keys, issue_badge_token
from benchmarks.common import timed
from benchmarks.fleet import register_fleet
from customers.accounts import register_customer
from customers.nouns import Customer
from devices.depletion import DepletionDates
from forecasting.nouns import ActiveInstallation, Forecast, Method
from forecasting.store import insert_forecast_run, insert_forecasts, select_active_installations
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import Unavailable
from offers.job import issue_due_offers
from offers.nouns import LeadTime, Rules

_DAY = timedelta(days=1)
_RULES = Rules(LeadTime(delivery_days=3, margin_days=7), discount_bp=1000, new_device_days=30)


def fill(conn: WriteConnection, customers: int, parts_each: int, at: datetime) -> list[Customer]:
    """Customers with devices whose parts were forecast today."""
    begun = at - 100 * _DAY
    with conn.transaction():
        store = register_store(conn, name="Benchmark", currency="EUR", at=begun)
        staff = register_staff(conn, store_id=store.store_id, name="Bo", at=begun)
        keys = derive_staff_keys(b"only for this benchmark, and 32 bytes long")
        badge = issue_badge_token(keys, staff)
        people = [register_customer(conn, name=f"Customer {number}", at=begun) for number in range(customers)]
        for customer in people:
            bind_customer(conn, token=badge, customer_id=customer.customer_id, keys=keys, at=begun + _DAY)
    owners = [customer.customer_id for customer in people]
    register_fleet(conn, customers * parts_each, begun, owners=owners)
    with conn.transaction():
        forecasts = [_make_forecast(row, i, at) for row, i in enumerate(select_active_installations(conn, at))]
        insert_forecasts(conn, insert_forecast_run(conn, at, at), at, at, forecasts)
    # A database that is in use knows its tables; autovacuum would see to it within a minute.
    conn.execute("analyze")
    return people


def _make_forecast(row: int, installation: ActiveInstallation, at: datetime) -> Forecast:
    """Due now, but every fifth only when the lead time is nearly over."""
    first = at + (20 if row % 5 == 4 else 5) * _DAY
    return Forecast(
        installation.installation_id,
        threshold_pct=10.0,
        method=Method.FIXED_RATE,
        dates=DepletionDates(first, first + 3 * _DAY, first + 6 * _DAY),
        data_cutoff=at,
        remaining_pct=14.0,
        usage_pct_per_day=0.5,
    )


def decide(conn: WriteConnection, at: datetime) -> tuple[float, int]:
    """Decisions a second, and how many offers they led to."""
    summary, seconds = timed(lambda: issue_due_offers(conn, at, _RULES))
    if summary.failed or not summary.issued:
        raise Unavailable(f"the offers job did not do its work: {summary}")
    return summary.candidates / seconds, summary.issued
