"""What flows into a dam over ten days, with the truth of whose it is: a site, and tills of two shops."""

import json
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from attribution.nouns import Channel, OrderItem
from attribution.orders import record_sale
from attribution.people import register_store
from customers.identifiers import add_identifier
from customers.nouns import Customer, Namespace
from events.nouns import Call, Event, Source, SourceKind
from events.sources import register_source
from events.store import store_events
from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import Sku
from tests.people import AT as BEGIN
from tests.people import make_customer

DAY = timedelta(days=1)
END = BEGIN + 10 * DAY
SHOPS = ("Harbour", "Market")


@dataclass(slots=True)
class Truth:
    """What was put in: by place how many there were, and how many of them of a known customer."""

    events: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    orders: Counter[str] = field(default_factory=Counter)
    known_orders: Counter[str] = field(default_factory=Counter)
    late: Counter[str] = field(default_factory=Counter)
    incomplete: Counter[str] = field(default_factory=Counter)
    again: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Dam:
    """The sources, who is known by which login, and the truth."""

    site: Source
    till: Source
    customers: list[Customer]
    truth: Truth


def make_dam(conn: WriteConnection, *, seed: int = 11) -> Dam:
    """Ten days of visits to a site and sales at two tills; of some of either nobody knows whose they are."""
    rng = random.Random(seed)
    site = register_source(conn, name="Site", kind=SourceKind.WEB, at=BEGIN)
    till = register_source(conn, name="Tills", kind=SourceKind.POS, at=BEGIN)
    customers = [make_customer(conn, name=f"Kim {number}") for number in range(8)]
    for number, customer in enumerate(customers):
        add_identifier(conn, customer.customer_id, Namespace.EXTERNAL, f"login-{number}", at=BEGIN)
    dam = Dam(site, till, customers, Truth())
    _visit(conn, dam, rng)
    _sell(conn, dam, rng)
    return dam


def _visit(conn: WriteConnection, dam: Dam, rng: random.Random) -> None:
    """300 looks at products: with a login, as a visitor, or as nobody; some late, some without their product."""
    for number in range(300):
        who = rng.random()
        login = f"login-{rng.randrange(8)}" if who < 0.4 else None
        visitor = f"visitor-{rng.randrange(50)}" if 0.4 <= who < 0.9 else None
        late, incomplete = rng.random() < 0.1, rng.random() < 0.2
        arrived = BEGIN + rng.random() * (END - BEGIN)
        looked = make_event(
            f"look-{number}",
            "Product Viewed",
            arrived - (2 * timedelta(hours=1) if late else timedelta(minutes=1)),
            login=login,
            visitor=visitor,
            sku=None if incomplete else "SKU-1",
        )
        store_events(conn, dam.site, [looked], at=arrived)
        dam.truth.events["Site"] += 1
        dam.truth.known["Site"] += login is not None
        dam.truth.late["Site"] += late
        dam.truth.incomplete["Site"] += incomplete


def _sell(conn: WriteConnection, dam: Dam, rng: random.Random) -> None:
    """100 sales at each till: a known customer's is in the books, all are told by the till, some of them twice."""
    for shop in SHOPS:
        store = register_store(conn, name=shop, currency="EUR", at=BEGIN)
        for number in range(100):
            sold_at = BEGIN + rng.random() * (END - BEGIN)
            buyer = rng.randrange(8) if rng.random() < (0.62 if shop == "Harbour" else 1.0) else None
            if buyer is not None:
                record_sale(
                    conn,
                    customer_id=dam.customers[buyer].customer_id,
                    channel=Channel.STORE,
                    store_id=store.store_id,
                    items=[OrderItem(Sku("REED-SOUNDBAR-3"))],
                    currency="EUR",
                    at=sold_at,
                )
            order = {"order_id": f"{shop}-{number}", "currency": "EUR", "products": [], "store_id": store.store_id}
            login = None if buyer is None else f"login-{buyer}"
            told = make_event(
                f"{shop}-{number}", "Order Completed", sold_at, login=login, visitor=f"slip-{shop}-{number}"
            )
            told = replace(told, properties=json.dumps(order))
            again = rng.random() < 0.1
            copies = [told, replace(told, message_id=told.message_id + "-again")] if again else [told]
            store_events(conn, dam.till, copies, at=sold_at)
            dam.truth.events["Tills"] += len(copies)
            dam.truth.known["Tills"] += len(copies) if login else 0
            dam.truth.again["Tills"] += again
            dam.truth.orders[shop] += 1
            dam.truth.known_orders[shop] += buyer is not None


def make_event(
    message_id: str, name: str, at: datetime, *, login: str | None, visitor: str | None, sku: str | None = None
) -> Event:
    """One track call."""
    return Event(message_id, Call.TRACK, name, at, login, visitor, None, None, sku, "{}", "{}")
