"""A shop with a bound customer, what it sells, and what its staff have earned."""

from datetime import datetime, timedelta

from attribution.ledger import select_balances
from attribution.ledger_nouns import AccountKind
from attribution.nouns import Channel, Order, OrderItem
from attribution.orders import record_sale
from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import Sku, StaffId
from millpond.kernel.money import Money
from tests.people import AT, Shop, make_shop, scan_badge

DAY = timedelta(days=1)
SOUNDBAR = OrderItem(Sku("REED-SOUNDBAR-3"))  # 179.00: 5.37 of commission


def sell(conn: WriteConnection, shop: Shop, at: datetime = AT, item: OrderItem = SOUNDBAR) -> Order:
    return record_sale(
        conn, customer_id=shop.customer.customer_id, channel=Channel.APP, items=[item], currency="EUR", at=at
    )


def bound_shop(conn: WriteConnection) -> Shop:
    shop = make_shop(conn)
    scan_badge(conn, shop.customer, shop.staff)
    return shop


def balances(conn: WriteConnection, staff_id: StaffId) -> tuple[int, int, int]:
    """Pending, available, paid, in cents."""
    held = select_balances(conn, staff_id)
    kinds = (AccountKind.PENDING, AccountKind.AVAILABLE, AccountKind.PAID)
    pending, available, paid = (held.get((kind, "EUR"), Money(0, "EUR")).amount_minor for kind in kinds)
    return pending, available, paid
