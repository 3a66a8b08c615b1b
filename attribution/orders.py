"""Sales in any channel, their credit, and refunds."""

from collections.abc import Sequence
from datetime import datetime

from attribution.nouns import Channel, Order, OrderItem, Refund
from millpond.kernel.db import ReadConnection, WriteConnection
from millpond.kernel.ids import CustomerId, OfferId, OrderId, StaffId, StoreId
from millpond.kernel.money import Money


def place_order(
    conn: WriteConnection,
    *,
    customer_id: CustomerId,
    channel: Channel,
    items: Sequence[OrderItem],
    currency: str,
    at: datetime,
    store_id: StoreId | None = None,
    sold_by: StaffId | None = None,
    offer_id: OfferId | None = None,
) -> Order:
    """Place an order and credit it to the binding in force at `at`, in one transaction.

    The API calls `offers.checkout.place_order` instead (same arguments less `offer_id`), which also withdraws what
    the order makes moot. Raises InvalidInput (no lines, unknown product, other currency, store channel without a
    store, ...), NotFound (customer), Conflict (the offer was already ordered).
    """
    raise NotImplementedError


def refund_order(
    conn: WriteConnection, order_id: OrderId, *, amount: Money, at: datetime, reason: str | None = None
) -> Refund:
    """Give money back and claw back its share of the commission, in one transaction.

    Raises NotFound, InvalidInput (other currency, not positive), Conflict (more than is left of the order).
    """
    raise NotImplementedError


def select_order(conn: ReadConnection, order_id: str) -> Order | None:
    """The order with this id, with its lines."""
    raise NotImplementedError


def select_orders(
    conn: ReadConnection,
    *,
    customer_id: CustomerId | None = None,
    credited_to: StaffId | None = None,
    before: tuple[datetime, OrderId] | None = None,
    limit: int = 50,
) -> list[Order]:
    """Up to `limit` orders, newest first, that come after `before` (placed_at, order_id) in that order."""
    raise NotImplementedError


def select_refunds(conn: ReadConnection, order_id: OrderId) -> list[Refund]:
    """The refunds of an order, oldest first."""
    raise NotImplementedError
