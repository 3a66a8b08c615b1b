"""A household whose purifier needs a filter, and what it may do about it."""

from datetime import UTC, datetime

from attribution.nouns import Channel, Order, OrderItem
from devices.nouns import Device
from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import Sku
from offers.checkout import place_order
from offers.store import select_decisions
from tests.household import DAY, LEAD, current_part, forecast, make_device
from tests.people import AT, Shop, make_shop

LONG_AGO = AT - 200 * DAY
P10 = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)
DUE = P10 - LEAD.total
HEPA = Sku("REED-HEPA-H13")


def make_purifier(conn: WriteConnection, shop: Shop, serial: str = "AIR-1") -> Device:
    return make_device(conn, serial, "reed-air-2", shop.customer.customer_id, LONG_AGO)


def make_due(conn: WriteConnection) -> tuple[Shop, Device]:
    shop = make_shop(conn)
    device = make_purifier(conn, shop)
    forecast(conn, current_part(conn, device), P10, at=DUE - DAY)
    return shop, device


def buy(conn: WriteConnection, shop: Shop, at: datetime, *, sku: Sku = HEPA, quantity: int = 1) -> Order:
    return place_order(
        conn,
        customer_id=shop.customer.customer_id,
        channel=Channel.STORE,
        store_id=shop.store.store_id,
        items=[OrderItem(sku, quantity)],
        currency="EUR",
        at=at,
    )


def last_gate(conn: WriteConnection, shop: Shop) -> tuple[str | None, str]:
    """The gate that stood against the newest decision, and why."""
    decision = select_decisions(conn, customer_id=shop.customer.customer_id)[0]
    why = next((gate.why for gate in decision.gates if gate.gate == decision.failed_gate), "")
    return decision.failed_gate, why
