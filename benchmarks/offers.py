"""How quickly offers are decided and shown; see `python -m benchmarks.offers --help`."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

import typer

from api.auth import Role, mint_token
from benchmarks.common import Dsn, Json, NoBroker, Result, fresh_database, run, step, tell
from benchmarks.decisions import decide, fill
from benchmarks.http_load import Load, Served, put_load_on, served
from customers.nouns import Customer
from millpond.kernel.clock import SystemClock
from millpond.kernel.db import connect


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
                people = fill(conn, customers, parts_each, at)
            with step("deciding"):
                decisions_per_s, issued = decide(conn, at)
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
