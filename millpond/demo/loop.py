"""Closing the loop as its users do, over HTTP: a customer accepts, a till sells, and what came of it all."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from attribution.nouns import Staff
from attribution.people import select_stores
from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.ids import CustomerId
from millpond.testing.client import Client

_Q = load_queries("millpond.demo")


@dataclass(frozen=True, slots=True)
class Counts:
    """What is in the database. Events are what people did in app, web, shop and messenger.

    The commission is what staff accounts hold, in minor units of `currency`.
    """

    devices: int
    readings_stored: int
    readings_quarantined: int
    installations: int
    forecasts: int
    offers_issued: int
    offers_credited: int
    events: int
    orders: int
    commission_minor: int
    currency: str | None


@dataclass(frozen=True, slots=True)
class Summary:
    """What the demo produced."""

    counts: Counts
    messages_published: int
    ledger_balance_minor: int
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """One flat object."""
        flat = asdict(self)
        return {**flat.pop("counts"), **flat}

    def missing(self) -> list[str]:
        """Stages that produced nothing, and a ledger that does not balance; empty when the loop closed."""
        stages = self.as_dict()
        balance = stages.pop("ledger_balance_minor")
        del stages["readings_quarantined"]
        return [name for name, value in stages.items() if not value] + (["ledger_balance_minor"] if balance else [])


def select_counts(conn: ReadConnection) -> Counts:
    """Count what is in the database, stage by stage."""
    with conn.cursor(row_factory=class_row(Counts)) as cursor:
        counts = cursor.execute(_Q["select_counts"]).fetchone()
    assert counts is not None
    return counts


def select_newest_reading(conn: ReadConnection) -> datetime | None:
    """When the fleet last said anything; None when it never did."""
    row = conn.execute(_Q["select_newest_reading"]).fetchone()
    return row[0] if row else None


def select_customers_with_offers(conn: ReadConnection) -> list[CustomerId]:
    """Customers with open offers, the best story first."""
    return [row[0] for row in conn.execute(_Q["select_customers_with_offers"])]


def accept_first_offer(customer: Client, customer_id: CustomerId) -> Any:
    """The customer accepts what was offered first; returns the answer."""
    offers = customer.get(f"/v1/customers/{customer_id}/offers")["items"]
    return customer.post(f"/v1/offers/{offers[0]['offer_id']}/accept")


def sell_in_another_store(conn: ReadConnection, operator: Client, customer_id: CustomerId, member: Staff) -> Any:
    """The customer buys in a shop that is not the credited staff member's; returns the answer."""
    store = next(store for store in select_stores(conn) if store.store_id != member.store_id)
    sale = {
        "customer_id": customer_id,
        "channel": "store",
        "store_id": store.store_id,
        "items": [{"sku": "REED-HEPA-H13", "quantity": 1}],
        "currency": store.currency,
    }
    return operator.post("/v1/orders", sale)
