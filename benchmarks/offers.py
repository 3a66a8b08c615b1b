"""How quickly offers are decided and shown; see `python -m benchmarks.offers --help`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

import typer

from api.auth import Role, mint_token
from attribution.bindings import bind_customer
from attribution.people import register_staff, register_store
from attribution.tokens import derive_staff_keys, issue_badge_token
from benchmarks.common import Dsn, Json, NoBroker, Result, fresh_database, run, step, tell, timed
from benchmarks.fleet import register_fleet
from benchmarks.http_load import Load, Served, put_load_on, served
from customers.accounts import register_customer
from customers.nouns import Customer
from forecasting.nouns import ActiveInstallation, Forecast, Method
from forecasting.store import insert_forecast_run, insert_forecasts, select_active_installations
from millpond.kernel.clock import SystemClock
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import Unavailable
from offers.job import issue_due_offers
from offers.nouns import LeadTime

_DAY = timedelta(days=1)
_LEAD = LeadTime(delivery_days=3, margin_days=7)


def main(
    customers: Annotated[int, typer.Option(min=1, help="Customers, each bound to a staff member.")] = 200,
    parts_each: Annotated[int, typer.Option(min=1, help="Parts of each customer; all but every fifth are due.")] = 3,
    requests: Annotated[int, typer.Option(min=2, help="Requests to the feed, and as many to /healthz.")] = 2_000,
    connections: Annotated[int, typer.Option(min=1, help="Connections that ask at the same time.")] = 4,
    dsn: Dsn = None,
    broker: NoBroker = None,
    json: Json = False,
) -> None:
    """Decisions a second of the offers job, and the customers' feed over real HTTP against /healthz of the same server.

    **Measured:** `decisions_per_s` is the job: a transaction a candidate, with gates, decision, offer and credit.
    `requests_per_s`, `p50_ms` and `p99_ms` are `GET /v1/customers/{id}/offers` with a customer's token, of
    `millpond serve` in a process of its own; each customer has `--parts-each` parts, and is shown the offers for them.
    The clients share the machine with the server and the database.

    **Reference:** `GET /healthz`, which asks nobody, of the same server by the same clients: the cost of a request.
    """
    at = SystemClock().now()
    with fresh_database(dsn) as own:
        with connect(own) as conn:
            with step("registering customers and forecasts"):
                people = _fill(conn, customers, parts_each, at)
            with step("deciding"):
                decisions_per_s, issued = _decide(conn, at)
        with served(own) as server, step("asking"):
            health, feed = _ask(server, people, requests, connections, at)
    tell(
        Result(
            "offers",
            "requests_per_s",
            "requests/s",
            {
                "requests_per_s": feed.requests_per_s,
                "p50_ms": feed.p50_ms,
                "p99_ms": feed.p99_ms,
                "decisions_per_s": decisions_per_s,
                "healthz_p50_ms": health.p50_ms,
                "healthz_p99_ms": health.p99_ms,
            },
            health.requests_per_s,
            "GET /healthz of the same server",
            {
                "customers": customers,
                "parts_each": parts_each,
                "offers": issued,
                "requests": requests,
                "connections": connections,
            },
        ),
        as_json=json,
    )


def _fill(conn: WriteConnection, customers: int, parts_each: int, at: datetime) -> list[Customer]:
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
    return people


def _make_forecast(row: int, installation: ActiveInstallation, at: datetime) -> Forecast:
    """Due now, but every fifth only when the lead time is nearly over."""
    first = at + (20 if row % 5 == 4 else 5) * _DAY
    dates = (first, first + 3 * _DAY, first + 6 * _DAY)
    return Forecast(installation.installation_id, at, Method.FIXED_RATE, None, None, 14.0, 10.0, 0.5, *dates)


def _decide(conn: WriteConnection, at: datetime) -> tuple[float, int]:
    """Decisions a second, and how many offers they led to."""
    summary, seconds = timed(lambda: issue_due_offers(conn, at, lead=_LEAD, discount_bp=1000, new_device_days=30))
    if summary.failed or not summary.issued:
        raise Unavailable(f"the offers job did not do its work: {summary}")
    return summary.candidates / seconds, summary.issued


def _ask(
    server: Served, people: Sequence[Customer], requests: int, connections: int, at: datetime
) -> tuple[Load, Load]:
    """What /healthz and the feed came to, after a few requests that warm each up."""
    asks = [(f"/v1/customers/{c.customer_id}/offers", _bearer(server.secret, c, at)) for c in people]
    no_headers: dict[str, str] = {}

    def load(asks: Sequence[tuple[str, dict[str, str]]]) -> Load:
        put_load_on(server.port, asks, requests=min(50, requests), connections=connections)
        return put_load_on(server.port, asks, requests=requests, connections=connections)

    return load([("/healthz", no_headers)]), load(asks)


def _bearer(secret: str, customer: Customer, at: datetime) -> dict[str, str]:
    token = mint_token(secret, Role.CUSTOMER, customer.customer_id, at, timedelta(hours=1))
    return {"Authorization": f"Bearer {token}"}


if __name__ == "__main__":
    run(main)
