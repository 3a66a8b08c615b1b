"""A sale in any channel, and what it makes moot."""

from collections.abc import Sequence
from datetime import datetime

from attribution.nouns import Channel, Order, OrderItem
from millpond.kernel.db import WriteConnection
from millpond.kernel.ids import CustomerId, StaffId, StoreId


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
) -> Order:
    """Place an order, credit it, and withdraw the customer's offers it makes moot, in one transaction.

    Raises what `attribution.orders.place_order` raises.
    """
    raise NotImplementedError
